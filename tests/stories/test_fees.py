"""Fees: money is owed; it is paid, waived, cancelled, paid back, and never counted twice."""

from typing import Any
from uuid import uuid4

from tests.stories.library import API, Library, Person, blocks, expect


def euros(amount: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


async def charged(library: Library, person: Person, amount: int) -> dict[str, Any]:
    body = {"patron_id": person.id, "amount": euros(amount), "reason": "card"}
    made: dict[str, Any] = expect(await library.staff.post(f"{API}/fines", json=body), 201)
    return made


async def account(library: Library, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = expect(await library.staff.get(f"{API}/users/{person.id}/account"))
    return found


async def test_what_is_owed_is_paid_oldest_first_and_never_more(library: Library) -> None:
    ann = await library.reader("Ann")
    first, second = await charged(library, ann, 300), await charged(library, ann, 500)
    pay = {"patron_id": ann.id, "amount": euros(400), "method": "cash"}
    paid = expect(await library.staff.post(f"{API}/payments", json=pay), 201)
    assert paid["allocated"] == [
        {"fine_id": first["id"], "amount": euros(300)},
        {"fine_id": second["id"], "amount": euros(100)},
    ]
    assert paid["balance"] == euros(400)

    for amount, reason in (
        (euros(401), "more-than-owed"),
        (euros(0), "not-positive"),
        (euros(-5), "not-positive"),
        (euros(100, "USD"), "wrong-currency"),
    ):
        refused = await library.staff.post(f"{API}/payments", json=pay | {"amount": amount})
        assert expect(refused, 409)["reason"] == reason
    now = await account(library, ann)
    assert (now["balance"], now["owed"], now["credit"]) == (euros(400), euros(400), euros(0))
    assert [fine["outstanding"] for fine in now["fines"]] == [euros(400)]
    assert sum(line["amount"]["amount"] for line in now["items"]) == 400
    mine = expect(await ann.client.get(f"{API}/users/{ann.id}/account"))
    assert mine["owed"] == euros(400)


async def test_waived_cancelled_and_paid_back(library: Library) -> None:
    ann = await library.patron("Ann")
    fine = await charged(library, ann, 500)
    waive = f"{API}/fines/{fine['id']}/waive"
    expect(await library.staff.post(waive, json={}), 422)
    part = {"amount": euros(200), "reason": "First time"}
    assert expect(await library.staff.post(waive, json=part))["outstanding"] == euros(300)
    pay = {"patron_id": ann.id, "amount": euros(300), "fine_ids": [fine["id"]]}
    expect(await library.staff.post(f"{API}/payments", json=pay), 201)
    again = await library.staff.post(waive, json={"reason": "Again"})
    assert expect(again, 409)["reason"] == "nothing-owed"

    wrong = {"reason": "The book was here all the time"}
    expect(await library.staff.post(f"{API}/fines/{fine['id']}/cancel", json=wrong))
    twice = await library.staff.post(f"{API}/fines/{fine['id']}/cancel", json=wrong)
    assert expect(twice, 409)["reason"] == "cancelled-before"
    assert (await account(library, ann))["credit"] == euros(300), "what was waived was never paid"
    back = {"patron_id": ann.id, "amount": euros(301), "reason": "Credit"}
    refused = await library.staff.post(f"{API}/refunds", json=back)
    assert expect(refused, 409)["reason"] == "more-than-credit"
    expect(await library.staff.post(f"{API}/refunds", json=back | {"amount": euros(300)}), 201)
    assert (await account(library, ann))["balance"] == euros(0)


async def test_one_payment_sent_twice_is_taken_once(library: Library) -> None:
    ann = await library.patron("Ann")
    await charged(library, ann, 500)
    pay = {"patron_id": ann.id, "amount": euros(200)}
    key = {"idempotency-key": uuid4().hex}
    first = expect(await library.staff.post(f"{API}/payments", json=pay, headers=key), 201)
    assert expect(await library.staff.post(f"{API}/payments", json=pay, headers=key), 201) == first
    assert (await account(library, ann))["balance"] == euros(300)


async def test_who_owes_too_much_borrows_when_it_is_paid(library: Library) -> None:
    await library.rule("owed_limit", 500)
    ann, copy = await library.patron("Ann"), await library.copy()
    await charged(library, ann, 501)
    assert blocks(await library.lend(copy, ann)) == ["fines-owed"]
    pay = {"patron_id": ann.id, "amount": euros(1)}
    expect(await library.staff.post(f"{API}/payments", json=pay), 201)
    expect(await library.lend(copy, ann), 201)


async def test_a_hold_costs_its_fee_when_it_is_collected(library: Library) -> None:
    await library.rule("hold_fee", 50)
    ann, copy = await library.patron("Ann"), await library.copy()
    body = {
        "copy_id": copy["id"],
        "patron_id": ann.id,
        "pickup_branch_id": library.branch,
    }
    expect(await library.staff.post(f"{API}/holds", json=body), 201)
    assert expect(await library.take_back(copy))["next"] == "hold"
    assert (await account(library, ann))["balance"] == euros(0)
    expect(await library.lend(copy, ann), 201)
    fines = (await account(library, ann))["fines"]
    assert [(each["reason"], each["amount"]) for each in fines] == [("hold", euros(50))]
