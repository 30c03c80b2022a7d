"""Fees: what is owed and why, and how it is settled.

The ledger only grows. Each line has a signed amount in minor units: a charge adds to what is owed,
a payment, waiver or cancellation takes from it, a refund pays a credit out, a reversal takes one of
those back. The balance is the sum.
"""

from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from lendery.contracts.base import (
    Amount,
    Event,
    Input,
    Line,
    Money,
    NotFound,
    Page,
    Problem,
    RequestKey,
    Value,
    Window,
)
from lendery.contracts.permissions import Actor

LineKind = Literal["charge", "payment", "waiver", "cancellation", "refund", "write-off", "reversal"]
ChargeReason = Literal["late", "hold", "lost", "lost-fee", "damaged", "card", "other"]
Method = Literal["cash", "card", "transfer"]
# What a desk is called in its branch: front, children-2. FRONT and front are one desk.
DeskName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", max_length=64),
    AfterValidator(str.lower),
]


class LedgerLine(Value):
    """One line of the ledger. `fine_id` is the charge that it settles; null: none in particular.

    `settlement_id` is shared by the lines of one payment. A reversal takes `reverses` back.
    """

    id: UUID
    patron_id: UUID | None
    kind: LineKind
    amount: Money
    reason: ChargeReason | None = None
    method: Method | None = None
    note: str | None = None
    fine_id: UUID | None = None
    settlement_id: UUID | None = None
    loan_id: UUID | None = None
    hold_id: UUID | None = None
    at: datetime
    by: UUID | None = None
    reverses: UUID | None = None


class Fine(Value):
    """A charge, and what of it is still owed.

    `event_id` is told by a waiver: what `POST /undo` takes.
    """

    id: UUID
    patron_id: UUID | None
    reason: ChargeReason
    amount: Money
    outstanding: Money
    loan_id: UUID | None = None
    hold_id: UUID | None = None
    book_id: UUID | None = None
    note: str | None = None
    charged_at: datetime
    event_id: UUID | None = None


class Accruing(Value):
    """What a late loan will cost if it comes back now. Not owed yet.

    `branch_id`: where the copy lives, whose clock and calendar count.
    """

    loan_id: UUID
    book_id: UUID
    branch_id: UUID | None = None
    due_at: datetime
    amount: Money


class Account(Value):
    """`balance` is the sum of all lines: above zero is owed, below zero is credit.

    `fines` are those still open, oldest first; `items` the lines, newest first.
    """

    patron_id: UUID
    balance: Money
    owed: Money
    credit: Money
    accruing: list[Accruing] = []
    fines: list[Fine] = []
    items: list[LedgerLine] = []
    next_cursor: str | None = None


class NewCharge(Input):
    """A charge by hand; lateness and holds are charged by themselves."""

    patron_id: UUID
    amount: Amount
    reason: Literal["lost", "damaged", "card", "other"] = "other"
    note: Line | None = None


class NewPayment(Input):
    """Settles the oldest charges first, or those named, in their order.

    `desk` says in whose cash session it belongs; without it the one that the member of staff
    opened, or the only one that is open at the branch. Without `branch_id` it is the branch where
    the member of staff works.
    """

    patron_id: UUID
    amount: Amount
    method: Method = "cash"
    fine_ids: list[UUID] | None = None
    branch_id: UUID | None = None
    desk: DeskName | None = None


class NewWaiver(Input):
    """Without `amount` all that is still owed of it."""

    amount: Amount | None = None
    reason: Line


class NewWriteOff(Input):
    """Nobody will pay it any more. Without `amount` all that is still owed of it."""

    amount: Amount | None = None
    reason: Line


class Cancellation(Input):
    """The charge was wrong: all of it is taken back, and what was paid of it becomes credit."""

    reason: Line


class NewRefund(Input):
    """Pays a credit out; `branch_id` and `desk` as for a payment."""

    patron_id: UUID
    amount: Amount
    method: Method = "cash"
    reason: Line
    branch_id: UUID | None = None
    desk: DeskName | None = None


