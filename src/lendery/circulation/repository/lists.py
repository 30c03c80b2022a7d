"""Lists of loans, as they are looked through by people and by what runs by the clock."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, func, null, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from lendery.circulation.models import loan
from lendery.circulation.repository.loans import NOW, WAS
from lendery.contracts.circulation import LoanFilter
from lendery.platform.db import Session, Statement, UtcDateTime, any_of

AFTER = tuple_(loan.c.due_at, loan.c.id) > tuple_(
    bindparam("last_due", type_=UtcDateTime()), bindparam("last_id", type_=Uuid())
)
LATE_NOW = Statement(
    select(loan.c.id, loan.c.copy_id, loan.c.due_at, loan.c.home_branch_id, loan.c.policy)
    .where(
        loan.c.returned_at.is_(None),
        loan.c.due_at < NOW,
        loan.c.claimed_at.is_(None),
        AFTER,
    )
    .order_by(loan.c.due_at, loan.c.id)
    .limit(bindparam("most", type_=BigInteger()))
)
DUE_SOON = Statement(
    select(loan.c.id, loan.c.due_at, loan.c.policy)
    .where(
        loan.c.returned_at.is_(None),
        loan.c.due_at <= bindparam("until", type_=UtcDateTime()),
        AFTER,
    )
    .order_by(loan.c.due_at, loan.c.id)
    .limit(bindparam("most", type_=BigInteger()))
)
OPEN_NOW = Statement(
    select(loan)
    .where(any_of(loan.c.id, "loan_ids"), loan.c.returned_at.is_(None))
    .order_by(loan.c.id)
)
PAST = (
    *(loan.c.id, loan.c.branch_id, loan.c.lent_at, loan.c.due_at, loan.c.returned_at),
    *(loan.c.returned_branch_id, loan.c.renewals, loan.c.ended_as),
)


async def loans(
    session: Session, *, like: LoanFilter, after: UUID | None, limit: int, now: datetime
) -> list[Any]:
    """Newest first."""
    query = select(loan).where(*_conditions(like, now)).order_by(loan.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(loan.c.id < after)
    return await session.rows(query)


async def loans_of_copy(
    session: Session, copy_id: UUID, *, after: UUID | None, limit: int
) -> list[Any]:
    """Newest first, without patrons."""
    query = select(*PAST).where(loan.c.copy_id == copy_id, WAS).order_by(loan.c.id.desc())
    query = query.limit(limit)
    return await session.rows(query if after is None else query.where(loan.c.id < after))


async def count_loans(session: Session, *, like: LoanFilter, now: datetime) -> int:
    query = select(func.count()).select_from(loan).where(*_conditions(like, now))
    return int(await session.value(query) or 0)


def _conditions(like: LoanFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("patron_id", "copy_id", "book_id", "branch_id"):
        value = getattr(like, name)
        if value is not None:
            found.append(loan.c[name] == value)
    if like.status == "returned":
        found += [loan.c.returned_at.is_not(null()), WAS]
    elif like.status is not None:
        found.append(loan.c.returned_at.is_(None))
        if like.status == "recalled":
            found.append(loan.c.recalled_at.is_not(null()))
        if like.status == "overdue":
            found.append(loan.c.due_at < now)
    else:
        found.append(WAS)
    return found


async def late_now(
    session: Session, *, now: datetime, after: tuple[datetime, UUID], most: int
) -> list[Any]:
    """Open loans that are late and not claimed returned, the oldest first."""
    return await session.rows(LATE_NOW, now=now, last_due=after[0], last_id=after[1], most=most)


async def due_soon(
    session: Session, *, until: datetime, after: tuple[datetime, UUID], most: int
) -> list[Any]:
    """Open loans that fall due until then, the next first."""
    return await session.rows(DUE_SOON, until=until, last_due=after[0], last_id=after[1], most=most)


async def open_now(session: Session, loan_ids: list[UUID]) -> list[Any]:
    """Those of the loans that are still open."""
    return await session.rows(OPEN_NOW, loan_ids=loan_ids)
