"""Erasures: who was erased, and those of which something may be left somewhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from lendery.accounts.models import LOOKUPS, erasure, refresh, session, user
from lendery.platform.db import Session, Statement, Tx, UtcDateTime

NOW = bindparam("now", type_=UtcDateTime())
AT = bindparam("at_id", type_=erasure.c.user_id.type)
_theirs = select(session.c.id).where(session.c.user_id == AT)
FORGET = (
    Statement(delete(refresh).where(refresh.c.session_id.in_(_theirs))),
    Statement(delete(LOOKUPS).where(LOOKUPS.c.patron_id == AT)),
    Statement(
        update(user)
        .where(user.c.guarantor_id == AT)
        .values(guarantor_id=None, version=user.c.version + 1)
    ),
)
BEGIN = Statement(
    insert(erasure)
    .values({each.name: bindparam(each.name, type_=each.type) for each in erasure.c})
    .on_conflict_do_nothing(index_elements=["user_id"])
)
OF = Statement(select(erasure).where(erasure.c.user_id == AT))
PENDING = Statement(
    select(erasure).where(erasure.c.finished_at.is_(None)).order_by(erasure.c.told_at)
)
FINISH = Statement(
    update(erasure)
    .where(erasure.c.user_id == AT, erasure.c.finished_at.is_(None))
    .values(finished_at=NOW)
)
REOPEN = Statement(update(erasure).where(erasure.c.user_id == AT).values(finished_at=None))
TOLD = Statement(
    update(erasure)
    .where(erasure.c.user_id == AT, erasure.c.finished_at.is_(None))
    .values(told_at=NOW)
)
END_SESSIONS = Statement(
    update(session)
    .where(session.c.user_id == AT)
    .values(user_id=UUID(int=0), revoked_at=func.coalesce(session.c.revoked_at, NOW))
)


async def begin(
    tx: Tx, *, user_id: UUID, held: dict[str, Any], by: UUID | None, now: datetime
) -> None:
    """Notes the erasure, and ends what leads to the person beside their own row."""
    await forget(tx, user_id, now=now)
    row = {"user_id": user_id, "asked_at": now, "asked_by": by, "told_at": now}
    await tx.run(BEGIN, **row, held=held, finished_at=None)


async def forget(tx: Tx, user_id: UUID, *, now: datetime) -> None:
    """The sessions stay as nobody's for some days: other processes read from them that the tokens
    of the person count no more."""
    for each in FORGET:
        await tx.run(each, at_id=user_id)
    await tx.run(END_SESSIONS, at_id=user_id, now=now)


async def of(session: Session, user_id: UUID) -> Any | None:
    return await session.row(OF, at_id=user_id)


async def pending(session: Session) -> list[Any]:
    """The one told longest ago first."""
    return await session.rows(PENDING)


async def finish(tx: Tx, user_id: UUID, *, now: datetime) -> None:
    await tx.run(FINISH, at_id=user_id, now=now)


async def reopen(tx: Tx, user_id: UUID) -> None:
    await tx.run(REOPEN, at_id=user_id)


async def told_again(tx: Tx, user_id: UUID, *, now: datetime) -> bool:
    """False: it is finished."""
    return await tx.run(TOLD, at_id=user_id, now=now) == 1
