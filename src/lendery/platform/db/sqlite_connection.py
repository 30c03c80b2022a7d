"""What is done on one connection to an SQLite file: on the event loop, or in a thread."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, bindparam, insert

from lendery.platform.db.session import Duplicate, Query, Write
from lendery.platform.db.statement import SQLITE, Compiled, Rows, Statement, compiled

AT_ONCE = 250  # rows of a bulk load: a few milliseconds


class SqliteConnection:
    """One sqlite3 connection. Nothing here really waits; `async` keeps the two drivers alike."""

    dialect = "sqlite"

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    async def rows(self, query: Query, given: Mapping[str, Any]) -> list[Any]:
        return self._read(query, given)

    def _read(self, query: Query, given: Mapping[str, Any]) -> list[Any]:
        statement = compiled(query, SQLITE)
        text, values = statement.bind(given)
        with _duplicates_named():
            return [statement.read(raw) for raw in self.raw.execute(text, values).fetchall()]

    async def chunks(self, query: Query, most: int) -> AsyncIterator[list[Any]]:
        statement = compiled(query, SQLITE)
        found = self.raw.execute(*statement.bind({}))
        while raws := found.fetchmany(most):
            yield [statement.read(raw) for raw in raws]

    async def run(self, query: Query, given: Mapping[str, Any]) -> int:
        text, values = compiled(query, SQLITE).bind(given)
        with _duplicates_named():
            return self.raw.execute(text, values).rowcount

    async def write(self, writes: Sequence[Write]) -> None:
        for statement, given in writes:
            await self.run(statement, given)

    async def many(self, query: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        statement = query.compiled(SQLITE)
        with _duplicates_named():
            self.raw.executemany(statement.sql, [statement.bind(row)[1] for row in rows])

    async def load(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """A few at a time: readers get their turn in between, though no writer does."""
        loaded = Rows([column for column in table.c if column.name in rows[0]], SQLITE)
        statement = _inserting(table, tuple(loaded.names))
        for start in range(0, len(rows), AT_ONCE):
            values = map(loaded.values, rows[start : start + AT_ONCE])
            with _duplicates_named():
                self.raw.executemany(statement.sql, values)
            if start + AT_ONCE < len(rows):
                await asyncio.sleep(0)


@lru_cache(maxsize=100)
def _inserting(table: Table, names: tuple[str, ...]) -> Compiled:
    return Compiled(insert(table).values({name: bindparam(name) for name in names}), SQLITE)


class UnhurriedConnection(SqliteConnection):
    """Each of its reads may take a while, so it reads in a thread."""

    async def rows(self, query: Query, given: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = await in_a_thread(lambda: self._read(query, given))
        return found


class SnapshotConnection(SqliteConnection):
    """Reads much, so it reads in a thread."""

    async def chunks(self, query: Query, most: int) -> AsyncIterator[list[Any]]:
        statement = compiled(query, SQLITE)
        text, values = statement.bind({})
        found = await in_a_thread(lambda: self.raw.execute(text, values))

        def read() -> list[Any]:
            return [statement.read(raw) for raw in found.fetchmany(most)]

        while rows := await in_a_thread(read):
            yield rows


async def in_a_thread(work: Callable[[], Any]) -> Any:
    """Also when nobody waits any more it ends before its connection is closed."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


class _duplicates_named:
    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error):
            listed = str(error).split(":", 1)[1].split(",")
            raise Duplicate(frozenset(c.strip().split(".")[-1] for c in listed)) from error
