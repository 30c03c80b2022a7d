"""Placing a hold: on a book or on one copy, for oneself or at the desk, once."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk, a_key
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.models import copy as copies
from lendery.circulation.models import hold as holds
from lendery.contracts.accounts import Patron
from lendery.contracts.base import Invalid, KeyReused, NotAllowed, SignInNeeded
from lendery.contracts.circulation import HoldPlaced, HoldRefused, NewHold
from lendery.contracts.permissions import STRANGER, Actor

TODAY = date(2026, 3, 2)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card, born_on=date(1980, 5, 1))
    return Desk(town)


def person(desk: Desk, card: str) -> Patron:
    return next(p for p in desk.town.patrons.known.values() if p.card_number == card)


async def open_house(desk: Desk, **rules: Any) -> UUID:
    home = await desk.town.branch()
    await desk.rules(**{"loan_period": 21, **rules})
    return home.id


async def test_a_hold_is_placed_and_told(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ann", home, book_id=copy.book_id)  # cards are typed as they come
    ann = person(desk, "ANN").id
    assert (held.patron_id, held.book_id, held.copy_id) == (ann, copy.book_id, None)
    assert (held.state, held.position, held.placed_at) == ("waiting", 1, NOW)
    assert held == await desk.hold(held)
    (told,) = await desk.told()
    assert isinstance(told, HoldPlaced)
    assert (told.hold_id, told.pickup_branch_id, told.by) == (held.id, home, LIBRARIAN.id)
    assert ann.hex not in str(told).replace("-", ""), "the log does not name the reader"
    row = await desk.town.row(holds, held.id)
    assert row.borrower == told.borrower != ann


async def test_a_hold_on_a_copy_is_one_on_its_book(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, copy_id=copy.id)
    assert (held.book_id, held.copy_id) == (copy.book_id, copy.id)
    assert await desk.queue(copy.book_id) == [held.id]


async def test_all_copies_of_the_book_are_met(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    never_lent = desk.town.copies.add("b2", home, book_id=copy.book_id)
    await desk.wait("ANN", home, copy_id=copy.id)
    assert (await desk.town.row(copies, never_lent.id)).barcode == "b2"


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(microseconds=-1), timedelta(days=3)])
async def test_places_are_in_the_order_of_coming(desk: Desk, ago: timedelta) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    came = [
        await desk.at(NOW + n * ago).wait(card, home, book_id=copy.book_id)
        for n, card in enumerate(("CLEO", "ANN", "BEN"))
    ]
    assert [each.position for each in came] == [1, 2, 3]
    assert await desk.queue(copy.book_id) == [each.id for each in came]


# who


async def test_a_reader_waits_for_oneself_and_for_nobody_else(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    ann, ben = person(desk, "ANN"), person(desk, "BEN")
    own: Any = {"actor": Actor(id=ann.id, role="reader"), "now": NOW}
    place = desk.town.holds.place
    async with desk.nothing_changes():
        for whose in ({"patron_id": ben.id}, {"card_number": "BEN"}, {"card_number": "ANN"}):
            wanted = NewHold(book_id=copy.book_id, pickup_branch_id=home, **whose)
            with pytest.raises(NotAllowed):
                await place(hold=wanted, **own)
        wanted = NewHold(book_id=copy.book_id, pickup_branch_id=home)
        with pytest.raises(SignInNeeded):
            await place(hold=wanted, actor=STRANGER, now=NOW)
        with pytest.raises(Invalid):
            await place(hold=wanted, **desk.here)  # staff say who
    assert (await place(hold=wanted, **own)).patron_id == ann.id
    (told,) = await desk.told()
    assert isinstance(told, HoldPlaced) and told.by is None


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"card_number": "NOBODY"}, "card_number"),
        ({"patron_id": UUID(int=404)}, "patron_id"),
        ({"card_number": "ANN", "patron_id": UUID(int=404)}, "patron_id"),
        ({"card_number": "ANN", "book_id": None}, "book_id"),
        ({"card_number": "ANN", "copy_id": UUID(int=404)}, "book_id"),
        ({"card_number": "ANN", "book_id": UUID(int=404)}, "book_id"),
        ({"card_number": "ANN", "book_id": None, "copy_id": UUID(int=404)}, "copy_id"),
    ],
)
async def test_what_nobody_knows_is_named_as_the_mistake(
    desk: Desk, asked: dict[str, Any], field: str
) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    wanted = NewHold(**{"book_id": copy.book_id, "pickup_branch_id": home, **asked})
    async with desk.nothing_changes():
        with pytest.raises(Invalid) as refused:
            await desk.town.holds.place(hold=wanted, **desk.here)
    assert [each["pointer"] for each in refused.value.extra["errors"]] == [f"#/{field}"]


# sent again


async def test_the_same_request_again_is_the_same_hold(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    first = await desk.wait("ANN", home, book_id=copy.book_id, key=a_key("one"))
    async with desk.nothing_changes():
        again = await desk.at(NOW + timedelta(hours=1)).wait(
            "ANN", home, book_id=copy.book_id, key=a_key("one")
        )
        assert again == first
        with pytest.raises(KeyReused):
            await desk.wait("BEN", home, book_id=copy.book_id, key=a_key("one", "that"))


async def test_a_refusal_sent_again_is_the_same_refusal(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    async with desk.refuses(HoldRefused, "already-held"):
        await desk.wait("ANN", home, book_id=copy.book_id, key=a_key("two"))
    await desk.cancel(held)
    async with desk.refuses(HoldRefused, "already-held"):  # although it could be placed now
        await desk.wait("ANN", home, book_id=copy.book_id, key=a_key("two"))
    assert await desk.wait("ANN", home, book_id=copy.book_id, key=a_key("three"))
