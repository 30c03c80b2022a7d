"""A hold on a book that is all out calls a long loan back; so do staff."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import EVERYTHING, Desk
from tests.circulation.town import LIBRARIAN, NOW, READER, Town

from lendery.circulation.reactions import REACTIONS
from lendery.circulation.replay import replay
from lendery.contracts.base import NotAllowed
from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import (
    Hold,
    HoldPlaced,
    LoanFilter,
    LoanRecalled,
    RecallRefused,
    RenewalRefused,
)
from lendery.platform.events import Reactions

A_DAY = timedelta(days=1)


def ends(day: int) -> datetime:
    """The last second of a day of March."""
    return datetime(2026, 3, day, 23, 59, 59, tzinfo=NOW.tzinfo)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO", "DAN"):
        town.patrons.add(card)
    return Desk(town)


async def opened(desk: Desk, copies: int = 1, **rules: Any) -> tuple[BareCopy, UUID]:
    home = await desk.town.branch()
    await desk.rules(**{"loan_period": 28, "recall_after": 5, "recall_due_in": 3} | rules)
    first = desk.town.copies.add("b1", home.id)
    for number in range(2, copies + 1):
        desk.town.copies.add(f"b{number}", home.id, book_id=first.book_id)
    return first, home.id


async def listen(desk: Desk, since: int = 0) -> None:
    """What listens to the log hears of the holds that were placed, twice each."""
    told = [event for event in await desk.told(since) if isinstance(event, HoldPlaced)]
    for event in told * 2:
        await Reactions(desk.town.db, desk.town, {"circulation": REACTIONS}).send([event])


async def waits(desk: Desk, card: str, where: UUID, **what: UUID) -> Hold:
    seen = len(await desk.told())
    held = await desk.wait(card, where, **what)
    await listen(desk, seen)
    return held


async def recalled(desk: Desk) -> list[LoanRecalled]:
    return [event for event in await desk.told() if isinstance(event, LoanRecalled)]


async def test_who_waits_for_what_is_out_calls_it_back_once(desk: Desk) -> None:
    thing, home = await opened(desk, renew_from="due-date")
    loan = await desk.lend("b1", "ANN")
    later = desk.at(NOW + 10 * A_DAY)
    held = await waits(later, "BEN", home, book_id=thing.book_id)
    shown = await later.loan(loan)
    assert (shown.due_at, shown.recalled_at) == (ends(15), NOW + 10 * A_DAY)
    (told,) = await recalled(desk)
    assert (told.loan_id, told.copy_id, told.due_at) == (loan.id, thing.id, ends(15))
    assert (told.hold_id, told.by) == (held.id, None)
    await waits(later, "CLEO", home, book_id=thing.book_id)
    assert len(await recalled(desk)) == 1, "it cannot come back for two"
    await desk.cancel(held)
    page = await desk.town.desk.find(
        like=LoanFilter(status="recalled"), window=EVERYTHING, **later.here
    )
    assert [each.id for each in page.items] == [loan.id]
    async with desk.refuses(RenewalRefused, "recalled"):
        await later.renew(loan)
    assert (await replay(desk.town.db)).found == 0


async def test_the_loan_that_comes_back_soonest_is_called_for_each_who_waits(desk: Desk) -> None:
    thing, home = await opened(desk, 3, recall_due_in=1)
    loans = [
        await desk.at(NOW + n * A_DAY).lend(f"b{n}", card)
        for n, card in ((3, "ANN"), (1, "BEN"), (2, "CLEO"))
    ]
    later = desk.at(NOW + 4 * A_DAY)
    await waits(later, "DAN", home, book_id=thing.book_id)
    assert [told.loan_id for told in await recalled(desk)] == [loans[1].id]
    desk.town.patrons.add("EVE")
    await waits(later, "EVE", home, book_id=thing.book_id)
    assert [told.loan_id for told in await recalled(desk)] == [loans[1].id, loans[2].id]
    assert [told.due_at for told in await recalled(desk)] == [ends(8), ends(9)]


async def test_nothing_is_called_back_while_a_copy_stands_there(desk: Desk) -> None:
    thing, home = await opened(desk, 2)
    await desk.bring("b2")
    await desk.lend("b1", "ANN")
    await waits(desk, "BEN", home, book_id=thing.book_id)
    assert await recalled(desk) == []
    await waits(desk, "CLEO", home, copy_id=thing.id)
    assert len(await recalled(desk)) == 1, "who wants that very copy"


@pytest.mark.parametrize("rules", [{"recall_after": None}, {"loan_period": 3}])
async def test_a_short_loan_is_safe(desk: Desk, rules: Any) -> None:
    thing, home = await opened(desk, **rules)
    loan = await desk.lend("b1", "ANN")
    await waits(desk, "BEN", home, book_id=thing.book_id)
    assert await recalled(desk) == []
    async with desk.refuses(RecallRefused, "not-sooner"):
        await desk.town.desk.recall(loan_id=loan.id, **desk.here)


async def test_staff_call_back_what_they_need(desk: Desk) -> None:
    await opened(desk)
    loan = await desk.lend("b1", "ANN")
    recall = desk.town.desk.recall
    async with desk.nothing_changes():
        with pytest.raises(NotAllowed):
            await recall(loan_id=loan.id, actor=READER, now=NOW)
    called = await recall(loan_id=loan.id, **desk.here)
    assert (called.due_at, called.recalled_at) == (ends(7), NOW)
    async with desk.nothing_changes():
        assert await recall(loan_id=loan.id, actor=LIBRARIAN, now=NOW + A_DAY) == called
    await desk.bring("b1")
    async with desk.refuses(RecallRefused, "not-on-loan"):
        await recall(loan_id=loan.id, **desk.here)
