"""What is due, late or ready, with whose it is."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select

from lendery.circulation.models import hold, ledger_line, loan
from lendery.platform.db import Session, Statement, UtcDateTime

UNTIL = bindparam("until", type_=UtcDateTime())
_loan = select(loan.c.id, loan.c.patron_id, loan.c.book_id, loan.c.home_branch_id, loan.c.due_at)
_out = _loan.where(loan.c.returned_at.is_(None), loan.c.patron_id.is_not(None))
_in_order = _out.where(loan.c.due_at <= UNTIL).order_by(loan.c.due_at, loan.c.id)
_last = bindparam("last_at", type_=UtcDateTime())
DUE = Statement(_in_order.limit(bindparam("most")))
DUE_AFTER = Statement(
    _in_order.where(
        loan.c.due_at >= _last,
        or_(loan.c.due_at > _last, loan.c.id > bindparam("last_id", type_=loan.c.id.type)),
    ).limit(bindparam("most"))
)
LOAN = Statement(_out.where(loan.c.id == bindparam("loan_id")))
_hold = select(
    hold.c.id,
    hold.c.patron_id,
    hold.c.book_id,
    hold.c.pickup_branch_id,
    hold.c.state,
    hold.c.expires_on,
).where(hold.c.patron_id.is_not(None))
HOLD = Statement(_hold.where(hold.c.id == bindparam("hold_id")))
ENDING = Statement(
    _hold.where(
        hold.c.state == "ready",
        hold.c.expires_on <= bindparam("until"),
        hold.c.id > bindparam("after", type_=hold.c.id.type),
    )
    .order_by(hold.c.id)
    .limit(bindparam("most"))
)
_line = select(
    ledger_line.c.patron_id,
    ledger_line.c.amount,
    ledger_line.c.currency,
    ledger_line.c.reason,
    ledger_line.c.method,
).where(ledger_line.c.patron_id.is_not(None))
CHARGE = Statement(
    _line.where(ledger_line.c.id == bindparam("fine_id"), ledger_line.c.kind == "charge")
)
PAYMENT = Statement(
    _line.where(
        ledger_line.c.settlement_id == bindparam("settlement_id"), ledger_line.c.kind == "payment"
    )
)
BALANCE = Statement(
    select(func.coalesce(func.sum(ledger_line.c.amount), 0)).where(
        ledger_line.c.patron_id == bindparam("patron_id")
    )
)
FIRST = UUID(int=0)


async def due(
    session: Session, *, until: datetime, after: tuple[datetime, UUID] | None, most: int
) -> Sequence[Any]:
    """Open loans due by `until`, in the order of their due dates."""
    if after is None:
        return await session.rows(DUE, until=until, most=most)
    last_at, last_id = after
    return await session.rows(DUE_AFTER, until=until, last_at=last_at, last_id=last_id, most=most)


async def open_loan(session: Session, loan_id: UUID) -> Any | None:
    return await session.row(LOAN, loan_id=loan_id)


async def hold_of(session: Session, hold_id: UUID) -> Any | None:
    return await session.row(HOLD, hold_id=hold_id)


async def ending(session: Session, *, until: date, after: UUID | None, most: int) -> Sequence[Any]:
    """Holds that are ready for the last time on `until`, or were before."""
    return await session.rows(ENDING, until=until, after=after or FIRST, most=most)


async def charge(session: Session, fine_id: UUID) -> Sequence[Any]:
    return await session.rows(CHARGE, fine_id=fine_id)


async def payment(session: Session, settlement_id: UUID) -> Sequence[Any]:
    """Its lines, whose amounts are below zero."""
    return await session.rows(PAYMENT, settlement_id=settlement_id)


async def balance(session: Session, patron_id: UUID) -> int:
    return int(await session.value(BALANCE, patron_id=patron_id))
