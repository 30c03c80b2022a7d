"""Series: books in the order of their numbers."""

import pytest

from lendery.contracts.authorities import NoSuchSeries
from lendery.contracts.base import Invalid, Window

from .conftest import Library

pytestmark = pytest.mark.asyncio
BARSET = "Chronicles of Barsetshire"


async def in_order(library: Library, series: str, limit: int = 20) -> list[str]:
    found, window = [], Window(limit=limit)
    while True:
        page = await library.series.books(series=series, window=window)
        found += [each.title for each in page.items]
        if page.next_cursor is None:
            return found
        window = Window(limit=limit, after=page.next_cursor)


async def barsetshire(library: Library) -> None:
    for title, number in (
        ("Doctor Thorne", "3"), ("An Introduction", None), ("The Last Chronicle of Barset", "10"),
        ("A Novella", "2.5"), ("Barchester Towers", "2"), ("The Warden", "1"),
    ):  # fmt: skip
        await library.book(title, series=BARSET, series_number=number)


@pytest.mark.parametrize("limit", [1, 4, 20])
async def test_the_books_of_a_series_stand_in_order(library: Library, limit: int) -> None:
    await barsetshire(library)
    await library.book("Phineas Finn", series="Palliser", series_number="2")
    assert await in_order(library, BARSET, limit) == [
        "The Warden",
        "Barchester Towers",
        "A Novella",
        "Doctor Thorne",
        "The Last Chronicle of Barset",
        "An Introduction",
    ]


async def test_a_series_is_found_by_its_id_and_by_any_spelling(library: Library) -> None:
    await barsetshire(library)
    for named in ("chronicles of barsetshire", "CHRONICLES of Barsetshire!"):
        found = await library.series.get(series=named)
        assert (found.id, found.name, found.books) == ("chronicles of barsetshire", BARSET, 6)
    for nobody in ("Barsetshire", "\u2026"):
        with pytest.raises(NoSuchSeries):
            await library.series.books(series=nobody, window=Window())


async def test_series_are_listed_in_order_and_found_by_a_beginning(library: Library) -> None:
    await barsetshire(library)
    for name in ("Palliser", "Palliser!", "Discworld"):
        await library.book("One", series=name, series_number="1")
    gone = await library.book("Two", series="Aubrey")
    await library.change(gone, withdrawn=True)
    page = await library.series.find(q=None, window=Window(limit=2))
    assert [(each.name, each.books) for each in page.items] == [(BARSET, 6), ("Discworld", 1)]
    rest = await library.series.find(q=None, window=Window(limit=2, after=page.next_cursor))
    assert [(each.name, each.books) for each in rest.items] == [("Palliser", 2)]
    assert rest.next_cursor is None
    found = await library.series.find(q="barset", window=Window())
    assert [each.name for each in found.items] == [BARSET]
    with pytest.raises(Invalid):
        await library.series.find(q=None, window=Window(after="x"))


async def test_a_number_is_changed_and_a_series_left(library: Library) -> None:
    await barsetshire(library)
    book = await library.book("Can You Forgive Her?", series=BARSET, series_number="0.5")
    assert (await in_order(library, BARSET))[0] == book.title
    changed = await library.change(book, series_number="99")
    assert (changed.series_number, (await in_order(library, BARSET))[-2]) == ("99", book.title)
    left = await library.change(book, series=None, series_number=None)
    assert (left.series, left.series_number) == (None, None)
    assert book.title not in await in_order(library, BARSET)
