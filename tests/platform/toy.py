"""A small library for trying the machinery: one table of notes, and two contexts' logs.

`accounts` announces and `circulation` reacts, as in the real one, without their tables.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    create_engine,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from lendery.contracts.accounts import PatronChanged, PatronRegistered
from lendery.contracts.base import Event, new_id
from lendery.platform.db import Database, Json, Statement, Tx, UtcDateTime, context_tables
from lendery.platform.job_steps import create_slot_table
from lendery.platform.log_steps import add_chain, create_context_tables

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
metadata = MetaData()
note = Table(
    "toy_note",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("shelf", String(40)),
    Column("place", Integer),
    Column("text", String(200)),
    Column("at", UtcDateTime),
    Column("on", Date),
    Column("facts", Json),
    Column("big", BigInteger),
    Column("kept", Boolean),
    Index("one_note_per_place", "shelf", "place", unique=True),
)
logs = MetaData()
ACCOUNTS = context_tables("accounts", logs)
CIRCULATION = context_tables("circulation", logs)
TABLES = [ACCOUNTS, CIRCULATION]

WRITE = Statement(
    insert(note).values(
        id=bindparam("id", type_=Uuid()),
        shelf=bindparam("shelf"),
        place=bindparam("place"),
        text=bindparam("text"),
    )
)
COUNT = Statement(select(func.count()).select_from(note))
TEXTS = Statement(select(note.c.text).order_by(note.c.text))


def written(text: str, *, shelf: str | None = None, place: int | None = None) -> Any:
    """The write of one note."""
    return WRITE, {"id": new_id(), "shelf": shelf, "place": place, "text": text}


async def write(tx: Tx, text: str, **where: Any) -> None:
    statement, given = written(text, **where)
    await tx.run(statement, **given)


async def texts(db: Database) -> list[str]:
    """What the notes say, as anybody can read it now."""
    async with db.read() as session:
        return [row.text for row in await session.rows(TEXTS)]


def changed(patron_id: UUID, *, later: int = 0) -> PatronChanged:
    return PatronChanged(at=NOW + timedelta(seconds=later), patron_id=patron_id)


def registered(patron_id: UUID) -> PatronRegistered:
    return PatronRegistered(at=NOW, patron_id=patron_id)


async def announce(db: Database, *happened: Event) -> None:
    async with db.begin() as tx:
        await tx.announce(*happened)


def build(url: str) -> None:
    """The tables of the toy library, its logs guarded as the migrations guard them."""

    def tables(connection: Connection) -> None:
        metadata.create_all(connection)
        with Operations.context(MigrationContext.configure(connection)) as op:
            for context in ("accounts", "circulation"):
                create_context_tables(op, context)
                add_chain(op, context)
                create_slot_table(op, context)
        connection.commit()

    on_connection(url, tables)


def on_connection(url: str, work: Any) -> Any:
    """What `work(connection)` answers, on a SQLAlchemy connection of its own."""
    if url.startswith("sqlite"):
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            return work(connection)

    async def over_asyncpg() -> Any:
        address = url.replace("postgresql:", "postgresql+asyncpg:")
        postgres = create_async_engine(address, poolclass=NullPool)
        async with postgres.connect() as connection:
            found = await connection.run_sync(work)
        await postgres.dispose()
        return found

    return asyncio.run(over_asyncpg())
