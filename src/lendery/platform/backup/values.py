"""A table as a backup describes it, and each of its values as JSON.

The description is all that is needed to load the rows: a later program, whose own tables have
changed since, makes the tables of then and fills them.

    uuid      text                     json    the text that lies in the database, to the letter
    instant   ISO 8601, UTC, with microseconds (2026-03-01T09:30:00.000000+00:00)
    day       ISO 8601                 text, whole, real, truth  as JSON has them
    decimal   text                     bytes   Base64

This is part of format 1: another way to write a value is another format.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Enum,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Select,
    String,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy.types import TypeEngine

from lendery.platform.db import Json, Statement, UtcDateTime

Change = Callable[[Any], Any]
encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Kind:
    """How values of one kind are kept in a database (`type`) and written in a backup."""

    type: TypeEngine[Any]
    write: Change | None = None
    read: Change | None = None


def _instant(value: datetime) -> str:
    if value.tzinfo is None:  # asyncpg's way to say PostgreSQL's infinity
        value = value.replace(tzinfo=UTC)
    return value.astimezone(UTC).isoformat(timespec="microseconds")


KINDS: dict[str, Kind] = {
    "uuid": Kind(Uuid(), str, UUID),
    "instant": Kind(UtcDateTime(), _instant, datetime.fromisoformat),
    "day": Kind(Date(), date.isoformat, date.fromisoformat),
    "json": Kind(Text()),
    "truth": Kind(Boolean()),
    "whole": Kind(BigInteger()),
    "decimal": Kind(Numeric(), str, Decimal),
    "real": Kind(Float()),
    "bytes": Kind(LargeBinary(), lambda raw: base64.b64encode(raw).decode(), base64.b64decode),
    "text": Kind(Text()),
}
# The first that fits: Enum is a String and Float is a Numeric to SQLAlchemy.
_KIND_OF: tuple[tuple[type[Any], str | None], ...] = (
    (Uuid, "uuid"),
    (UtcDateTime, "instant"),
    (Date, "day"),
    (Json, "json"),
    (Boolean, "truth"),
    (Integer, "whole"),
    (Float, "real"),
    (Numeric, "decimal"),
    (LargeBinary, "bytes"),
    (Enum, None),
    (String, "text"),
)


def kind_of(column: Column[Any]) -> str:
    """Raises TypeError for a column whose values a backup cannot carry."""
    name = next((name for kind, name in _KIND_OF if isinstance(column.type, kind)), None)
    if name is None:
        raise TypeError(f"backups cannot carry {column} yet: add {column.type!r} to KINDS")
    return name


@dataclass(frozen=True)
class Shape:
    """A table of a backup: its columns with their kinds, and those of its primary key."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, present: set[str]) -> "Shape":
        """`present`: the columns that the database has; an older one lacks the newest."""
        columns = tuple((c.name, kind_of(c)) for c in table.c if c.name in present)
        return cls(table.name, columns, tuple(c.name for c in table.primary_key))

    @cached_property
    def table(self) -> Table:
        columns = [
            Column(name, KINDS[kind].type, primary_key=name in self.key, autoincrement=False)
            for name, kind in self.columns
        ]
        return Table(self.name, MetaData(), *columns)

    @cached_property
    def insert(self) -> Statement:
        return Statement(self.table.insert())

    def select(self, dialect: str) -> Select[Any]:
        """All rows in the order of the key, which is the same on every database."""
        return select(self.table).order_by(*(self._placed(name, dialect) for name in self.key))

    def _placed(self, name: str, dialect: str) -> ColumnElement[Any]:
        """Texts by code point, whatever the server's locale; as SQLite does anyway."""
        column = self.table.c[name]
        if dialect == "postgresql" and isinstance(column.type, String):
            return column.collate("C")
        return column

    @cached_property
    def _writes(self) -> list[tuple[int, Change]]:
        changes = enumerate(KINDS[kind].write for _, kind in self.columns)
        return [(at, change) for at, change in changes if change]

    @cached_property
    def _reads(self) -> list[tuple[int, Change]]:
        changes = enumerate(KINDS[kind].read for _, kind in self.columns)
        return [(at, change) for at, change in changes if change]

    def lines(self, rows: Sequence[Any]) -> list[bytes]:
        """Each row as the line that stands for it, without its line feed."""
        made = []
        for row in rows:
            values = list(row)
            for at, change in self._writes:
                if values[at] is not None:
                    values[at] = change(values[at])
            made.append(encoded(values).encode())
        return made

    def row(self, line: bytes) -> dict[str, Any]:
        """Raises ValueError, TypeError or AttributeError for a line that is no row of this."""
        values = json.loads(line)
        for at, change in self._reads:
            if values[at] is not None:
                values[at] = change(values[at])
        return {name: value for (name, _), value in zip(self.columns, values, strict=True)}
