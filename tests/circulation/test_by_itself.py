"""Loans that renew themselves; uses in the library; and what a copy went through."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import LIBRARIAN, NOW, READER, Town

from lendery.circulation import renewing_itself
from lendery.circulation.replay import replay
from lendery.contracts.base import NotAllowed, Window, new_id
from lendery.contracts.catalog import NoSuchCopy
from lendery.contracts.circulation import ItemCheckedIn, LoanRenewed

DUE = NOW.replace(hour=23, minute=59, second=59) + timedelta(days=21)
A_DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN"):
        town.patrons.add(card)
    return Desk(town)


async def opened(desk: Desk, **rules: Any) -> tuple[UUID, Any]:
    home = await desk.town.branch()
    await desk.rules(**{"loan_period": 21, "auto_renew": True, "renewals": 1} | rules)
    return home.id, desk.town.copies.add("b1", home.id)


async def test_it_renews_itself_a_day_before_until_something_objects(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing_itself, "LOOKED_AT", 1)
    home, _ = await opened(desk)
    desk.town.copies.add("b2", home)
    loans = [await desk.lend(code, card) for code, card in (("b1", "ANN"), ("b2", "BEN"))]
    renew = desk.town.desk.renew_by_themselves
    assert await renew(now=DUE - A_DAY - SECOND) == 0
    assert await renew(now=DUE - A_DAY) == 2
    assert await renew(now=DUE - A_DAY) == 0, "due later now"
    told = [event for event in await desk.told() if isinstance(event, LoanRenewed)]
    assert {event.loan_id for event in told} == {loan.id for loan in loans}
    assert all(event.automatic and event.by is None for event in told)
    due_at = (await desk.loan(loans[0])).due_at
    assert due_at == DUE - A_DAY + timedelta(days=21)
    async with desk.nothing_changes():
        assert await renew(now=due_at - SECOND) == 0, "once is all that the rules allow"
    assert (await replay(desk.town.db)).found == 0


async def test_what_is_late_wanted_or_not_said_to_does_not(desk: Desk) -> None:
    home, thing = await opened(desk)
    await desk.town.rule("auto_renew", False, item_type="dvd")
    desk.town.copies.add("d1", home, item_type="dvd")
    await desk.lend("b1", "ANN")
    await desk.lend("d1", "ANN")
    renew = desk.town.desk.renew_by_themselves
    async with desk.nothing_changes():
        assert await renew(now=DUE + SECOND) == 0
    await desk.wait("BEN", home, book_id=thing.book_id)
    async with desk.nothing_changes():
        assert await renew(now=DUE) == 0


async def test_what_is_lent_for_hours_renews_itself_in_the_last_hour(desk: Desk) -> None:
    await opened(desk, loan_unit="hours", renewals=None)
    await desk.lend("b1", "ANN")
    due, hour = NOW + timedelta(hours=21), timedelta(hours=1)
    renew = desk.town.desk.renew_by_themselves
    assert [await renew(now=due - hour - SECOND), await renew(now=due - hour)] == [0, 1]


# uses in the library, and the history of a copy


async def test_a_copy_that_lay_about_was_used(desk: Desk) -> None:
    home, thing = await opened(desk)
    away = (await desk.town.branch("away")).id

    async def used(branch_id: UUID, at: int) -> bool:
        await desk.at(NOW + timedelta(minutes=at)).bring("b1", branch_id=branch_id)
        told = (await desk.told())[-1]
        came = [each for each in await desk.told() if isinstance(each, ItemCheckedIn)][-1]
        assert told.at == came.at
        return came.in_house

    assert not await used(home, 0), "nobody had seen it before"
    assert await used(home, 1) and await used(home, 2)
    assert not await used(away, 3), "that is another branch: it goes home"
    assert not await used(home, 4), "it arrives"
    await desk.lend("b1", "ANN")
    assert not await used(home, 5)
    await desk.town.shelf.flag(copy_id=thing.id, flag="missing", **desk.here)
    assert not await used(home, 6)
    again = await desk.at(NOW + timedelta(minutes=7)).bring("b1", branch_id=home)
    await desk.at(NOW + timedelta(minutes=8)).undo(again)
    found = await desk.town.shelf.history(copy_id=thing.id, window=Window(), actor=LIBRARIAN)
    assert (found.in_house_uses, found.loans) == (2, 1)


async def test_what_a_copy_went_through_names_nobody(desk: Desk) -> None:
    home, thing = await opened(desk)
    first = await desk.lend("b1", "ANN")
    await desk.at(NOW + A_DAY).bring("b1", branch_id=home)
    await desk.undo(await desk.lend("b1", "BEN"))
    second = await desk.at(NOW + 2 * A_DAY).lend("b1", "BEN")
    await desk.town.shelf.flag(copy_id=thing.id, flag="lost", **desk.here)
    history = desk.town.shelf.history
    page = await history(copy_id=thing.id, window=Window(limit=1), actor=LIBRARIAN)
    assert [(each.id, each.ended_as) for each in page.items] == [(second.id, "lost")]
    assert page.loans == 2 and page.next_cursor is not None
    rest = await history(
        copy_id=thing.id, window=Window(limit=1, after=page.next_cursor), actor=LIBRARIAN
    )
    (older,) = rest.items
    assert (older.id, older.returned_branch_id, older.ended_as) == (first.id, home, "returned")
    assert rest.next_cursor is None
    assert not {"patron_id", "borrower"} & older.model_dump().keys()
    with pytest.raises(NotAllowed):
        await history(copy_id=thing.id, window=Window(), actor=READER)
    with pytest.raises(NoSuchCopy):
        await history(copy_id=new_id(), window=Window(), actor=LIBRARIAN)
