"""In whose count money goes that is taken or given back at a desk; and sessions as values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lendery.circulation import models
from lendery.circulation.repository import cash, house
from lendery.circulation.rules import cash as rules
from lendery.circulation.rules.ledger import MoneyObjection
from lendery.contracts.base import Invalid, Money
from lendery.contracts.circulation import CashSession, CashTotal, Method
from lendery.contracts.permissions import Actor
from lendery.platform.db import Session, Tx

ORDER = {"payment": 0, "refund": 1, "reversal": 2, "cash": 0, "card": 1, "transfer": 2}


@dataclass(frozen=True)
class AtDesk:
    """Who settles something, and what they said of where they are."""

    actor: Actor
    branch_id: UUID | None = None
    desk: str | None = None

    @property
    def branch(self) -> UUID | None:
        return self.branch_id or self.actor.desk

    async def drawer(
        self, tx: Tx, method: Method, *, refusal: str, was: UUID | None = None
    ) -> rules.OpenSession | MoneyObjection | None:
        """The session that it belongs to, open until the transaction ends; None: to none.

        `was` is the session from which money goes back. Raises Invalid for a branch there is not.
        """
        if self.branch_id is not None:
            await must_be_a_branch(tx, self.branch_id)
        before = await cash.by_id(tx, was) if was else None
        at = rules.AtTheDesk(
            by=self.actor.id,
            works_at=self.actor.desk,
            branch_id=self.branch_id,
            desk=self.desk,
            was=(before.branch_id, before.desk) if before else None,
        )
        while True:
            rows = await cash.open_sessions(tx)
            found = rules.drawer_for([_open(row) for row in rows], at, method, refusal=refusal)
            if not isinstance(found, rules.OpenSession) or await cash.hold(tx, found.id):
                return found
            # It was closed at this moment: perhaps another was opened.


def _open(row: Any) -> rules.OpenSession:
    return rules.OpenSession(id=row.id, branch_id=row.branch_id, desk=row.desk, by=row.opened_by)


async def must_be_a_branch(session: Session, branch_id: UUID) -> Any:
    """Its row. Raises Invalid where there is no such branch."""
    row = await house.find(session, models.branch, branch_id)
    if row is None:
        says = "There is no such branch."
        raise Invalid(says, errors=[{"pointer": "#/branch_id", "says": says}])
    return row


def sums(rows: Iterable[Any]) -> list[rules.Sum]:
    """The rows of `cash.totals`."""
    return [
        rules.Sum(kind=row.kind, method=row.method, count=row.lines, amount=int(row.amount))
        for row in rows
    ]


def told(found: Iterable[rules.Sum], currency: str) -> list[CashTotal]:
    """Payments first, and cash first."""
    return [
        CashTotal(
            kind=each.kind,
            method=each.method,
            count=each.count,
            amount=Money(amount=each.amount, currency=currency),
        )
        for each in sorted(found, key=lambda each: (ORDER[each.kind], ORDER[each.method]))
    ]


async def whole(session: Session, rows: Sequence[Any]) -> list[CashSession]:
    """Each with its totals."""
    found = await cash.totals(session, [row.id for row in rows])
    return [value(row, sums(found.get(row.id, ()))) for row in rows]


def value(row: Any, found: Sequence[rules.Sum]) -> CashSession:
    def money(amount: int) -> Money:
        return Money(amount=amount, currency=row.currency)

    expected = row.opening_float + rules.in_cash(found)
    closed = row.closed_at is not None
    return CashSession(
        id=row.id,
        branch_id=row.branch_id,
        desk=row.desk,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        opening_float=money(row.opening_float),
        totals=told(found, row.currency),
        expected=money(row.expected if closed else expected),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        counted=money(row.counted) if closed else None,
        difference=money(row.counted - row.expected) if closed else None,
    )
