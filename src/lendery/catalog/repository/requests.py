"""What an `Idempotency-Key` was answered before: the id of what it made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from lendery.catalog.models import TABLES
from lendery.contracts.base import RequestKey
from lendery.platform import idempotency
from lendery.platform.db import Statement, Tx
from lendery.platform.db.session import Write

request = TABLES.request
TOLD = Statement(
    select(
        request.c.fingerprint.label("key_fingerprint"),
        request.c.status.label("key_status"),
        request.c.answer.label("key_answer"),
    ).where(request.c.scope == bindparam("scope"), request.c.key == bindparam("key"))
)


async def made_before(tx: Tx, key: RequestKey | None) -> UUID | None:
    """Asked when it is our turn, so the same key sent twice at once waits. Raises KeyReused."""
    if key is None:
        return None
    row = await tx.row(TOLD, scope=key.scope, key=key.key)
    told = idempotency.told_before(row, key)
    return UUID(told["id"]) if told else None


def made_now(key: RequestKey | None, made: UUID, *, now: datetime) -> list[Write]:
    """The write that remembers it; none without a key."""
    return [] if key is None else [idempotency.kept(TABLES, key, {"id": str(made)}, now=now)]
