"""Two processes that keep answers of one catalog, and what they tell to whom."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lendery.catalog.authorities import HeadingFile
from lendery.catalog.authors import AuthorFile
from lendery.catalog.books import BookCatalog
from lendery.catalog.hot import AUTHORS, BOOKS, hot_paths
from lendery.catalog.models import CHANGES, TABLES
from lendery.contracts.catalog import NamedAuthor, NewBook
from lendery.contracts.permissions import SYSTEM
from lendery.platform.cache.shared import SharedAnswers
from lendery.platform.db import Database
from lendery.platform.http.hot import HotAnswers

from .conftest import NOW

SECRET = "a secret of this library's own, long enough"
SHELF = 4  # books, two to an author


class Process:
    """One process with the catalog in it, as far as keeping answers goes."""

    def __init__(self, url: str, shared: SharedAnswers | None = None) -> None:
        self.db = Database(url, [TABLES], size=6)
        self.books, self.authors = BookCatalog(self.db), AuthorFile(self.db)
        paths = hot_paths(HeadingFile(self.db), self.books)
        self.answers = HotAnswers(paths, self.db, {"catalog": CHANGES}, 50, shared)

    async def get(self, path: str, query: bytes = b"") -> Any:
        found = await self.answers.find(path, query)
        return json.loads(found.finished.body) if found else None


@asynccontextmanager
async def processes(url: str, redis: str = "") -> AsyncIterator[list[Process]]:
    both = [Process(url, SharedAnswers(redis, SECRET) if redis else None) for _ in range(2)]
    leases = [asyncio.create_task(each.answers.run()) for each in both]
    try:
        if both[0].db.dialect != "sqlite":
            while not all(each.answers.feeds["catalog"].good_until for each in both):
                await asyncio.sleep(0.005)
        yield both
    finally:
        for lease in leases:
            lease.cancel()
        await asyncio.gather(*leases, return_exceptions=True)
        for each in both:
            if each.answers.shared is not None:
                await each.answers.shared.close()
            await each.db.close()


@dataclass
class Story:
    """What was answered, and every read that was older than that."""

    both: list[Process]
    books: list[UUID] = field(default_factory=list)
    authors: list[UUID] = field(default_factory=list)
    told: dict[UUID, int] = field(default_factory=dict)  # the last number answered
    old: list[str] = field(default_factory=list)
    # Two who change one thing at once may be served in either order: here they queue.
    queue: dict[UUID, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def open(self) -> None:
        process = self.both[0]
        for n in range(SHELF):
            by = self.authors[-1] if n % 2 else NamedAuthor(name="0")
            new = NewBook(title="0", authors=[str(by) if isinstance(by, UUID) else by])
            book = await process.books.add(book=new, actor=SYSTEM, now=NOW)
            self.books.append(book.id)
            if not n % 2:
                self.authors.append(book.authors[0].id)
        self.told = {each: 0 for each in (*self.books, *self.authors)}

    async def change_book(self, process: Process, n: int) -> None:
        book = self.books[n % SHELF]
        async with self.queue[book]:
            title = {"title": str(self.told[book] + 1)}
            await process.books.change(book_id=book, changes=title, actor=SYSTEM, now=NOW)
            self.told[book] += 1

    async def rename_author(self, process: Process, n: int) -> None:
        author = self.authors[n % 2]
        async with self.queue[author]:
            name = {"name": str(self.told[author] + 1)}
            await process.authors.change(author_id=author, changes=name, actor=SYSTEM, now=NOW)
            self.told[author] += 1

    async def read_book(self, process: Process, n: int) -> None:
        book, author = self.books[n % SHELF], self.authors[n % SHELF // 2]
        least = self.told[book], self.told[author]
        self.judge([await process.get(f"{BOOKS}/{book}")], {book: least})

    async def read_author(self, process: Process, n: int) -> None:
        author = self.authors[n % 2]
        least = self.told[author]
        told = await process.get(f"{AUTHORS}/{author}")
        if int(told["name"]) < least:
            self.old.append(f"author {told['name']} < {least}")

    async def read_list(self, process: Process, n: int) -> None:
        least = {
            book: (self.told[book], self.told[self.authors[at // 2]])
            for at, book in enumerate(self.books)
        }
        page = await process.get(BOOKS, b"limit=%d&sort=newest" % SHELF if n % 2 else b"")
        self.judge([each for each in page["items"] if UUID(each["id"]) in least], least)
        if len(page["items"]) < SHELF:
            self.old.append("a list without a book that was there")

    def judge(self, shown: list[Any], least: dict[UUID, tuple[int, int]]) -> None:
        for each in shown:
            seen = int(each["title"]), int(each["authors"][0]["name"])
            title, name = least[UUID(each["id"])]
            if seen[0] < title or seen[1] < name:
                self.old.append(f"book {seen} older than {(title, name)}")
