"""What a simulation reads of the past, and the differences that it writes."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, Text, Uuid, bindparam, delete, func, select, type_coerce

from lendery.circulation.models import (
    JOBS,
    TABLES,
    copy,
    difference,
    ledger_line,
    loan,
    patron,
    undone,
)
from lendery.contracts.circulation import (
    CancellationReversed,
    CreditRefunded,
    FineCancelled,
    FineCharged,
    FinePaid,
    FineWaived,
    FineWrittenOff,
    ItemCheckedIn,
    ItemCheckedOut,
    LoanRenewed,
    PaymentReversed,
    WaiverReversed,
)
from lendery.platform.db import Session, Statement, Tx, UtcDateTime, any_of

LINES = {
    kind.name: field
    for field, kinds in {
        "fine_id": (FineCharged,),
        "line_id": (
            *(FinePaid, FineWaived, FineWrittenOff, FineCancelled, CreditRefunded),
            *(PaymentReversed, WaiverReversed, CancellationReversed),
        ),
    }.items()
    for kind in kinds
}  # the events of the ledger, and what names the line in each
WATCHED = (ItemCheckedOut.name, LoanRenewed.name, ItemCheckedIn.name, *LINES)
AT_ONCE = 500  # events
event = TABLES.event
_late = (ledger_line.c.kind == "charge", ledger_line.c.reason == "late")
LOANS = Statement(
    select(
        loan.c.id, loan.c.patron_id, loan.c.item_type, loan.c.home_branch_id, loan.c.policy
    ).where(any_of(loan.c.id, "ids"))
)
PATRONS = Statement(
    select(patron.c.id, patron.c.category, patron.c.expires_on, patron.c.born_on).where(
        any_of(patron.c.id, "ids")
    )
)
PRICES = Statement(
    select(copy.c.id, copy.c.price_amount, copy.c.price_currency).where(any_of(copy.c.id, "ids"))
)
FINED = Statement(
    select(ledger_line.c.loan_id, func.sum(ledger_line.c.amount).label("amount"))
    .where(any_of(ledger_line.c.loan_id, "ids"), *_late)
    .group_by(ledger_line.c.loan_id)
)
OWED = Statement(
    select(ledger_line.c.id, ledger_line.c.patron_id, ledger_line.c.amount).where(
        any_of(ledger_line.c.id, "ids")
    )
)
FORGET = Statement(
    delete(difference).where(difference.c.simulation_id == bindparam("of", type_=Uuid()))
)
FORGET_OLD = Statement(
    delete(difference).where(
        difference.c.simulation_id.in_(
            select(JOBS.job.c.id).where(
                JOBS.job.c.ended_at < bindparam("before", type_=UtcDateTime())
            )
        )
    )
)


def _past(until: datetime) -> Any:
    """But for check-outs and check-ins that were undone: they never were."""
    was_undone = event.c.id.in_(select(undone.c.id))
    return event.c.name.in_(WATCHED), event.c.at < until, ~was_undone


async def size(session: Session, until: datetime) -> int:
    """How many events are to be heard."""
    return int(await session.value(select(func.count()).select_from(event).where(*_past(until))))


def events(session: Session, until: datetime) -> AsyncIterator[list[Any]]:
    """Oldest first, from the beginning of the log. `body` is text."""
    query = (
        select(event.c.name, event.c.at, type_coerce(event.c.body, Text).label("body"))
        .where(*_past(until))
        .order_by(event.c.seq)
    )
    return session.chunks(query, most=AT_ONCE)


async def by_id(session: Session, query: Statement, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The rows by their first column."""
    rows = await session.rows(query, ids=list(ids)) if ids else []
    return {row[0]: row for row in rows}


async def add(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    await tx.load(difference, rows)


async def forget(tx: Tx, simulation_id: UUID) -> None:
    """Its differences: it begins again."""
    await tx.run(FORGET, of=simulation_id)


async def forget_old(tx: Tx, before: datetime) -> int:
    return await tx.run(FORGET_OLD, before=before)


async def differences(
    session: Session, simulation_id: UUID, *, kind: str | None, after: int, many: int
) -> list[Any]:
    query = (
        select(difference)
        .where(
            difference.c.simulation_id == bindparam("of", simulation_id, type_=Uuid()),
            difference.c.no > bindparam("after", after, type_=Integer()),
        )
        .order_by(difference.c.no)
        .limit(bindparam("many", many, type_=Integer()))
    )
    if kind is not None:
        query = query.where(difference.c.kind == bindparam("of_kind", kind, type_=String()))
    return await session.rows(query)


async def count(session: Session, simulation_id: UUID, *, kind: str | None) -> int:
    query = select(func.count()).select_from(difference)
    query = query.where(difference.c.simulation_id == simulation_id)
    return int(
        await session.value(query if kind is None else query.where(difference.c.kind == kind))
    )