class Allocated(Value):
    fine_id: UUID
    amount: Money


class Owed(Value):
    patron_id: UUID
    amount: Money


class Payment(Value):
    """A payment that was taken, what it settled, and the balance after it.

    `event_id` is what `POST /undo` takes. `cash_session_id` null: no session was open.
    """

    id: UUID
    patron_id: UUID | None
    amount: Money
    method: Method
    allocated: list[Allocated]
    balance: Money
    at: datetime
    event_id: UUID | None = None
    cash_session_id: UUID | None = None


class Refund(Value):
    id: UUID
    patron_id: UUID | None
    amount: Money
    method: Method
    balance: Money
    at: datetime
    cash_session_id: UUID | None = None


class PaymentRefused(Problem):
    """Nothing was taken. `reason` says why as a code."""

    status = 409


class WaiverRefused(Problem):
    status = 409


class RefundRefused(Problem):
    status = 409


class ChargeRefused(Problem):
    status = 409


class NoSuchFine(NotFound):
    status = 404


class NoSuchPatron(NotFound):
    """Nobody with this id has an account."""

    status = 404


class FineCharged(Event):
    """`borrower` is a random token of this line, `branch_id` the desk of any line, if it was told.
    Amounts are minor units of `currency`."""

    about = "fine_id"
    fine_id: UUID
    borrower: UUID
    amount: int
    currency: str
    cause: ChargeReason
    loan_id: UUID | None = None
    hold_id: UUID | None = None
    by: UUID | None = None
    branch_id: UUID | None = None


class FinePaid(Event):
    """A line of a payment; `fine_id` null: it settles no charge in particular (credit).
    `cash_session_id`: in whose count it is, if a session was open at the desk."""

    about = "line_id"
    line_id: UUID
    borrower: UUID
    settlement_id: UUID
    fine_id: UUID | None
    amount: int
    currency: str
    method: Method
    by: UUID | None = None
    branch_id: UUID | None = None
    cash_session_id: UUID | None = None


class FineWaived(Event):
    about = "line_id"
    line_id: UUID
    borrower: UUID
    fine_id: UUID
    amount: int
    currency: str
    by: UUID | None = None
    branch_id: UUID | None = None


class FineWrittenOff(Event):
    about = "line_id"
    line_id: UUID
    borrower: UUID
    fine_id: UUID
    amount: int
    currency: str
    by: UUID | None = None
    branch_id: UUID | None = None


class FineCancelled(Event):
    about = "line_id"
    line_id: UUID
    borrower: UUID
    fine_id: UUID
    amount: int
    currency: str
    by: UUID | None = None
    branch_id: UUID | None = None


class CreditRefunded(Event):
    about = "line_id"
    line_id: UUID
    borrower: UUID
    amount: int
    currency: str
    method: Method
    by: UUID | None = None
    branch_id: UUID | None = None
    cash_session_id: UUID | None = None


class Fees(Protocol):
    """The ledger of each patron."""

    async def account(
        self, *, patron_id: UUID, window: Window, actor: Actor, now: datetime
    ) -> Account: ...
    async def fine(self, *, fine_id: UUID, actor: Actor) -> Fine: ...
    async def fines(self, *, patron_id: UUID, window: Window, actor: Actor) -> Page[Fine]:
        """Open and settled, newest first."""
        ...

    async def owed(self, *, patron_ids: list[UUID], actor: Actor) -> list[Owed]:
        """What each of them owes; of those who owe something."""
        ...

    async def charge(
        self, *, charge: NewCharge, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Fine: ...
    async def pay(
        self, *, payment: NewPayment, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Payment: ...
    async def waive(
        self,
        *,
        fine_id: UUID,
        waiver: NewWaiver,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> Fine: ...
    async def write_off(
        self,
        *,
        fine_id: UUID,
        write_off: NewWriteOff,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> Fine: ...
    async def cancel(
        self,
        *,
        fine_id: UUID,
        cancellation: Cancellation,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> Fine: ...
    async def refund(
        self, *, refund: NewRefund, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Refund: ...
