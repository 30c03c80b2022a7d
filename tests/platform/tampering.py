"""A log with seals, and somebody who can do anything with the database it lies in."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from lendery.contracts.base import Event, new_id
from lendery.platform import chain
from lendery.platform.audit import Audit, Head, Report
from lendery.platform.db import Database, Statement

from .test_events import Sent, relay_of
from .toy import ACCOUNTS, NOW, announce, changed, on_connection

log, seal = ACCOUNTS.event, ACCOUNTS.seal
SEALS = Statement(select(seal).order_by(seal.c.no))
FACTS = Statement(select(*chain.facts(ACCOUNTS)).order_by(log.c.seq))
ANN, BEN = new_id(), new_id()
LATER = datetime(2026, 6, 5, 12, 0, tzinfo=UTC)


async def seals(db: Database) -> list[Any]:
    async with db.read() as session:
        return await session.rows(SEALS)


async def audited(db: Database, *noted: Head) -> Report:
    return await Audit(ACCOUNTS, noted).run(db)


async def deliver(db: Database, *told: Event) -> None:
    """Announced together, so delivered in one batch and under one seal."""
    await announce(db, *told)
    await relay_of(db, to=Sent()).drain()


async def three_seals(db: Database) -> list[Event]:
    """Events 1 to 6, two to a seal."""
    told = [changed(who, later=n) for n in range(3) for who in (ANN, BEN)]
    for two in (told[0:2], told[2:4], told[4:6]):
        await deliver(db, *two)
    assert [(s.no, s.events) for s in await seals(db)] == [(1, 2), (2, 2), (3, 2)]
    return list(told)


async def behind_our_back(db: Database, *changes: Any) -> None:
    """Changes that each really change something, with the guards put aside."""

    def change(connection: Connection) -> None:
        _put_guards_aside(connection)
        for each in changes:
            assert connection.execute(each).rowcount > 0, f"nothing was changed by {each}"
        connection.commit()

    await asyncio.to_thread(on_connection, db.url, change)


async def put_back(db: Database, events: list[Any], seals: list[Any]) -> None:
    """The log and its seals as they were."""

    def back(connection: Connection) -> None:
        _put_guards_aside(connection)
        for table, rows in ((log, events), (seal, seals)):
            connection.execute(delete(table))
            connection.execute(insert(table), [row._asdict() for row in rows])
        connection.commit()

    await asyncio.to_thread(on_connection, db.url, back)


def _put_guards_aside(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'"))
        for name in found.scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))
    else:
        for table in (log, seal):
            connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))


def event(seq: int) -> Any:
    return update(log).where(log.c.seq == seq)


def one_seal(no: int) -> Any:
    return update(seal).where(seal.c.no == no)


def put_in(**facts: Any) -> Any:
    return insert(log).values(
        **{
            "id": new_id(),
            "name": "accounts.PatronChanged",
            "aggregate": ANN,
            "at": NOW,
            "body": {"patron_id": str(ANN)},
            "published_at": NOW,
            **facts,
        }
    )
