"""What neighbours learn of people: their card, category, expiry and blocks."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from lendery.accounts import cards
from lendery.accounts.repository import people as rows
from lendery.contracts.accounts import Expiring, Patron, PatronBlock
from lendery.platform.db import Database


@dataclass(frozen=True)
class PatronIndex:
    """Answers each question with one statement, blocks included."""

    db: Database

    async def by_ids(self, *, ids: list[UUID]) -> list[Patron]:
        """Those who are known. A removed person is inactive and has no card any more."""
        if not ids:
            return []
        async with self.db.read() as session:
            return _patrons(await rows.patrons(session, ids=ids))

    async def by_card(self, *, card_number: str) -> Patron | None:
        """Whose card it is, as typed or scanned: case and blanks around it do not matter."""
        number = cards.as_typed(card_number)
        if number is None:
            return None
        async with self.db.read() as session:
            found = _patrons(await rows.patron_of_card(session, card_number=number))
        return found[0] if found else None

    async def expiring(
        self, *, since: date, until: date, after: UUID | None, most: int
    ) -> list[Expiring]:
        async with self.db.read() as session:
            found = await rows.expiring(session, since=since, until=until, after=after, most=most)
        return [Expiring(patron_id=row.id, expires_on=row.expires_on) for row in found]


def _patrons(found: list[Any]) -> list[Patron]:
    return [_patron(list(of_one)) for _, of_one in groupby(found, attrgetter("id"))]


def _patron(found: list[Any]) -> Patron:
    first = found[0]
    return Patron(
        id=first.id,
        card_number=first.card_number,
        category=first.category,
        home_branch_id=first.home_branch_id,
        expires_on=first.expires_on,
        born_on=first.born_on,
        blocks=tuple(
            PatronBlock(
                id=row.block_id,
                reason=row.block_reason,
                note=row.block_note,
                until=row.block_until,
                placed_at=row.block_placed_at,
                placed_by=row.block_placed_by,
            )
            for row in found
            if row.block_id is not None
        ),
        active=first.active,
        version=first.version,
        keeps_history=first.keeps_history,
    )
