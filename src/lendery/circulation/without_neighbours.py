"""The patrons and copies circulation has met.

A check-out calls no neighbour for those it knows, so the desk lends while accounts or the
catalog is down. Only an unknown one is asked for; change events keep the known ones fresh.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from lendery.circulation.repository import remembered
from lendery.contracts.accounts import Patrons
from lendery.contracts.base import PeerUnavailable
from lendery.contracts.catalog import Copies
from lendery.platform.db import Database


@dataclass(frozen=True)
class Memory:
    """`patrons` and `copies` give the neighbours' ports when they are needed, not before."""

    db: Database
    patrons: Callable[[], Patrons]
    copies: Callable[[], Copies]

    async def meet_patron(self, *, card: str | None, patron_id: UUID | None) -> None:
        """Asks accounts and remembers; an unknown card leaves no trace."""
        if patron_id is not None:
            known = next(iter(await self.patrons().by_ids(ids=[patron_id])), None)
        else:
            known = await self.patrons().by_card(card_number=card or "")
        if known is not None:
            async with self.db.begin() as tx:
                await remembered.remember_patron(tx, known)

    async def meet_copy(self, *, barcode: str | None = None, copy_id: UUID | None = None) -> None:
        """Asks the catalog and remembers; an unknown barcode leaves no trace."""
        if copy_id is not None:
            known = next(iter(await self.copies().by_ids(ids=[copy_id])), None)
        else:
            known = await self.copies().by_barcode(barcode=barcode or "")
        if known is not None:
            async with self.db.begin() as tx:
                await remembered.remember_copy(tx, known)

    async def book_of_copy(self, copy_id: UUID) -> UUID | None:
        """The book of a copy, met before or met now; None: there is no such copy."""
        for _ in range(2):
            async with self.db.read() as session:
                book_id = await remembered.book_of_copy(session, copy_id)
            if book_id is not None:
                return book_id
            await self.meet_copy(copy_id=copy_id)
        return None

    async def meet_copies_of(self, book_id: UUID) -> bool:
        """Remembers every copy of a book; False: it has none, as far as anybody knows.

        While the catalog is away, those met before are all there are.
        """
        try:
            known = await self.copies().of_book(book_id=book_id)
        except PeerUnavailable:
            async with self.db.read() as session:
                if not await remembered.knows_copies_of(session, book_id):
                    raise
                return True
        async with self.db.read() as session:
            fresh = await remembered.unmet(session, [each.id for each in known])
        if fresh:
            async with self.db.begin() as tx:
                for thing in known:
                    if thing.id in fresh:
                        await remembered.remember_copy(tx, thing)
        return bool(known)

    async def meet_many(self, *, patrons: list[UUID], copies: list[UUID]) -> None:
        """Remembers whole lists at once, before a busy day (the demo library, a migration)."""
        people = await self.patrons().by_ids(ids=patrons) if patrons else []
        things = await self.copies().by_ids(ids=copies) if copies else []
        async with self.db.begin() as tx:
            for person in people:
                await remembered.remember_patron(tx, person)
            for thing in things:
                await remembered.remember_copy(tx, thing)
