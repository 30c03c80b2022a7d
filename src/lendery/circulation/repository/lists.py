"""Lists of loans, as they are looked through."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, null, select
from sqlalchemy.sql.elements import ColumnElement

from lendery.circulation.models import loan
from lendery.circulation.repository.loans import WAS
from lendery.contracts.circulation import LoanFilter
from lendery.platform.db import Session


async def loans(
    session: Session, *, like: LoanFilter, after: UUID | None, limit: int, now: datetime
) -> list[Any]:
    """Newest first."""
    query = select(loan).where(*_conditions(like, now)).order_by(loan.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(loan.c.id < after)
    return await session.rows(query)


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
        if like.status == "overdue":
            found.append(loan.c.due_at < now)
    else:
        found.append(WAS)
    return found
