"""Who wants which report by e-mail, and when it is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, delete, func, insert, select, update

from lendery.platform.db import Session, Statement, Tx, UtcDateTime
from lendery.reports.models import subscription

ID = bindparam("at_id", type_=subscription.c.id.type)
OWNER = bindparam("owner", type_=subscription.c.owner_id.type)
AFTER = bindparam("after", type_=subscription.c.id.type)
NOW = bindparam("now", type_=UtcDateTime())
MOST = bindparam("most", type_=Integer)
WAS = bindparam("was", type_=Integer)
THEIRS = subscription.c.owner_id == OWNER
CHANGED = [each for each in subscription.c if each.name not in ("id", "owner_id", "created_at")]

ADD = Statement(
    insert(subscription).values(
        {each.name: bindparam(each.name, type_=each.type) for each in subscription.c}
    )
)
ONE = Statement(select(subscription).where(subscription.c.id == ID, THEIRS))
PAGE = Statement(
    select(subscription)
    .where(THEIRS, subscription.c.id > AFTER)
    .order_by(subscription.c.id)
    .limit(MOST)
)
COUNT = Statement(select(func.count()).select_from(subscription).where(THEIRS))
CHANGE = Statement(
    update(subscription)
    .where(subscription.c.id == ID, subscription.c.version == WAS)
    .values({each.name: bindparam(f"to_{each.name}", type_=each.type) for each in CHANGED})
)
REMOVE = Statement(delete(subscription).where(subscription.c.id == ID))
FORGET = Statement(delete(subscription).where(THEIRS))
DUE = Statement(
    select(subscription)
    .where(subscription.c.next_at <= NOW, subscription.c.id > AFTER)
    .order_by(subscription.c.id)
    .limit(MOST)
)
MOVE_ON = Statement(
    update(subscription)
    .where(subscription.c.id == ID, subscription.c.version == WAS)
    .values(next_at=bindparam("to_next_at", type_=UtcDateTime()))
)
FIRST = UUID(int=0)


async def add(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.run(ADD, **row)


async def subscription_with(session: Session, *, id: UUID, owner: UUID) -> Any | None:
    return await session.row(ONE, at_id=id, owner=owner)


async def of_owner(
    session: Session, *, owner: UUID, after: UUID | None, most: int
) -> Sequence[Any]:
    """Oldest first."""
    return await session.rows(PAGE, owner=owner, after=after or FIRST, most=most)


async def how_many(session: Session, *, owner: UUID) -> int:
    return int(await session.value(COUNT, owner=owner))


async def change(tx: Tx, row: Mapping[str, Any], *, was: int) -> bool:
    """False: somebody else changed it since."""
    values = {f"to_{each.name}": row[each.name] for each in CHANGED}
    return await tx.run(CHANGE, at_id=row["id"], was=was, **values) == 1


async def remove(tx: Tx, *, id: UUID) -> None:
    await tx.run(REMOVE, at_id=id)


async def forget(tx: Tx, *, owner: UUID) -> None:
    await tx.run(FORGET, owner=owner)


async def due(session: Session, *, now: datetime, after: UUID | None, most: int) -> Sequence[Any]:
    """By their ids."""
    return await session.rows(DUE, now=now, after=after or FIRST, most=most)


async def move_on(tx: Tx, *, id: UUID, was: int, next_at: datetime) -> None:
    """One that was changed since has its own next time."""
    await tx.run(MOVE_ON, at_id=id, was=was, to_next_at=next_at)
