"""What a repository function gets as its first argument."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Table
from sqlalchemy.sql import Executable

from lendery.contracts.base import Event
from lendery.platform.db.statement import Statement

if TYPE_CHECKING:
    from lendery.platform.db.log import ContextTables

Query = Statement | Executable
Write = tuple[Statement, Mapping[str, Any]]


class Duplicate(Exception):
    """A unique index refused a row. `columns` are those of the index, without the table."""

    def __init__(self, columns: frozenset[str]) -> None:
        super().__init__(f"already there: {', '.join(sorted(columns))}")
        self.columns = columns


class Connection(Protocol):
    """What each driver offers; see sqlite.py and postgres.py."""

    dialect: str

    async def rows(self, query: Query, given: Mapping[str, Any]) -> list[Any]: ...
    def chunks(self, query: Query, most: int) -> AsyncIterator[list[Any]]: ...
    async def run(self, query: Query, given: Mapping[str, Any]) -> int: ...
    async def write(self, writes: Sequence[Write]) -> None: ...
    async def many(self, query: Statement, rows: Sequence[Mapping[str, Any]]) -> None: ...
    async def load(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None: ...


class Session:
    """Reads. Rows are named tuples."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    async def rows(self, query: Query, **given: Any) -> list[Any]:
        return await self._connection.rows(query, given)

    def chunks(self, query: Query, *, most: int = 1_000) -> AsyncIterator[list[Any]]:
        """Any number of rows, so many at a time. Only in a snapshot or a transaction."""
        return self._connection.chunks(query, most)

    async def row(self, query: Query, **given: Any) -> Any | None:
        """The first row, or None."""
        found = await self._connection.rows(query, given)
        return found[0] if found else None

    async def value(self, query: Query, **given: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self._connection.rows(query, given)
        return found[0][0] if found else None


class Tx(Session):
    """A transaction in progress. Whoever opened it commits it; nobody else does."""

    def __init__(self, connection: Connection, tables: Mapping[str, "ContextTables"]) -> None:
        super().__init__(connection)
        self._tables = tables
        self.announced: list[Event] = []
        self.afterwards: list[Callable[[Any], Awaitable[None]]] = []  # after the commit, the db

    async def run(self, query: Query, **given: Any) -> int:
        """Change rows; returns how many. Raises Duplicate."""
        return await self._connection.run(query, given)

    async def write(self, *writes: Write) -> None:
        """Several writes of which no one needs another's result, in one round trip."""
        await self._connection.write(writes)

    async def many(self, query: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same write for many rows."""
        await self._connection.many(query, rows)

    async def load(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """New rows in bulk, by column name, each with the same columns. Raises Duplicate."""
        if rows:
            await self._connection.load(table, rows)

    def announcement(self, happened: Event) -> Write:
        """The write that puts an event into its context's log."""
        self.announced.append(happened)
        return self._tables[happened.context].announcement(happened)

    async def announce(self, *happened: Event) -> None:
        if len(happened) == 1:
            await self.write(self.announcement(happened[0]))
        elif happened:
            self.announced += happened
            tables = self._tables[happened[0].context]
            await self.load(tables.event, [tables.fact(each) for each in happened])

    async def is_first(self, context: str, event: Event, reaction: str, *, now: datetime) -> bool:
        """Puts the event into the context's inbox; False when this reaction has acted on it."""
        statement, given = self._tables[context].received(event, reaction, now)
        return await self._connection.run(statement, given) == 1
