"""Undoing: what a desk did by mistake is reversed, with all that it caused.

Nothing is taken out of the log: what undoes is told by events of its own.
"""

from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from lendery.contracts.base import Event, Input, Money, NotFound, Problem, Value
from lendery.contracts.catalog import CopyStatus
from lendery.contracts.circulation.holds import HoldState
from lendery.contracts.circulation.money import DeskName, Method
from lendery.contracts.permissions import Actor

UndoneKind = Literal["check-out", "check-in", "payment", "waiver"]


class Undo(Input):
    """`event_id` as the answer to the check-out, check-in, payment or waiver told it.

    `branch_id` and `desk` say over which desk a payment is given back. Without them it is where it
    was taken, if that session is open or another at the same desk; else as for a payment.
    """

    event_id: UUID
    branch_id: UUID | None = None
    desk: DeskName | None = None


class Undone(Value):
    """What was undone. `status` is what the copy shows now, `amount` the money that is open again.

    Whoever asks again gets the same answer, and nothing happens twice.
    """

    event_id: UUID
    what: UndoneKind
    at: datetime
    loan_id: UUID | None = None
    copy_id: UUID | None = None
    status: CopyStatus | None = None
    amount: Money | None = None


class CopyWas(Value):
    """A copy before it was seen at a desk."""

    branch_id: UUID | None
    in_transit_to: UUID | None = None
    seen_at: datetime | None = None
    lost: bool = False
    missing: bool = False
    claimed_returned: bool = False
    in_house_uses: int = 0


class HoldWas(Value):
    """A hold before a check-out or check-in took it a step further."""

    hold_id: UUID
    state: HoldState
    copy_id: UUID | None = None
    ready_at: datetime | None = None
    expires_on: date | None = None


class Before(Value):
    """What undoing puts back: copy and holds as they were; and the `lines` that were posted.

    `lines` are charges, `refunds` cancellations of older charges, `suspended` a suspension.
    """

    copy_was: CopyWas | None = None
    holds_were: tuple[HoldWas, ...] = ()
    lines: tuple[UUID, ...] = ()
    refunds: tuple[UUID, ...] = ()
    suspended: UUID | None = None


class NoSuchEvent(NotFound):
    """Nothing with this id ever happened here."""

    status = 404


class UndoRefused(Problem):
    """It is too late, or something was built on it since. `reason` says what as a code."""

    status = 409


class CheckOutUndone(Event):
    """The loan never was. `undoes` is the event of the check-out, which was `lent_at` then, at
    that branch to somebody of that category."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    book_id: UUID
    undoes: UUID
    status: CopyStatus
    by: UUID | None = None
    lent_at: datetime | None = None
    branch_id: UUID | None = None
    category: str | None = None


class CheckInUndone(Event):
    """The copy did not come in: its loan, if it had one, goes on as it was. It was taken for
    returned then, at that branch."""

    about = "copy_id"
    loan_id: UUID | None
    copy_id: UUID
    book_id: UUID
    undoes: UUID
    status: CopyStatus
    by: UUID | None = None
    returned_at: datetime | None = None
    branch_id: UUID | None = None


class HoldRestored(Event):
    """A hold is what it was before the check-out or check-in that was undone."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    state: HoldState
    copy_id: UUID | None
    ready_at: datetime | None
    expires_on: date | None
    by: UUID | None = None
    pickup_branch_id: UUID | None = None


class CopyKept(Event):
    """A copy stands on the hold shelf again, for the reader it was kept for before."""

    about = "copy_id"
    copy_id: UUID
    book_id: UUID
    status: CopyStatus


class PaymentReversed(Event):
    """A line that takes back `reverses`, a line of the payment `settlement_id`."""

    about = "line_id"
    line_id: UUID
    borrower: UUID
    reverses: UUID
    settlement_id: UUID
    fine_id: UUID | None
    amount: int
    currency: str
    method: Method
    by: UUID | None = None
    branch_id: UUID | None = None
    cash_session_id: UUID | None = None


class WaiverReversed(Event):
    """A line that takes back `reverses`, a waiver: so much is owed again."""

    about = "line_id"
    line_id: UUID
    borrower: UUID
    reverses: UUID
    fine_id: UUID
    amount: int
    currency: str
    by: UUID | None = None
    branch_id: UUID | None = None


class CancellationReversed(Event):
    """A line that takes back `reverses`, a cancellation: the charge counts again."""

    about = "line_id"
    line_id: UUID
    borrower: UUID
    reverses: UUID
    fine_id: UUID
    amount: int
    currency: str
    by: UUID | None = None
    branch_id: UUID | None = None


class Corrections(Protocol):
    async def undo(
        self,
        *,
        event_id: UUID,
        actor: Actor,
        now: datetime,
        branch_id: UUID | None = None,
        desk: DeskName | None = None,
    ) -> Undone:
        """Reverses a check-out, check-in, payment or waiver, if nothing was built on it."""
        ...
