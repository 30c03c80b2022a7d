"""Settling: paying, waiving, writing off, cancelling, paying back. Each adds lines, changes none.

The patron is locked first, so a fine that is paid at two desks at once is paid at one of them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.drawers import AtDesk
from lendery.circulation.models import TABLES
from lendery.circulation.patron_accounts import Standing
from lendery.circulation.repository import ledger, remembered
from lendery.circulation.rules import ledger as rules
from lendery.circulation.rules.cash import OpenSession
from lendery.contracts.base import Event, Money, Problem, RequestKey, new_id
from lendery.contracts.circulation import (
    Allocated,
    Cancellation,
    CreditRefunded,
    Fine,
    FineCancelled,
    FinePaid,
    FineWaived,
    FineWrittenOff,
    NewPayment,
    NewRefund,
    NewWaiver,
    NewWriteOff,
    NoSuchFine,
    NoSuchPatron,
    Payment,
    PaymentRefused,
    Refund,
    RefundRefused,
    WaiverRefused,
)
from lendery.contracts.permissions import Actor
from lendery.platform import idempotency
from lendery.platform.db import Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class Till:
    """One settlement in its transaction: who is at the desk, when, and under which key."""

    tx: Tx
    actor: Actor
    now: datetime
    key: RequestKey | None
    currency: str

    async def pay(self, payment: NewPayment) -> Payment | Problem:
        account, told = await self._opened(payment.patron_id)
        if told is not None:
            return Payment.model_validate({**told, "patron_id": payment.patron_id})
        named = payment.fine_ids or ()
        objection = rules.payment_objection(
            amount=payment.amount.amount,
            currency=payment.amount.currency,
            account=account.sums,
            library_currency=self.currency,
            named=named,
        )
        if objection:
            return await self._refused(PaymentRefused, objection)
        drawer = await self._at(payment).drawer(self.tx, payment.method, refusal="Not paid")
        if isinstance(drawer, tuple):
            return await self._refused(PaymentRefused, drawer)
        parts = rules.allocate(payment.amount.amount, account.sums, named)
        made = Payment(
            id=new_id(),
            patron_id=payment.patron_id,
            amount=payment.amount,
            method=payment.method,
            allocated=[
                Allocated(fine_id=part.charge_id, amount=self._money(part.amount)) for part in parts
            ],
            balance=self._money(account.sums.balance - payment.amount.amount),
            at=self.now,
            cash_session_id=drawer.id if drawer else None,
        )
        paid = [self._paid(payment, made.id, part, drawer) for part in parts]
        writes = [write for told in paid for write in self._settles(payment, told)]
        made = made.model_copy(update={"event_id": paid[0].id})
        await self._done(writes, made.model_dump(mode="json", exclude={"patron_id"}))
        return made

    def _at(self, wanted: NewPayment | NewRefund) -> AtDesk:
        return AtDesk(self.actor, wanted.branch_id, wanted.desk)

    def _paid(
        self,
        payment: NewPayment,
        settlement_id: UUID,
        part: rules.Part,
        drawer: OpenSession | None,
    ) -> FinePaid:
        return FinePaid(
            at=self.now,
            line_id=new_id(),
            borrower=new_id(),
            settlement_id=settlement_id,
            fine_id=part.charge_id,
            amount=part.amount,
            currency=self.currency,
            method=payment.method,
            by=self.actor.id,
            branch_id=drawer.branch_id if drawer else self._at(payment).branch,
            cash_session_id=drawer.id if drawer else None,
        )

    def _settles(self, payment: NewPayment, told: FinePaid) -> list[Write]:
        return self._line(
            told,
            id=told.line_id,
            borrower=told.borrower,
            patron_id=payment.patron_id,
            kind="payment",
            amount=-told.amount,
            method=payment.method,
            fine_id=told.fine_id,
            settlement_id=told.settlement_id,
            cash_session_id=told.cash_session_id,
        )

    async def waive(self, fine_id: UUID, waiver: NewWaiver) -> Fine | Problem:
        return await self._given_up(fine_id, waiver, FineWaived, "waiver")

    async def write_off(self, fine_id: UUID, write_off: NewWriteOff) -> Fine | Problem:
        return await self._given_up(fine_id, write_off, FineWrittenOff, "write-off")

    async def _given_up(
        self,
        fine_id: UUID,
        asked: NewWaiver | NewWriteOff,
        event: type[FineWaived] | type[FineWrittenOff],
        kind: str,
    ) -> Fine | Problem:
        row, account, told = await self._opened_for(fine_id)
        if told is not None:
            return account.fine(row).model_copy(update=_money_of(told))
        outstanding = account.sums.outstanding.get(fine_id, 0)
        wanted = asked.amount
        objection = rules.giving_up_objection(
            "Not waived" if kind == "waiver" else "Not written off",
            amount=wanted.amount if wanted else None,
            currency=wanted.currency if wanted else None,
            outstanding=outstanding,
            library_currency=self.currency,
        )
        if objection:
            return await self._refused(WaiverRefused, objection)
        amount = wanted.amount if wanted else outstanding
        return await self._lowered(row, account, event, kind, amount, asked.reason)

    async def cancel(self, fine_id: UUID, cancellation: Cancellation) -> Fine | Problem:
        """Takes back all of the charge that was not forgiven; a charge is cancelled once."""
        row, account, told = await self._opened_for(fine_id)
        if told is not None:
            return account.fine(row).model_copy(update=_money_of(told))
        if await ledger.is_cancelled(self.tx, fine_id):
            says = "Not cancelled: this charge was cancelled before."
            return await self._refused(WaiverRefused, ("cancelled-before", says))
        left = row.amount - await ledger.given_up(self.tx, fine_id)
        if left <= 0:
            says = "Not cancelled: all of this charge was waived or written off before."
            return await self._refused(WaiverRefused, ("nothing-owed", says))
        reason = cancellation.reason
        return await self._lowered(row, account, FineCancelled, "cancellation", left, reason)

    async def _lowered(
        self,
        row: Any,
        account: Standing,
        event: type[FineWaived] | type[FineWrittenOff] | type[FineCancelled],
        kind: str,
        amount: int,
        reason: str,
    ) -> Fine:
        line_id, borrower = new_id(), new_id()
        told = event(
            at=self.now,
            line_id=line_id,
            borrower=borrower,
            fine_id=row.id,
            amount=amount,
            currency=self.currency,
            by=self.actor.id,
            branch_id=self.actor.desk,
        )
        writes = self._line(
            told,
            id=line_id,
            borrower=borrower,
            patron_id=row.patron_id,
            kind=kind,
            amount=-amount,
            note=reason,
            fine_id=row.id,
        )
        left = max(0, account.sums.outstanding.get(row.id, 0) - amount)
        seen: dict[str, Any] = {"outstanding": self._money(left)}
        if kind == "waiver":
            seen["event_id"] = told.id
        fine = account.fine(row).model_copy(update=seen)
        kept = {"id", "outstanding", "event_id"}
        await self._done(writes, fine.model_dump(mode="json", include=kept))
        return fine

    async def refund(self, refund: NewRefund) -> Refund | Problem:
        account, told = await self._opened(refund.patron_id)
        if told is not None:
            return Refund.model_validate({**told, "patron_id": refund.patron_id})
        objection = rules.refund_objection(
            amount=refund.amount.amount,
            currency=refund.amount.currency,
            account=account.sums,
            library_currency=self.currency,
        )
        if objection:
            return await self._refused(RefundRefused, objection)
        drawer = await self._at(refund).drawer(self.tx, refund.method, refusal="Not refunded")
        if isinstance(drawer, tuple):
            return await self._refused(RefundRefused, drawer)
        amount, borrower = refund.amount.amount, new_id()
        made = Refund(
            id=new_id(),
            patron_id=refund.patron_id,
            amount=refund.amount,
            method=refund.method,
            balance=self._money(account.sums.balance + amount),
            at=self.now,
            cash_session_id=drawer.id if drawer else None,
        )
        told_all = CreditRefunded(
            at=self.now,
            line_id=made.id,
            borrower=borrower,
            amount=amount,
            currency=self.currency,
            method=refund.method,
            by=self.actor.id,
            branch_id=drawer.branch_id if drawer else self._at(refund).branch,
            cash_session_id=made.cash_session_id,
        )
        writes = self._line(
            told_all,
            id=made.id,
            borrower=borrower,
            patron_id=refund.patron_id,
            kind="refund",
            amount=amount,
            method=refund.method,
            note=refund.reason,
            cash_session_id=made.cash_session_id,
        )
        await self._done(writes, made.model_dump(mode="json", exclude={"patron_id"}))
        return made

    async def _opened(self, patron_id: UUID) -> tuple[Standing, Any]:
        """The account, nobody else settling anything on it, and what the key was told before."""
        if await remembered.lock_patron(self.tx, patron_id) is None:
            raise NoSuchPatron("Nobody with this id has an account.")
        till = await ledger.till(self.tx, patron_id=patron_id, key=self.key)
        told = idempotency.told_before(till, self.key)
        return await Standing.of(self.tx, patron_id, free=till.free), told

    async def _opened_for(self, fine_id: UUID) -> tuple[Any, Standing, Any]:
        row = await ledger.fine_by_id(self.tx, fine_id)
        if row is None or row.patron_id is None:
            raise NoSuchFine("There is no such fine.")
        account, told = await self._opened(row.patron_id)
        return row, account, told

    def _line(self, told: Event, **columns: Any) -> list[Write]:
        line = ledger.adding(**columns, currency=self.currency, at=self.now, by=self.actor.id)
        return [line, self.tx.announcement(told)]

    async def _refused(self, kind: type[Problem], objection: tuple[str, str]) -> Problem:
        code, says = objection
        refusal = kind(says, reason=code)
        if self.key is not None:
            await self.tx.write(idempotency.kept_refusal(TABLES, self.key, refusal, now=self.now))
        return refusal

    async def _done(self, writes: list[Write], answer: dict[str, Any]) -> None:
        if self.key is not None:
            writes.append(idempotency.kept(TABLES, self.key, answer, now=self.now))
        await self.tx.write(*writes)

    def _money(self, amount: int) -> Money:
        return Money(amount=amount, currency=self.currency)


def _money_of(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"outstanding": Money.model_validate(told["outstanding"])}
    if told.get("event_id"):
        found["event_id"] = UUID(told["event_id"])
    return found
