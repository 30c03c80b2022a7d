"""What the same readers borrowed, as far as it is still known who they were."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from lendery.circulation.models import loan
from lendery.platform.db import Session, Statement, any_of

_LOANS = select(loan.c.patron_id, loan.c.book_id).where(loan.c.patron_id.is_not(None))
OF_COPIES = Statement(
    _LOANS.where(any_of(loan.c.copy_id, "copy_ids"))
    .order_by(loan.c.lent_at.desc())
    .limit(bindparam("most"))
)
OF_PATRONS = Statement(
    _LOANS.where(any_of(loan.c.patron_id, "patron_ids"))
    .order_by(loan.c.lent_at.desc())
    .limit(bindparam("most"))
)


async def loans_of_copies(session: Session, *, copy_ids: list[UUID], most: int) -> list[Any]:
    """The latest so many: `patron_id`, `book_id`."""
    return await session.rows(OF_COPIES, copy_ids=copy_ids, most=most)


async def loans_of_patrons(session: Session, *, patron_ids: list[UUID], most: int) -> list[Any]:
    """The latest so many: `patron_id`, `book_id`."""
    return await session.rows(OF_PATRONS, patron_ids=patron_ids, most=most)
