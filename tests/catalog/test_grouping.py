"""Searches and lists with one hit for each work."""

import random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from lendery.catalog.models import book as books
from lendery.contracts.base import Invalid, Window
from lendery.contracts.catalog import Book, BookSearch, NewBook, SearchPage
from lendery.contracts.permissions import SYSTEM

from .conftest import NOW, Library

pytestmark = pytest.mark.asyncio
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
Shown = list[tuple[str, str | None, int]]


async def _search(library: Library, window: Window | None = None, **wanted: Any) -> SearchPage:
    asked = BookSearch.model_validate({"group_by": "work", **wanted})
    return await library.books.search(wanted=asked, window=window or Window())


def _shown(page: SearchPage) -> Shown:
    assert page.editions is not None
    return [
        (book.title, book.publisher, many)
        for book, many in zip(page.items, page.editions, strict=True)
    ]


async def _all(library: Library, limit: int, **wanted: Any) -> Shown:
    found, after = [], None
    while True:
        page = await _search(library, Window(limit=limit, after=after), **wanted)
        found += _shown(page)
        after = page.next_cursor
        if after is None:
            return found
        assert len(page.items) == limit


@pytest.fixture
async def shelves(library: Library) -> Library:
    emma = {"published_year": 1815, "subjects": ["Fiction"]}
    await library.book("Emma", "Jane Austen", publisher="Murray", language="en", **emma)
    await library.book("Emma (Penguin Classics)", "Jane Austen", publisher="Penguin")
    await library.book("Emma", "Jane Austen", publisher="Insel", language="de")
    await library.book("Emma", "Alexander McCall Smith", publisher="Borough", published_year=2014)
    await library.book("Emma Brown", "Clare Boylan", publisher="Little, Brown")
    return library


async def test_a_search_shows_each_work_once_with_its_editions(shelves: Library) -> None:
    page = await _search(shelves, q="emma austen", facets=True)
    assert _shown(page) == [("Emma", "Murray", 3)]
    page = await _search(shelves, Window(total=True), q="emma")
    assert sorted(_shown(page)) == [
        ("Emma", "Borough", 1),
        ("Emma", "Murray", 3),
        ("Emma Brown", "Little, Brown", 1),
    ]
    assert page.total == 3 and page.next_cursor is None


async def test_not_grouped_all_editions_are_shown_and_nothing_is_counted(shelves: Library) -> None:
    page = await _search(shelves, q="emma austen", group_by=None)
    assert len(page.items) == 3 and page.editions is None


async def test_only_the_editions_that_the_search_finds_are_counted(shelves: Library) -> None:
    assert _shown(await _search(shelves, q="emma", language="de")) == [("Emma", "Insel", 1)]
    assert _shown(await _search(shelves, q="penguin")) == [
        ("Emma (Penguin Classics)", "Penguin", 1)
    ]
    assert _shown(await _search(shelves, language="en")) == [("Emma", "Murray", 1)]


@pytest.mark.parametrize("sort", ["title", "author", "year", "newest", "popularity", "rating"])
@pytest.mark.parametrize("q", [None, "emma"])
async def test_a_list_in_any_order_shows_the_first_edition_where_it_stands(
    shelves: Library, sort: str, q: str | None
) -> None:
    plain = await _search(shelves, q=q, sort=sort, group_by=None)
    first: dict[UUID, Book] = {}
    for book in plain.items:
        first.setdefault(book.work_id, book)
    grouped = await _all(shelves, 1, q=q, sort=sort)
    assert [publisher for _, publisher, _ in grouped] == [b.publisher for b in first.values()]
    assert sorted(many for _, _, many in grouped) == [1, 1, 3]


async def _many(library: Library) -> None:
    """150 works called alike, in 1 to 4 editions each, mixed."""
    chance = random.Random(3)
    made = [
        NewBook(
            title=f"History of {'rivers and the' if n % 3 else 'the'} place number {n}",
            authors=["Ann Author"],
            publisher=f"Press {edition}",
            published_year=1900 + chance.randrange(90),
        )
        for n in range(150)
        for edition in range(1 + n % 4)
    ]
    chance.shuffle(made)
    for start in range(0, len(made), 100):
        await library.books.add_many(books=made[start : start + 100], **BY)


async def test_reading_on_shows_every_work_once_at_any_depth(library: Library) -> None:
    await _many(library)
    for wanted in ({"q": "history"}, {"q": "history rivers"}, {"sort": "title"}, {}):
        plain: list[Book] = []
        after = None
        while True:
            page = await _search(library, Window(limit=100, after=after), **wanted, group_by=None)
            plain += page.items
            after = page.next_cursor
            if after is None:
                break
        first: dict[UUID, Book] = {}
        many: dict[UUID, int] = {}
        for book in plain:
            first.setdefault(book.work_id, book)
            many[book.work_id] = many.get(book.work_id, 0) + 1
        expected = [(b.title, b.publisher, many[work]) for work, b in first.items()]
        assert await _all(library, 7, **wanted) == expected
        by_number = []
        for at in range(0, len(expected), 20):
            page = await _search(library, Window(limit=20, offset=at, total=True), **wanted)
            by_number += _shown(page)
            assert page.total == len(expected)
        assert by_number == expected


async def test_works_of_an_older_program_are_told_by_the_rules(shelves: Library) -> None:
    async with shelves.db.begin() as tx:
        await tx.run(update(books).where(books.c.publisher != "Insel").values(work_id=None))
    assert _shown(await _search(shelves, q="emma austen")) == [("Emma", "Murray", 3)]
    assert ("Emma", "Murray", 3) in _shown(await _search(shelves, sort="title"))


async def test_a_page_with_a_number_goes_only_so_far(shelves: Library) -> None:
    with pytest.raises(Invalid):
        await _search(shelves, Window(offset=2_001), q="emma")
    assert _shown(await _search(shelves, Window(offset=2_000), q="emma")) == []


async def test_what_finds_nothing_has_no_editions(shelves: Library) -> None:
    assert (await _search(shelves, q="-")).editions == []
    assert (await _search(shelves, q="zzzzzz")).editions == []


async def test_corrected_words_are_grouped_too(shelves: Library) -> None:
    page = await _search(shelves, q="emma austne")
    assert page.did_you_mean == "emma austen"
    assert _shown(page) == [("Emma", "Murray", 3)]
