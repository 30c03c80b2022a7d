"""Who has borrowed what: that a reader had a book in hand, and what was borrowed together."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from lendery.circulation.repository import loans
from lendery.circulation.repository.together import loans_of_copies, loans_of_patrons
from lendery.contracts.circulation import Borrowed, BorrowedTogether
from lendery.platform.db import Database

READERS = 100  # the latest of a book that are looked at
THEIR_LOANS = 4_000
IN_COMMON = 3  # readers: what fewer share would tell of one of them
LONGEST = 200


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

    async def together(self, *, copy_ids: list[UUID]) -> list[BorrowedTogether]:
        async with self.db.unhurried() as session:  # some thousand rows
            rows = await loans_of_copies(session, copy_ids=copy_ids, most=READERS)
            itself = {row.book_id for row in rows}
            readers = {row.patron_id for row in rows}
            if len(readers) < IN_COMMON:
                return []
            theirs = await loans_of_patrons(session, patron_ids=[*readers], most=THEIR_LOANS)
        had = {(row.patron_id, row.book_id) for row in theirs if row.book_id not in itself}
        counted = Counter(book_id for _, book_id in had)
        return [
            BorrowedTogether(book_id=book_id, readers=many, among=len(readers))
            for book_id, many in counted.most_common(LONGEST)
            if many >= IN_COMMON
        ]
