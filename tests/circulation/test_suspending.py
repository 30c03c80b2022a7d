"""A suspended hold keeps its place, and lets others pass until its day."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.contracts.base import Window
from lendery.contracts.circulation import (
    Hold,
    HoldFilter,
    HoldHasEnded,
    HoldNotWaiting,
    HoldResumed,
    HoldSuspended,
    NewHold,
    ReturnRequest,
    Suspension,
)

DESK: Any = {"actor": LIBRARIAN, "now": NOW}


async def waits(town: Town, card: str, book_id: UUID, branch_id: UUID) -> Hold:
    town.patrons.add(card)
    wanted = NewHold(book_id=book_id, card_number=card, pickup_branch_id=branch_id)
    return await town.holds.place(hold=wanted, **DESK)


async def suspended(town: Town, hold: Hold, until: date | None = None) -> Hold:
    suspension = Suspension(until=until)
    return await town.holds.suspend(hold_id=hold.id, suspension=suspension, **DESK)


async def came_in(town: Town, at: datetime) -> Any:
    request = ReturnRequest(barcode="b1")
    return (await town.desk.check_in(request=request, actor=LIBRARIAN, now=at)).hold


@pytest.mark.parametrize(
    ("zone", "before", "begun"),
    [
        ("UTC", "2026-03-04T23:59:59Z", "2026-03-05T00:00:00Z"),
        ("America/New_York", "2026-03-05T04:59:59Z", "2026-03-05T05:00:00Z"),
        ("Asia/Tokyo", "2026-03-04T14:59:59Z", "2026-03-04T15:00:00Z"),
    ],
)
async def test_it_counts_again_when_the_day_begins_where_it_is_collected(
    town: Town, zone: str, before: str, begun: str
) -> None:
    home = await town.branch(time_zone=zone)
    await town.rule("loan_period", 21)
    copy = town.copies.add("b1", home.id)
    hold = await waits(town, "ANN", copy.book_id, home.id)
    told = await suspended(town, hold, date(2026, 3, 5))
    assert (told.suspended, told.suspended_until, told.position) == (True, date(2026, 3, 5), 1)

    for text, still in ((before, True), (begun, False)):
        at = datetime.fromisoformat(text)
        when: Any = {"actor": LIBRARIAN, "now": at}
        page = await town.holds.find(like=HoldFilter(book_id=copy.book_id), window=Window(), **when)
        for seen in (await town.holds.get(hold_id=hold.id, **when), *page.items):
            assert seen.suspended == still, text
            assert seen.suspended_until == (date(2026, 3, 5) if still else None)
        taken = await came_in(town, at)
        assert (taken is None) == still, "what is shown is what is done"


async def test_without_a_day_it_lets_others_pass_until_it_is_resumed(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    copy = town.copies.add("b1", home.id)
    ann = await waits(town, "ANN", copy.book_id, home.id)
    ben = await waits(town, "BEN", copy.book_id, home.id)
    await suspended(town, ann)
    in_years = datetime(2036, 3, 2, tzinfo=UTC)
    taken = await came_in(town, in_years)
    assert taken.id == ben.id
    kept: Any = {"actor": LIBRARIAN, "now": in_years}
    await town.holds.cancel(hold_id=ben.id, **kept)

    told = await town.holds.resume(hold_id=ann.id, **kept)
    assert (told.suspended, told.suspended_until, told.position) == (False, None, 1)
    assert (await came_in(town, in_years)).id == ann.id
    names = [type(event) for event in await town.events()]
    assert names.count(HoldSuspended) == names.count(HoldResumed) == 1


async def test_only_what_waits_can_be_suspended(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    copy = town.copies.add("b1", home.id)
    hold = await waits(town, "ANN", copy.book_id, home.id)
    await came_in(town, NOW)
    before = await town.events()
    with pytest.raises(HoldNotWaiting) as refused:
        await suspended(town, hold)
    assert refused.value.extra == {"state": "ready"}
    await town.holds.cancel(hold_id=hold.id, **DESK)
    with pytest.raises(HoldHasEnded):
        await town.holds.resume(hold_id=hold.id, **DESK)
    told = (await town.events())[len(before) :]
    assert [type(event).__name__ for event in told] == ["HoldCancelled", "CopyReleased"]
