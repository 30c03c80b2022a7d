"""How often a request of the catalogue asks the database: counted, and never more than ten."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from lendery.catalog.hot import AUTHORS, BOOKS, SUBJECTS, hot_paths
from lendery.catalog.models import CHANGES
from lendery.contracts.catalog import NamedAuthor
from lendery.contracts.permissions import SYSTEM
from lendery.platform.http.hot import HotAnswers
from tests.circulation.test_statements import asked as asked  # the fixture

from .conftest import NOW, Library
from .test_http import As, client, router

BY_US: Any = {"actor": SYSTEM, "now": NOW}
MOST = 10
READS = {
    "{book}": 1,
    "{author}": 3,
    "{author}/books": 2,
    BOOKS: 1,
    f"{BOOKS}?sort=title": 1,
    f"{BOOKS}?sort=rating&limit=2": 1,
    f"{BOOKS}?limit=1&total=exact": 2,
    f"{BOOKS}/search?q=emma": 3,
    f"{BOOKS}/search?q=emma&facets=true&total=exact": 5,
    f"{BOOKS}/search?q=emna": 5,
    f"{BOOKS}/suggest?q=emm": 6,
    "{book}/similar": 5,
    f"{AUTHORS}?q=aus": 1,
    SUBJECTS: 1,
    "/api/v1/works/{work}": 1,
    "/api/v1/series": 1,
    "/api/v1/series/novels/books": 2,
    "{book}/copies": 1,
}
# Beside BEGIN and COMMIT. The last one asks whether others have seen the change.
CHANGES_OF = {
    "a book": 8,
    "other fields": 7,
    "other authors and subjects": 10,
    "another name": 8,
    "another form of a name": 10,
    "see also": 6,
    "a work by hand": 4,
    "a copy": 6,
    "a withdrawn book": 9,
}


async def _shelf(library: Library) -> tuple[dict[str, Any], Any]:
    austen = NamedAuthor(name="Jane Austen")
    emma = await library.book("Emma", austen, subjects=["Village life"], series="Novels")
    by = str(emma.authors[0].id)
    for title in ("Persuasion", "Emma again", "Sense and Sensibility"):
        await library.book(title, by, subjects=["Village life"])
    await library.copy(emma, "b1")
    places = {"book": f"{BOOKS}/{emma.id}", "author": f"{AUTHORS}/{by}", "work": emma.work_id}
    return places, emma


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_reads_ask_the_database_no_more_than_they_must(
    library: Library, asked: list[str]
) -> None:
    places, _ = await _shelf(library)
    async with client(As(router(library), SYSTEM)) as reader:
        counted = {}
        for path in READS:
            for _ in range(2):  # everybody meets everybody
                asked.clear()
                answer = await reader.get(path.format(**places))
                assert answer.status_code == 200, (path, answer.text)
            counted[path] = len(asked)
    assert counted == READS and max(counted.values()) <= MOST


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_kept_answers_are_made_by_one_statement_and_then_by_none(
    library: Library, asked: list[str]
) -> None:
    places, _ = await _shelf(library)
    paths = hot_paths(library.authorities, library.books)
    answers = HotAnswers(paths, library.db, {"catalog": CHANGES}, entries=9)
    await answers.find(BOOKS, b"")
    feed = answers.feeds["catalog"]
    feed.good_until = float("inf")  # as with a lease
    for path, query, most in (
        (places["book"], b"", 1),
        (BOOKS, b"sort=title", 1),
        (places["author"], b"", 4),
    ):
        for times in (most, 0):
            asked.clear()
            assert await answers.find(path, query) is not None
            assert len(asked) <= times, (path, asked)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_changes_ask_the_database_no_more_than_they_must(
    library: Library, asked: list[str]
) -> None:
    _, emma = await _shelf(library)
    file, by = library.authorities, emma.authors[0].id
    other = (await library.book("Romola", NamedAuthor(name="George Eliot"))).authors[0].id

    def doing(n: int) -> dict[str, Callable[[], Awaitable[Any]]]:
        new = {"authors": [str(by), f"Ann {n}"], "subjects": ["Village life", f"Towns {n}"]}
        name, kind = {"name": f"Jane {n}"}, {"kind": "author"} | BY_US
        return {
            "a book": lambda: library.book(f"Book {n}", str(by), subjects=[f"New {n}"]),
            "other fields": lambda: library.change(emma, publisher=f"Murray {n}"),
            "other authors and subjects": lambda: library.change(emma, **new),
            "another name": lambda: library.authors.change(author_id=by, changes=name, **BY_US),
            "another form of a name": lambda: file.add_variant(
                heading_id=by, name=f"J. {n}", **kind
            ),
            "see also": lambda: (file.relate if n else file.part)(one=by, other=other, **kind),
            "a work by hand": lambda: library.works.move(book_id=emma.id, work_id=None, **BY_US),
            "a copy": lambda: library.copy(emma, f"c{n}"),
            "a withdrawn book": lambda: library.change(emma, withdrawn=bool(n)),
        }

    counted = {}
    for n in range(2):
        for what, act in doing(n).items():
            asked.clear()
            await act()
            assert (asked[0], asked[-2]) == ("BEGIN", "COMMIT")
            counted[what] = len(asked) - 2
    assert counted == CHANGES_OF and max(counted.values()) <= MOST


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_an_authors_name_costs_the_same_for_many_books(
    library: Library, asked: list[str]
) -> None:
    _, emma = await _shelf(library)
    by = str(emma.authors[0].id)

    async def costs(name: str) -> int:
        asked.clear()
        await library.authors.change(author_id=UUID(by), changes={"name": name}, **BY_US)
        return len(asked)

    few = await costs("Dearest Austen")
    for n in range(20):
        await library.book(f"Book {n}", by)
    assert await costs("Sweetest Austen") == few
