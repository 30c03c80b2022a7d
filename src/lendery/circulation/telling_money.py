"""What the log tells of ledger lines and cash sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lendery.circulation.models import cash_session, ledger_line
from lendery.contracts.base import Event
from lendery.contracts.circulation import (
    CancellationReversed,
    CashSessionClosed,
    CashSessionOpened,
    CreditRefunded,
    FineCancelled,
    FineCharged,
    FinePaid,
    FineWaived,
    FineWrittenOff,
    PaymentReversed,
    WaiverReversed,
)

LINE, SESSION = ledger_line.name, cash_session.name


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says of a row: that it begins, what it is from now on, that it has ended.

    One that `goes_on` may have ended before: its end was undone.
    """

    table: str
    id: UUID
    columns: dict[str, Any]
    begins: bool = False
    ends: bool = False
    goes_on: bool = False


def _charged(e: FineCharged) -> Told:
    columns = {"reason": e.cause, "loan_id": e.loan_id, "hold_id": e.hold_id}
    return _line(e, e.fine_id, "charge", e.amount, **columns)


def _paid(e: FinePaid) -> Told:
    return _line(e, e.line_id, "payment", -e.amount, fine_id=e.fine_id, **_settled(e))


def _waived(e: FineWaived) -> Told:
    return _line(e, e.line_id, "waiver", -e.amount, fine_id=e.fine_id)


def _written_off(e: FineWrittenOff) -> Told:
    return _line(e, e.line_id, "write-off", -e.amount, fine_id=e.fine_id)


def _cancelled(e: FineCancelled) -> Told:
    return _line(e, e.line_id, "cancellation", -e.amount, fine_id=e.fine_id)


def _refunded(e: CreditRefunded) -> Told:
    columns = {"method": e.method, "cash_session_id": e.cash_session_id}
    return _line(e, e.line_id, "refund", e.amount, **columns)


def _payment_reversed(e: PaymentReversed) -> Told:
    columns = {"fine_id": e.fine_id, "reverses": e.reverses} | _settled(e)
    return _line(e, e.line_id, "reversal", e.amount, **columns)


def _settled(e: FinePaid | PaymentReversed) -> dict[str, Any]:
    return {
        "settlement_id": e.settlement_id,
        "method": e.method,
        "cash_session_id": e.cash_session_id,
    }


def _reversed(e: WaiverReversed | CancellationReversed) -> Told:
    return _line(e, e.line_id, "reversal", e.amount, fine_id=e.fine_id, reverses=e.reverses)


def _line(e: Any, line_id: UUID, kind: str, amount: int, **columns: Any) -> Told:
    """A line is whole from its first event on."""
    of_all = {"borrower": e.borrower, "currency": e.currency, "at": e.at, "by": e.by}
    columns |= of_all | {"kind": kind, "amount": amount}
    return Told(LINE, line_id, columns, begins=True, ends=True)


def _opened(e: CashSessionOpened) -> Told:
    columns = {
        "branch_id": e.branch_id,
        "desk": e.desk,
        "opened_at": e.at,
        "opened_by": e.by,
        "opening_float": e.opening_float,
        "currency": e.currency,
    }
    return Told(SESSION, e.session_id, columns, begins=True)


def _closed(e: CashSessionClosed) -> Told:
    columns = {
        "closed_at": e.at,
        "closed_by": e.by,
        "expected": e.expected,
        "counted": e.counted,
    }
    return Told(SESSION, e.session_id, columns, ends=True)


TELLING_OF_MONEY: dict[type[Event], Callable[[Any], Told | None]] = {
    FineCharged: _charged,
    FinePaid: _paid,
    FineWaived: _waived,
    FineWrittenOff: _written_off,
    FineCancelled: _cancelled,
    CreditRefunded: _refunded,
    PaymentReversed: _payment_reversed,
    WaiverReversed: _reversed,
    CancellationReversed: _reversed,
    CashSessionOpened: _opened,
    CashSessionClosed: _closed,
}
