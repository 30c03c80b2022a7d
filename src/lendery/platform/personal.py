"""What the contexts here hold about a person, told from a list of places (port `PersonalData`).

Each context lists its places in `privacy.py`. A test looks whether every column that names a
person is in one of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, func, select

from lendery.contracts.base import NotFound
from lendery.contracts.privacy import Fate, Holding, Lookup, Obstacle
from lendery.platform.db import Database


@dataclass(frozen=True)
class Place:
    """Rows of a table that lead to a person: through `whose`, or through the table `by_way_of`.

    `hidden` columns are not for the person's eyes (secrets, and what only repeats others).
    `where` leaves out rows that lead to nobody any more; `key` makes of the person's id what
    stands in `whose`.
    """

    what: str
    whose: ColumnElement[Any]
    fate: Fate
    why: str | None = None
    hidden: frozenset[str] = frozenset()
    where: tuple[ColumnElement[bool], ...] = ()
    by_way_of: tuple[ColumnElement[Any], ColumnElement[Any]] | None = None
    key: Callable[[UUID], Any] | None = None

    @property
    def table(self) -> Table:
        column = self.by_way_of[0] if self.by_way_of else self.whose
        return cast("Table", column.table)

    def rows(self, patron_id: UUID, *columns: Any) -> Select[Any]:
        theirs = self.whose == (self.key(patron_id) if self.key else patron_id)
        if self.by_way_of:
            here, there = self.by_way_of
            theirs = here.in_(select(there).where(theirs))
        return select(*columns).select_from(self.table).where(theirs, *self.where)


@dataclass(frozen=True)
class Personal:
    """What one context holds: its places, its log of look-ups, and what stands against erasing."""

    places: Sequence[Place]
    lookup: Table | None = None
    obstacles: Callable[[Database, UUID, datetime], Awaitable[list[Obstacle]]] | None = None


@dataclass(frozen=True)
class PersonalFiles:
    """Implements contracts.privacy.PersonalData for the contexts of this process."""

    db: Database
    of: Mapping[str, Personal] = field(default_factory=dict)

    async def holdings(self, *, context: str, patron_id: UUID) -> list[Holding]:
        found = []
        async with self.db.read() as session:
            for place in self._of(context).places:
                count = int(await session.value(place.rows(patron_id, func.count())))
                if count:
                    found.append(
                        Holding(what=place.what, rows=count, fate=place.fate, why=place.why)
                    )
        return found

    async def records(self, *, context: str, patron_id: UUID) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        async with self.db.unhurried() as session:
            for place in self._of(context).places:
                shown = [each for each in place.table.c if each.name not in place.hidden]
                query = place.rows(patron_id, *shown).order_by(*place.table.primary_key)
                rows = await session.rows(query)
                found[place.what] = [_plain(row._asdict()) for row in rows]
        return found

    async def obstacles(self, *, context: str, patron_id: UUID, now: datetime) -> list[Obstacle]:
        asked = self._of(context).obstacles
        return await asked(self.db, patron_id, now) if asked else []

    async def lookups(
        self, *, context: str, patron_id: UUID, before: UUID | None, most: int
    ) -> list[Lookup]:
        table = self._of(context).lookup
        if table is None:
            return []
        query = select(table).where(table.c.patron_id == patron_id)
        if before is not None:
            query = query.where(table.c.id < before)
        async with self.db.read() as session:
            rows = await session.rows(query.order_by(table.c.id.desc()).limit(most))
        return [
            Lookup(id=row.id, at=row.at, by=row.by, what=row.what, why=row.why, context=context)
            for row in rows
        ]

    def _of(self, context: str) -> Personal:
        if context not in self.of:
            raise NotFound(f"{context.capitalize()} is not here.")
        return self.of[context]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it."""
    return {name: _said(value) for name, value in row.items()}


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
