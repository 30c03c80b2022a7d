"""Offline desks: what they sent, what became of it, and what is in conflict."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, case, func, insert, null, select, update

from lendery.circulation.models import (
    loan,
    offline_batch,
    offline_conflict,
    offline_desk,
    offline_transaction,
)
from lendery.contracts.circulation.offline import OfflineConflictFilter
from lendery.platform.db import Session, Statement, Tx, UtcDateTime, any_of
from lendery.platform.db.session import Write


def _adding(table: Table) -> Statement:
    return Statement(
        insert(table).values({c.name: bindparam(c.name, type_=c.type) for c in table.c})
    )


ADD_DESK, ADD_BATCH = _adding(offline_desk), _adding(offline_batch)
ADD_TRANSACTION, ADD_CONFLICT = _adding(offline_transaction), _adding(offline_conflict)
DESK = select(offline_desk).where(offline_desk.c.id == bindparam("desk_id"))
SEE_DESK = Statement(DESK)
# Whoever holds it is the only one who takes anything from this desk.
LOCK_DESK = Statement(DESK.with_for_update(key_share=True))
MOVE_DESK = Statement(
    update(offline_desk)
    .where(offline_desk.c.id == bindparam("d_id"))
    .values(
        last_sequence=bindparam("d_sequence"),
        last_signature=bindparam("d_signature"),
        last_at=bindparam("d_at", type_=UtcDateTime()),
    )
)
REVOKE_DESK = Statement(
    update(offline_desk)
    .where(offline_desk.c.id == bindparam("d_id"), offline_desk.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("d_revoked_at", type_=UtcDateTime()))
)
BATCHES = select(
    offline_batch,
    (offline_desk.c.last_sequence >= offline_batch.c.last_sequence).label("complete"),
).join(offline_desk, offline_desk.c.id == offline_batch.c.desk_id)
BATCH = Statement(BATCHES.where(offline_batch.c.id == bindparam("batch_id")))
TAKEN = Statement(
    select(offline_transaction)
    .where(
        offline_transaction.c.desk_id == bindparam("desk_id"),
        offline_transaction.c.sequence.between(bindparam("first"), bindparam("last")),
    )
    .order_by(offline_transaction.c.sequence)
)
BY_ID = Statement(select(offline_transaction).where(any_of(offline_transaction.c.id, "ids")))
# Of what was recorded the loan says whose it is, as long as it says so.
CONFLICTS = (
    select(
        offline_conflict,
        offline_transaction.c.batch_id,
        offline_transaction.c.sequence,
        offline_transaction.c.kind,
        offline_transaction.c.happened_at,
        case(
            (
                offline_conflict.c.settled_at.is_(None),
                func.coalesce(offline_conflict.c.patron_id, loan.c.patron_id),
            ),
            else_=null(),
        ).label("whose"),
    )
    .join(offline_transaction, offline_transaction.c.id == offline_conflict.c.id)
    .outerjoin(loan, loan.c.id == offline_conflict.c.loan_id)
)
CONFLICT = Statement(CONFLICTS.where(offline_conflict.c.id == bindparam("conflict_id")))
LOCK_CONFLICT = Statement(
    CONFLICTS.where(offline_conflict.c.id == bindparam("conflict_id")).with_for_update(
        of=offline_conflict, key_share=True
    )
)
SETTLE = Statement(
    update(offline_conflict)
    .where(offline_conflict.c.id == bindparam("c_id"))
    .values(
        conflicts=bindparam("c_conflicts", type_=offline_conflict.c.conflicts.type),
        barcode=bindparam("c_barcode"),
        copy_id=bindparam("c_copy_id"),
        loan_id=bindparam("c_loan_id"),
        recorded=bindparam("c_recorded"),
        settled_as=bindparam("c_settled_as"),
        settled_at=bindparam("c_settled_at", type_=UtcDateTime()),
        settled_by=bindparam("c_settled_by"),
        reason=bindparam("c_reason"),
        patron_id=None,
        card_number=None,
    )
)
FORGET_PATRON = Statement(
    update(offline_conflict)
    .where(offline_conflict.c.patron_id == bindparam("gone_id"))
    .where(offline_conflict.c.settled_at.is_(None))
    .values(patron_id=None)
)
FORGET_CARD = Statement(
    update(offline_conflict)
    .where(func.upper(offline_conflict.c.card_number) == bindparam("card"))
    .values(card_number=None)
)
FORGET_REASONS = Statement(
    update(offline_conflict)
    .where(
        offline_conflict.c.reason.is_not(None),
        offline_conflict.c.loan_id.in_(
            select(loan.c.id).where(loan.c.patron_id == bindparam("gone_id"))
        ),
    )
    .values(reason=None)
)


def adding_desk(**columns: Any) -> Write:
    return ADD_DESK, columns


def adding_batch(**columns: Any) -> Write:
    return ADD_BATCH, columns


def adding_transaction(**columns: Any) -> Write:
    return ADD_TRANSACTION, columns


def adding_conflict(**columns: Any) -> Write:
    unsettled = {"settled_as": None, "settled_at": None, "settled_by": None, "reason": None}
    return ADD_CONFLICT, columns | unsettled


def moving_desk(desk_id: UUID, *, sequence: int, signature: str, at: datetime) -> Write:
    """The write of a desk of which one more transaction was taken."""
    return MOVE_DESK, {
        "d_id": desk_id,
        "d_sequence": sequence,
        "d_signature": signature,
        "d_at": at,
    }


def revoking_desk(desk_id: UUID, *, at: datetime) -> Write:
    return REVOKE_DESK, {"d_id": desk_id, "d_revoked_at": at}


def settling(conflict_id: UUID, **columns: Any) -> Write:
    """The write of a conflict that is settled; whose it was is said no more."""
    return SETTLE, {"c_id": conflict_id, **{f"c_{name}": value for name, value in columns.items()}}


async def desk_by_id(session: Session, desk_id: UUID) -> Any | None:
    return await session.row(SEE_DESK, desk_id=desk_id)


async def lock_desk(tx: Tx, desk_id: UUID) -> Any | None:
    """The desk, held until the transaction ends."""
    return await tx.row(LOCK_DESK, desk_id=desk_id)


async def desks(session: Session, *, after: UUID | None, limit: int) -> list[Any]:
    """Newest first."""
    query = select(offline_desk).order_by(offline_desk.c.id.desc()).limit(limit)
    return await session.rows(query if after is None else query.where(offline_desk.c.id < after))


async def batch_by_id(session: Session, batch_id: UUID) -> Any | None:
    return await session.row(BATCH, batch_id=batch_id)


async def batches(
    session: Session, *, desk_id: UUID | None, after: UUID | None, limit: int
) -> list[Any]:
    """Newest first."""
    query = BATCHES.order_by(offline_batch.c.place.desc()).limit(limit)
    if desk_id is not None:
        query = query.where(offline_batch.c.desk_id == desk_id)
    return await session.rows(
        query if after is None else query.where(offline_batch.c.place < after)
    )


async def taken(session: Session, desk_id: UUID, *, first: int, last: int) -> list[Any]:
    """What was taken from a desk, of these numbers."""
    return await session.rows(TAKEN, desk_id=desk_id, first=first, last=last)


async def with_ids(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """The transactions of any desk that have one of these ids."""
    return await session.rows(BY_ID, ids=list(ids))


async def conflict_by_id(session: Session, conflict_id: UUID) -> Any | None:
    return await session.row(CONFLICT, conflict_id=conflict_id)


async def lock_conflict(tx: Tx, conflict_id: UUID) -> Any | None:
    return await tx.row(LOCK_CONFLICT, conflict_id=conflict_id)


def _like(query: Any, like: OfflineConflictFilter) -> Any:
    if like.state is not None:
        settled = offline_conflict.c.settled_at
        query = query.where(settled.is_(None) if like.state == "open" else settled.is_not(null()))
    return (
        query if like.desk_id is None else query.where(offline_conflict.c.desk_id == like.desk_id)
    )


async def conflicts(
    session: Session, *, like: OfflineConflictFilter, after: UUID | None, limit: int
) -> list[Any]:
    """In the order in which they came."""
    query = _like(CONFLICTS, like).order_by(offline_conflict.c.place).limit(limit)
    return await session.rows(
        query if after is None else query.where(offline_conflict.c.place > after)
    )


async def count_desks(session: Session) -> int:
    return int(await session.value(select(func.count()).select_from(offline_desk)) or 0)


async def count_batches(session: Session, desk_id: UUID | None) -> int:
    query = select(func.count()).select_from(offline_batch)
    if desk_id is not None:
        query = query.where(offline_batch.c.desk_id == desk_id)
    return int(await session.value(query) or 0)


async def count_conflicts(session: Session, *, like: OfflineConflictFilter) -> int:
    query = _like(select(func.count()).select_from(offline_conflict), like)
    return int(await session.value(query) or 0)


async def forget_patron(tx: Tx, patron_id: UUID, *, card: str | None) -> None:
    """Nobody can say any more who it was. `card` is the one they had, as far as it is known."""
    await tx.run(FORGET_PATRON, gone_id=patron_id)
    await tx.run(FORGET_REASONS, gone_id=patron_id)
    if card is not None:
        await tx.run(FORGET_CARD, card=card.upper())
