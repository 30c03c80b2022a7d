"""P5 and P6: searches and deep pages, against a record read by its key on the same connection.

Asked of the catalog itself, without HTTP. Ours and the limit take turns in one run.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from tests.system import create_database, drop_database

from bench.figures import Cost, tables
from bench.stacks import Stack, fill
from lendery.catalog.books import BookCatalog
from lendery.catalog.models import TABLES
from lendery.catalog.repository.books import book_of, books_numbered
from lendery.catalog.rules.fold import words
from lendery.contracts.base import Window
from lendery.contracts.catalog import Book, BookSearch
from lendery.platform import migrate
from lendery.platform.db import Database

Ask = Callable[[], Awaitable[Any]]
COMMON = ["the history of", "history", "the", "new world", "love story"]
DEEP = 500  # pages
ASKED = 100  # questions of each kind in a round
QUICK = 2_000  # books


@dataclass
class Times:
    """How long each kind of question took, in milliseconds."""

    seen: dict[str, list[float]] = field(default_factory=dict)

    async def measure(self, name: str, ask: Ask) -> Any:
        began = time.perf_counter()
        found = await ask()
        self.seen.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return found

    def middle(self, name: str) -> float:
        return median(self.seen[name])

    def p99(self, name: str) -> float:
        return sorted(self.seen[name])[int(len(self.seen[name]) * 0.99)]


@dataclass
class Searcher:
    """Asks one catalog, with words that its records have."""

    db: Database
    size: int
    chance: random.Random
    times: Times = field(default_factory=Times)

    def __post_init__(self) -> None:
        self.books = BookCatalog(self.db)
        self.records: list[Book] = []
        self.deep: dict[str, str] = {}
        self.typos: list[tuple[str, str]] = []

    async def prepare(self) -> None:
        numbers = self.chance.sample(range(1, self.size + 1), 500)
        async with self.db.read() as session:
            rows = await books_numbered(session, numbers=numbers)
        self.records = [book_of(row) for row in rows.values()]
        await self._misspell()
        for name, wanted in self.lists().items():
            self.deep[name] = await self._cursor(wanted)

    def lists(self) -> dict[str, BookSearch]:
        return {
            "by title": BookSearch(sort="title"),
            "by popularity": BookSearch(sort="popularity"),
            "newest": BookSearch(sort="newest"),
            "best match": BookSearch(q="the"),
        }

    async def _misspell(self) -> None:
        for book in self.records:
            long = [word for word in words(book.title) if len(word) > 6]
            if long and len(self.typos) < 60:
                word = long[0]
                at = self.chance.randrange(1, len(word) - 1)
                wrong = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
                page = await self.books.search(wanted=BookSearch(q=wrong), window=Window())
                if page.did_you_mean:
                    self.typos.append((wrong, page.did_you_mean))

    async def _cursor(self, wanted: BookSearch) -> str:
        """Of page DEEP, or as deep as the list goes."""
        cursor = None
        for _ in range(DEEP * 20 // 100):
            page = await self.books.search(wanted=wanted, window=Window(limit=100, after=cursor))
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        assert cursor is not None
        return cursor

    async def ask(self, name: str, window: Window | None = None, **wanted: Any) -> Any:
        return await self.times.measure(
            name,
            lambda: self.books.search(wanted=BookSearch(**wanted), window=window or Window()),
        )

    def some_words(self) -> str:
        """One to three words of some title: frequent ones often, as people ask."""
        listed = words(self.chance.choice(self.records).title)
        return " ".join(listed[: self.chance.choice((1, 1, 2, 2, 3))])

    async def round(self, many: int) -> None:
        for _ in range(many):
            book = self.chance.choice(self.records)
            await self.times.measure("key", lambda book=book: self.books.row(book_id=book.id))  # type: ignore[misc]
            q = self.some_words()
            await self.ask("mixed", q=q)
            await self.ask("plain", q=q)
            await self.ask("facets", q=q, facets=True)
            await self.ask("rare word", q=max(words(book.title), key=len))
            await self.ask("three words", q=" ".join(words(book.title)[:3]))
            await self.ask("very common words", q=self.chance.choice(COMMON))
            await self.ask("filtered, with facets", q=q, language="de", facets=True)
            await self.ask("beginning", q=words(book.title)[0][:4] + "*")
            await self.times.measure(
                "suggest",
                lambda book=book: self.books.suggest(q=book.title[:5]),  # type: ignore[misc]
            )
            if self.typos:
                wrong, right = self.chance.choice(self.typos)
                await self.ask("typo", q=wrong)
                await self.ask("corrected", q=right)
            await self._pages()

    async def _pages(self) -> None:
        for name, wanted in self.lists().items():
            for which, after in (("first", None), ("deep", self.deep[name])):
                window = Window(after=after)
                await self.times.measure(
                    f"{which} page, {name}",
                    lambda wanted=wanted, window=window: self.books.search(  # type: ignore[misc]
                        wanted=wanted, window=window
                    ),
                )


KINDS = (
    *("mixed", "rare word", "three words", "very common words", "beginning", "typo"),
    *("filtered, with facets", "suggest"),
)


def figures_of(searcher: Searcher, database: str) -> list[Cost]:
    times, where = searcher.times, f"{searcher.size:,} books on {database}"
    key = times.middle("key")
    found = [
        _times("P5", f"search p99, mixed, {where}", times.p99("mixed"), key, 40),
        _times("P5", f"facets, {where}", times.middle("facets"), times.middle("plain"), 3),
    ]
    if "typo" in times.seen:
        typo, right = times.middle("typo"), times.middle("corrected")
        found.append(_times("P5", f"typo, {where}", typo, right, 2))
    for name in searcher.lists():
        deep, first = times.middle(f"deep page, {name}"), times.middle(f"first page, {name}")
        found.append(_times("P6", f"page {DEEP} {name}, {where}", deep, first, 2))
    for kind in KINDS:
        if kind in times.seen:
            seen = Cost("P5", f"{kind}, {where}", "ms", None, [times.middle(kind)])
            seen.remarks = [f"p99 {times.p99(kind):.2f} ms, {times.middle(kind) / key:.1f} reads"]
            found.append(seen)
    found.append(Cost("P5", f"record by key, {where}", "ms", None, [key]))
    return found


def _times(goal: str, what: str, ours: float, limit: float, at_most: float) -> Cost:
    cost = Cost(goal, what, "times", at_most, [ours / limit])
    cost.remarks = [f"{ours:.2f} ms against {limit:.3f} ms"]
    return cost


async def _searched(url: str, size: int, rounds: int) -> Searcher:
    db = Database(url, [TABLES])
    searcher = Searcher(db, size, random.Random(7))
    await searcher.prepare()
    await searcher.round(10)
    searcher.times = Times()
    for _ in range(rounds):
        await searcher.round(ASKED)
    await db.close()
    return searcher


async def _fill(url: str, size: int) -> None:
    db = Database(url, [TABLES], durable=False)
    await fill(db, Stack(size))
    await db.close()


@contextmanager
def _library(database: str, folder: Path, size: int) -> Iterator[str]:
    """A catalogue of so many books, and its address."""
    if database == "SQLite":
        path = folder / f"books-{size}.db"
        url = f"sqlite:///{path}"
        _make(url, size)
        yield url
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return
    server, name = os.environ["LENDERY_TEST_POSTGRES"], f"searching_{uuid4().hex[:10]}"
    url = asyncio.run(create_database(server, name))
    try:
        _make(url, size)
        yield url
    finally:
        asyncio.run(drop_database(server, name))


def _make(url: str, size: int) -> None:
    began = time.perf_counter()
    migrate.run(url, ["catalog"])
    asyncio.run(_fill(url, size))
    print(f"  {size:,} books in {time.perf_counter() - began:.0f} s", flush=True)


def measure(sizes: list[int], folder: Path, rounds: int) -> list[Cost]:
    databases = ["SQLite"] + ["PostgreSQL"] * ("LENDERY_TEST_POSTGRES" in os.environ)
    found: list[Cost] = []
    for database in databases:
        middles = []
        for size in sizes:
            print(f"  Making {size:,} books on {database}", flush=True)
            with _library(database, folder, size) as url:
                searcher = asyncio.run(_searched(url, size, rounds))
            told = figures_of(searcher, database)
            print(tables(told), flush=True)
            found += told
            middles.append(searcher.times.middle("mixed"))
        if len(sizes) > 1:
            what = f"growth of the median from {sizes[0]:,} to {sizes[-1]:,} on {database}"
            found.append(_times("P5", what, middles[-1], middles[0], 2))
    return found
