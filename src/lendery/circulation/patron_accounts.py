"""How a patron's account stands: charges that are open, and what late loans will cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.house import House
from lendery.circulation.repository import ledger
from lendery.circulation.rules import ledger as ledger_rules
from lendery.contracts.base import Money
from lendery.contracts.circulation import Accruing, Fine, LedgerLine, Loan
from lendery.platform.db import Session


@dataclass(frozen=True)
class Standing:
    """`open` are the charges that still owe something, oldest first."""

    sums: ledger_rules.Standing
    open: tuple[Any, ...]

    @classmethod
    async def of(cls, session: Session, patron_id: UUID, *, free: int) -> "Standing":
        rows = await ledger.uneven_charges(session, patron_id)
        charges = [
            ledger_rules.ChargeSum(id=row.id, amount=row.amount, settled=int(row.settled))
            for row in rows
        ]
        sums = ledger_rules.standing(charges, int(free))
        return cls(sums, tuple(row for row in rows if row.id in sums.outstanding))

    @classmethod
    def settled(cls) -> "Standing":
        """Of nobody any more: retention cuts the link only where nothing is owed."""
        return cls(ledger_rules.standing([], 0), ())

    def fine(self, row: Any, *, book_id: UUID | None = None) -> Fine:
        """A charge with what of it is open."""
        return Fine(
            id=row.id,
            patron_id=row.patron_id,
            reason=row.reason,
            amount=Money(amount=row.amount, currency=row.currency),
            outstanding=Money(amount=self.sums.outstanding.get(row.id, 0), currency=row.currency),
            loan_id=row.loan_id,
            hold_id=row.hold_id,
            book_id=book_id,
            note=row.note,
            charged_at=row.at,
        )

    async def fines(self, session: Session, rows: Sequence[Any]) -> list[Fine]:
        loans = [row.loan_id for row in rows if row.loan_id]
        books = await ledger.books_of(session, loans) if loans else {}
        return [self.fine(row, book_id=books.get(row.loan_id)) for row in rows]


def line_value(row: Any) -> LedgerLine:
    return LedgerLine(
        id=row.id,
        patron_id=row.patron_id,
        kind=row.kind,
        amount=Money(amount=row.amount, currency=row.currency),
        reason=row.reason,
        method=row.method,
        note=row.note,
        fine_id=row.fine_id,
        settlement_id=row.settlement_id,
        loan_id=row.loan_id,
        hold_id=row.hold_id,
        at=row.at,
        by=row.by,
        reverses=row.reverses,
    )


async def accruing(
    session: Session, rows: Sequence[Any], *, house: House, currency: str, now: datetime
) -> dict[UUID, Accruing]:
    """What late loans would cost if they came back now, by loan; those that cost something."""
    late = [row for row in rows if row.returned_at is None and row.due_at < now]
    if not late:
        return {}
    charged = await ledger.charged_for(session, [row.id for row in late])
    prices = await ledger.prices(session, [row.copy_id for row in late])
    found = {}
    for row in late:
        price = prices.get(row.copy_id)
        amount = rules.fine_due(
            due_at=row.due_at,
            at=rules.late_until(now, row.claimed_at),
            policy=rules.Policy.from_json(row.policy),
            hours=house.hours_of(row.home_branch_id),
            price=price.price_amount if price and price.price_currency == currency else None,
            charged=charged.get(row.id, 0),
        )
        if amount:
            found[row.id] = Accruing(
                loan_id=row.id,
                book_id=row.book_id,
                branch_id=row.home_branch_id,
                due_at=row.due_at,
                amount=Money(amount=amount, currency=currency),
            )
    return found


async def with_accrued(
    session: Session, shown: Sequence[Loan], rows: Sequence[Any], **given: Any
) -> list[Loan]:
    """The loans, each late one with what it costs by now."""
    costs = await accruing(session, rows, **given)
    return [
        loan.model_copy(update={"accrued": costs[loan.id].amount}) if loan.id in costs else loan
        for loan in shown
    ]
