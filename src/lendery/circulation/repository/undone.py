"""What was undone, and the writes that put things back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from lendery.circulation.models import TABLES, hold, ledger_line, loan, undone
from lendery.contracts.circulation import HoldWas
from lendery.platform.db import Session, Statement, UtcDateTime
from lendery.platform.db.session import Write

log = TABLES.event
EVENT = Statement(
    select(log.c.id, log.c.name, log.c.at, log.c.body).where(log.c.id == bindparam("event_id"))
)
ANSWER = Statement(select(undone.c.answer).where(undone.c.id == bindparam("undone_id")))
KEEP = Statement(insert(undone).values({c.name: bindparam(c.name, type_=c.type) for c in undone.c}))
LINES = Statement(
    select(ledger_line)
    .where(
        ledger_line.c.settlement_id == bindparam("settlement_id"),
        ledger_line.c.kind == "payment",
    )
    .order_by(ledger_line.c.id)
)
END = Statement(
    update(loan)
    .where(loan.c.id == bindparam("l_id"), loan.c.returned_at.is_(None))
    .values(
        returned_at=bindparam("l_returned_at", type_=UtcDateTime()),
        ended_as=bindparam("l_ended_as", type_=loan.c.ended_as.type),
    )
)
GO_ON = Statement(
    update(loan)
    .where(loan.c.id == bindparam("l_id"))
    .values(returned_at=None, returned_branch_id=None, ended_as=None)
)
RESTORE = Statement(
    update(hold)
    .where(hold.c.id == bindparam("h_id"))
    .values(
        state=bindparam("h_state"),
        given_copy_id=bindparam("h_given_copy_id"),
        ready_at=bindparam("h_ready_at", type_=UtcDateTime()),
        expires_on=bindparam("h_expires_on"),
        ended_at=None,
    )
)


async def event(session: Session, event_id: UUID) -> Any | None:
    return await session.row(EVENT, event_id=event_id)


async def answer(session: Session, undone_id: UUID) -> Any | None:
    """What was answered when it was undone; None: it was not."""
    return await session.value(ANSWER, undone_id=undone_id)


async def lines_of(session: Session, settlement_id: UUID) -> list[Any]:
    """The lines of one payment."""
    return await session.rows(LINES, settlement_id=settlement_id)


def keeping(undone_id: UUID, *, at: datetime, by: UUID | None, answer: Any) -> Write:
    return KEEP, {"id": undone_id, "at": at, "by": by, "answer": answer}


def ending(loan_id: UUID, *, at: datetime, ended_as: str) -> Write:
    """The write of a loan that ends, and not because its copy came in."""
    return END, {"l_id": loan_id, "l_returned_at": at, "l_ended_as": ended_as}


def going_on(loan_id: UUID) -> Write:
    """The write of a loan that had ended and is open again."""
    return GO_ON, {"l_id": loan_id}


def restoring(was: HoldWas) -> Write:
    """The write of a hold as it was before; one that had ended is open again."""
    return RESTORE, {
        "h_id": was.hold_id,
        "h_state": was.state,
        "h_given_copy_id": was.copy_id,
        "h_ready_at": was.ready_at,
        "h_expires_on": was.expires_on,
    }
