"""A copy comes in, and somebody waits for it: who gets it, and where it goes."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import NOW, Town

from lendery.contracts.circulation import Flag, HoldReady, HoldSentOn, TransferStarted

MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


async def open_house(desk: Desk, **rules: Any) -> tuple[UUID, UUID]:
    """Where the copies live, and another branch."""
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(**{"loan_period": 21, "pickup_days": 3, **rules})
    return home.id, away.id


async def test_collected_here_it_stands_on_the_hold_shelf(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    loan = await desk.lend("b1", "BEN")
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    seen = len(await desk.told())

    back = await desk.bring("b1")
    assert (back.next, back.to_branch, back.copy_here.status) == ("hold", None, "on-hold-shelf")
    assert back.loan is not None and back.loan.id == loan.id
    assert back.hold is not None
    assert (back.hold.id, back.hold.state, back.hold.position) == (held.id, "ready", None)
    assert (back.hold.given_copy_id, back.hold.ready_at) == (copy.id, NOW)
    assert back.hold == await desk.hold(held)
    assert await desk.status(copy) == "on-hold-shelf"
    assert await desk.names(seen) == ["ItemCheckedIn", "HoldReady"]
    ready = (await desk.told())[-1]
    assert isinstance(ready, HoldReady)
    assert (ready.copy_id, ready.branch_id) == (copy.id, home)
    assert ready.expires_on == back.hold.expires_on == MONDAY + timedelta(days=3)


async def test_collected_elsewhere_it_travels_and_is_ready_when_it_arrives(desk: Desk) -> None:
    home, away = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", away, book_id=copy.book_id)
    seen = len(await desk.told())

    sent = await desk.bring("b1")  # a shelf check is enough
    assert (sent.next, sent.to_branch, sent.loan) == ("transit", away, None)
    assert sent.hold is not None and sent.hold.state == "in-transit"
    assert sent.hold.expires_on is sent.hold.ready_at is None, "its days begin when it is there"
    assert await desk.status(copy) == "in-transit"
    told = await desk.told(seen)
    assert [type(event) for event in told[1:]] == [TransferStarted, HoldSentOn]

    later = desk.at(NOW + timedelta(days=2))
    arrived = await later.bring("b1", branch_id=away)
    assert (arrived.next, arrived.to_branch) == ("hold", None)
    assert arrived.hold is not None
    assert (arrived.hold.id, arrived.hold.state) == (held.id, "ready")
    assert arrived.hold.expires_on == MONDAY + timedelta(days=5)
    assert await desk.names(seen + 3) == ["ItemCheckedIn", "TransferReceived", "HoldReady"]


async def test_on_its_way_it_goes_on_from_wherever_it_is_scanned(desk: Desk) -> None:
    home, away = await open_house(desk)
    other = (await desk.town.branch("other")).id
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", away, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    on = await desk.bring("b1", branch_id=other)
    assert (on.next, on.to_branch) == ("transit", away)
    assert on.hold is not None and (on.hold.id, on.hold.state) == (held.id, "in-transit")
    assert await desk.names(seen) == ["ItemCheckedIn", "TransferStarted"], "sent on once only"


async def test_a_copy_carried_off_the_hold_shelf_goes_back_to_it(desk: Desk) -> None:
    home, away = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.bring("b1")
    later = desk.at(NOW + timedelta(days=1))
    again = await later.bring("b1")
    assert again.hold is not None
    assert (again.next, again.hold.ready_at) == ("hold", NOW), "its days go on as they were"

    found = await later.bring("b1", branch_id=away)
    assert (found.next, found.to_branch) == ("transit", home)
    assert found.hold is not None and (found.hold.id, found.hold.state) == (held.id, "in-transit")
    assert found.hold.expires_on is None
    back = await desk.at(NOW + timedelta(days=4)).bring("b1", branch_id=home)
    assert back.hold is not None and back.hold.expires_on == MONDAY + timedelta(days=7)
    assert await desk.status(copy) == "on-hold-shelf"


async def test_who_waits_longest_is_served_first(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    for card in ("CLEO", "ANN", "BEN"):
        await desk.wait(card, home, book_id=copy.book_id)
    first, second, third = await desk.queue(copy.book_id)
    back = await desk.bring("b1")
    assert back.hold is not None and back.hold.id == first
    assert await desk.queue(copy.book_id) == [second, third]


async def test_a_hold_on_one_copy_does_not_jump_the_queue(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    other = desk.town.copies.add("b2", home, book_id=copy.book_id)
    await desk.lend("b2", "CLEO")
    anything = await desk.wait("ANN", home, book_id=copy.book_id)
    only_this = await desk.wait("BEN", home, copy_id=copy.id)
    back = await desk.bring("b1")
    assert back.hold is not None and back.hold.id == anything.id
    assert (await desk.bring("b2")).hold is None, "Ben does not take this one"
    assert await desk.status(other) == "available"
    assert await desk.queue(copy.book_id) == [only_this.id]


async def test_of_two_copies_the_nearer_one_is_used(desk: Desk) -> None:
    """What stands where it is wanted is fetched from the shelf; what came in is shelved."""
    home, away = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    there = desk.town.copies.add("b2", away, book_id=copy.book_id)
    held = await desk.wait("ANN", away, book_id=copy.book_id)
    back = await desk.bring("b1")
    assert (back.next, back.hold) == ("shelve", None)
    (pull,) = await desk.town.holds.to_pull(branch_id=None, **desk.here)
    assert (pull.hold_id, pull.copy_id, pull.branch_id) == (held.id, there.id, away)
    assert await desk.town.holds.to_pull(branch_id=home, **desk.here) == []
    fetched = await desk.bring("b2", branch_id=away)
    assert fetched.hold is not None and fetched.hold.id == held.id
    assert await desk.town.holds.to_pull(branch_id=None, **desk.here) == []


@pytest.mark.parametrize("flag", ["damaged", "withdrawn"])
async def test_what_cannot_be_lent_is_given_to_nobody(desk: Desk, flag: Flag) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.town.shelf.flag(copy_id=copy.id, flag=flag, **desk.here)
    back = await desk.bring("b1")
    assert (back.next, back.hold, back.copy_here.status) == ("shelve", None, flag)
    assert (await desk.hold(held)).state == "waiting"


@pytest.mark.parametrize("flag", ["lost", "missing"])
async def test_what_was_lost_is_found_and_given(desk: Desk, flag: Flag) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.town.shelf.flag(copy_id=copy.id, flag=flag, **desk.here)
    back = await desk.bring("b1")
    assert back.hold is not None and back.hold.id == held.id
    assert await desk.status(copy) == "on-hold-shelf"


@pytest.mark.parametrize("flag", ["lost", "missing", "damaged", "withdrawn"])
async def test_a_flag_puts_the_hold_back_in_its_old_place(desk: Desk, flag: Flag) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    ann = await desk.wait("ANN", home, book_id=copy.book_id)
    ben = await desk.wait("BEN", home, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    state = await desk.town.shelf.flag(copy_id=copy.id, flag=flag, **desk.here)
    assert state.status == await desk.status(copy) == flag
    assert await desk.queue(copy.book_id) == [ann.id, ben.id]
    waits = await desk.hold(ann)
    assert waits.given_copy_id is waits.ready_at is waits.expires_on is None
    assert await desk.names(seen) == ["HoldPutBack", "CopyFlagged"]


async def test_a_claim_or_a_lowered_flag_leaves_the_hold_shelf_alone(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.bring("b1")
    for flag in ("found", "damaged"):
        raised = flag == "found"
        state = await desk.town.shelf.flag(
            copy_id=copy.id,
            flag=flag,
            raised=raised,
            **desk.here,  # type: ignore[arg-type]
        )
        assert state.status == "on-hold-shelf"
    assert (await desk.hold(held)).state == "ready"


# days on the hold shelf


@pytest.mark.parametrize(
    ("days", "last"),
    [(1, 3), (5, 7), (6, 9), (9, 13), (None, None)],  # Sunday the 8th and Thursday the 12th: closed
)
async def test_closed_days_on_the_hold_shelf_do_not_count(
    desk: Desk, days: int | None, last: int | None
) -> None:
    home = await desk.branch("home", shut=(date(2026, 3, 12),))
    await desk.rules(loan_period=21, pickup_days=days)
    copy = desk.town.copies.add("b1", home.id)
    await desk.wait("ANN", home.id, book_id=copy.book_id)
    back = await desk.bring("b1")
    assert back.hold is not None
    assert back.hold.expires_on == (last and date(2026, 3, last))


async def test_the_days_are_those_of_the_branch_where_it_is_collected(desk: Desk) -> None:
    home, _ = await open_house(desk, pickup_days=6)
    sundays_off = await desk.branch("parish")
    copy = desk.town.copies.add("b1", home)
    await desk.wait("ANN", sundays_off.id, book_id=copy.book_id)
    back = await desk.bring("b1", branch_id=sundays_off.id)
    assert back.hold is not None and back.hold.expires_on == SUNDAY + timedelta(days=1)


@pytest.mark.parametrize("travels", [False, True])
async def test_the_days_are_those_for_the_reader_who_waits(desk: Desk, travels: bool) -> None:
    """Children get a week longer."""
    home, away = await open_house(desk)
    await desk.town.rule("pickup_days", 10, category="child")
    desk.town.patrons.add("DAN", category="child")
    copy = desk.town.copies.add("b1", home)
    where = away if travels else home
    for card, days in (("DAN", 10), ("ANN", 3)):
        await desk.wait(card, where, book_id=copy.book_id)
        await desk.bring("b1")
        back = await desk.bring("b1", branch_id=where)
        assert back.hold is not None and back.hold.expires_on == MONDAY + timedelta(days=days)
        await desk.lend("b1", card)


async def test_a_calendar_that_has_run_out_keeps_nobody_from_a_return(desk: Desk) -> None:
    home = await desk.branch("home", valid_until=date(2026, 3, 4))
    await desk.rules(loan_period=21, closed_due="keep")
    copy = desk.town.copies.add("b1", home.id)
    await desk.wait("ANN", home.id, book_id=copy.book_id)
    back = await desk.bring("b1")
    assert back.hold is not None
    assert (back.hold.state, back.hold.expires_on) == ("ready", None), "it waits without end"
