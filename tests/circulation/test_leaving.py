"""Who or what leaves the library takes no hold along, and leaves none that never ends."""

from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import NOW, Town

from lendery.circulation.models import hold
from lendery.circulation.reactions import REACTIONS
from lendery.contracts.accounts import Patron, PatronRemoved
from lendery.contracts.catalog import BareCopy, CopyRemoved
from lendery.platform.events import Reactions


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


async def opened(desk: Desk) -> tuple[UUID, UUID, BareCopy]:
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(loan_period=21)
    return home.id, away.id, desk.town.copies.add("b1", home.id)


async def told(town: Town, *events: Any) -> None:
    await Reactions(town.db, town, {"circulation": REACTIONS}).send(events)


async def leaves(town: Town, ann: Patron) -> None:
    """Accounts keeps an empty place, and announces it."""
    town.patrons.change(ann, card_number=None, active=False)
    await told(town, PatronRemoved(at=NOW, patron_id=ann.id))


async def is_removed(town: Town, copy: BareCopy) -> None:
    del town.copies.known[copy.id]
    await told(town, CopyRemoved(at=NOW, copy_id=copy.id, book_id=copy.book_id))


async def test_nobody_waits_behind_a_person_who_left(desk: Desk) -> None:
    home, _, copy = await opened(desk)
    ann, _ben = desk.town.patrons.add("ANN"), desk.town.patrons.add("BEN")
    other = desk.town.copies.add("b2", home)
    first = await desk.wait("ANN", home, book_id=copy.book_id)
    second = await desk.wait("BEN", home, book_id=copy.book_id)
    also = await desk.wait("ANN", home, book_id=other.book_id)
    seen = len(await desk.told())
    await leaves(desk.town, ann)
    assert await desk.names(seen) == ["HoldCancelled", "HoldCancelled"]
    assert [(await desk.hold(each)).state for each in (first, also)] == ["cancelled", "cancelled"]
    assert await desk.queue(copy.book_id) == [second.id]
    assert (await desk.bring("b1")).hold is not None
    assert (await desk.hold(second)).state == "ready"
    assert (await desk.bring("b2")).next == "shelve"


async def test_what_was_kept_for_a_person_who_left_is_free(desk: Desk) -> None:
    home, away, copy = await opened(desk)
    ann = desk.town.patrons.add("ANN")
    other = desk.town.copies.add("b2", home)
    ready = await desk.wait("ANN", home, book_id=copy.book_id)
    coming = await desk.wait("ANN", away, book_id=other.book_id)
    await desk.bring("b1", branch_id=home)
    await desk.bring("b2", branch_id=home)
    assert await desk.status(copy) == "on-hold-shelf"
    seen = len(await desk.told())
    await leaves(desk.town, ann)
    names = ["CopyReleased", "HoldCancelled", "HoldCancelled"]
    assert sorted(await desk.names(seen)) == names
    assert [(await desk.hold(each)).state for each in (ready, coming)] == ["cancelled"] * 2
    assert await desk.status(copy) == "available"
    assert (await desk.bring("b2", branch_id=away)).to_branch == home, "nobody collects it there"


@pytest.mark.parametrize("where", ["home", "away"])
async def test_a_copy_removed_gives_the_reader_the_old_place_back(desk: Desk, where: str) -> None:
    home, away, copy = await opened(desk)
    desk.town.patrons.add("ANN")
    desk.town.patrons.add("BEN")
    collected = home if where == "home" else away
    first = await desk.wait("ANN", collected, book_id=copy.book_id)
    await desk.bring("b1", branch_id=home)
    second = await desk.wait("BEN", home, book_id=copy.book_id)
    assert (await desk.hold(first)).given_copy_id == copy.id
    seen = len(await desk.told())
    await is_removed(desk.town, copy)
    assert await desk.names(seen) == ["HoldPutBack"]
    assert await desk.queue(copy.book_id) == [first.id, second.id]
    row = await desk.town.row(hold, first.id)
    assert (row.given_copy_id, row.ready_at, row.expires_on) == (None, None, None)


async def test_nobody_waits_for_one_copy_that_is_gone(desk: Desk) -> None:
    home, away, copy = await opened(desk)
    for card in ("ANN", "BEN", "CLEO"):
        desk.town.patrons.add(card)
    desk.town.copies.add("b2", home, book_id=copy.book_id)
    kept = await desk.wait("ANN", away, copy_id=copy.id)
    await desk.bring("b1", branch_id=home)
    behind = await desk.wait("BEN", home, copy_id=copy.id)
    any_copy = await desk.wait("CLEO", home, book_id=copy.book_id)
    await is_removed(desk.town, copy)
    states = [(await desk.hold(each)).state for each in (kept, behind, any_copy)]
    assert states == ["cancelled", "cancelled", "waiting"]
    assert await desk.queue(copy.book_id) == [any_copy.id]


async def test_a_copy_lent_while_it_was_removed_keeps_its_holds(desk: Desk) -> None:
    home, _, copy = await opened(desk)
    desk.town.patrons.add("ANN")
    desk.town.patrons.add("BEN")
    await desk.lend("b1", "ANN")
    waits = await desk.wait("BEN", home, copy_id=copy.id)
    await is_removed(desk.town, copy)
    assert (await desk.hold(waits)).state == "waiting"
    assert (await desk.bring("b1", branch_id=home)).next == "hold"
