"""An import at work: read ahead, merge chunk by chunk, note how far it is."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from lendery.catalog.formats import Format
from lendery.catalog.headings import Headings
from lendery.catalog.importing.copies import copies_of
from lendery.catalog.importing.lookups import keys_of
from lendery.catalog.importing.merging import headings_of, judge, merge
from lendery.catalog.importing.outcome import Outcome
from lendery.catalog.importing.overlaying import changes_of
from lendery.catalog.importing.place import Place
from lendery.catalog.importing.reading import Reading, read_ahead
from lendery.catalog.importing.ready import Ready
from lendery.catalog.importing.taking import Taking
from lendery.catalog.models import import_note
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository.search import tidy_some
from lendery.catalog.rules.matching import Verdict, differences
from lendery.contracts.base import Window, new_id
from lendery.contracts.circulation import Branches
from lendery.contracts.importing import ImportOptions, NotReady, UploadRefused
from lendery.platform.db import Database, Session, Tx
from lendery.platform.queue import Running

AT_LEAST, AT_MOST = 8, 1_000  # records of a chunk
ALONE, BESIDES_OTHERS = 0.25, 0.01  # seconds a chunk may take: with the desk idle, and at work
LONGEST_PAUSE = 0.05  # seconds between two chunks while the desk is at work: as long as a chunk
ON_POSTGRES = 1.0  # there a chunk holds up other cataloguers only, never the desk
MANY = 1_000  # books after which search is tidied
REMEMBERED = 500_000  # keys by which a dry run sees records that match each other


@dataclass
class Pace:
    """How many records go in at once: on SQLite whoever lends a book waits for a whole chunk."""

    db: Database
    size: int = field(default_factory=lambda: min(200, AT_MOST))
    _turns: int = 0

    def after(self, records: int, seconds: float) -> float:
        """Takes note of a chunk. For so many seconds now others should have their turn."""
        turns = self.db.turns()
        others = turns - self._turns > 1
        self._turns = turns
        if self.db.dialect != "sqlite":
            allowed = ON_POSTGRES
        else:
            allowed = BESIDES_OTHERS if others else ALONE
        each = max(seconds / max(records, 1), 1e-6)
        wanted = min(int(allowed / each), self.size * 2)
        self.size = min(max(wanted, AT_LEAST), AT_MOST)
        return min(seconds, LONGEST_PAUSE) if allowed == BESIDES_OTHERS else 0


@dataclass
class Import:
    db: Database
    taking: Taking
    running: Running
    pace: Pace
    waiting: list[Ready] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    async def run(self, asked: Reading) -> None:
        """Raises UploadRefused where the file goes no further; what came before stays."""
        refused, at = None, self.running.progress
        async with aclosing(read_ahead(asked)) as batches:
            async for batch in batches:
                self.waiting += batch.records
                at, refused = batch.at, batch.refused or refused
                while len(self.waiting) >= self.pace.size:
                    await self._chunk(self.pace.size, at)
        while self.waiting:
            await self._chunk(self.pace.size, at)
        if refused:
            raise UploadRefused(refused)

    async def _chunk(self, many: int, at: float) -> None:
        records, self.waiting = self.waiting[:many], self.waiting[many:]
        loop = asyncio.get_running_loop()
        outcome = Outcome(self.running.id, self.running.counts)
        position = {"records": records[-1].number}
        if self.taking.options.dry_run:
            async with self.db.read() as session:
                await self._foresee(session, records, outcome)
        async with self.db.begin() as tx:
            started = loop.time()
            if self.taking.options.dry_run:
                await tx.load(import_note, outcome.notes)
            else:
                await self._merge(tx, records, outcome)
            # 1 is for what is done
            totals, progress = outcome.totals(), min(at, 0.999)
            await self.running.step(tx, position=position, counts=totals, progress=progress)
        self.running.stepped(position, totals, progress)
        await asyncio.sleep(self.pace.after(len(records), loop.time() - started))

    async def _merge(self, tx: Tx, records: list[Ready], outcome: Outcome) -> None:
        await merge(tx, self.taking, records, outcome, now=self.running.clock())

    async def _foresee(self, session: Session, records: list[Ready], outcome: Outcome) -> None:
        """What would become of them; a record that matches an earlier one of the file, too."""
        options = self.taking.options
        places = []
        judged = await judge(session, options, records, outcome)
        headings = await headings_of(
            session, [r for r, said in judged if said.act == "overlay"], now=self.running.clock()
        )
        for record, said in judged:
            keys = {hash(each) for each in keys_of(record, options.match)}
            again = not self.seen.isdisjoint(keys) and said.act == "add"
            if len(self.seen) < REMEMBERED:
                self.seen |= keys
            if again:
                self._matches_another(record, outcome)
            elif said.act == "add":
                outcome.counts["added"] += 1
                places.append((record, new_id(), 0))
            elif said.act == "overlay" and said.book:
                await self._would_overlay(session, record, said, headings, outcome)
                places.append((record, said.book.id, said.book.number))
            elif said.act == "skip" and said.book:
                outcome.matched(record, f"It is here: \u201c{said.book.title}\u201d.")
        now = self.running.clock()
        await copies_of(session, self.taking, places, outcome, now=now)

    def _matches_another(self, record: Ready, outcome: Outcome) -> None:
        fate = {"skip": "skipped", "overlay": "overlaid", "add": "added"}
        outcome.counts[fate[self.taking.options.on_match]] += 1
        outcome.matched(record, "An earlier record of this file is about the same book.")

    async def _would_overlay(
        self, session: Session, record: Ready, said: Verdict, headings: Headings, outcome: Outcome
    ) -> None:
        assert said.book
        [row] = await session.rows(books_kept.BY_NUMBERS, numbers=[said.book.number])
        before = books_kept.book_of(row)
        changes = changes_of(before, record, headings)
        outcome.counts["overlaid" if changes else "skipped"] += 1
        says = differences(before, changes) if changes else "It is the same."
        outcome.matched(record, f"\u201c{said.book.title}\u201d: {says}")


async def run_import(wiring: Any, running: Running) -> None:
    """What the queue does for a job of kind `import`."""
    place = Place(wiring.settings.import_folder, wiring.settings.import_limit)
    options = ImportOptions.model_validate(running.request["options"])
    if not place.has(running.id):
        raise NotReady(
            "The file is not here. Processes that share a database share LENDERY_IMPORT_FOLDER too."
        )
    path, form = place.file(running.id), Format(options.format)
    taking = Taking(
        running.id,
        options,
        form,
        await branches_by_name(wiring.branches),
        wiring.settings.currency,
    )
    asked = Reading(
        path=str(path),
        name=running.request["name"],
        dialect=wiring.db.dialect,
        most=wiring.settings.import_limit * 10,
        format=form.value,
        after=running.position.get("records", 0),
        profile=options.profile or "default",
        columns=dict(options.columns),
    )
    await Import(wiring.db, taking, running, Pace(wiring.db)).run(asked)
    if running.counts.get("added", 0) >= MANY:
        await _tidied(wiring.db)


async def _tidied(db: Database) -> None:
    """What many inserts left in pieces is merged, a little at a time."""
    first = more = True
    while more:
        async with db.begin() as tx:
            more = await tidy_some(tx, first=first)
        first = False
        await asyncio.sleep(0)


async def branches_by_name(branches: Branches) -> dict[str, Any]:
    """Every branch by its code and its name, without regard to case."""
    found: dict[str, Any] = {}
    after = None
    while True:
        page = await branches.find(window=Window(limit=100, after=after))
        for each in page.items:
            found.setdefault(each.name.casefold(), each.id)
        for each in page.items:
            found[each.code.casefold()] = each.id
        after = page.next_cursor
        if after is None:
            return found
