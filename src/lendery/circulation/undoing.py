"""Undoing a check-out, a check-in, a payment or a waiver: by the locks of what is undone.

Nothing is taken out of the log or the ledger. Events that compensate are added to the one, lines
that reverse to the other. What was undone is noted, so that nobody undoes it a second time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.copy_states import shown_status
from lendery.circulation.drawers import AtDesk
from lendery.circulation.repository import holds, ledger, loans, remembered, undone
from lendery.circulation.restoring import PuttingBack
from lendery.circulation.reversing_money import Reversal
from lendery.contracts.base import Event, Money
from lendery.contracts.circulation import (
    Before,
    CheckInUndone,
    CheckOutUndone,
    DeskName,
    FinePaid,
    FineWaived,
    ItemCheckedIn,
    ItemCheckedOut,
    NoSuchEvent,
    Undone,
    UndoRefused,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx
from lendery.platform.db.session import Write

NOTHING = Before()


@dataclass(frozen=True)
class UndoDesk:
    """`minutes`: so long after it happened something can be undone."""

    db: Database
    currency: str = "EUR"
    minutes: int = 15

    async def undo(
        self,
        *,
        event_id: UUID,
        actor: Actor,
        now: datetime,
        branch_id: UUID | None = None,
        desk: DeskName | None = None,
    ) -> Undone:
        actor.must(Permission.UNDO)
        async with self.db.begin() as tx:
            happened = await _event(tx, event_id)
            work = Undoing(tx, actor, now, self.minutes, self.currency)
            match happened:
                case ItemCheckedOut():
                    return await work.check_out(happened)
                case ItemCheckedIn():
                    return await work.check_in(happened)
                case FinePaid():
                    return await work.payment(happened, AtDesk(actor, branch_id, desk))
                case FineWaived():
                    return await work.waiver(happened)
        says = "Not undone: only check-outs, check-ins, payments and waivers can be undone."
        raise UndoRefused(says, reason="not-undoable")


async def _event(tx: Tx, event_id: UUID) -> Event:
    row = await undone.event(tx, event_id)
    if row is None:
        raise NoSuchEvent("Nothing with this id ever happened here.")
    return Event.load(row.name, {**row.body, "id": row.id, "at": row.at})


@dataclass(frozen=True)
class Undoing:
    """One correction in its transaction: who asks for it, and when."""

    tx: Tx
    actor: Actor
    now: datetime
    minutes: int
    currency: str

    @property
    def by(self) -> UUID | None:
        return self.actor.id

    def _putting_back(self, before: Before) -> PuttingBack:
        return PuttingBack(self.tx, before, self.now, self.by)

    @property
    def reversal(self) -> Reversal:
        return Reversal(self.tx, self.by, self.now, self.actor.desk)

    async def check_out(self, lent: ItemCheckedOut) -> Undone:
        """The loan never was; who waited, and whom the copy was kept for, stand as before."""
        loan: Any = await loans.loan_by_id(self.tx, lent.loan_id)
        before = lent.before or NOTHING
        spares = [was.copy_id for was in before.holds_were if was.copy_id]
        book_id = await self._locked(lent.copy_id, loan.patron_id, *spares)
        if (told := await self._told(lent.id)) is not None:
            return told
        loan, back = await loans.loan_by_id(self.tx, lent.loan_id), self._putting_back(before)
        open_charges, settled = await back.charges()
        facts = rules.SinceCheckOut(
            at=lent.at,
            now=self.now,
            minutes=self.minutes,
            is_open=loan.returned_at is None,
            renewals=loan.renewals,
            fee_settled=settled,
            kept_copy_gone=await back.spare_is_gone(lent.copy_id),
        )
        _must(rules.undo_objection(rules.CHECK_OUT_UNDO_RULES, facts))
        writes = [undone.ending(loan.id, at=self.now, ended_as="undone")]
        writes += await back.put_back(lent.copy_id, open_charges)
        await self.tx.write(*writes)
        status = await shown_status(self.tx, lent.copy_id)
        undoing = CheckOutUndone(
            at=self.now,
            loan_id=loan.id,
            copy_id=lent.copy_id,
            book_id=book_id,
            undoes=lent.id,
            status=status,
            by=self.by,
            lent_at=lent.lent_at or lent.at,
            branch_id=lent.branch_id,
            category=lent.category,
        )
        answer = Undone(
            event_id=lent.id,
            what="check-out",
            at=self.now,
            loan_id=loan.id,
            copy_id=lent.copy_id,
            status=status,
        )
        return await self._done(lent.id, answer, undoing, await back.kept_again(lent))

    async def check_in(self, came: ItemCheckedIn) -> Undone:
        """The copy did not come in; its loan goes on, and nobody is given anything."""
        loan = came.loan_id and await loans.loan_by_id(self.tx, came.loan_id)
        book_id = await self._locked(came.copy_id, loan.patron_id if loan else None)
        if (told := await self._told(came.id)) is not None:
            return told
        back = self._putting_back(came.before or NOTHING)
        copy: Any = await remembered.lock_copy_by_id(self.tx, came.copy_id)
        out = await loans.open_loan(self.tx, copy_id=came.copy_id, key=None)
        open_charges, settled = await back.charges()
        facts = rules.SinceCheckIn(
            at=came.at,
            now=self.now,
            minutes=self.minutes,
            lent=out.id is not None,
            moved=copy.last_seen_at not in (came.at, came.returned_at) or came.before is None,
            flagged=copy.lost or copy.missing or copy.claimed_returned,
            collected=await back.was_collected(),
            charge_settled=settled,
        )
        _must(rules.undo_objection(rules.CHECK_IN_UNDO_RULES, facts))
        writes = [undone.going_on(came.loan_id)] if came.loan_id else []
        writes += await back.put_back(came.copy_id, open_charges)
        if writes:
            await self.tx.write(*writes)
        status = await shown_status(self.tx, came.copy_id)
        undoing = CheckInUndone(
            at=self.now,
            loan_id=came.loan_id,
            copy_id=came.copy_id,
            book_id=book_id,
            undoes=came.id,
            status=status,
            by=self.by,
            returned_at=came.returned_at,
            branch_id=came.branch_id,
        )
        answer = Undone(
            event_id=came.id,
            what="check-in",
            at=self.now,
            loan_id=came.loan_id,
            copy_id=came.copy_id,
            status=status,
        )
        return await self._done(came.id, answer, undoing)

    async def payment(self, paid: FinePaid, desk: AtDesk) -> Undone:
        """All of the payment that the event is a part of; the money goes back over the desk."""
        self.actor.must(Permission.SETTLE)
        line: Any = await ledger.line_by_id(self.tx, paid.line_id)
        await self._patron_locked(line)
        if (told := await self._told(paid.settlement_id)) is not None:
            return told
        writes, amount = await self.reversal.payment(paid, self.minutes, desk)
        return await self._settled(paid.id, paid.settlement_id, "payment", amount, writes)

    async def waiver(self, waived: FineWaived) -> Undone:
        self.actor.must(Permission.WAIVE)
        line: Any = await ledger.line_by_id(self.tx, waived.line_id)
        await self._patron_locked(line)
        if (told := await self._told(waived.id)) is not None:
            return told
        writes = await self.reversal.waiver(waived, self.minutes)
        return await self._settled(waived.id, waived.id, "waiver", waived.amount, writes)

    async def _settled(
        self, event_id: UUID, undone_id: UUID, what: Any, amount: int, writes: list[Write]
    ) -> Undone:
        money = Money(amount=amount, currency=self.currency)
        answer = Undone(event_id=event_id, what=what, at=self.now, amount=money)
        await self.tx.write(*writes)
        return await self._done(undone_id, answer)

    # the locks, in the order in which everybody takes them

    async def _locked(self, copy_id: UUID, patron_id: UUID | None, *more: UUID) -> UUID:
        """The copy and those beside it, the patron, and the queue of the book it is of now."""
        together = sorted({copy_id, *more})  # in one order, whoever locks them
        found = {each: await remembered.lock_copy_by_id(self.tx, each) for each in together}
        copy = found[copy_id]
        if copy is None:
            raise NoSuchEvent("The copy is not there any more.")
        if patron_id is not None:
            await remembered.lock_patron(self.tx, patron_id)
        await holds.lock_queue(self.tx, copy.book_id)
        book_id: UUID = copy.book_id
        return book_id

    async def _patron_locked(self, line: Any) -> None:
        if line.patron_id is None:
            says = "Not undone: nobody can say any more whose it was."
            raise UndoRefused(says, reason="nobody-knows-whose")
        await remembered.lock_patron(self.tx, line.patron_id)

    async def _told(self, undone_id: UUID) -> Undone | None:
        told = await undone.answer(self.tx, undone_id)
        return None if told is None else Undone.model_validate(told)

    async def _done(
        self, undone_id: UUID, answer: Undone, undoing: Event | None = None, more: Any = ()
    ) -> Undone:
        told = answer.model_dump(mode="json")
        await self.tx.write(undone.keeping(undone_id, at=self.now, by=self.by, answer=told))
        await self.tx.announce(*([undoing] if undoing else []), *more)
        return answer


def _must(objection: rules.UndoObjection | None) -> None:
    if objection is not None:
        raise UndoRefused(objection[1], reason=objection[0])
