"""Where a hold is collected: chosen when it is placed, and changed while it waits."""

from typing import Any
from uuid import UUID

import pytest
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, Town

from lendery.circulation.models import hold as holds
from lendery.contracts.base import Invalid
from lendery.contracts.circulation import (
    Branch,
    Hold,
    HoldChanged,
    HoldChanges,
    HoldHasEnded,
    HoldNotWaiting,
    HoldRefused,
    NewCalendar,
    NewHold,
    ReturnRequest,
)

DESK: Any = {"actor": LIBRARIAN, "now": NOW}


async def opened(town: Town, **rules: Any) -> tuple[Branch, Branch]:
    home, away = await town.branch(), await town.branch("away")
    await town.rule("loan_period", 21)
    for parameter, value in rules.items():
        await town.rule(parameter, value)
    town.patrons.add("ANN")
    return home, away


async def closed(town: Town) -> Branch:
    """A branch that is never open: a store, say."""
    never = NewCalendar(name="Never", weekly={})
    made = await town.calendars.add(calendar=never, actor=ADMIN, now=NOW)
    return await town.branch("store", calendar_id=made.id)


async def waits(town: Town, where: Branch, **what: UUID) -> Hold:
    wanted = NewHold(card_number="ANN", pickup_branch_id=where.id, **what)
    return await town.holds.place(hold=wanted, **DESK)


async def moved(town: Town, hold: Hold, where: UUID) -> Hold:
    changes = HoldChanges(pickup_branch_id=where)
    return await town.holds.change(hold_id=hold.id, changes=changes, **DESK)


def codes(refused: Any) -> list[str]:
    return [block["code"] for block in refused.value.extra["blocks"]]


async def test_it_is_collected_at_another_branch_from_now_on(town: Town) -> None:
    home, away = await opened(town)
    copy = town.copies.add("b1", home.id)
    hold = await waits(town, home, book_id=copy.book_id)
    told = await moved(town, hold, away.id)
    assert (told.pickup_branch_id, told.state, told.position) == (away.id, "waiting", 1)
    event = (await town.events())[-1]
    assert isinstance(event, HoldChanged) and event.pickup_branch_id == away.id
    back = await town.desk.check_in(request=ReturnRequest(barcode="b1"), **DESK)
    assert (back.next, back.to_branch) == ("transit", away.id)


@pytest.mark.parametrize(("rule", "refused"), [("home", True), ("any", False)])
async def test_it_goes_nowhere_where_no_copy_may_be_collected(
    town: Town, rule: str, refused: bool
) -> None:
    home, away = await opened(town, pickup_branches=rule)
    copy = town.copies.add("b1", home.id)
    hold = await waits(town, home, book_id=copy.book_id)
    before = await town.events()
    if not refused:
        assert (await moved(town, hold, away.id)).pickup_branch_id == away.id
        return
    with pytest.raises(HoldRefused) as told:
        await moved(town, hold, away.id)
    assert codes(told) == ["pickup-not-allowed"]
    assert (await town.row(holds, hold.id)).pickup_branch_id == home.id
    assert await town.events() == before


async def test_one_copy_that_may_be_collected_there_is_enough(town: Town) -> None:
    home, away = await opened(town, pickup_branches="home")
    copy = town.copies.add("b1", home.id)
    there = town.copies.add("b2", away.id, book_id=copy.book_id)
    assert (await moved(town, await waits(town, home, book_id=copy.book_id), away.id)).id
    await town.shelf.flag(copy_id=there.id, flag="lost", **DESK)  # it may be found
    hold = await waits_for_copy(town, home, copy.id)
    with pytest.raises(HoldRefused) as told:
        await moved(town, hold, away.id)
    assert codes(told) == ["pickup-not-allowed"], "a hold on one copy asks that copy only"


async def waits_for_copy(town: Town, where: Branch, copy_id: UUID) -> Hold:
    town.patrons.add("BEN")
    wanted = NewHold(card_number="BEN", pickup_branch_id=where.id, copy_id=copy_id)
    return await town.holds.place(hold=wanted, **DESK)


async def test_nobody_collects_at_a_branch_that_is_closed_for_weeks(town: Town) -> None:
    home, _ = await opened(town)
    store = await closed(town)
    copy = town.copies.add("b1", home.id)
    with pytest.raises(HoldRefused) as told:
        await waits(town, store, book_id=copy.book_id)
    assert codes(told) == ["pickup-closed"]
    assert await town.events(of_rules=False) == []

    hold = await waits(town, home, book_id=copy.book_id)
    before = await town.events()
    with pytest.raises(HoldRefused) as told:
        await moved(town, hold, store.id)
    assert codes(told) == ["pickup-closed"]
    assert (await town.row(holds, hold.id)).pickup_branch_id == home.id
    assert await town.events() == before


async def test_a_branch_there_is_not_is_named_as_the_mistake(town: Town) -> None:
    home, _ = await opened(town)
    copy = town.copies.add("b1", home.id)
    nowhere = UUID(int=404)
    wanted = NewHold(card_number="ANN", pickup_branch_id=nowhere, book_id=copy.book_id)
    with pytest.raises(Invalid) as told:
        await town.holds.place(hold=wanted, **DESK)
    assert told.value.extra["errors"][0]["pointer"] == "#/pickup_branch_id"
    hold = await waits(town, home, book_id=copy.book_id)
    with pytest.raises(Invalid):
        await moved(town, hold, nowhere)
    assert (await town.row(holds, hold.id)).pickup_branch_id == home.id


async def test_what_was_found_for_it_stays_where_it_is(town: Town) -> None:
    home, away = await opened(town)
    copy = town.copies.add("b1", home.id)
    hold = await waits(town, home, book_id=copy.book_id)
    await town.desk.check_in(request=ReturnRequest(barcode="b1"), **DESK)
    with pytest.raises(HoldNotWaiting) as told:
        await moved(town, hold, away.id)
    assert told.value.extra == {"state": "ready"}
    await town.holds.cancel(hold_id=hold.id, **DESK)
    with pytest.raises(HoldHasEnded) as ended:
        await moved(town, hold, away.id)
    assert ended.value.extra == {"state": "cancelled"}
    assert (await town.row(holds, hold.id)).pickup_branch_id == home.id
