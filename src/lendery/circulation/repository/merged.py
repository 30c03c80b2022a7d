"""Books that became one, or two again: their copies, who waits, and who has a copy out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select, update

from lendery.circulation.models import copy, hold, loan
from lendery.circulation.repository import holds
from lendery.platform.db import Statement, Tx, any_of
from lendery.platform.db.session import Write

# The copies first, as everybody does: whoever has one of them locks a queue after it.
LOCK_COPIES = Statement(
    select(copy.c.id)
    .where(any_of(copy.c.id, "copy_ids"))
    .order_by(copy.c.id)
    .with_for_update(key_share=True)
)
THEIR_BOOK = Statement(
    update(copy)
    .where(any_of(copy.c.id, "copy_ids"))
    .values(book_id=bindparam("to_book", type_=copy.c.book_id.type))
)
OUT = Statement(
    select(loan.c.id, loan.c.copy_id).where(
        any_of(loan.c.copy_id, "copy_ids"),
        loan.c.returned_at.is_(None),
        loan.c.book_id != bindparam("to_book", type_=loan.c.book_id.type),
    )
)
_open = (hold.c.book_id == bindparam("from_book", type_=hold.c.book_id.type), holds.OPEN)
ALL_OPEN = Statement(
    select(hold.c.id, hold.c.book_id, hold.c.asked_for).where(*_open).order_by(*holds.IN_ORDER)
)
GOING_BACK = Statement(
    select(hold.c.id, hold.c.book_id, hold.c.asked_for)
    .where(
        *_open,
        or_(
            any_of(hold.c.given_copy_id, "copy_ids"),
            any_of(hold.c.copy_id, "copy_ids"),
            and_(
                any_of(hold.c.asked_for, "asked_for"),
                hold.c.given_copy_id.is_(None),
                hold.c.copy_id.is_(None),
            ),
        ),
    )
    .order_by(*holds.IN_ORDER)
)
MOVE_HOLD = Statement(
    update(hold)
    .where(hold.c.id == bindparam("h_id"))
    .values(book_id=bindparam("h_book"), asked_for=bindparam("h_asked"))
)
MOVE_LOAN = Statement(
    update(loan).where(loan.c.id == bindparam("l_id")).values(book_id=bindparam("l_book"))
)


async def lock_both(tx: Tx, copy_ids: Sequence[UUID], one: UUID, other: UUID) -> None:
    """The copies, then both queues: nothing of either book happens meanwhile."""
    if copy_ids:
        await tx.rows(LOCK_COPIES, copy_ids=list(copy_ids))
    for book_id in sorted((one, other)):
        await holds.lock_queue(tx, book_id)


async def move_copies(tx: Tx, copy_ids: Sequence[UUID], *, to: UUID) -> list[Any]:
    """The copies as far as they are known; returns their open loans (id, copy_id) to be moved."""
    if not copy_ids:
        return []
    await tx.run(THEIR_BOOK, copy_ids=list(copy_ids), to_book=to)
    return await tx.rows(OUT, copy_ids=list(copy_ids), to_book=to)


async def open_holds(tx: Tx, book_id: UUID) -> list[Any]:
    """All who wait for a book or for whom a copy is kept, in order."""
    return await tx.rows(ALL_OPEN, from_book=book_id)


async def holds_going_back(
    tx: Tx, book_id: UUID, *, asked_for: Sequence[UUID], copy_ids: Sequence[UUID]
) -> list[Any]:
    """Those that were placed on the other book, and those that its copies are kept for."""
    given = {"asked_for": list(asked_for), "copy_ids": list(copy_ids)}
    return await tx.rows(GOING_BACK, from_book=book_id, **given)


def moved_hold(hold_id: UUID, *, to: UUID, asked_for: UUID | None) -> Write:
    return MOVE_HOLD, {"h_id": hold_id, "h_book": to, "h_asked": asked_for}


def moved_loan(loan_id: UUID, *, to: UUID) -> Write:
    return MOVE_LOAN, {"l_id": loan_id, "l_book": to}
