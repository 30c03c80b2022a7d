"""A context's log, read again by whoever makes something anew from it (port `Logbook`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Integer, Table, bindparam, func, select

from lendery.contracts.base import Event, NotFound
from lendery.platform.db import Database, Statement, any_of
from lendery.platform.db.log import ContextTables


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it stands in the log. `delivered`: all who wanted it have acted on it."""

    seq: int
    id: UUID
    name: str
    at: datetime
    body: dict[str, Any]
    delivered: bool

    def event(self) -> Event:
        return Event.load(self.name, {**self.body, "id": self.id, "at": self.at})


class Logbook(Protocol):
    async def size(self, *, context: str, names: list[str]) -> int:
        """How many events of these names there are."""
        ...

    async def entries(
        self, *, context: str, names: list[str], after: int, many: int
    ) -> list[Entry]:
        """Events of these names, by `seq`, at most `many` of those after `after`.

        Numbers are drawn before the commit: one that is not there yet may be there later.
        """
        ...


@dataclass(frozen=True)
class Logs:
    """The logs of the contexts that run here."""

    db: Database
    tables: Mapping[str, ContextTables]

    async def size(self, *, context: str, names: list[str]) -> int:
        event = self._log(context)
        query = select(func.count()).where(event.c.name.in_(names))
        async with self.db.unhurried() as session:
            return int(await session.value(query))

    async def entries(
        self, *, context: str, names: list[str], after: int, many: int
    ) -> list[Entry]:
        query = _entries(self._log(context))
        async with self.db.unhurried() as session:
            rows = await session.rows(query, names=names, after=after, many=many)
        return [
            Entry(
                seq=row.seq,
                id=row.id,
                name=row.name,
                at=row.at,
                body=row.body,
                delivered=row.published_at is not None,
            )
            for row in rows
        ]

    def _log(self, context: str) -> Table:
        if context not in self.tables:
            raise NotFound(f"The log of {context} is not here.")
        return self.tables[context].event


@lru_cache
def _entries(event: Table) -> Statement:
    return Statement(
        select(event.c.seq, event.c.id, event.c.name, event.c.at, event.c.body,
               event.c.published_at)
        .where(event.c.seq > bindparam("after", type_=event.c.seq.type))
        .where(any_of(event.c.name, "names"))
        .order_by(event.c.seq)
        .limit(bindparam("many", type_=Integer))
    )  # fmt: skip
