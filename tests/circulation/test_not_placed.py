"""Every reason why a hold is not placed. Each is told, and changes nothing."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import Town, block

from lendery.contracts.circulation import HoldRefused

TODAY = date(2026, 3, 2)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card, born_on=date(1980, 5, 1))
    return Desk(town)


async def open_house(desk: Desk, **rules: Any) -> UUID:
    home = await desk.town.branch()
    await desk.rules(**{"loan_period": 21, **rules})
    return home.id


async def test_nobody_waits_for_what_they_have(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    other = desk.town.copies.add("b2", home, book_id=copy.book_id)
    await desk.lend("b1", "ANN")
    for what in ({"book_id": copy.book_id}, {"copy_id": copy.id}, {"copy_id": other.id}):
        async with desk.refuses(HoldRefused, "already-on-loan"):
            await desk.wait("ANN", home, **what)
    await desk.bring("b1")
    assert (await desk.wait("ANN", home, book_id=copy.book_id)).position == 1


async def test_nobody_waits_twice(desk: Desk) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    for what in ({"book_id": copy.book_id}, {"copy_id": copy.id}):
        async with desk.refuses(HoldRefused, "already-held"):
            await desk.wait("ANN", home, **what)
    await desk.bring("b1")
    async with desk.refuses(HoldRefused, "already-held"):  # what stands ready counts too
        await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.cancel(held)
    assert (await desk.wait("ANN", home, book_id=copy.book_id)).position == 1


@pytest.mark.parametrize(("most", "allowed"), [(1, 1), (2, 2), (3, 3), (None, 3)])
async def test_so_many_holds_in_all(desk: Desk, most: int | None, allowed: int) -> None:
    home = await open_house(desk, holds=most)
    books = [desk.town.copies.add(f"b{n}", home).book_id for n in range(4)]
    held = [await desk.wait("ANN", home, book_id=book) for book in books[:allowed]]
    if most is None:
        assert await desk.wait("ANN", home, book_id=books[3])
        return
    async with desk.refuses(HoldRefused, "hold-limit"):
        await desk.wait("ANN", home, book_id=books[allowed])
    assert await desk.wait("BEN", home, book_id=books[allowed]), "a limit for each"
    await desk.cancel(held[0])
    assert await desk.wait("ANN", home, book_id=books[allowed])


@pytest.mark.parametrize(
    ("most", "allowed", "code"), [(1, 1, "already-held"), (2, 2, "hold-limit-book")]
)
async def test_so_many_holds_on_one_book(desk: Desk, most: int, allowed: int, code: str) -> None:
    home = await open_house(desk, holds_per_book=most)
    copy = desk.town.copies.add("b1", home)
    other = desk.town.copies.add("b2", home)
    for _ in range(allowed):
        await desk.wait("ANN", home, book_id=copy.book_id)
    async with desk.refuses(HoldRefused, code):
        await desk.wait("ANN", home, book_id=copy.book_id)
    assert await desk.wait("ANN", home, book_id=other.book_id)


async def test_no_holds_at_all_where_the_rules_say_so(desk: Desk) -> None:
    home = await open_house(desk, holds=0)
    copy = desk.town.copies.add("b1", home)
    async with desk.refuses(HoldRefused, "hold-limit"):
        await desk.wait("ANN", home, book_id=copy.book_id)


@pytest.mark.parametrize("flag", ["lost", "missing", "withdrawn"])
async def test_nobody_waits_for_what_may_never_come(desk: Desk, flag: Any) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    await desk.town.shelf.flag(copy_id=copy.id, flag=flag, **desk.here)
    for what in ({"book_id": copy.book_id}, {"copy_id": copy.id}):
        async with desk.refuses(HoldRefused, "not-holdable"):
            await desk.wait("ANN", home, **what)
    desk.town.copies.add("b2", home, book_id=copy.book_id)
    assert await desk.wait("ANN", home, book_id=copy.book_id), "one copy that can come is enough"


async def test_what_stays_in_the_library_is_not_waited_for(desk: Desk) -> None:
    home = await open_house(desk)
    atlas = desk.town.copies.add("a1", home, item_type="reference")
    async with desk.refuses(HoldRefused, "not-holdable"):
        await desk.wait("ANN", home, book_id=atlas.book_id)
    game = desk.town.copies.add("g1", home, item_type="game")
    await desk.town.rule("loan_period", None, item_type="game")
    async with desk.refuses(HoldRefused, "not-holdable"):
        await desk.wait("ANN", home, book_id=game.book_id)


@pytest.mark.parametrize(
    ("when", "out", "refused"),
    [
        *(("always", 0, False), ("any-out", 0, True), ("all-out", 0, True)),
        *(("any-out", 1, False), ("all-out", 1, True)),
        *(("any-out", 2, False), ("all-out", 2, False)),
    ],
)
async def test_with_copies_on_the_shelf(desk: Desk, when: str, out: int, refused: bool) -> None:
    home = await open_house(desk, holds_on_shelf=when)
    copy = desk.town.copies.add("b1", home)
    desk.town.copies.add("b2", home, book_id=copy.book_id)
    for barcode, card in (("b1", "BEN"), ("b2", "CLEO"))[:out]:
        await desk.lend(barcode, card)
    if refused:
        async with desk.refuses(HoldRefused, "copies-on-shelf"):
            await desk.wait("ANN", home, book_id=copy.book_id)
    else:
        assert await desk.wait("ANN", home, book_id=copy.book_id)


@pytest.mark.parametrize(
    ("born_on", "refused"),
    [(date(2010, 3, 2), False), (date(2010, 3, 3), True), (None, True)],
)
async def test_from_sixteen_years(desk: Desk, born_on: date | None, refused: bool) -> None:
    home = await open_house(desk, age_from=16)
    copy = desk.town.copies.add("b1", home)
    desk.town.patrons.add("DAN", born_on=born_on)
    if refused:
        async with desk.refuses(HoldRefused, "age"):
            await desk.wait("DAN", home, book_id=copy.book_id)
    else:
        assert await desk.wait("DAN", home, book_id=copy.book_id)


@pytest.mark.parametrize(
    ("but", "code"),
    [
        ({"expires_on": TODAY}, None),
        ({"expires_on": TODAY - timedelta(days=1)}, "card-expired"),
        ({"expires_on": TODAY - timedelta(days=30)}, "card-expired"),
        ({"expires_on": TODAY - timedelta(days=31)}, "card-long-expired"),
        ({"blocks": (block("stolen-card"),)}, "card-stolen"),
        ({"blocks": (block("other"),)}, "patron-blocked"),
        ({"blocks": (block("suspended"),)}, None),  # may not borrow now, and waits for later
        ({"active": False}, "patron-blocked"),
    ],
)
async def test_the_card(desk: Desk, but: dict[str, Any], code: str | None) -> None:
    home = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    desk.town.patrons.add("DAN", **but)
    if code is None:
        assert await desk.wait("DAN", home, book_id=copy.book_id)
        return
    async with desk.refuses(HoldRefused, code):
        await desk.wait("DAN", home, book_id=copy.book_id)


async def test_all_reasons_are_told_at_once(desk: Desk) -> None:
    home = await open_house(desk, holds=1)
    away = (await desk.town.branch("away")).id
    copy, other = desk.town.copies.add("b1", home), desk.town.copies.add("b2", home)
    await desk.lend("b1", "ANN")
    await desk.wait("ANN", home, book_id=other.book_id)
    await desk.town.rule("pickup_branches", "home")
    async with desk.refuses(HoldRefused, "already-on-loan", "hold-limit", "pickup-not-allowed"):
        await desk.wait("ANN", away, book_id=copy.book_id)
