"""A whole import taken back: as long as nothing of it was lent or edited since.

First all of it is looked at, and only when nothing stands in the way anything goes. What is
changed while it goes stays, and is counted: each chunk looks again, under the catalogue's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, select

from lendery.catalog.headings import Headings
from lendery.catalog.models import JOBS, author, book_author, import_copy
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import copies as copies_kept
from lendery.catalog.repository import record as written
from lendery.catalog.repository import sources
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.repository.changes import next_turn
from lendery.catalog.rules.works import work_of
from lendery.contracts.catalog import (
    Author,
    AuthorRef,
    Book,
    BookChanged,
    BookWithdrawn,
    CopyRemoved,
    NamedAuthor,
)
from lendery.contracts.circulation import CopyStates
from lendery.contracts.importing import ImportInTheWay
from lendery.platform.db import Database, Session, Statement, Tx, any_of
from lendery.platform.queue import Running

PAGE = 500
FIRST_PAGES = 20  # looked at while somebody waits for the answer
NAMED = 5  # things in the way that are named
CHUNK = 100
MARKS_OF = Statement(
    select(import_copy.c.copy_id).where(any_of(import_copy.c.book_number, "numbers"),
                                        import_copy.c.job_id == bindparam("job"))
)  # fmt: skip
AUTHORS_OF = Statement(
    select(book_author.c.author_id).where(any_of(book_author.c.book_number, "numbers"))
)
AUTHORS_LEFT = Statement(
    delete(author).where(
        any_of(author.c.id, "ids"),
        author.c.version == 1,
        author.c.biography.is_(None),
        author.c.created_at >= bindparam("since", type_=author.c.created_at.type),
        ~exists().where(book_author.c.author_id == author.c.id),
    )
)


@dataclass
class Standing:
    """What was found in the way, up to so many."""

    found: list[str]

    @property
    def enough(self) -> bool:
        return len(self.found) >= NAMED

    def add(self, *says: str) -> None:
        self.found = [*self.found, *says][:NAMED]


async def in_the_way(
    db: Database, states: CopyStates, import_id: UUID, *, first: bool = False
) -> list[str]:
    """What keeps an import from being undone, named. `first`: of its first books only."""
    standing = Standing([])
    async with db.read() as session:
        rows = await session.rows(sources.OVERLAID_SINCE, job=import_id, many=NAMED)
    standing.add(*(f"\u201c{row.title}\u201d was overlaid by a later import" for row in rows))
    await _edited(db, import_id, standing, FIRST_PAGES if first else None)
    await _lent(db, states, import_id, standing, FIRST_PAGES if first else None)
    return standing.found


async def _edited(db: Database, import_id: UUID, standing: Standing, pages: int | None) -> None:
    after = 0
    while not standing.enough and pages != 0:
        async with db.read() as session:
            rows = await session.rows(sources.BROUGHT, job=import_id, after=after, many=PAGE)
            standing.add(*(f"\u201c{row.title}\u201d was edited" for row in rows if row.edited))
            added = [row.book_number for row in rows if row.before is None]
            at = await session.rows(sources.COPIES_AT, numbers=added) if added else ()
            standing.add(
                *(f"copy {row.barcode} was added" for row in at if row.job_id != import_id)
            )
        if len(rows) < PAGE:
            return
        after, pages = rows[-1].book_number, None if pages is None else pages - 1


async def _lent(
    db: Database, states: CopyStates, import_id: UUID, standing: Standing, pages: int | None
) -> None:
    after = 0
    while not standing.enough and pages != 0:
        async with db.read() as session:
            rows = await session.rows(sources.BROUGHT_COPIES, job=import_id, after=after, many=PAGE)
        standing.add(*(f"copy {row.barcode} was changed" for row in rows if row.version > 1))
        lent = await _with_past(states, [(row.id, row.barcode) for row in rows])
        standing.add(*(f"copy {barcode} was lent" for barcode in lent))
        if len(rows) < PAGE:
            return
        # the copies of one book may go over two pages: those seen twice do no harm
        last = rows[-1].book_number
        after = last - 1 if rows[0].book_number != last else last
        pages = None if pages is None else pages - 1


async def _with_past(states: CopyStates, copies: Sequence[tuple[UUID, str]]) -> list[str]:
    """Which of them were lent: asked of all at once, then of halves."""
    if not copies or not await states.has_past(copy_ids=[copy_id for copy_id, _ in copies]):
        return []
    if len(copies) == 1:
        return [copies[0][1]]
    half = len(copies) // 2
    found = await _with_past(states, copies[:half])
    return found if len(found) >= NAMED else found + await _with_past(states, copies[half:])


async def run_undo(wiring: Any, running: Running) -> None:
    """What the queue does for a job of kind `import-undo`."""
    assert running.about is not None
    import_id = running.about
    begun = "after" in running.position
    if not begun and (standing := await in_the_way(wiring.db, wiring.copy_states, import_id)):
        says = "Something of this import was changed or lent since: " + "; ".join(standing)
        raise ImportInTheWay(says, standing=standing)
    async with wiring.db.read() as session:
        job = await session.row(JOBS.by_id, id=import_id)
    of = max(job.counts.get("added", 0) + job.counts.get("overlaid", 0), 1)
    undo = Undo(wiring.db, import_id, job.created_at, running)
    while await undo.chunk(of):
        pass


@dataclass
class Undo:
    db: Database
    import_id: UUID
    since: datetime
    running: Running

    async def chunk(self, of: int) -> bool:
        """Takes back some; False when nothing is left."""
        after, counts = self.running.position.get("after", 0), dict(self.running.counts)
        now = self.running.clock()
        async with self.db.begin() as tx:
            await next_turn(tx)
            rows = await tx.rows(sources.BROUGHT, job=self.import_id, after=after, many=CHUNK)
            fresh = [row for row in rows if not row.edited]
            added = [row for row in fresh if row.before is None]
            at = await self._copies(tx, [row.book_number for row in rows])
            busy = {
                each.book_number for each in at if each.job_id != self.import_id or each.version > 1
            }
            gone = [row for row in added if row.book_number not in busy]
            over = [row for row in fresh if row.before is not None]
            mine = [each for each in at if each.job_id == self.import_id and each.version == 1]
            numbers = {row.book_number for row in (*gone, *over)}
            await self._remove_copies(tx, [c for c in mine if c.book_number in numbers], now)
            await self._remove(tx, gone, now)
            for row in over:
                await self._restore(tx, row, now)
            counts["undone"] = counts.get("undone", 0) + len(gone) + len(over)
            counts["kept"] = counts.get("kept", 0) + len(rows) - len(gone) - len(over)
            position = {"after": rows[-1].book_number if rows else after}
            done = (counts["undone"] + counts["kept"]) / of
            await self.running.step(tx, position=position, counts=counts, progress=done)
        self.running.stepped(position, counts, done)
        return len(rows) == CHUNK

    async def _copies(self, session: Session, numbers: list[int]) -> list[Any]:
        return await session.rows(sources.COPIES_AT, numbers=numbers) if numbers else []

    async def _remove_copies(self, tx: Tx, copies: list[Any], now: datetime) -> None:
        for each in copies:
            await copies_kept.destroy(tx, copy_id=each.id)
        await tx.announce(
            *(CopyRemoved(copy_id=each.id, book_id=each.book_id, at=now) for each in copies)
        )

    async def _remove(self, tx: Tx, rows: list[Any], now: datetime) -> None:
        if not rows:
            return
        numbers = [row.book_number for row in rows]
        kept = await tx.rows(books_kept.BY_NUMBERS, numbers=numbers)
        subjects = {name for row in kept for name in books_kept.book_of(row).subjects}
        authors = [row.author_id for row in await tx.rows(AUTHORS_OF, numbers=numbers)]
        for number in numbers:
            await books_kept.destroy(tx, number=number)
        await subjects_kept.forget_unused(tx, names=list(subjects))
        await tx.run(AUTHORS_LEFT, ids=list(set(authors)), since=self.since)
        await tx.announce(*(BookWithdrawn(book_id=row.id, at=now) for row in rows))

    async def _restore(self, tx: Tx, row: Any, now: datetime) -> None:
        """The book as it was before this import overlaid it, under a new version."""
        fields, source = sources.unpacked_before(row.before)
        [now_kept] = await tx.rows(books_kept.BY_NUMBERS, numbers=[row.book_number])
        overlaid = books_kept.book_of(now_kept)
        headings, authors = await _as_called_now(tx, fields, now)
        first = authors[0].sort_name if authors else None
        shown = Book(
            **fields
            | {"id": row.id, "version": overlaid.version + 1}
            | {"authors": tuple(AuthorRef(id=each.id, name=each.name) for each in authors)}
            | {"subjects": headings.subject_names(fields["subjects"])}
            | {"work_id": _work(now_kept, overlaid, fields, authors)}
        )
        about = () if shown.withdrawn else shown.subjects
        variants = headings.variants(shown.authors)
        await tx.write(*books_kept.unlinked(row.book_number))
        subject_ids = headings.subject_ids(about)
        await written(
            tx,
            [
                *headings.made,
                *books_kept.replaced(
                    tx.dialect,
                    row.book_number,
                    shown,
                    sort_author=first,
                    variants=variants,
                    now=now,
                ),
                *books_kept.linked(
                    row.book_number, authors=[a.id for a in authors], subjects=subject_ids
                ),
            ],
        )
        await subjects_kept.forget_unused(tx, names=list(set(overlaid.subjects) - set(about)))
        await self._restore_source(tx, row, source, overlaid.version, shown.version)
        await tx.announce(BookChanged(book_id=row.id, at=now))

    async def _restore_source(
        self, tx: Tx, row: Any, source: dict[str, Any] | None, overlaid: int, version: int
    ) -> None:
        if source is None:
            await sources.drop(tx, number=row.book_number)
            return
        was_current = source["version"] == overlaid - 1
        source["version"] = version if was_current else source["version"]
        await tx.write(sources.replaced(row.book_number, source))


async def _as_called_now(
    tx: Tx, fields: dict[str, Any], now: datetime
) -> tuple[Headings, list[Author]]:
    """The headings of a book as it was; an author who is gone meanwhile is found by the name."""
    then = [(UUID(each["id"]), each["name"]) for each in fields["authors"]]
    given = [NamedAuthor(id=author_id) for author_id, _ in then]
    given += [NamedAuthor(name=name) for _, name in then]
    headings = await Headings.of(tx, authors=given, subjects=fields["subjects"], now=now)
    return headings, headings.authors(
        NamedAuthor(id=each) if each in headings.by_id else NamedAuthor(name=name)
        for each, name in then
    )


def _work(kept: Any, overlaid: Book, fields: dict[str, Any], authors: list[Author]) -> UUID:
    if kept.work_by_hand:
        return overlaid.work_id
    main = authors[0].id if authors else None
    return work_of(overlaid.id, fields["title"], fields["language"], main)
