"""How well what readers ask is answered, over the demo library's books, the same on each database.

The measure is nDCG@10: 1 when all that was meant stands first, 0 when none of it is on the page.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from lendery.catalog.books import BookCatalog
from lendery.catalog.models import TABLES
from lendery.contracts.base import Window
from lendery.contracts.catalog import Book, BookSearch, NamedAuthor, NewBook
from lendery.contracts.permissions import SYSTEM
from lendery.demo.titles import Title, titles
from lendery.platform import migrate
from lendery.platform.db import Database
from tests.system import create_database, drop_database

from .conftest import NOW, POSTGRES

BOOKS = 8_500
FLOOR = 0.94
MARGIN = 0.01  # between the databases
QUERIES = Path(__file__).parent / "judged" / "queries.txt"


@dataclass(frozen=True)
class Judged:
    """What was typed, and what was meant by it, as queries.txt says it."""

    typed: str
    meant: tuple[str, ...]


def judged() -> list[Judged]:
    found = []
    for line in QUERIES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            typed, meant = line.split(" | ")
            found.append(Judged(typed, tuple(meant.split(" ; "))))
    return found


def new_book(title: Title) -> NewBook:
    authors = [NamedAuthor(name=a.name, sort_name=a.sort_name) for a in title.authors]
    return NewBook(
        title=title.title,
        subtitle=title.subtitle,
        authors=list(authors),
        published_year=title.published_year,
        language=title.language,
        subjects=list(title.subjects),
        series=title.series,
    )


async def _shelved(books: BookCatalog) -> list[Book]:
    listed = list(titles(BOOKS))
    ids = []
    for start in range(0, BOOKS, 3_000):
        some = [new_book(each) for each in listed[start : start + 3_000]]
        ids += await books.add_many(books=some, actor=SYSTEM, now=NOW)
    return await books.by_ids(ids=ids)


class Shelves:
    """Which books are meant by what queries.txt says."""

    def __init__(self, books: list[Book]) -> None:
        self.by_title: dict[str, set[UUID]] = {}
        self.by_author: dict[str, set[UUID]] = {}
        self.by_subject: dict[str, set[UUID]] = {}
        for book in books:
            self.by_title.setdefault(book.title, set()).add(book.id)
            for each in book.authors:
                self.by_author.setdefault(each.name, set()).add(book.id)
            for subject in book.subjects:
                self.by_subject.setdefault(subject, set()).add(book.id)

    def meant(self, judged: Judged) -> set[UUID]:
        found = set().union(*map(self._books, judged.meant))
        assert found, f"no book of the demo library is meant by {judged.typed!r}"
        return found

    def _books(self, said: str) -> set[UUID]:
        if said.startswith("# "):
            named = [ids for name, ids in self.by_subject.items() if said[2:] in name]
            return set().union(*named)
        title, _, author = said.partition(" / ")
        if title.endswith("*"):
            begun = [ids for name, ids in self.by_title.items() if name.startswith(title[:-1])]
            found = set().union(*begun)
        else:
            found = self.by_title.get(title, set())
        return found & self.by_author.get(author, set()) if author else found


@dataclass
class Answers:
    """The first ten for each query, and all books there are."""

    found: dict[str, list[UUID]]
    shelves: Shelves

    def ndcg(self, each: Judged) -> float:
        meant = self.shelves.meant(each)
        best = sum(1 / log2(2 + at) for at in range(min(10, len(meant))))
        found = enumerate(self.found[each.typed])
        return sum(1 / log2(2 + at) for at, book in found if book in meant) / best


async def _asked(url: str) -> Answers:
    db = Database(url, [TABLES], durable=False)
    books = BookCatalog(db)
    shelves = await _shelved(books)
    found = {}
    for each in judged():
        page = await books.search(wanted=BookSearch(q=each.typed), window=Window(limit=10))
        found[each.typed] = [book.id for book in page.items]
    await db.close()
    return Answers(found, Shelves(shelves))


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    url = f"sqlite:///{tmp_path_factory.mktemp('judged') / 'catalog.db'}"
    migrate.run(url, ["catalog"])
    return asyncio.run(_asked(url))


@pytest.fixture(scope="session")
def on_postgres() -> Iterator[Answers]:
    if not POSTGRES:
        pytest.skip("LENDERY_TEST_POSTGRES names no server")
    name = f"judged_{uuid4().hex[:12]}"
    url = asyncio.run(create_database(os.environ["LENDERY_TEST_POSTGRES"], name))
    migrate.run(url, ["catalog"])
    yield asyncio.run(_asked(url))
    asyncio.run(drop_database(os.environ["LENDERY_TEST_POSTGRES"], name))


def _mean(answers: Answers, database: str) -> float:
    scored = {each.typed: answers.ndcg(each) for each in judged()}
    mean = sum(scored.values()) / len(scored)
    worst = sorted(scored.items(), key=lambda each: each[1])[:12]
    print(f"\nnDCG@10 of {len(scored)} queries on {database}: {mean:.3f}")
    print("worst:", ", ".join(f"{typed} {score:.2f}" for typed, score in worst))
    return mean


def test_there_are_two_hundred_queries_each_asked_once() -> None:
    assert len(judged()) == 200 == len({each.typed for each in judged()})


@pytest.mark.xdist_group("judged")
def test_what_readers_mean_stands_first_on_sqlite(on_sqlite: Answers) -> None:
    assert _mean(on_sqlite, "SQLite") >= FLOOR


@pytest.mark.xdist_group("judged")
def test_both_databases_answer_alike(on_sqlite: Answers, on_postgres: Answers) -> None:
    mean = _mean(on_postgres, "PostgreSQL")
    assert mean >= FLOOR and abs(mean - _mean(on_sqlite, "SQLite")) <= MARGIN
