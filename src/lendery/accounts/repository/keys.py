"""Signing keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from lendery.accounts.models import key
from lendery.platform.db import Session, Statement, Tx, UtcDateTime

ALL = Statement(select(key).order_by(key.c.created_at, key.c.kid))
PUBLISHED = Statement(select(key.c.public_jwk).order_by(key.c.created_at, key.c.kid))
ADD = Statement(insert(key))
RETIRE = Statement(
    update(key)
    .where(key.c.kid == bindparam("kid_"), key.c.retired_at.is_(None))
    .values(retired_at=bindparam("at", type_=UtcDateTime()))
)
FORGET = Statement(delete(key).where(key.c.retired_at <= bindparam("before", type_=UtcDateTime())))


async def all_keys(session: Session) -> list[Any]:
    """Oldest first; the one with `retired_at` null signs."""
    return await session.rows(ALL)


async def published(session: Session) -> list[dict[str, Any]]:
    return [row.public_jwk for row in await session.rows(PUBLISHED)]


async def add(
    tx: Tx, *, kid: str, algorithm: str, sealed: str, public_jwk: dict[str, Any], now: datetime
) -> None:
    """Raises Duplicate when another key signs already."""
    await tx.run(
        ADD,
        kid=kid,
        algorithm=algorithm,
        sealed=sealed,
        public_jwk=public_jwk,
        created_at=now,
        retired_at=None,
    )


async def retire(tx: Tx, *, kid: str, now: datetime) -> bool:
    """False when somebody else has."""
    return await tx.run(RETIRE, kid_=kid, at=now) == 1


async def forget_retired(tx: Tx, *, before: datetime) -> None:
    """Ends the publishing of keys that retired then or earlier."""
    await tx.run(FORGET, before=before)
