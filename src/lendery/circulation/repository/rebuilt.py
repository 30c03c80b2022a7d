"""The tables that a replay of the log fills, in a file of their own, and the rows it reads.

They have the columns of the real ones and hold anything: what the log tells twice, or not at
all, is for the comparison to find. `untold` lists the columns for which the log has no word.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Index,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    func,
    insert,
    null,
    select,
    type_coerce,
)
from sqlalchemy.pool import NullPool

from lendery.circulation.models import TABLES, cash_session, hold, ledger_line, loan, suspension
from lendery.platform.db import Json, Session, Statement, Tx

# The log holds no patron and no free text. Retention cuts both from the tables.
NOT_IN_THE_LOG = frozenset({"patron_id", "waive_reason", "note"})
AT_ONCE = 1_000  # rows
metadata = MetaData()


def _like(table: Table) -> Table:
    columns = [Column(each.name, each.type) for each in table.c]
    rebuilt = Table(table.name, metadata, *columns, Column("untold", Json))
    Index(f"{table.name}_by_id", rebuilt.c.id)
    return rebuilt


REAL = {table.name: table for table in (loan, hold, ledger_line, suspension, cash_session)}
REBUILT = {name: _like(table) for name, table in REAL.items()}
COLUMNS = {
    name: tuple(column for column in table.c.keys() if column not in NOT_IN_THE_LOG)  # noqa: SIM118
    for name, table in REAL.items()
}


def _in_order(table: Table, *more: Any) -> Statement:
    return Statement(
        select(*[table.c[name] for name in COLUMNS[table.name]], *more).order_by(table.c.id)
    )


# A cash session is nobody's.
IN_THE_TABLE = {
    name: _in_order(table, table.c.get("patron_id", null().label("patron_id")))
    for name, table in REAL.items()
}
IN_THE_LOG = {name: _in_order(table, table.c.untold) for name, table in REBUILT.items()}
ADD = {
    name: Statement(
        insert(table).values({c.name: bindparam(c.name, type_=c.type) for c in table.c})
    )
    for name, table in REBUILT.items()
}
FIND = {
    name: Statement(select(table).where(table.c.id == bindparam("row_id")))
    for name, table in REBUILT.items()
}
REMOVE = {
    name: Statement(delete(table).where(table.c.id == bindparam("row_id")))
    for name, table in REBUILT.items()
}
SIZE = Statement(select(func.count()).select_from(TABLES.event))
EVENTS = Statement(
    select(
        TABLES.event.c.seq,
        TABLES.event.c.name,
        TABLES.event.c.at,
        type_coerce(TABLES.event.c.body, Text).label("body"),
    ).order_by(TABLES.event.c.seq)
)


def make(file: Path) -> None:
    """The empty tables in a new file."""
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    metadata.create_all(engine)


async def keep(tx: Tx, name: str, rows: Sequence[Any]) -> None:
    await tx.many(ADD[name], [row._asdict() for row in rows])


async def take_out(tx: Tx, name: str, row_id: UUID) -> Any | None:
    """Reads a row and removes it; None: it is not there."""
    row = await tx.row(FIND[name], row_id=row_id)
    if row is not None:
        await tx.run(REMOVE[name], row_id=row_id)
    return row


async def size(session: Session) -> int:
    """How many events the log has."""
    return int(await session.value(SIZE))


def events(session: Session) -> AsyncIterator[list[Any]]:
    """The log, oldest first. `body` is text."""
    return session.chunks(EVENTS, most=AT_ONCE)


def rows_told(session: Session, name: str) -> AsyncIterator[Any]:
    """What the log made, by id; the last column is `untold`."""
    return _one_by_one(session, IN_THE_LOG[name])


def rows_kept(session: Session, name: str) -> AsyncIterator[Any]:
    """What the table holds, by id; the last column is `patron_id`."""
    return _one_by_one(session, IN_THE_TABLE[name])


async def _one_by_one(session: Session, query: Statement) -> AsyncIterator[Any]:
    async for rows in session.chunks(query, most=AT_ONCE):
        for row in rows:
            yield row
