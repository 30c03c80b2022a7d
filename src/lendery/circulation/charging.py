"""Charges that circulation makes by itself: for lateness, and for holds that are collected."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.repository import ledger
from lendery.contracts.base import Money, new_id
from lendery.contracts.circulation import ChargeReason, Fine, FineCharged
from lendery.platform.db import Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class Charge:
    """A line to be posted. `loan` and `hold` say what for."""

    patron_id: UUID | None
    amount: int
    currency: str
    reason: ChargeReason
    at: datetime
    id: UUID
    loan_id: UUID | None = None
    hold_id: UUID | None = None
    book_id: UUID | None = None
    note: str | None = None
    by: UUID | None = None
    branch_id: UUID | None = None
    borrower: UUID = field(default_factory=new_id)

    @property
    def told(self) -> FineCharged:
        return FineCharged(
            at=self.at,
            fine_id=self.id,
            borrower=self.borrower,
            amount=self.amount,
            currency=self.currency,
            cause=self.reason,
            loan_id=self.loan_id,
            hold_id=self.hold_id,
            by=self.by,
            branch_id=self.branch_id,
        )

    @property
    def line(self) -> dict[str, Any]:
        """The line of the ledger, by column."""
        return {
            "id": self.id,
            "patron_id": self.patron_id,
            "borrower": self.borrower,
            "kind": "charge",
            "amount": self.amount,
            "currency": self.currency,
            "reason": self.reason,
            "note": self.note,
            "loan_id": self.loan_id,
            "hold_id": self.hold_id,
            "at": self.at,
            "by": self.by,
        }

    def writes(self, tx: Tx) -> list[Write]:
        return [ledger.adding(**self.line), tx.announcement(self.told)]

    @property
    def fine(self) -> Fine:
        """As the desk hears of it."""
        money = Money(amount=self.amount, currency=self.currency)
        return Fine(
            id=self.id,
            patron_id=self.patron_id,
            reason=self.reason,
            amount=money,
            outstanding=money,
            loan_id=self.loan_id,
            hold_id=self.hold_id,
            book_id=self.book_id,
            note=self.note,
            charged_at=self.at,
        )


def late_charge(
    loan: Any,
    *,
    price: int | None,
    charged: int,
    hours: rules.OpeningHours,
    currency: str,
    until: datetime,
    now: datetime,
    by: UUID | None,
    branch_id: UUID | None,
) -> Charge | None:
    """What the lateness of a loan costs up to `until`, by the policy on it; None: nothing."""
    amount, until = 0, rules.late_until(until, loan.claimed_at)
    if until > loan.due_at:
        amount = rules.fine_due(
            due_at=loan.due_at,
            at=until,
            policy=rules.Policy.from_json(loan.policy),
            hours=hours,
            price=price,
            charged=int(charged),
        )
    if not amount:
        return None
    return Charge(
        id=new_id(),
        patron_id=loan.patron_id,
        amount=amount,
        currency=currency,
        reason="late",
        at=now,
        loan_id=loan.id,
        book_id=loan.book_id,
        by=by,
        branch_id=branch_id,
    )


def price_of(copy: Any, currency: str) -> int | None:
    """What the copy costs, where that is known in the library's own money."""
    return copy.price_amount if copy.price_currency == currency else None
