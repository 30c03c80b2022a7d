"""Failed log-ins, and those whose password is being looked at."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, update

from lendery.accounts.models import failure
from lendery.platform.db import Statement, Tx, UtcDateTime

_since = bindparam("since", type_=UtcDateTime())
LOCK = Statement(
    select(func.pg_advisory_xact_lock(bindparam("key", type_=BigInteger())).label("locked"))
)
RECENT = Statement(
    select(failure.c.who, failure.c.at, failure.c.pending_until)
    .where(failure.c.place == bindparam("place"), failure.c.at > _since)
    .order_by(failure.c.at)
)
ADD = Statement(insert(failure))
SETTLE = Statement(
    update(failure).where(failure.c.id == bindparam("id_")).values(pending_until=None)
)
CLEAR = Statement(
    delete(failure).where(failure.c.place == bindparam("place"), failure.c.who == bindparam("who"))
)
_old = select(failure.c.id).where(failure.c.at <= _since).limit(200)
FORGET = Statement(delete(failure).where(failure.c.id.in_(_old.with_for_update(skip_locked=True))))


async def recent(tx: Tx, *, place: str, since: datetime) -> list[Any]:
    """(who, at, pending_until) of one place, oldest first; nobody else counts it meanwhile."""
    if tx.dialect == "postgresql":
        await tx.row(LOCK, key=int(place[:15], 16))  # before the count, not within it
    return await tx.rows(RECENT, place=place, since=since)


async def begin(tx: Tx, *, id: UUID, who: str, place: str, now: datetime, until: datetime) -> None:
    await tx.run(ADD, id=id, who=who, place=place, at=now, pending_until=until)


async def settle(tx: Tx, *, id: UUID, forget_before: datetime) -> None:
    """It failed; what is too old to count is forgotten on the way."""
    await tx.write((FORGET, {"since": forget_before}), (SETTLE, {"id_": id}))


async def clear(tx: Tx, *, who: str, place: str) -> None:
    await tx.run(CLEAR, who=who, place=place)
