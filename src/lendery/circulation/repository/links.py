"""The links from loans, holds and ledger lines to their patrons, and how they are cut.

A charge is cut with the lines that settle it, and only once they add up to nothing: what a patron
owes stays the same. A loan or hold is cut only where no line and no suspension leads to it any
more, which would join it to its patron again.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from lendery.circulation.models import LOOKUPS, TABLES, hold, ledger_line, loan, patron, suspension
from lendery.platform.db import Session, Statement, Tx, UtcDateTime, any_of

WHO = "patron_ids"
BEFORE = bindparam("before", type_=UtcDateTime())
MONEY_BEFORE = bindparam("money_before", type_=UtcDateTime())
line, settling, part = ledger_line, ledger_line.alias("settling"), ledger_line.alias("part")
LOST = ("lost", "lost-fee", "damaged")  # may yet be given back


def _of_fine(charge: Any, each: Any) -> ColumnElement[bool]:
    return or_(each.c.id == charge.c.id, each.c.fine_id == charge.c.id)


def _sum(charge: Any) -> Any:
    """What is open of a charge."""
    return (
        select(func.coalesce(func.sum(part.c.amount), 0))
        .where(_of_fine(charge, part))
        .correlate(charge)
        .scalar_subquery()
    )


def _newest(charge: Any) -> Any:
    return (
        select(func.max(part.c.at))
        .where(_of_fine(charge, part))
        .correlate(charge)
        .scalar_subquery()
    )


_for_what = or_(
    and_(settling.c.loan_id.is_not(None), settling.c.reason.not_in(LOST)),
    settling.c.hold_id.is_not(None),
)
_even = select(settling.c.id).where(
    any_of(settling.c.patron_id, WHO),
    settling.c.kind == "charge",
    _sum(settling) == 0,
    _newest(settling) < case((_for_what, BEFORE), else_=MONEY_BEFORE),
)
free = ledger_line.alias("free")
_free = (  # credit that was paid out again, line by line
    select(free.c.patron_id)
    .where(any_of(free.c.patron_id, WHO), free.c.kind != "charge", free.c.fine_id.is_(None))
    .group_by(free.c.patron_id)
    .having(func.sum(free.c.amount) == 0, func.max(free.c.at) < MONEY_BEFORE)
)
CUT_LINES = Statement(
    update(line)
    .where(
        any_of(line.c.patron_id, WHO),
        or_(
            line.c.id.in_(_even),
            line.c.fine_id.in_(_even),
            and_(line.c.kind != "charge", line.c.fine_id.is_(None), line.c.patron_id.in_(_free)),
        ),
    )
    .values(patron_id=None, note=None)
)
CUT_SUSPENSIONS = Statement(
    update(suspension)
    .where(
        any_of(suspension.c.patron_id, WHO),
        func.coalesce(suspension.c.ended_at, suspension.c.until) < BEFORE,
    )
    .values(patron_id=None)
)
_leads_to = (
    ~exists().where(line.c.loan_id == loan.c.id, line.c.patron_id.is_not(None)),
    ~exists().where(suspension.c.loan_id == loan.c.id, suspension.c.patron_id.is_not(None)),
)
CUT_LOANS = Statement(
    update(loan)
    .where(any_of(loan.c.patron_id, WHO), loan.c.returned_at < BEFORE, *_leads_to)
    .values(patron_id=None, waive_reason=None)
)
CUT_HOLDS = Statement(
    update(hold)
    .where(
        any_of(hold.c.patron_id, WHO),
        hold.c.ended_at < BEFORE,
        ~exists().where(line.c.hold_id == hold.c.id, line.c.patron_id.is_not(None)),
    )
    .values(patron_id=None)
)
CUTS = {
    "charges and payments": CUT_LINES,
    "suspensions": CUT_SUSPENSIONS,
    "loans": CUT_LOANS,
    "holds": CUT_HOLDS,
}
_ended = or_(
    exists().where(loan.c.patron_id == patron.c.id, loan.c.returned_at < BEFORE),
    exists().where(hold.c.patron_id == patron.c.id, hold.c.ended_at < BEFORE),
    exists().where(line.c.patron_id == patron.c.id, line.c.at < BEFORE),
)
WITH_OLD_LINKS = Statement(
    select(patron.c.id)
    .where(patron.c.id > bindparam("after", type_=patron.c.id.type), _ended)
    .order_by(patron.c.id)
    .limit(bindparam("most"))
)
FORGET_LOOKUPS = Statement(delete(LOOKUPS).where(LOOKUPS.c.patron_id == bindparam("at_id")))
FORGET_ANSWERS = Statement(delete(TABLES.request).where(TABLES.request.c.scope == bindparam("of")))
STANDS = Statement(
    select(
        select(func.count())
        .select_from(loan)
        .where(loan.c.patron_id == bindparam("id"), loan.c.returned_at.is_(None))
        .scalar_subquery()
        .label("loans"),
        select(func.count())
        .select_from(hold)
        .where(
            hold.c.patron_id == bindparam("id"),
            hold.c.ended_at.is_(None),
            hold.c.state.in_(("ready", "in-transit")),
        )
        .scalar_subquery()
        .label("holds"),
    )
)
BALANCES = Statement(
    select(line.c.currency, func.sum(line.c.amount).label("balance"))
    .where(line.c.patron_id == bindparam("id"))
    .group_by(line.c.currency)
)


async def with_old_links(
    session: Session, *, before: datetime, after: UUID, most: int
) -> list[UUID]:
    """Patrons with something that ended before then, in the order of their ids."""
    rows = await session.rows(WITH_OLD_LINKS, before=before, after=after, most=most)
    return [row.id for row in rows]


async def cut(
    tx: Tx, patron_ids: list[UUID], *, before: datetime, money_before: datetime
) -> dict[str, int]:
    """What ended before then leads to these patrons no more; returns how many rows of each kind.

    `money_before` is the same for money that no loan or hold was lent or kept for.
    """
    given = {WHO: patron_ids, "before": before}
    both = {"charges and payments": {"money_before": money_before}}
    return {
        what: await tx.run(statement, **given, **both.get(what, {}))
        for what, statement in CUTS.items()
    }


async def forget(tx: Tx, patron_id: UUID, *, scope: str) -> None:
    """The looks at a person, and the answers that were kept for them."""
    await tx.run(FORGET_LOOKUPS, at_id=patron_id)
    await tx.run(FORGET_ANSWERS, of=scope)


async def stands(session: Session, patron_id: UUID) -> Any:
    """How many loans are open, how many holds are kept or on their way."""
    return await session.row(STANDS, id=patron_id)


async def balances(session: Session, patron_id: UUID) -> list[Any]:
    """(currency, balance): above zero is owed."""
    return await session.rows(BALANCES, id=patron_id)
