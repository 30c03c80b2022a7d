"""What a reader waits for and owes, on the page of one's own."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from lendery.circulation.models import copy, hold
from lendery.contracts.base import Window, new_id
from lendery.contracts.circulation import LoanFilter
from lendery.contracts.permissions import SYSTEM
from lendery.web import queues
from lendery.web.words import said_day

from .conftest import Browser, Library, Page


def tomorrow() -> str:
    return str(date.today() + timedelta(days=2))


async def change(browser: Browser, page: Page, do: str, hold_id: UUID, **more: str) -> Page:
    return await browser.send("/my", {"token": page.token, "do": f"{do}:{hold_id}"} | more)


async def test_each_empty_part_is_one_sentence(ann: Browser) -> None:
    page = await ann.see("/my")
    assert page.response.status_code == 200
    for sentence in (
        "Nothing waits for you on a hold shelf.",
        "Nothing is late.",
        "You have no loans.",
        "You have no holds. Find a book and choose Place hold.",
        "You owe nothing.",
    ):
        assert page.text.count(sentence) == 1, sentence


async def test_ready_late_on_loan_holds_and_money_in_this_order(
    library: Library, ann: Browser
) -> None:
    await library.rule("fine", 20)
    await library.shelve("Romola", "R-1", "R-2")
    await library.lend("00125", "Lea Moss")
    await library.hold("Emma", "Cas Berg")
    await library.hold("Emma", "Ann Reed")
    await library.hold("Persuasion", "Ann Reed", north=True)
    await library.take_back("00126", north=True)
    await library.lend("R-1", "Ann Reed", days_ago=26)
    await library.lend("00123", "Ann Reed")
    await library.charge("Ann Reed", 300, "Lost card")
    page = await ann.see("/my")
    order = [
        page.text.index(words)
        for words in (
            "Persuasion",
            "Ready at North, until",
            "Romola",
            "Late: was due",
            "Middlemarch",
            "Emma",
            "2nd of 2",
            "You owe 3.00 EUR.",
            "Lost card",
            "Not owed yet: 1.00 EUR",
        )
    ]
    assert order == sorted(order)
    assert (await ann.see("/")).text.count("Ready for you: Persuasion , North") == 1


async def test_a_hold_on_its_way_says_where_to_and_comes_first(
    library: Library, ann: Browser
) -> None:
    await library.hold("Emma", "Ann Reed")
    await library.hold("Persuasion", "Ann Reed")
    await library.take_back("00126", north=True)
    text = (await ann.see("/my")).text
    assert text.index("Persuasion") < text.index("On its way to Central") < text.index("Emma")


TOO_FEW = "When it is ready cannot be said yet: too few have waited like this."


async def served_after_1_to_20_days(library: Library) -> None:
    """Each the first in line for a book with one copy, two months ago."""
    placed = datetime.now(UTC) - timedelta(days=60)
    async with library.wiring.db.begin() as tx:
        for days in range(1, 21):
            ready, book_id, branch_id = placed + timedelta(days=days), new_id(), new_id()
            its_copy = {"id": new_id(), "book_id": book_id, "home_branch_id": branch_id}
            await tx.run(insert(copy).values(**its_copy, item_type="book", version=1))
            its_hold = {"id": new_id(), "book_id": book_id, "pickup_branch_id": branch_id}
            times = {"placed_at": placed, "ready_at": ready, "ended_at": ready}
            state = {"state": "fulfilled", "suspended": False, "borrower": new_id()}
            await tx.run(insert(hold).values(**its_hold, **times, **state))


async def test_a_hold_says_when_it_is_likely_to_be_ready(library: Library, ann: Browser) -> None:
    await served_after_1_to_20_days(library)
    held = await library.hold("Emma", "Ann Reed")
    today = datetime.now(UTC).date()
    first, last = (said_day(today + timedelta(days=days), today) for days in (2, 19))
    page = await ann.see("/my")
    assert f"Likely between {first} and {last}." in page.text
    assert "8 of 10 readers in your place waited that long." in page.text
    assert TOO_FEW not in page.text
    assert "Likely" not in (await change(ann, page, "suspend", held.id)).text


async def test_where_too_few_have_waited_the_page_says_so(library: Library, ann: Browser) -> None:
    await library.hold("Emma", "Ann Reed")
    page = await ann.see("/my")
    assert page.text.count(TOO_FEW) == 1
    assert "8 of 10" not in page.text


async def test_ann_suspends_and_resumes(library: Library, ann: Browser) -> None:
    hold = await library.hold("Emma", "Ann Reed")
    page = await ann.see("/my")
    assert "1st of 1" in page.text
    wrong = await change(ann, page, "suspend", hold.id, until=str(date.today()))
    assert wrong.response.status_code == 422 and "Choose a day after today" in wrong.text
    assert (await library.holds_of("Ann Reed"))[0].suspended is False
    page = await change(ann, page, "suspend", hold.id, until=tomorrow())
    assert "Hold suspended until" in page.text and "It keeps its place." in page.text
    assert str((await library.holds_of("Ann Reed"))[0].suspended_until) == tomorrow()
    page = await change(ann, page, "resume", hold.id)
    assert "Hold resumed: Emma." in page.text
    page = await change(ann, page, "suspend", hold.id, until="")
    assert "Hold suspended until it is resumed: Emma." in page.text
    (now,) = await library.holds_of("Ann Reed")
    assert now.suspended is True and now.suspended_until is None


async def test_ann_is_asked_before_her_hold_is_cancelled(library: Library, ann: Browser) -> None:
    hold = await library.hold("Emma", "Ann Reed")
    path = f"/my/holds/{hold.id}/cancel"
    page = await ann.see("/my")
    assert f'href="{path}"' in page.response.text
    page = await ann.see(path)
    assert "Cancel this hold?" in page.text and "1st of 1" in page.text
    assert (await library.holds_of("Ann Reed"))[0].state == "waiting", "looking cancels nothing"
    done = await change(ann, page, "cancel", hold.id)
    assert "Hold cancelled: Emma." in done.text and "You have no holds." in done.text
    again = await change(ann, page, "cancel", hold.id)
    assert again.response.status_code == 200 and "Hold cancelled: Emma." in again.text
    assert "This hold has ended" in (await ann.see(path)).text
    assert [each.state for each in await library.holds_of("Ann Reed")] == ["cancelled"]


async def test_a_hold_that_is_ready_is_not_suspended(library: Library, ann: Browser) -> None:
    hold = await library.hold("Emma", "Ann Reed")
    page = await ann.see("/my")
    await library.take_back("00125")
    page = await change(ann, page, "suspend", hold.id)
    assert "Nothing was changed. A copy was found for this hold." in page.text
    assert (await library.holds_of("Ann Reed"))[0].state == "ready"


async def test_nobody_touches_the_holds_of_others(library: Library, ann: Browser) -> None:
    hold = await library.hold("Emma", "Cas Berg")
    page = await ann.see("/my")
    assert "Emma" not in page.text
    for do in ("cancel", "suspend", "resume"):
        answer = await change(ann, page, do, hold.id)
        assert answer.response.status_code == 403 and "Emma" not in answer.text
    answer = await ann.see(f"/my/holds/{hold.id}/cancel")
    assert answer.response.status_code == 403 and "Emma" not in answer.text
    (now,) = await library.holds_of("Cas Berg")
    assert (now.state, now.suspended) == ("waiting", False)


async def test_staff_change_the_holds_of_others_at_the_desk_only(
    library: Library, desk: Browser
) -> None:
    hold = await library.hold("Emma", "Ann Reed")
    page = await desk.see("/my")
    assert (await change(desk, page, "cancel", hold.id)).response.status_code == 404
    assert (await desk.see(f"/my/holds/{hold.id}/cancel")).response.status_code == 404
    assert (await library.holds_of("Ann Reed"))[0].state == "waiting"


async def test_changing_a_hold_needs_the_forms_token(library: Library, ann: Browser) -> None:
    hold = await library.hold("Emma", "Ann Reed")
    page = await ann.send("/my", {"token": "0" * 40, "do": f"cancel:{hold.id}"})
    assert page.response.status_code == 403
    assert (await library.holds_of("Ann Reed"))[0].state == "waiting"


async def test_odd_deeds_are_not_found(library: Library, ann: Browser) -> None:
    page = await ann.see("/my")
    answer = await ann.send("/my", {"token": page.token, "do": "cancel:nonsense"})
    assert answer.response.status_code == 404


async def test_ann_sees_what_is_left_of_a_fine_and_her_credit(
    library: Library, ann: Browser, desk: Browser
) -> None:
    fine = await library.charge("Ann Reed", 300)
    path = f"/staff/patrons/{library.people['Ann Reed'].id}/account"
    page = await desk.see(path)
    form = {"token": page.token, "key": page.value("key")}
    await desk.send(path, form | {"do": "pay", "pay-amount": "1"})
    page = await ann.see("/my")
    assert "You owe 2.00 EUR." in page.text and "2.00 EUR of 3.00 EUR" in page.text
    wrong = {"do": f"cancel:{fine.id}", f"cancel-{fine.id}": "The book was here"}
    await desk.send(path, form | wrong)
    page = await ann.see("/my")
    assert "You have 1.00 EUR of credit." in page.text and "You owe" not in page.text


async def goes_by(library: Library, zone: str) -> ZoneInfo:
    """Central keeps the time of another part of the world."""
    changes = {"time_zone": zone}
    now = datetime.now(UTC)
    branches = library.wiring.branches
    await branches.change(branch_id=library.central.id, changes=changes, actor=SYSTEM, now=now)
    return ZoneInfo(zone)


async def test_what_a_late_loan_costs_is_told_with_the_day_it_was_due_there(
    library: Library, ann: Browser, desk: Browser
) -> None:
    there = await goes_by(library, "America/Los_Angeles")
    await library.rule("fine", 20)
    await library.lend("00123", "Ann Reed", days_ago=30)
    found = await library.wiring.loans.find(
        like=LoanFilter(status="overdue"), window=Window(), actor=SYSTEM, now=datetime.now(UTC)
    )
    due_on = found.items[0].due_at.astimezone(there).date()
    assert due_on < found.items[0].due_at.date(), "in Greenwich it is a day later"
    says = said_day(due_on, datetime.now(UTC).date())
    mine = await ann.see("/my")
    assert f"Late: was due {says}" in mine.text and f"late, was due {says}" in mine.text
    page = await desk.see(f"/staff/patrons/{library.people['Ann Reed'].id}/account")
    assert f"late, was due {says}" in page.text


async def test_a_hold_is_suspended_until_a_day_that_is_to_come_where_it_is_collected(
    library: Library,
) -> None:
    hold = await library.hold("Emma", "Ann Reed", days_ago=1)
    evening = datetime(2026, 7, 2, 3, tzinfo=UTC)  # of the first of July in California
    night = datetime(2026, 7, 1, 12, tzinfo=UTC)  # the second has begun on Christmas Island
    for now, zone, day, what in (
        (evening, "America/Los_Angeles", "2026-07-01", "not-a-day"),
        (evening, "America/Los_Angeles", "2026-07-02", "suspended"),
        (night, "Pacific/Kiritimati", "2026-07-02", "not-a-day"),
        (night, "Pacific/Kiritimati", "2026-07-03", "suspended"),
    ):
        await goes_by(library, zone)
        changed = await queues.change(
            library.wiring,
            do="suspend",
            hold_id=hold.id,
            whose=library.people["Ann Reed"].id,
            until=day,
            actor=SYSTEM,
            now=now,
        )
        assert changed.what == what, (zone, day)
