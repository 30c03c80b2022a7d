"""Suspensions: which run, and the writes that begin and lift one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from lendery.circulation.models import suspension
from lendery.platform.db import Session, Statement, UtcDateTime
from lendery.platform.db.session import Write

RUNNING = Statement(
    select(suspension)
    .where(
        suspension.c.patron_id == bindparam("patron_id"),
        suspension.c.ended_at.is_(None),
        suspension.c.until > bindparam("now", type_=UtcDateTime()),
    )
    .order_by(suspension.c.until.desc(), suspension.c.id)
)
BY_ID = Statement(select(suspension).where(suspension.c.id == bindparam("suspension_id")))
BEGIN = Statement(
    insert(suspension).values({c.name: bindparam(c.name, type_=c.type) for c in suspension.c})
)
LIFT = Statement(
    update(suspension)
    .where(suspension.c.id == bindparam("s_id"), suspension.c.ended_at.is_(None))
    .values(ended_at=bindparam("s_ended_at", type_=UtcDateTime()))
)


async def running(session: Session, patron_id: UUID, now: datetime) -> list[Any]:
    return await session.rows(RUNNING, patron_id=patron_id, now=now)


async def by_id(session: Session, suspension_id: UUID) -> Any | None:
    return await session.row(BY_ID, suspension_id=suspension_id)


def beginning(**columns: Any) -> Write:
    return BEGIN, columns | {"ended_at": None}


def lifting(suspension_id: UUID, *, at: datetime) -> Write:
    return LIFT, {"s_id": suspension_id, "s_ended_at": at}
