"""Branches and calendars, and the one version that moves with them and with the rule table."""

from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, exists, func, insert, select, update

from lendery.circulation.models import branch, calendar, cash_session, copy, hold, loan, setup
from lendery.contracts.base import Stale
from lendery.platform.db import Session, Statement, Tx

VERSION = Statement(select(setup.c.version).where(setup.c.id == 1))
NEXT_VERSION = Statement(update(setup).where(setup.c.id == 1).values(version=setup.c.version + 1))
BRANCHES = Statement(select(branch).order_by(branch.c.id))
CALENDARS = Statement(select(calendar).order_by(calendar.c.id))


async def version(session: Session) -> int:
    return int(await session.value(VERSION))


async def everything(session: Session) -> tuple[list[Any], list[Any]]:
    """All branches and calendars: a few hundred rows, read when one of them changed."""
    return await session.rows(BRANCHES), await session.rows(CALENDARS)


async def find(session: Session, table: Table, row_id: UUID) -> Any | None:
    return await session.row(select(table).where(table.c.id == row_id))


async def page(
    session: Session, table: Table, *, after: UUID | None, limit: int, **equal: Any
) -> list[Any]:
    query = select(table).order_by(table.c.id).limit(limit)
    for name, value in equal.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    return await session.rows(query if after is None else query.where(table.c.id > after))


async def count(session: Session, table: Table, **equal: Any) -> int:
    query = select(func.count()).select_from(table)
    for name, value in equal.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    return int(await session.value(query))


async def add(tx: Tx, table: Table, **values: Any) -> None:
    await tx.run(insert(table).values(**values))
    await tx.run(NEXT_VERSION)


async def change(tx: Tx, table: Table, row_id: UUID, *, was: int, **values: Any) -> None:
    """Raises Stale when somebody was faster."""
    statement = update(table).where(table.c.id == row_id, table.c.version == was)
    changed = await tx.run(statement.values(**values, version=was + 1))
    if not changed:
        raise Stale("Somebody changed this at the same moment. Read it again, then change it.")
    await tx.run(NEXT_VERSION)


async def remove(tx: Tx, table: Table, row_id: UUID) -> None:
    await tx.run(delete(table).where(table.c.id == row_id))
    await tx.run(NEXT_VERSION)


async def branch_in_use(session: Session, branch_id: UUID) -> bool:
    """Does a copy we know live, lie or come here? Was anything lent, is a hold collected here?
    Was money counted here?"""
    at_home = exists().where(copy.c.home_branch_id == branch_id)
    here = exists().where(copy.c.current_branch_id == branch_id)
    coming = exists().where(copy.c.in_transit_to == branch_id)
    lent = exists().where(loan.c.branch_id == branch_id)
    collected = exists().where(hold.c.pickup_branch_id == branch_id, hold.c.ended_at.is_(None))
    counted = exists().where(cash_session.c.branch_id == branch_id)
    return bool(await session.value(select(at_home | here | coming | lent | collected | counted)))


async def calendar_in_use(session: Session, calendar_id: UUID) -> bool:
    return bool(await session.value(select(exists().where(branch.c.calendar_id == calendar_id))))
