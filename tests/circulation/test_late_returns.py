"""Who comes back late borrows nothing for a while: told, refused, waived, lifted, undone."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import NOW, READER, Town

from lendery.circulation.privacy import PERSONAL
from lendery.circulation.replay import replay
from lendery.contracts.base import NotAllowed
from lendery.contracts.circulation import CheckOutRefused, NoSuchSuspension, RenewalRefused
from lendery.platform.personal import PersonalFiles

LATE = NOW + timedelta(days=23)  # two days
OVER = datetime(2026, 3, 30, 0, 0, tzinfo=NOW.tzinfo)  # two dates for each of two days, after 25


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest.fixture
def ann(town: Town) -> UUID:
    return town.patrons.add("ANN").id


async def back_late(desk: Desk, **but: Any) -> Any:
    home = await desk.town.branch()
    await desk.rules(loan_period=21, suspend_days=2, renew_from="due-date")
    for barcode in ("b1", "b2", "b3"):
        desk.town.copies.add(barcode, home.id)
    await desk.lend("b1", "ANN")
    return await desk.at(LATE).bring("b1", **but)


async def test_nothing_is_lent_until_it_is_over(desk: Desk, ann: UUID) -> None:
    back = await back_late(desk)
    assert back.suspended_until == OVER - timedelta(seconds=1)
    assert back.fine is None, "instead of money"
    late, over = desk.at(LATE), desk.at(OVER)
    async with late.refuses(CheckOutRefused, "suspended"):
        await late.lend("b2", "ANN")
    running = await late.town.suspensions.of(patron_id=ann, **late.here)
    assert [each.until for each in running] == [back.suspended_until]
    waived = await late.lend("b2", "ANN", waive=frozenset({"suspended"}))
    async with late.refuses(RenewalRefused, "suspended"):
        await late.renew(waived)
    assert await desk.town.suspensions.of(patron_id=ann, **over.here) == []
    await over.lend("b3", "ANN")
    report = await replay(desk.town.db)
    assert (report.found, report.rows["circulation_suspension"]) == (0, 1)


async def test_whoever_is_suspended_cannot_go_and_come_back(desk: Desk, ann: UUID) -> None:
    await back_late(desk)
    files = PersonalFiles(desk.town.db, {"circulation": PERSONAL})
    asked: Any = {"context": "circulation", "patron_id": ann}
    (found,) = await files.obstacles(**asked, now=LATE)
    assert (found.code, found.staff_may) == ("suspended", True)
    assert await files.obstacles(**asked, now=OVER) == []


async def test_staff_lift_it_once(desk: Desk, ann: UUID) -> None:
    await back_late(desk)
    late, suspensions = desk.at(LATE), desk.town.suspensions
    (running,) = await suspensions.of(patron_id=ann, **late.here)
    async with desk.nothing_changes():
        with pytest.raises(NotAllowed):
            await suspensions.lift(suspension_id=running.id, actor=READER, now=LATE)
        with pytest.raises(NotAllowed):
            await suspensions.of(patron_id=ann, actor=READER, now=LATE)
        with pytest.raises(NoSuchSuspension):
            await suspensions.lift(suspension_id=ann, **late.here)
    lifted = await suspensions.lift(suspension_id=running.id, **late.here)
    assert lifted.ended_at == LATE
    async with desk.nothing_changes():
        assert await suspensions.lift(suspension_id=running.id, **late.here) == lifted
    await late.lend("b2", "ANN")
    assert (await desk.names())[-2:] == ["SuspensionLifted", "ItemCheckedOut"]


async def test_an_undone_return_suspends_nobody(desk: Desk, ann: UUID) -> None:
    back = await back_late(desk)
    late = desk.at(LATE)
    await late.undo(back)
    assert await desk.town.suspensions.of(patron_id=ann, **late.here) == []
    assert (await late.bring("b1")).suspended_until == back.suspended_until
    assert (await replay(desk.town.db)).found == 0


@pytest.mark.parametrize(("days_ago", "suspended"), [(0, True), (1, True), (2, False)])
async def test_the_book_drop_counts_as_of_its_date(
    desk: Desk, ann: UUID, days_ago: int, suspended: bool
) -> None:
    back = await back_late(desk, returned_at=LATE - timedelta(days=days_ago))
    assert (back.suspended_until is not None) is suspended
