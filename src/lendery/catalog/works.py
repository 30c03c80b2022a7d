"""Works: what all its editions are editions of."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lendery.catalog.books import found
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import record
from lendery.catalog.repository import series as kept
from lendery.catalog.repository.changes import next_turn
from lendery.contracts.authorities import HeadingRef, NoSuchWork, Work
from lendery.contracts.base import new_id
from lendery.contracts.catalog import Book, BookChanged
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database

MOST_EDITIONS = 500


@dataclass(frozen=True)
class WorkShelf:
    """Implements contracts.authorities.Works."""

    db: Database

    async def get(self, *, work_id: UUID) -> Work:
        """The editions in the order they came; withdrawn ones only where there are no others."""
        async with self.db.read() as session:
            rows = await kept.rows_of_work(session, work_id=work_id, many=MOST_EDITIONS)
        if not rows:
            raise NoSuchWork("There is no such work.")
        books = [books_kept.book_of(row) for row in rows]
        editions = [each for each in books if not each.withdrawn] or books
        first = editions[0]
        return Work(
            id=work_id,
            title=first.title,
            authors=tuple(HeadingRef(id=each.id, name=each.name) for each in first.authors),
            editions=tuple(editions),
        )

    async def move(
        self, *, book_id: UUID, work_id: UUID | None, actor: Actor, now: datetime
    ) -> Book:
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            await next_turn(tx)
            row = found(await books_kept.book_row(tx, book_id=book_id))
            book = books_kept.book_of(row)
            if work_id is not None and not await kept.work_exists(tx, work_id=work_id):
                raise NoSuchWork("There is no such work.")
            to = new_id() if work_id is None else work_id
            told = tx.announcement(BookChanged(book_id=book_id, at=now))
            await record(tx, [kept.to_work(row.number, work_id=to, now=now), told])
        return book.model_copy(update={"work_id": to, "version": book.version + 1})
