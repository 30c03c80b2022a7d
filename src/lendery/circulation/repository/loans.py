"""Loans: every fact of a decision in one question, and the writes of what was decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from lendery.circulation.models import TABLES, copy, hold, ledger_line, loan, setup, suspension
from lendery.contracts.base import RequestKey
from lendery.platform.db import Session, Statement, UtcDateTime, any_of

request = TABLES.request
NOW = bindparam("now", type_=UtcDateTime())
HOUSE_VERSION = select(setup.c.version).where(setup.c.id == 1).scalar_subquery()
theirs = loan.alias("theirs")  # the open loans of the patron who asks
out = loan.alias("out")  # the open loan of the copy in hand


def _answered(column: ColumnElement[Any]) -> Any:
    asked = request.c.scope == bindparam("key_scope"), request.c.key == bindparam("key_key")
    return select(column).where(*asked).scalar_subquery()


def _owed_by(patron_id: ColumnElement[Any]) -> Any:
    return (
        select(func.coalesce(func.sum(ledger_line.c.amount), 0))
        .where(ledger_line.c.patron_id == patron_id)
        .scalar_subquery()
    )


def _suspended(patron_id: ColumnElement[Any]) -> Any:
    """Until when the patron's suspensions run; null: none ever ran."""
    return (
        select(func.max(suspension.c.until))
        .where(suspension.c.patron_id == patron_id, suspension.c.ended_at.is_(None))
        .scalar_subquery()
    )


def _kept(column: ColumnElement[Any]) -> Any:
    """Of the open hold that the copy is kept for."""
    return (
        select(column)
        .where(hold.c.given_copy_id == copy.c.id, hold.c.ended_at.is_(None))
        .correlate(copy)
        .scalar_subquery()
    )


