"""Whatever changes the catalog is seen by the very next read of each of two processes: a record,
an author with other forms, lists, searches. What is shown is compared with what is looked up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lendery.catalog.authorities import HeadingFile
from lendery.catalog.hot import AUTHORS, BOOKS, SUBJECTS, hot_paths
from lendery.catalog.models import CHANGES, TABLES
from lendery.catalog.reactions import note_its_stars
from lendery.cli_search import make_anew
from lendery.contracts.authorities import NewMerge
from lendery.contracts.base import Window
from lendery.contracts.catalog import Book, NamedAuthor
from lendery.contracts.permissions import SYSTEM
from lendery.contracts.reviews import RatingChanged
from lendery.platform.cache import ChangeLog
from lendery.platform.db import Database
from lendery.platform.http.hot import HotAnswers
from lendery.platform.settings import Settings
from tests.catalog.importing.conftest import Bulk, book, marc
from tests.catalog.test_http import router

from .conftest import NOW, Library

BY_US: Any = {"actor": SYSTEM, "now": NOW}


class Process(Bulk):
    """One process with the catalog in it; with `entries` 0 it keeps nothing."""

    def __init__(self, url: str, files: Path, entries: int) -> None:
        super().__init__(Database(url, [TABLES], size=6), Settings(import_folder=files))
        paths = hot_paths(HeadingFile(self.db), self.library.books)
        self.answers = HotAnswers(paths, self.db, {"catalog": CHANGES}, entries)
        self.answers.behind = router(self.library)

    async def shown(self, path: str, query: bytes) -> Any:
        try:
            found = await self.answers.find(path, query)
        except Exception as gone:  # merged into another: told by a problem
            return repr(gone)
        return found and (found.finished.body, found.finished.etag, found.finished.headers)


@asynccontextmanager
async def processes(url: str, files: Path) -> AsyncIterator[list[Process]]:
    """Two that keep answers, and one that looks everything up."""
    three = [Process(url, files, entries) for entries in (90, 90, 0)]
    leases = [asyncio.create_task(each.answers.run()) for each in three]
    try:
        if three[0].db.dialect != "sqlite":
            while not all(each.answers.feeds["catalog"].good_until for each in three[:2]):
                await asyncio.sleep(0.005)
        yield three
    finally:
        for lease in leases:
            lease.cancel()
        await asyncio.gather(*leases, return_exceptions=True)
        for each in three:
            await each.db.close()


class Year:
    """What a catalogue goes through, all at the first process; every list is read in between."""

    def __init__(self, three: list[Process]) -> None:
        self.at, self.three = three[0], three
        self.library = three[0].library
        self.slots: list[tuple[str, bytes]] = []
        self.old: list[str] = []

    async def open(self) -> None:
        own = {"subjects": ["Village life"], "isbn": "9780141439587"}
        self.emma = await self._added("Emma", "Jane Austen", **own)
        self.again = await self._added("Emma", "Austen, J.", subjects=["Villages"], series="Novels")
        self.romola = await self._added("Romola", "George Eliot", series="Novels")
        authors = [each.authors[0].id for each in (self.emma, self.again, self.romola)]
        self.austen, self.austen_j, self.eliot = authors
        listed = await self.library.books.subjects(q=None, window=Window())
        subjects = {each.name: each.id for each in listed.items}
        self.villages, self.village_life = subjects["Villages"], subjects["Village life"]
        things = [f"{BOOKS}/{each.id}" for each in (self.emma, self.again, self.romola)]
        things += [f"{AUTHORS}/{each}" for each in authors]
        self.slots = [(each, b"") for each in things] + [
            (BOOKS, b""),
            (BOOKS, b"sort=title&limit=2"),
            (BOOKS, b"sort=popularity"),
            (BOOKS, b"author=austen"),
            (BOOKS, b"subject=Village+life"),
            (f"{BOOKS}/search", b"q=emma"),
            (f"{BOOKS}/search", b"q=marian+evans"),
            (f"{BOOKS}/suggest", b"q=vill"),
            (AUTHORS, b""),
            (SUBJECTS, b""),
            (f"{AUTHORS}/{self.austen}/books", b""),
        ]

    async def _added(self, title: str, author: str, **fields: Any) -> Book:
        return await self.library.book(title, NamedAuthor(name=author), **fields)

    async def did(self, what: str, act: Awaitable[Any]) -> Any:
        done = await act
        await self.look(what)
        return done

    async def look(self, what: str) -> None:
        for path, query in self.slots:
            truth = await self.three[2].shown(path, query)
            for name, process in zip(("here", "there"), self.three[:2], strict=True):
                told = await process.shown(path, query)
                if told != truth:
                    asked = f"{path}?{query.decode()}"
                    self.old.append(f"{what}, {name}: {asked} says {told}, not {truth}")

    async def merge(self, kind: Any, loser: UUID, winner: UUID) -> None:
        desk = self.library.merges
        wanted = NewMerge(kind=kind, loser_id=loser, winner_id=winner)
        merged = await self.did(f"{kind} merged", desk.merge(wanted=wanted, **BY_US))
        await self.did(f"{kind} merge undone", desk.undo(merge_id=merged.id, **BY_US))

    async def headings(self) -> None:
        file, kind = self.library.authorities, {"kind": "author"} | BY_US
        name = await self.did(
            "a variant", file.add_variant(heading_id=self.eliot, name="Marian Evans", **kind)
        )
        await self.did("see also", file.relate(one=self.eliot, other=self.austen, **kind))
        await self.did("not any more", file.part(one=self.eliot, other=self.austen, **kind))
        gone = file.remove_variant(heading_id=self.eliot, variant_id=name.id, **kind)
        await self.did("no variant", gone)
        told = {"kind": "subject", "heading_id": self.villages} | BY_US
        await self.did("a subject's variant", file.add_variant(name="Village life today", **told))
        new = self.library.authors.change(
            author_id=self.eliot, changes={"name": "Mary Ann Evans"}, **BY_US
        )
        await self.did("another name", new)

    async def merges(self) -> None:
        await self.merge("author", self.austen_j, self.austen)
        await self.merge("subject", self.villages, self.village_life)
        await self.merge("book", self.again.id, self.emma.id)

    async def records(self) -> None:
        works, books = self.library.works, self.library.books
        same = works.move(book_id=self.romola.id, work_id=self.emma.work_id, **BY_US)
        await self.did("a work by hand", same)
        own = works.move(book_id=self.romola.id, work_id=None, **BY_US)
        await self.did("a work of its own", own)
        copy = await self.did("a copy", self.library.copy(self.emma, "b1"))
        changed = {"copy_id": copy.id, "changes": {"call_number": "F"}} | BY_US
        await self.did("a copy changed", self.library.copies.change(**changed))
        await self.did("a copy gone", self.library.copies.remove(copy_id=copy.id, **BY_US))
        await self.did("other authors", self.library.change(self.again, authors=["Anne Finch"]))
        await self.did("other subjects", self.library.change(self.again, subjects=["Towns"]))
        lent = Counter({self.again.id: 5})
        await self.did("counted anew", make_anew(Only(self.at.db), lent))
        await self.did("a book gone", books.remove(book_id=self.again.id, **BY_US))
        gone = self.library.authors.remove(author_id=self.austen_j, **BY_US)
        await self.did("an author gone", gone)

    async def imports(self) -> None:
        emma = book("Emma, a novel", "9780141439587", publisher="Murray", subjects=("Towns",))
        other = book("Daniel Deronda", subjects=("Village life",))
        run = self.at.run(marc(emma, other), on_match="overlay")
        report = await self.did("an import", run)
        assert (report.added, report.overlaid) == (1, 1)
        await self.did("an import undone", self.at.undo(report))

    async def stars(self) -> None:
        counts = {"ones": 0, "twos": 0, "threes": 0, "fours": 0, "fives": 9}
        told = RatingChanged(book_id=self.romola.id, version=1, at=NOW, **counts)
        async with self.at.db.begin() as tx:
            await note_its_stars(tx, told, None)
        await self.look("stars")


class Only:
    """A wiring with a database, as far as the index asks."""

    def __init__(self, db: Database) -> None:
        self.db = db


async def through(url: str, files: Path) -> list[str]:
    async with processes(url, files) as three:
        year = Year(three)
        await year.open()
        await year.look("before")
        assert all([await three[1].shown(*slot) for slot in year.slots])
        for part in (year.headings, year.merges, year.records, year.imports, year.stars):
            await part()
        return year.old


async def test_no_process_shows_anything_older_than_an_answered_change(
    url: str, tmp_path: Path
) -> None:
    assert await through(url, tmp_path / "files") == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_changes_that_note_too_little_are_found(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here each says that it touches lists only."""
    really = ChangeLog.settle

    async def settle(log: ChangeLog, db: Database, turn: Any) -> None:
        turn.keys = ()
        async with db.begin() as tx:
            await tx.write(turn.touches())
        await really(log, db, turn)

    monkeypatch.setattr(ChangeLog, "settle", settle)
    missed = {each.split(",")[0] for each in await through(url, tmp_path / "files")}
    assert missed >= {"a variant", "see also", "another name", "author merged", "book merged",
                      "a work by hand", "other authors", "a book gone", "an import"}  # fmt: skip


async def test_what_others_tell_lags_a_while_and_no_longer(library: Library) -> None:
    answers = HotAnswers(
        hot_paths(library.authorities, library.books), library.db, {"catalog": CHANGES}, 9
    )
    answers.behind = router(library)
    ranked, shelves = (b"sort=rating", b"sort=popularity", b"q=emma"), (b"available=true",)
    for queries, seconds in ((ranked, 30), (shelves, 2), ((b"q=emma&available=false",), 2)):
        for query in queries:
            kept = await answers.find(f"{BOOKS}/search", query)
            assert kept is not None and kept.lags, query
            assert kept.until - kept.made_at == seconds
