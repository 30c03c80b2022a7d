"""What the database says happened, whatever the answers said."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam

from lendery.circulation.models import TABLES, cash_session, ledger_line, loan
from lendery.contracts.base import Event
from lendery.platform.db import Database, Statement, any_of

LOANS = Statement(loan.select().where(any_of(loan.c.copy_id, "copies")).order_by(loan.c.id))
EVENTS = Statement(
    TABLES.event.select()
    .where(any_of(TABLES.event.c.aggregate, "copies"))
    .order_by(TABLES.event.c.seq)
)
SESSIONS = Statement(cash_session.select().where(cash_session.c.desk == bindparam("desk")))
LINES = Statement(
    ledger_line.select()
    .where(ledger_line.c.patron_id == bindparam("patron_id"))
    .order_by(ledger_line.c.id)
)


@dataclass(frozen=True)
class Evidence:
    """Circulation's own tables, read past the program."""

    db: Database

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator["Evidence"]:
        db = Database(url)
        try:
            yield cls(db)
        finally:
            await db.close()

    async def loans(self, copies: Sequence[str]) -> list[Any]:
        async with self.db.read() as session:
            return await session.rows(LOANS, copies=[UUID(each) for each in copies])

    async def lines(self, patron_id: str) -> list[Any]:
        """The ledger of one patron."""
        async with self.db.read() as session:
            return await session.rows(LINES, patron_id=UUID(patron_id))

    async def cash_sessions(self, desk: str) -> list[Any]:
        """Open or closed, of a desk of that name."""
        async with self.db.read() as session:
            return await session.rows(SESSIONS, desk=desk)

    async def events(self, about: Sequence[str]) -> list[Any]:
        """What the log has about these, in its order."""
        async with self.db.read() as session:
            return await session.rows(EVENTS, copies=[UUID(each) for each in about])

    async def told(self, kind: type[Event], copies: Sequence[str]) -> Counter[str | None]:
        """How many events of this kind there are for each loan of these copies."""
        async with self.db.read() as session:
            rows = await session.rows(EVENTS, copies=[UUID(each) for each in copies])
        return Counter(row.body["loan_id"] for row in rows if row.name == kind.name)
