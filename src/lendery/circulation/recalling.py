"""Calling loans back: for somebody who waits while all copies are out, or for staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.facts import loan_value
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.repository import holds, loans, recalls, remembered
from lendery.contracts.circulation import (
    HoldPlaced,
    Loan,
    LoanRecalled,
    NoSuchLoan,
    RecallRefused,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx


async def recall_for(tx: Tx, placed: HoldPlaced) -> None:
    """One loan is called back for a hold for which there is no copy.

    Not while a copy is free, nor where as many were called back as there are readers waiting.
    Copies are locked before the queue, so the loan is chosen first, and looked at again then.
    """
    out = await recalls.out(tx, placed.book_id, placed.copy_id)
    if all(each.policy.get("recall_after") is None for each in out):
        return  # as in most libraries: then the house need not be read
    house = await HouseKeeper().now(tx, placed.at)
    chosen = await _chosen(tx, placed, house)
    if chosen is None:
        return
    copy = await remembered.lock_copy_of_loan(tx, chosen.loan_id)
    if copy is None:
        return
    await holds.lock_queue(tx, copy.book_id)
    hold = await holds.hold_by_id(tx, placed.hold_id)
    if hold is None or hold.state != "waiting" or await _chosen(tx, placed, house) != chosen:
        return
    await _call_back(tx, chosen, copy_id=copy.id, hold_id=placed.hold_id, by=None, now=placed.at)


async def _chosen(tx: Tx, placed: HoldPlaced, house: House) -> rules.Recallable | None:
    free = await holds.free_copies(tx, placed.book_id)
    if any(placed.copy_id in (None, each.id) for each in free):
        return None
    out = await recalls.out(tx, placed.book_id, placed.copy_id)
    called = sum(each.recalled_at is not None for each in out)
    waiting = 1 if placed.copy_id else await recalls.waiting_for(tx, placed.book_id)
    if called >= waiting:
        return None
    found = (_recallable(each, house, placed.at) for each in out if each.recalled_at is None)
    return rules.called_back([each for each in found if each is not None])


def _recallable(loan: Any, house: House, now: datetime) -> rules.Recallable | None:
    due_at = rules.recalled_due_at(
        lent_at=loan.lent_at,
        due_at=loan.due_at,
        now=now,
        policy=rules.Policy.from_json(loan.policy),
        hours=house.hours_of(loan.home_branch_id),
    )
    if due_at is None:
        return None
    return rules.Recallable(loan_id=loan.id, lent_at=loan.lent_at, due_at=due_at)


async def _call_back(
    tx: Tx,
    chosen: rules.Recallable,
    *,
    copy_id: UUID,
    hold_id: UUID | None,
    by: UUID | None,
    now: datetime,
) -> None:
    told = LoanRecalled(
        at=now,
        loan_id=chosen.loan_id,
        copy_id=copy_id,
        due_at=chosen.due_at,
        hold_id=hold_id,
        by=by,
    )
    called = recalls.recalling(chosen.loan_id, due_at=chosen.due_at, at=now)
    await tx.write(called, tx.announcement(told))


@dataclass(frozen=True)
class RecallDesk:
    db: Database
    keeper: HouseKeeper

    async def recall(self, *, loan_id: UUID, actor: Actor, now: datetime) -> Loan:
        """By staff, whether somebody waits or not. Called back twice it stays called back."""
        actor.must(Permission.LEND)
        async with self.db.begin() as tx:
            copy = await remembered.lock_copy_of_loan(tx, loan_id)
            row = await loans.loan_by_id(tx, loan_id)
            if copy is None or row is None:
                raise NoSuchLoan("There is no such loan.")
            if row.returned_at is not None:
                says = "Not recalled: this loan has ended."
                raise RecallRefused(says, reason="not-on-loan")
            if row.recalled_at is None:
                chosen = _recallable(row, await self.keeper.now(tx, now), now)
                if chosen is None:
                    says = "Not recalled: by its rules it cannot be due any sooner."
                    raise RecallRefused(says, reason="not-sooner")
                await _call_back(tx, chosen, copy_id=copy.id, hold_id=None, by=actor.id, now=now)
                row = await loans.loan_by_id(tx, loan_id)
        return loan_value(row, now)
