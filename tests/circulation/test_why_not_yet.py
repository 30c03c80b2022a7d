"""A reader asks why: what the queue and the shelves say of one hold."""

from datetime import timedelta
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import NOW, READER, Town

from lendery.contracts.base import NotAllowed, new_id
from lendery.contracts.circulation import (
    Hold,
    HoldNotWaiting,
    NoSuchHold,
    Suspension,
    WhyNotYet,
)
from lendery.contracts.permissions import Actor


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


async def why(desk: Desk, held: Hold) -> WhyNotYet:
    return await desk.town.queues.why(hold_id=held.id, **desk.here)


async def opened(desk: Desk, copies: int) -> tuple[UUID, UUID, UUID]:
    """The branch, another one, and the book."""
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(loan_period=21)
    book_id = new_id()
    for number in range(1, copies + 1):
        desk.town.copies.add(f"b{number}", home.id, book_id=book_id)
    return home.id, away.id, book_id


async def test_all_out_and_the_place_in_line(desk: Desk) -> None:
    home, _, book_id = await opened(desk, 1)
    loan = await desk.lend("b1", "ANN")
    first = await desk.wait("BEN", home, book_id=book_id)
    second = await desk.wait("CLEO", home, book_id=book_id)
    assert [(await why(desk, each)).position for each in (first, second)] == [1, 2]
    found = await why(desk, second)
    assert (found.code, found.free, found.next_due_at) == ("all-out", 0, loan.due_at)
    async with desk.nothing_changes():
        await why(desk, second)


async def test_a_copy_stands_there_for_the_first_and_not_for_the_second(desk: Desk) -> None:
    home, _, book_id = await opened(desk, 1)
    first = await desk.wait("BEN", home, book_id=book_id)
    second = await desk.wait("CLEO", home, book_id=book_id)
    assert [(await why(desk, each)).code for each in (first, second)] == [
        "on-the-list",
        "others-first",
    ]
    until = Suspension(until=(NOW + timedelta(days=2)).date())
    await desk.town.holds.suspend(hold_id=first.id, suspension=until, **desk.here)
    assert [(await why(desk, each)).code for each in (first, second)] == [
        "suspended",
        "on-the-list",
    ]
    await desk.bring("b1")
    assert (await why(desk, first)).code == "suspended"
    async with desk.nothing_changes():
        with pytest.raises(HoldNotWaiting):
            await why(desk, second)


async def test_what_stands_there_does_not_suit(desk: Desk) -> None:
    home, away, book_id = await opened(desk, 2)
    held = await desk.wait("BEN", away, book_id=book_id)
    await desk.rules(pickup_branches="home")
    found = await why(desk, held)
    assert (found.code, found.free, found.suitable) == ("does-not-suit", 2, 0)
    assert home != away


async def test_kept_for_others_or_lost(desk: Desk) -> None:
    home, _, book_id = await opened(desk, 1)
    await desk.wait("BEN", home, book_id=book_id)
    held = await desk.wait("CLEO", home, book_id=book_id)
    await desk.bring("b1")
    assert (await why(desk, held)).code == "on-its-way"
    copy_id = next(iter(desk.town.copies.known))
    await desk.town.shelf.flag(copy_id=copy_id, flag="missing", **desk.here)
    assert (await why(desk, held)).code == "none-left"


async def test_only_ones_own(desk: Desk) -> None:
    home, _, book_id = await opened(desk, 1)
    held = await desk.wait("BEN", home, book_id=book_id)
    view = desk.town.queues
    assert held.patron_id is not None
    own = Actor(id=held.patron_id, role="reader")
    assert (await view.why(hold_id=held.id, actor=own, now=NOW)).code == "on-the-list"
    for hold_id in (held.id, new_id()):
        with pytest.raises(NotAllowed):
            await view.why(hold_id=hold_id, actor=READER, now=NOW)
    with pytest.raises(NoSuchHold):
        await view.why(hold_id=new_id(), **desk.here)