def _own_hold(*conditions: ColumnElement[bool]) -> Any:
    """The patron's oldest open hold on the book."""
    return (
        select(hold.c.id)
        .where(
            hold.c.patron_id == bindparam("patron_id"),
            hold.c.book_id == copy.c.book_id,
            hold.c.ended_at.is_(None),
            *conditions,
        )
        .order_by(hold.c.placed_at)
        .limit(1)
        .correlate(copy)
        .scalar_subquery()
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


KEY = (
    _answered(request.c.fingerprint).label("key_fingerprint"),
    _answered(request.c.status).label("key_status"),
    _answered(request.c.answer).label("key_answer"),
)
_same_type = theirs.c.item_type == copy.c.item_type
_same_branch = theirs.c.home_branch_id == copy.c.home_branch_id
FACTS = Statement(
    select(
        copy,
        func.count(theirs.c.id).label("loans"),
        _count(_same_type).label("loans_of_type"),
        _count(_same_branch).label("loans_of_branch"),
        _count(_same_type & _same_branch).label("loans_of_both"),
        _count(theirs.c.due_at < NOW).label("overdue"),
        _count(theirs.c.book_id == copy.c.book_id).label("same_title"),
        select(out.c.patron_id)
        .where(out.c.copy_id == copy.c.id, out.c.returned_at.is_(None))
        .correlate(copy)
        .scalar_subquery()
        .label("out_to"),
        select(out.c.id)
        .where(out.c.copy_id == copy.c.id, out.c.returned_at.is_(None))
        .correlate(copy)
        .scalar_subquery()
        .label("out_as"),
        _kept(hold.c.id).label("kept_as"),
        _kept(hold.c.patron_id).label("kept_for"),
        func.coalesce(_own_hold(hold.c.given_copy_id == copy.c.id), _own_hold()).label("own_hold"),
        _owed_by(bindparam("patron_id")).label("owed"),
        _suspended(bindparam("patron_id")).label("suspended_until"),
        HOUSE_VERSION.label("house_version"),
        *KEY,
    )
    .select_from(copy)
    .outerjoin(
        theirs, (theirs.c.patron_id == bindparam("patron_id")) & theirs.c.returned_at.is_(None)
    )
    .where(copy.c.barcode == bindparam("code"))
    .group_by(copy.c.id)
)
FACTS_WITHOUT_COPY = Statement(
    select(
        func.count(theirs.c.id).label("loans"),
        _count(theirs.c.due_at < NOW).label("overdue"),
        _owed_by(bindparam("patron_id")).label("owed"),
        _suspended(bindparam("patron_id")).label("suspended_until"),
        HOUSE_VERSION.label("house_version"),
        *KEY,
    ).where(theirs.c.patron_id == bindparam("patron_id"), theirs.c.returned_at.is_(None))
)
_wrong = ledger_line.alias("wrong")
LATE = (  # a charge for lateness that nobody cancelled
    (ledger_line.c.kind == "charge")
    & (ledger_line.c.reason == "late")
    & ~exists().where(_wrong.c.fine_id == ledger_line.c.id, _wrong.c.kind == "cancellation")
)
CHARGED = (  # for the lateness of this loan, at renewals
    select(func.coalesce(func.sum(ledger_line.c.amount), 0))
    .where(ledger_line.c.loan_id == loan.c.id, LATE)
    .correlate(loan)
    .scalar_subquery()
)


def _wanted(book_id: ColumnElement[Any]) -> Any:
    # spelled out, not bound: SQLite plans anew for each value that a partial index depends on
    waiting = hold.c.state == literal_column("'waiting'")
    return exists().where(hold.c.book_id == book_id, waiting)


OPEN_LOAN = Statement(
    select(
        loan,
        CHARGED.label("charged"),
        _kept(hold.c.id).label("kept_as"),
        _wanted(copy.c.book_id).label("wanted"),
        HOUSE_VERSION.label("house_version"),
        *KEY,
    )
    .select_from(copy.outerjoin(loan, (loan.c.copy_id == copy.c.id) & loan.c.returned_at.is_(None)))
    .where(copy.c.id == bindparam("copy_id"))
)
LOAN_FOR_RENEWAL = Statement(
    select(
        loan,
        CHARGED.label("charged"),
        _wanted(loan.c.book_id).label("wanted"),
        _owed_by(loan.c.patron_id).label("owed"),
        _suspended(loan.c.patron_id).label("suspended_until"),
        HOUSE_VERSION.label("house_version"),
        *KEY,
    ).where(loan.c.id == bindparam("loan_id"))
)
# What was undone never was.
WAS = or_(loan.c.ended_as.is_(None), loan.c.ended_as != literal_column("'undone'"))
LOAN = Statement(select(loan).where(loan.c.id == bindparam("loan_id")))
BORROWED = Statement(
    select(loan.c.patron_id, loan.c.book_id)
    .where(any_of(loan.c.patron_id, "patron_ids"), any_of(loan.c.book_id, "book_ids"), WAS)
    .distinct()
)
LEND = Statement(insert(loan).values({c.name: bindparam(c.name, type_=c.type) for c in loan.c}))
LAST = Statement(
    select(loan)
    .where(loan.c.copy_id == bindparam("copy_id"), WAS)
    .order_by(loan.c.id.desc())
    .limit(1)
)
CLAIM = Statement(
    update(loan)
    .where(loan.c.id == bindparam("l_id"), loan.c.returned_at.is_(None))
    .values(claimed_at=bindparam("l_claimed_at", type_=UtcDateTime()))
)
RENEW = Statement(
    update(loan)
    .where(loan.c.id == bindparam("l_id"), loan.c.returned_at.is_(None))
    .values(due_at=bindparam("l_due_at", type_=UtcDateTime()), renewals=bindparam("l_renewals"))
)
TAKE_BACK = Statement(
    update(loan)
    .where(loan.c.id == bindparam("l_id"), loan.c.returned_at.is_(None))
    .values(
        returned_at=bindparam("l_returned_at", type_=UtcDateTime()),
        returned_branch_id=bindparam("l_branch_id"),
    )
)


def key_values(key: RequestKey | None) -> dict[str, str | None]:
    return {"key_scope": key.scope if key else None, "key_key": key.key if key else None}


async def check_out_facts(
    session: Session, *, barcode: str, patron_id: UUID | None, now: datetime, key: RequestKey | None
) -> Any | None:
    """The copy, what its borrower-to-be has out, and whom it is out to. None: unknown copy."""
    return await session.row(FACTS, code=barcode, patron_id=patron_id, now=now, **key_values(key))


async def facts_without_copy(
    session: Session, *, patron_id: UUID | None, now: datetime, key: RequestKey | None
) -> Any:
    return await session.row(FACTS_WITHOUT_COPY, patron_id=patron_id, now=now, **key_values(key))


async def open_loan(session: Session, *, copy_id: UUID, key: RequestKey | None) -> Any:
    """The copy's open loan (its `id` is null when there is none) and the key's answer."""
    return await session.row(OPEN_LOAN, copy_id=copy_id, **key_values(key))


async def loan_for_renewal(session: Session, *, loan_id: UUID, key: RequestKey | None) -> Any:
    return await session.row(LOAN_FOR_RENEWAL, loan_id=loan_id, **key_values(key))


async def last_loan(session: Session, copy_id: UUID) -> Any | None:
    """The newest loan of a copy, open or not."""
    return await session.row(LAST, copy_id=copy_id)


def claiming(loan_id: UUID, *, at: datetime | None) -> tuple[Statement, dict[str, Any]]:
    """The write of a loan that is said to have been returned, or (None) not so."""
    return CLAIM, {"l_id": loan_id, "l_claimed_at": at}


async def loan_by_id(session: Session, loan_id: UUID) -> Any | None:
    return await session.row(LOAN, loan_id=loan_id)


async def borrowed(session: Session, *, patron_ids: list[UUID], book_ids: list[UUID]) -> list[Any]:
    """Which of these patrons ever had which of these books."""
    return await session.rows(BORROWED, patron_ids=patron_ids, book_ids=book_ids)


def lending(**columns: Any) -> tuple[Statement, dict[str, Any]]:
    """The write of a new loan."""
    return LEND, columns


def renewing(loan_id: UUID, *, due_at: datetime, renewals: int) -> tuple[Statement, dict[str, Any]]:
    return RENEW, {"l_id": loan_id, "l_due_at": due_at, "l_renewals": renewals}


def taking_back(
    loan_id: UUID, *, at: datetime, branch_id: UUID
) -> tuple[Statement, dict[str, Any]]:
    return TAKE_BACK, {"l_id": loan_id, "l_returned_at": at, "l_branch_id": branch_id}
