"""A book is found, lent, renewed and returned."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import uuid4

from tests.stories.library import API, Library, blocks, expect


async def test_a_book_is_found_lent_renewed_and_returned(library: Library) -> None:
    ann = await library.reader("Ann")
    word = f"zq{uuid4().hex[:8]}"
    book = await library.book(f"Middlemarch {word}")
    copy = await library.copy(book)

    found = expect(await ann.client.get(f"{API}/books/search?q={word}"))
    assert [each["id"] for each in found["items"]] == [book["id"]]
    assert (await _status(library, copy)) == "available"

    loan = expect(await library.lend(copy, ann, by=ann.client), 201)
    assert loan["patron_id"] == ann.id
    assert (await _status(library, copy)) == "on-loan"

    renewed = expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"), 409)
    assert renewed["reason"] == "not-later"  # lent and renewed on the same day
    await library.staff.patch(
        f"{API}/rules/{(await library.rule('renewal_period', 30))['id']}", json={"value": 30}
    )

    taken = expect(await library.take_back(copy))
    assert taken["next"] == "shelve"
    assert taken["loan"]["id"] == loan["id"]
    assert (await _status(library, copy)) == "available"
    assert await library.loans_of(ann) == []


async def test_a_renewed_loan_is_due_later(library: Library) -> None:
    await library.rule("renew_from", "due-date")
    ann, copy = await library.reader("Ann"), await library.copy()
    loan = expect(await library.lend(copy, ann), 201)

    again = expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"))

    assert _day(again["due_at"]) - _day(loan["due_at"]) == timedelta(days=21)
    assert again["renewals"] == 1
    expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"))
    third = expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"), 409)
    assert third["reason"] == "too-many-renewals"


async def test_every_reason_is_told_at_once(library: Library) -> None:
    await library.rule("max_loans_total", 0, category=library.category)
    ben = await library.patron("Ben", expires_on=str(date.today() - timedelta(days=5)))
    copy = await library.copy(item_type="reference")

    answer = await library.lend(copy, ben)

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/check-out-refused"
    assert blocks(answer) == ["card-expired", "loan-limit-total", "reference-only"]
    dry = expect(
        await library.staff.get(
            f"{API}/loans/check?barcode={copy['barcode']}&card_number={ben.card}"
        )
    )
    assert dry["blocks"] == answer.json()["blocks"]
    assert await library.loans_of(ben) == []


async def test_staff_waive_what_may_be_waived_and_nothing_else(library: Library) -> None:
    ben = await library.patron("Ben")
    copy = await library.copy(item_type="reference")
    refused = await library.lend(copy, ben, waive=["withdrawn"])
    assert blocks(refused) == ["reference-only"]
    expect(await library.lend(copy, ben, waive=["reference-only"], reason="For the exam"), 201)

    other = await library.copy()
    flags = f"{API}/copies/{other['id']}/flags"
    assert expect(await library.staff.post(flags, json={"flag": "withdrawn"}))["status"] == (
        "withdrawn"
    )
    assert blocks(await library.lend(other, ben, waive=["withdrawn"])) == ["withdrawn"]


async def test_a_reader_cannot_waive(library: Library) -> None:
    ann = await library.reader("Ann")
    copy = await library.copy(item_type="reference")
    answer = await library.lend(copy, ann, by=ann.client, waive=["reference-only"])
    assert expect(answer, 403)["type"] == "/problems/not-allowed"
    assert await library.loans_of(ann) == []


async def test_a_reader_borrows_for_oneself_only(library: Library) -> None:
    ann, ben = await library.reader("Ann"), await library.patron("Ben")
    copy = await library.copy()
    expect(await library.lend(copy, ben, by=ann.client), 403)
    answer = await ann.client.post(f"{API}/loans", json={"barcode": copy["barcode"]})
    assert expect(answer, 201)["patron_id"] == ann.id


async def test_without_self_service_a_reader_goes_to_the_desk(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    await library.staff.patch(f"{API}/branches/{library.branch}", json={"self_service": False})
    expect(await library.lend(copy, ann, by=ann.client), 403)
    expect(await library.lend(copy, ann), 201)


async def test_an_unknown_barcode_and_card_are_blocks(library: Library) -> None:
    answer = await library.staff.post(
        f"{API}/loans", json={"barcode": "nothing", "card_number": "NOBODY-1"}
    )
    assert blocks(answer) == ["unknown-copy", "unknown-card"]
    back = await library.staff.post(f"{API}/returns", json={"barcode": "nothing"})
    assert expect(back, 404)["type"] == "/problems/no-such-copy"


async def test_scanning_twice_does_not_renew_silently(library: Library) -> None:
    await library.rule("renew_from", "due-date")
    ann, copy = await library.reader("Ann"), await library.copy()
    expect(await library.lend(copy, ann), 201)
    assert blocks(await library.lend(copy, ann)) == ["already-yours"]
    assert expect(await library.lend(copy, ann, renew=True), 201)["renewals"] == 1


async def test_a_copy_returned_elsewhere_is_sent_home(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    expect(await library.lend(copy, ann), 201)
    async with Library.open(library.system) as north:
        taken = expect(await north.take_back(copy, branch_id=north.branch))
        assert (taken["next"], taken["to_branch"]) == ("transit", library.branch)
        assert await _status(library, copy) == "in-transit"
    home = expect(await library.take_back(copy, branch_id=library.branch))
    assert (home["next"], home["loan"]) == ("shelve", None)
    assert await _status(library, copy) == "available"


async def test_a_book_drop_return_is_back_dated_but_not_before_the_loan(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    loan = expect(await library.lend(copy, ann), 201)
    before = datetime.fromisoformat(loan["lent_at"]) - timedelta(hours=1)
    expect(await library.take_back(copy, returned_at=before.isoformat()), 409)
    future = datetime.fromisoformat(loan["lent_at"]) + timedelta(days=1)
    expect(await library.take_back(copy, returned_at=future.isoformat()), 422)
    assert len(await library.loans_of(ann)) == 1
    assert expect(await library.take_back(copy, returned_at=loan["lent_at"]))["loan"]


async def test_the_policy_stays_on_the_loan(library: Library) -> None:
    rule = await library.rule("renew_from", "due-date")
    ann, copy = await library.reader("Ann"), await library.copy()
    loan = expect(await library.lend(copy, ann), 201)
    changed = await library.staff.patch(f"{API}/rules/{rule['id']}", json={"value": "today"})
    expect(changed)
    assert expect(await ann.client.post(f"{API}/loans/{loan['id']}/renew"))["renewals"] == 1


async def test_a_blocked_card_borrows_nothing_until_the_block_is_lifted(library: Library) -> None:
    ann, copy = await library.reader("Ann"), await library.copy()
    expect(await library.lend(await library.copy(), ann), 201)  # circulation has met Ann
    blocked = await library.staff.post(f"{API}/users/{ann.id}/blocks", json={"reason": "other"})
    block = expect(blocked, 201)
    assert blocks(await library.lend(copy, ann)) == ["patron-blocked"]
    lifted = await library.staff.delete(f"{API}/users/{ann.id}/blocks/{block['id']}")
    assert lifted.status_code == 204
    expect(await library.lend(copy, ann), 201)


async def test_search_for_what_is_available_follows_the_desk(library: Library) -> None:
    word = f"zq{uuid4().hex[:8]}"
    copy = await library.copy(await library.book(f"Emma {word}"))
    path = f"{API}/books/search?q={word}&available=true&branch={library.branch}"
    assert len(expect(await library.staff.get(path))["items"]) == 1
    expect(await library.lend(copy, await library.patron()), 201)
    for _ in range(100):  # an answer about the shelf may be two seconds old
        if expect(await library.staff.get(path))["items"] == []:
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("a lent book stayed available in search")


async def _status(library: Library, copy: dict[str, str]) -> str:
    status: str = expect(await library.staff.get(f"{API}/copies/{copy['id']}"))["status"]
    return status


def _day(instant: str) -> date:
    return datetime.fromisoformat(instant).date()


async def test_a_book_leads_to_what_its_readers_borrowed_too(library: Library) -> None:
    emma = await library.book("Emma", authors=["Nobody Else"])
    other = await library.book("Bread and beyond", authors=["Another Baker"])
    path = f"{API}/books/{emma['id']}/similar"
    for name in ("Ann", "Ben", "Cleo"):
        reader = await library.patron(name)
        for book in (emma, other):
            expect(await library.lend(await library.copy(book), reader), 201)
    similar = expect(await library.staff.get(path))["items"]
    assert [each["id"] for each in similar] == [other["id"]]
