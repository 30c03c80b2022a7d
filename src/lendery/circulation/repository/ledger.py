"""The ledger: its lines, and their sums. Lines are only ever added."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, exists, func, insert, null, select

from lendery.circulation.models import copy, ledger_line, loan
from lendery.circulation.repository.loans import HOUSE_VERSION, KEY, LATE, key_values
from lendery.contracts.base import RequestKey
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

line = ledger_line
settling = line.alias("settling")
SETTLED = (
    select(func.coalesce(-func.sum(settling.c.amount), 0))
    .where(settling.c.fine_id == line.c.id)
    .correlate(line)
    .scalar_subquery()
)
CHARGE = line.c.kind == "charge"
LINE = Statement(select(line).where(line.c.id == bindparam("line_id")))
FINE = Statement(
    select(line, SETTLED.label("settled")).where(line.c.id == bindparam("fine_id"), CHARGE)
)
reversal = line.alias("reversal")
STANDS = ~exists().where(reversal.c.reverses == line.c.id)  # nobody took it back
CANCELLED = Statement(
    select(
        exists().where(
            line.c.fine_id == bindparam("fine_id"), line.c.kind == "cancellation", STANDS
        )
    )
)
GIVEN_UP = Statement(
    select(func.coalesce(-func.sum(line.c.amount), 0)).where(
        line.c.fine_id == bindparam("fine_id"), line.c.kind.in_(("waiver", "write-off")), STANDS
    )
)
# Charges of which something is open, or more was settled than they are.
UNEVEN = Statement(
    select(line, SETTLED.label("settled"))
    .where(line.c.patron_id == bindparam("patron_id"), CHARGE, line.c.amount != SETTLED)
    .order_by(line.c.at, line.c.id)
)
FREE = (  # paid without a charge, less what was paid out
    select(func.coalesce(-func.sum(case((~CHARGE & line.c.fine_id.is_(null()), line.c.amount))), 0))
    .where(line.c.patron_id == bindparam("patron_id"))
    .scalar_subquery()
)
TILL = Statement(select(FREE.label("free"), HOUSE_VERSION.label("house_version"), *KEY))
OWED = Statement(
    select(line.c.patron_id, func.sum(line.c.amount).label("balance"))
    .where(any_of(line.c.patron_id, "patron_ids"))
    .group_by(line.c.patron_id)
    .having(func.sum(line.c.amount) > 0)
)
CHARGED_FOR = Statement(
    select(line.c.loan_id, func.sum(line.c.amount).label("charged"))
    .where(any_of(line.c.loan_id, "loan_ids"), LATE)
    .group_by(line.c.loan_id)
)
PRICES = Statement(
    select(copy.c.id, copy.c.price_amount, copy.c.price_currency).where(
        any_of(copy.c.id, "copy_ids")
    )
)
LATE_LOANS = Statement(
    select(loan)
    .where(
        loan.c.patron_id == bindparam("patron_id"),
        loan.c.returned_at.is_(None),
        loan.c.due_at < bindparam("now", type_=loan.c.due_at.type),
    )
    .order_by(loan.c.due_at, loan.c.id)
    .limit(200)
)
OF_LOAN = Statement(
    select(line).where(line.c.loan_id == bindparam("loan_id"), CHARGE).order_by(line.c.id)
)
BOOKS = Statement(select(loan.c.id, loan.c.book_id).where(any_of(loan.c.id, "loan_ids")))
ADD = Statement(insert(line).values({c.name: bindparam(c.name, type_=c.type) for c in line.c}))
EMPTY = dict.fromkeys(c.name for c in line.c)


async def line_by_id(session: Session, line_id: UUID) -> Any | None:
    return await session.row(LINE, line_id=line_id)


async def fine_by_id(session: Session, fine_id: UUID) -> Any | None:
    """The charge, and how much of it is `settled` by lines that name it."""
    return await session.row(FINE, fine_id=fine_id)


async def given_up(session: Session, fine_id: UUID) -> int:
    """How much of a charge was forgiven."""
    return int(await session.value(GIVEN_UP, fine_id=fine_id))


async def is_cancelled(session: Session, fine_id: UUID) -> bool:
    return bool(await session.value(CANCELLED, fine_id=fine_id))


async def uneven_charges(session: Session, patron_id: UUID) -> list[Any]:
    return await session.rows(UNEVEN, patron_id=patron_id)


async def till(session: Session, *, patron_id: UUID, key: RequestKey | None) -> Any:
    """Free money of a patron (`free`), and the key's answer."""
    return await session.row(TILL, patron_id=patron_id, **key_values(key))


async def owed(session: Session, patron_ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(OWED, patron_ids=list(patron_ids))


async def charged_for(session: Session, loan_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What lateness of these loans was charged before."""
    rows = await session.rows(CHARGED_FOR, loan_ids=list(loan_ids))
    return {row.loan_id: int(row.charged) for row in rows}


async def prices(session: Session, copy_ids: Sequence[UUID]) -> dict[UUID, Any]:
    return {row.id: row for row in await session.rows(PRICES, copy_ids=list(copy_ids))}


async def late_loans(session: Session, patron_id: UUID, now: datetime) -> list[Any]:
    return await session.rows(LATE_LOANS, patron_id=patron_id, now=now)


async def books_of(session: Session, loan_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    return {row.id: row.book_id for row in await session.rows(BOOKS, loan_ids=list(loan_ids))}


async def lines(
    session: Session, patron_id: UUID, *, after: UUID | None, limit: int, charges: bool = False
) -> list[Any]:
    """Newest first; with `charges` only those, each with what of it is settled."""
    shown = (line, SETTLED.label("settled")) if charges else (line,)
    query = select(*shown).where(line.c.patron_id == patron_id)
    query = query.order_by(line.c.id.desc()).limit(limit)
    if charges:
        query = query.where(CHARGE)
    return await session.rows(query if after is None else query.where(line.c.id < after))


async def count_charges(session: Session, patron_id: UUID) -> int:
    query = select(func.count()).select_from(line).where(line.c.patron_id == patron_id, CHARGE)
    return int(await session.value(query) or 0)


async def charges_of_loan(session: Session, loan_id: UUID) -> list[Any]:
    """What was charged for a loan, the oldest first."""
    return await session.rows(OF_LOAN, loan_id=loan_id)


async def load(tx: Tx, lines: Sequence[dict[str, Any]]) -> None:
    """Many new lines at once."""
    await tx.load(line, [EMPTY | each for each in lines])


def adding(**columns: Any) -> Write:
    """The write of a new line; what is not named is empty."""
    return ADD, EMPTY | columns
