"""PostgreSQL through asyncpg: a free list of connections, statements prepared once on each.

Not asyncpg's pool: its reset on release costs a round trip and two thirds of the reads per
second. A connection given back inside a transaction, or broken, is rolled back or dropped.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import Table

from lendery.contracts.base import Busy
from lendery.platform.db.session import Duplicate, Query, Session, Write
from lendery.platform.db.statement import POSTGRES, Rows, Statement, compiled, joined

COLUMNS = re.compile(r"^Key \((.*?)\)=")
GONE = (  # how asyncpg says that a connection is no more, or nearly
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
# Our statements take milliseconds; compiling one takes ten times that.
SESSION = {"jit": "off"}
PATIENCE = 30.0  # seconds that a statement may take
FULL = (asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError)


class PostgresConnection:
    dialect = "postgresql"

    def __init__(self, raw: "asyncpg.Connection[Any]") -> None:
        self.raw = raw

    async def rows(self, query: Query, given: Mapping[str, Any]) -> list[Any]:
        statement = compiled(query, POSTGRES)
        text, values = statement.bind(given)
        with _duplicates_named():
            return [statement.read(raw) for raw in await self.raw.fetch(text, *values)]

    async def chunks(self, query: Query, most: int) -> AsyncIterator[list[Any]]:
        statement = compiled(query, POSTGRES)
        text, values = statement.bind({})
        found = await self.raw.cursor(text, *values)
        while raws := await found.fetch(most):
            yield [statement.read(raw) for raw in raws]

    async def run(self, query: Query, given: Mapping[str, Any]) -> int:
        text, values = compiled(query, POSTGRES).bind(given)
        with _duplicates_named():
            status = await self.raw.execute(text, *values)
        counted = status.rpartition(" ")[2]
        return int(counted) if counted.isdigit() else 0

    async def write(self, writes: Sequence[Write]) -> None:
        text, values = joined(writes)
        with _duplicates_named():
            await self.raw.execute(text, *values)

    async def many(self, query: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        statement = query.compiled(POSTGRES)
        with _duplicates_named():
            await self.raw.executemany(statement.sql, [statement.bind(row)[1] for row in rows])

    async def load(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """By COPY: the server reads the rows as they come, and parses no statement."""
        loaded = Rows([table.c[name] for name in rows[0]], POSTGRES)
        with _duplicates_named():
            await self.raw.copy_records_to_table(
                table.name, columns=loaded.names, records=map(loaded.values, rows)
            )


class _duplicates_named:
    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, asyncpg.UniqueViolationError):
            hit = COLUMNS.match(error.detail or "")
            names = hit[1].split(",") if hit else []
            raise Duplicate(frozenset(n.strip().strip('"') for n in names)) from error


class _Reading:
    """A connection for a few statements. A class: a generator would take as long as they do."""

    __slots__ = ("_connection", "_driver")

    def __init__(self, driver: "PostgresDriver") -> None:
        self._driver = driver

    async def __aenter__(self) -> Session:
        self._connection = await self._driver.borrow()
        return Session(self._connection)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._driver.bring_back(self._connection)
        if isinstance(error, GONE):
            raise Busy("The database went away. Try again.") from error


class PostgresDriver:
    dialect = "postgresql"
    turns = 0

    def __init__(self, url: str, *, size: int) -> None:
        self._url = re.sub(r"^postgresql\+\w+:", "postgresql:", url)
        self._free: list[PostgresConnection] = []
        self._places = asyncio.Semaphore(size)

    async def _take(self) -> PostgresConnection:
        while self._free:
            connection = self._free.pop()
            if not connection.raw.is_closed():
                return connection
        return await self._connect(patience=PATIENCE)

    async def _connect(self, *, patience: float | None) -> PostgresConnection:
        try:
            raw = await asyncpg.connect(
                self._url,
                timeout=5,
                command_timeout=patience,
                statement_cache_size=1024,
                max_cacheable_statement_size=64 * 1024,
                server_settings=SESSION,
            )
        except (OSError, *GONE, *FULL) as error:
            raise Busy("The database does not answer. Nothing was changed.") from error
        return PostgresConnection(raw)

    def read(self) -> "_Reading":
        return _Reading(self)

    async def borrow(self) -> PostgresConnection:
        await self._places.acquire()
        try:
            return await self._take()
        except BaseException:
            self._places.release()
            raise

    def bring_back(self, connection: PostgresConnection) -> None:
        self._give_back(connection)
        self._places.release()

    def unhurried(self) -> "_Reading":
        return self.read()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresConnection]:
        async with self._places:
            connection = await self._take()
            try:
                await connection.raw.execute("BEGIN")
                try:
                    yield connection
                except BaseException:
                    if not connection.raw.is_closed():
                        await asyncio.shield(connection.raw.execute("ROLLBACK"))
                    raise
                if await connection.raw.execute("COMMIT") != "COMMIT":
                    raise RuntimeError("an error was swallowed, so PostgreSQL undid all of it")
            except (*GONE, asyncpg.DeadlockDetectedError) as error:
                raise Busy("The database did not finish this. Try again.") from error
            finally:
                self._give_back(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[PostgresConnection]:
        connection = await self._connect(patience=None)
        try:
            async with connection.raw.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        except GONE as error:
            raise Busy("The database went away. Try again.") from error
        finally:
            await connection.raw.close(timeout=2)

    @asynccontextmanager
    async def listen(
        self, channel: str, heard: Callable[[str], None]
    ) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A connection of its own that hears what is told on `channel`."""
        raw = (await self._connect(patience=5)).raw
        try:
            await raw.add_listener(channel, lambda _, __, ___, told: heard(str(told)))
            yield raw
        finally:
            raw.terminate()

    def _give_back(self, connection: PostgresConnection) -> None:
        if connection.raw.is_closed():
            return
        if connection.raw.is_in_transaction():  # cut in the middle of something
            connection.raw.terminate()
            return
        self._free.append(connection)

    async def tidy(self) -> None:
        """However long it takes: a large library takes minutes."""
        connection = await self._connect(patience=None)
        try:
            await connection.raw.execute("VACUUM ANALYZE")
        finally:
            await connection.raw.close(timeout=2)

    async def close(self) -> None:
        while self._free:
            await self._free.pop().raw.close(timeout=2)
