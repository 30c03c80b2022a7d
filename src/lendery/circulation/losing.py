"""Copies that are lost, and those that are found: what that does to loans and charges."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.charging import Charge, late_charge, price_of
from lendery.circulation.repository import ledger, loans, remembered, undone
from lendery.circulation.reversing_money import Cancelled, Reversal
from lendery.contracts.base import new_id
from lendery.contracts.circulation import CopyFound, CopyLost
from lendery.platform.db import Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class Loss:
    """A loan that ends because its copy is lost, and what is charged for it."""

    told: CopyLost
    charges: tuple[Charge, ...]

    def writes(self, tx: Tx) -> list[Write]:
        ended = undone.ending(self.told.loan_id, at=self.told.at, ended_as="lost")
        charged = [write for charge in self.charges for write in charge.writes(tx)]
        return [ended, tx.announcement(self.told), *charged]


def loss(
    loan: Any,
    copy: Any,
    *,
    charged: int,
    hours: rules.OpeningHours,
    currency: str,
    now: datetime,
    by: UUID | None,
    automatic: bool = False,
) -> Loss:
    """By the policy on the loan: its lateness so far, the price of the copy, and the fee."""
    told = CopyLost(
        at=now,
        copy_id=copy.id,
        book_id=copy.book_id,
        loan_id=loan.id,
        automatic=automatic,
        by=by,
    )
    price = price_of(copy, currency)
    late = late_charge(
        loan,
        price=price,
        charged=charged,
        hours=hours,
        currency=currency,
        until=now,
        now=now,
        by=by,
        branch_id=loan.home_branch_id,
    )
    more = [
        Charge(
            id=new_id(),
            patron_id=loan.patron_id,
            amount=amount,
            currency=currency,
            reason=reason,
            at=now,
            loan_id=loan.id,
            book_id=loan.book_id,
            by=by,
            branch_id=loan.home_branch_id,
        )
        for reason, amount in rules.lost_charges(price, rules.Policy.from_json(loan.policy))
    ]
    return Loss(told, (*([late] if late else []), *more))


@dataclass(frozen=True)
class Find:
    """A copy that was lost or missing is there; what was charged for it is `refunded`."""

    told: CopyFound
    refunded: tuple[Cancelled, ...] = ()

    @property
    def amount(self) -> int:
        return sum(each.told.amount for each in self.refunded)

    @property
    def refunds(self) -> tuple[UUID, ...]:
        return tuple(each.told.line_id for each in self.refunded)

    def writes(self, tx: Tx) -> list[Write]:
        back = [write for each in self.refunded for write in each.writes(tx)]
        return [tx.announcement(self.told), *back]


async def found(tx: Tx, copy: Any, *, now: datetime, by: UUID | None) -> Find | None:
    """None: it was neither lost nor missing. Whoever calls has locked the copy, and no queue yet:
    the patron who lost it is locked here.
    """
    if not (copy.lost or copy.missing):
        return None
    loan = await loans.last_loan(tx, copy.id) if copy.lost else None
    ended = loan is not None and loan.ended_as == "lost"
    told = CopyFound(
        at=now,
        copy_id=copy.id,
        book_id=copy.book_id,
        loan_id=loan.id if loan is not None and ended else None,
        by=by,
    )
    if loan is None or not ended or loan.patron_id is None:
        return Find(told)
    await remembered.lock_patron(tx, loan.patron_id)
    back = rules.given_back(rules.Policy.from_json(loan.policy))
    reversal = Reversal(tx, by, now)
    refunded = [
        await reversal.cancelled(row)
        for row in await ledger.charges_of_loan(tx, loan.id)
        if row.reason in back
    ]
    return Find(told, tuple(each for each in refunded if each is not None))
