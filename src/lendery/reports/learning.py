"""Asking the catalog what copies and books are, many at once.

An event only says that something is new or different: a bulk import would cost a question for
each. So it is asked when somebody wants to know, and now and then by the clock.
"""

from dataclasses import dataclass

from lendery.contracts.base import Busy, PeerFailed, PeerUnavailable
from lendery.contracts.catalog import Books, Copies
from lendery.platform.db import Database
from lendery.reports.repository import learning

AT_ONCE = 200  # on SQLite the desk waits for each so many


@dataclass(frozen=True)
class Learner:
    db: Database
    copies: Copies
    books: Books

    async def catch_up(self) -> int:
        """Until all is known that was heard of. Returns how many copies and books were asked
        about. While the catalog does not answer, or somebody else is at it, what was known stays.
        """
        try:
            return await self._copies() + await self._books()
        except (PeerUnavailable, PeerFailed, Busy):
            return 0

    async def _copies(self) -> int:
        count = 0
        while True:
            async with self.db.read() as session:
                asked = await learning.copies_to_learn(session, many=AT_ONCE)
            if not asked:
                return count
            told = await self.copies.by_ids(ids=list(asked))
            async with self.db.begin() as tx:
                await learning.learn_copies(tx, told, asked)
            count += len(asked)

    async def _books(self) -> int:
        count = 0
        while True:
            async with self.db.read() as session:
                asked = await learning.books_to_learn(session, many=AT_ONCE)
            if not asked:
                return count
            told = await self.books.by_ids(ids=list(asked))
            async with self.db.begin() as tx:
                await learning.learn_books(tx, told, asked)
            count += len(asked)
