"""Who has borrowed what: for those who show that a reader had the book in hand."""

from dataclasses import dataclass

from lendery.circulation.repository import loans
from lendery.contracts.circulation import Borrowed
from lendery.platform.db import Database


@dataclass(frozen=True)
class BorrowingRecord:
    """Implements contracts.circulation.Borrowings, as far as retention has left it."""

    db: Database

    async def known(self, *, asked: list[Borrowed]) -> list[Borrowed]:
        if not asked:
            return []
        patrons = list({each.patron_id for each in asked})
        books = list({each.book_id for each in asked})
        async with self.db.read() as session:
            rows = await loans.borrowed(session, patron_ids=patrons, book_ids=books)
        found = {(row.patron_id, row.book_id) for row in rows}
        return [each for each in asked if (each.patron_id, each.book_id) in found]
