"""Loans that could be called back, and the write that does it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, or_, select, update

from lendery.circulation.models import copy, hold, loan
from lendery.platform.db import Session, Statement, UtcDateTime
from lendery.platform.db.session import Write

waiting = hold.c.state == literal_column("'waiting'")
OUT = Statement(
    select(loan)
    .select_from(copy.join(loan, loan.c.copy_id == copy.c.id))
    .where(
        copy.c.book_id == bindparam("book_id"),
        loan.c.returned_at.is_(None),
        loan.c.claimed_at.is_(None),
        or_(
            bindparam("copy_id", type_=copy.c.id.type).is_(None), copy.c.id == bindparam("copy_id")
        ),
    )
    .order_by(loan.c.id)
)
WAITING = Statement(
    select(func.count()).select_from(hold).where(hold.c.book_id == bindparam("book_id"), waiting)
)
RECALL = Statement(
    update(loan)
    .where(loan.c.id == bindparam("l_id"), loan.c.returned_at.is_(None))
    .values(
        due_at=bindparam("l_due_at", type_=UtcDateTime()),
        recalled_at=bindparam("l_recalled_at", type_=UtcDateTime()),
    )
)


async def out(session: Session, book_id: UUID, copy_id: UUID | None) -> list[Any]:
    """The open loans of a book, or of one copy of it, that nobody says were returned."""
    return await session.rows(OUT, book_id=book_id, copy_id=copy_id)


async def waiting_for(session: Session, book_id: UUID) -> int:
    return int(await session.value(WAITING, book_id=book_id))


def recalling(loan_id: UUID, *, due_at: datetime, at: datetime) -> Write:
    return RECALL, {"l_id": loan_id, "l_due_at": due_at, "l_recalled_at": at}
