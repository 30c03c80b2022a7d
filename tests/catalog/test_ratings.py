"""What reviews told of stars: shown for a book, and an order for lists."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from lendery.catalog.models import rating
from lendery.catalog.reactions import REACTIONS
from lendery.catalog.rules.ratings import sort_rating
from lendery.contracts.base import Invalid, Window
from lendery.contracts.catalog import Book, BookSearch
from lendery.contracts.permissions import SYSTEM
from lendery.contracts.reviews import Rating, RatingChanged
from lendery.platform.events import Reactions

from .conftest import NOW, Library


async def _tell(library: Library, book: Book | UUID, *stars: int, version: int = 1) -> None:
    ones, twos, threes, fours, fives = stars
    event = RatingChanged(
        book_id=book if isinstance(book, UUID) else book.id, at=NOW, version=version,
        ones=ones, twos=twos, threes=threes, fours=fours, fives=fives,
    )  # fmt: skip
    await Reactions(library.db, None, {"catalog": REACTIONS}).send([event])


async def _titles(library: Library, **wanted: Any) -> list[str]:
    search = BookSearch(sort="rating", **wanted)
    found, after = [], None
    while True:
        page = await library.books.search(wanted=search, window=Window(limit=2, after=after))
        found += [book.title for book in page.items]
        after = page.next_cursor
        if after is None:
            return found


async def test_the_stars_of_books_as_reviews_told_them(library: Library) -> None:
    emma, middlemarch = await library.book("Emma"), await library.book("Middlemarch")
    await _tell(library, middlemarch, 0, 1, 0, 0, 2)
    assert await library.books.ratings(ids=[middlemarch.id, emma.id]) == [
        Rating(book_id=middlemarch.id, count=3, average=4.0, histogram=(0, 1, 0, 0, 2)),
        Rating(book_id=emma.id, count=0, average=None, histogram=(0, 0, 0, 0, 0)),
    ]
    assert await library.books.get(book_id=middlemarch.id) == middlemarch  # its version stays


async def test_what_is_older_than_what_is_known_changes_nothing(library: Library) -> None:
    emma = await library.book("Emma")
    await _tell(library, emma, 0, 0, 0, 0, 3, version=5)
    await _tell(library, emma, 9, 0, 0, 0, 0, version=4)
    [told] = await library.books.ratings(ids=[emma.id])
    assert told.histogram == (0, 0, 0, 0, 3)
    await _tell(library, emma, 0, 0, 0, 0, 0, version=6)
    [told] = await library.books.ratings(ids=[emma.id])
    assert (told.count, told.average) == (0, None)


async def test_a_list_by_rating_begins_with_the_best_and_ends_with_the_unrated(
    library: Library,
) -> None:
    books = {title: await library.book(title) for title in ("None", "Good", "Bad", "Best", "Also")}
    await _tell(library, books["Good"], 0, 0, 0, 1, 0)
    await _tell(library, books["Bad"], 5, 0, 0, 0, 0)
    await _tell(library, books["Best"], 0, 0, 0, 2, 8)
    assert await _titles(library) == ["Best", "Good", "Bad", "None", "Also"]
    await _tell(library, books["Bad"], 0, 0, 0, 0, 50, version=2)
    assert await _titles(library) == ["Bad", "Best", "Good", "None", "Also"]
    assert await _titles(library, q="best") == ["Best"]


async def test_a_changed_record_keeps_its_place_by_rating(library: Library) -> None:
    emma, other = await library.book("Emma"), await library.book("Other")
    await _tell(library, other, 0, 0, 0, 0, 5)
    await library.change(other, title="Another", subjects=["Novels"])
    assert await _titles(library) == ["Another", "Emma"]
    assert await _titles(library, subject="novels") == ["Another"]
    assert emma.version == 1


async def test_a_cursor_of_another_order_is_refused(library: Library) -> None:
    for title in ("A", "B", "C"):
        await library.book(title)
    by_title = await library.books.search(wanted=BookSearch(sort="title"), window=Window(limit=1))
    with pytest.raises(Invalid):
        await library.books.search(
            wanted=BookSearch(sort="rating"), window=Window(after=by_title.next_cursor)
        )


async def test_a_destroyed_book_leaves_no_stars_and_an_unknown_one_gets_none(
    library: Library,
) -> None:
    emma = await library.book("Emma")
    await _tell(library, emma, 0, 0, 0, 0, 3)
    await library.books.remove(book_id=emma.id, actor=SYSTEM, now=NOW)
    await _tell(library, emma, 0, 0, 0, 0, 4, version=2)
    await _tell(library, uuid4(), 0, 0, 0, 0, 4)
    async with library.db.read() as session:
        assert await session.rows(select(rating)) == []


@pytest.mark.parametrize(
    ("stars", "key"),
    [
        ((0, 0, 0, 0, 0), 0),
        ((0, 0, 0, 0, 1), -3750),
        ((1, 0, 0, 0, 0), -3083),
        ((0, 0, 0, 5, 5), -4167),
        ((0, 0, 0, 0, 1000), -4993),
        ((1000, 0, 0, 0, 0), -1012),
    ],
)
def test_few_stars_weigh_less_than_many(stars: tuple[int, ...], key: int) -> None:
    assert sort_rating(stars) == key
