"""Money that is taken back: payments, waivers, and charges of what was undone.

Whoever calls has locked the patron.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.drawers import AtDesk
from lendery.circulation.repository import ledger, undone
from lendery.circulation.rules.cash import OpenSession
from lendery.contracts.base import new_id
from lendery.contracts.circulation import (
    CancellationReversed,
    FineCancelled,
    FinePaid,
    FineWaived,
    PaymentReversed,
    UndoRefused,
    WaiverReversed,
)
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

ChargeNow = Literal["open", "settled", "cancelled"]


@dataclass(frozen=True)
class Cancelled:
    """A charge that is taken back."""

    told: FineCancelled
    patron_id: UUID | None

    def writes(self, tx: Tx) -> list[Write]:
        line = ledger.adding(
            id=self.told.line_id,
            borrower=self.told.borrower,
            patron_id=self.patron_id,
            kind="cancellation",
            amount=-self.told.amount,
            currency=self.told.currency,
            fine_id=self.told.fine_id,
            at=self.told.at,
            by=self.told.by,
        )
        return [line, tx.announcement(self.told)]


@dataclass(frozen=True)
class Reversal:
    """A correction of somebody's ledger, by whom and when."""

    tx: Tx
    by: UUID | None
    now: datetime
    branch_id: UUID | None = None  # where

    async def charge_now(self, charge_id: UUID) -> ChargeNow:
        """May the charge be taken back? Not where something of it was paid or waived."""
        row: Any = await ledger.fine_by_id(self.tx, charge_id)
        if await ledger.is_cancelled(self.tx, charge_id):
            return "cancelled"
        return "settled" if row.settled else "open"

    async def charge(self, charge_id: UUID) -> list[Write]:
        """The writes that cancel a charge of which nothing was settled."""
        back = await self.cancelled(await ledger.fine_by_id(self.tx, charge_id))
        return back.writes(self.tx) if back else []

    async def cancelled(self, charge: Any) -> "Cancelled | None":
        """All of a charge that was not forgiven is taken back; None: that was done before."""
        left = charge.amount - await ledger.given_up(self.tx, charge.id)
        if left <= 0 or await ledger.is_cancelled(self.tx, charge.id):
            return None
        told = FineCancelled(
            at=self.now,
            line_id=new_id(),
            borrower=new_id(),
            fine_id=charge.id,
            amount=left,
            currency=charge.currency,
            by=self.by,
            branch_id=self.branch_id,
        )
        return Cancelled(told, charge.patron_id)

    async def cancellation(self, line_id: UUID) -> list[Write]:
        """The writes by which a charge that was cancelled counts again."""
        return self._reversed(await ledger.line_by_id(self.tx, line_id))

    async def payment(self, paid: FinePaid, minutes: int, desk: AtDesk) -> tuple[list[Write], int]:
        """The writes that take a whole payment back, and how much it was.

        The money goes over the desk where it came, while that is open: a count is not changed.
        """
        lines = await undone.lines_of(self.tx, paid.settlement_id)
        back: Counter[UUID | None] = Counter()
        for line in lines:
            back[line.fine_id] -= line.amount
        patron_id = lines[0].patron_id
        till = await ledger.till(self.tx, patron_id=patron_id, key=None)
        charges = [
            rules.ChargeSum(id=row.id, amount=row.amount, settled=int(row.settled))
            for row in await ledger.uneven_charges(self.tx, patron_id)
        ]
        paid_out = rules.overdrawn(charges, int(till.free), back)
        self._must(rules.SinceSettled(at=paid.at, now=self.now, minutes=minutes, paid_out=paid_out))
        drawer = await desk.drawer(
            self.tx, paid.method, refusal="Not undone", was=paid.cash_session_id
        )
        if isinstance(drawer, tuple):
            raise UndoRefused(drawer[1], reason=drawer[0])
        return [write for line in lines for write in self._reversed(line, drawer)], back.total()

    async def waiver(self, waived: FineWaived, minutes: int) -> list[Write]:
        """The writes that take a waiver back."""
        line = await ledger.line_by_id(self.tx, waived.line_id)
        cancelled = await ledger.is_cancelled(self.tx, waived.fine_id)
        self._must(
            rules.SinceSettled(at=waived.at, now=self.now, minutes=minutes, cancelled=cancelled)
        )
        return self._reversed(line)

    def _must(self, facts: rules.SinceSettled) -> None:
        if objection := rules.undo_objection(rules.SETTLEMENT_UNDO_RULES, facts):
            raise UndoRefused(objection[1], reason=objection[0])

    def _reversed(self, line: Any, drawer: OpenSession | None = None) -> list[Write]:
        """A line that takes another back, of a payment, a waiver or a cancellation."""
        of: dict[str, Any] = {
            "at": self.now,
            "line_id": new_id(),
            "borrower": new_id(),
            "reverses": line.id,
            "fine_id": line.fine_id,
            "amount": -line.amount,
            "currency": line.currency,
            "by": self.by,
            "branch_id": drawer.branch_id if drawer else self.branch_id,
        }
        session_id = drawer.id if drawer else None
        told: PaymentReversed | WaiverReversed | CancellationReversed
        if line.kind == "payment":
            of |= {"settlement_id": line.settlement_id, "method": line.method}
            told = PaymentReversed(**of, cash_session_id=session_id)
        elif line.kind == "waiver":
            told = WaiverReversed(**of)
        else:
            told = CancellationReversed(**of)
        added = ledger.adding(
            id=told.line_id,
            borrower=told.borrower,
            patron_id=line.patron_id,
            kind="reversal",
            amount=told.amount,
            currency=told.currency,
            method=line.method,
            fine_id=line.fine_id,
            settlement_id=line.settlement_id,
            reverses=line.id,
            at=self.now,
            by=self.by,
            cash_session_id=session_id,
        )
        return [added, self.tx.announcement(told)]
