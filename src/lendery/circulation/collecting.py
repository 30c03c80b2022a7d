"""A copy goes out: what that does to holds.

Whoever takes any copy of a book has no need of a hold on it any more. A copy that was kept for
somebody else goes only where staff waive that, and then that reader waits again in the old place.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import hold_steps
from lendery.circulation.charging import Charge
from lendery.circulation.copy_states import status_now
from lendery.circulation.facts import hold_was
from lendery.circulation.hold_steps import Step
from lendery.circulation.repository import holds
from lendery.contracts.base import new_id
from lendery.contracts.circulation import CopyReleased, HoldWas
from lendery.platform.db import Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class Collected:
    """What a check-out does to holds: their `steps`, a copy that is `released`, and a fee."""

    steps: tuple[Step, ...] = ()
    released: CopyReleased | None = None
    fee: Charge | None = None

    @property
    def holds_were(self) -> tuple[HoldWas, ...]:
        return tuple(hold_was(step.row) for step in self.steps)

    @property
    def lines(self) -> tuple[UUID, ...]:
        return (self.fee.id,) if self.fee else ()

    def writes(self, tx: Tx) -> list[Write]:
        writes = [write for step in self.steps for write in step.writes(tx)]
        if self.released is not None:
            writes.append(tx.announcement(self.released))
        return writes + (self.fee.writes(tx) if self.fee else [])


async def collected(
    tx: Tx,
    copy: Any,
    *,
    loan_id: UUID,
    patron_id: UUID,
    fee: int,
    currency: str,
    by: UUID | None,
    branch_id: UUID,
    now: datetime,
) -> Collected:
    """What comes of it beside the loan. `copy` are the facts of the check-out, read under the
    lock of the book's queue."""
    steps: list[Step] = []
    if copy.kept_as is not None and copy.kept_as != copy.own_hold:
        kept = await holds.hold_by_id(tx, copy.kept_as)
        steps.append(hold_steps.put_back(kept, by=by, now=now))
    if copy.own_hold is None:
        return Collected(tuple(steps))
    own: Any = await holds.hold_by_id(tx, copy.own_hold)
    steps.append(hold_steps.fulfilled(own, loan_id=loan_id, now=now))
    spare, charge = None, None
    if own.given_copy_id not in (None, copy.id):
        spare = await released(tx, own.given_copy_id, book_id=own.book_id, now=now)
    if fee:
        charge = Charge(
            id=new_id(),
            patron_id=patron_id,
            amount=fee,
            currency=currency,
            reason="hold",
            at=now,
            hold_id=own.id,
            loan_id=loan_id,
            by=by,
            branch_id=branch_id,
        )
    return Collected(tuple(steps), spare, charge)


async def ended(tx: Tx, step: Step, *, now: datetime) -> list[Write]:
    """The writes of a hold that ends uncollected: a copy that stood ready for it is free."""
    writes, row = step.writes(tx), step.row
    if row.state == "ready":
        spare = await released(tx, row.given_copy_id, book_id=row.book_id, now=now)
        writes.append(tx.announcement(spare))
    return writes


async def released(tx: Tx, copy_id: UUID, *, book_id: UUID, now: datetime) -> CopyReleased:
    """A copy is kept for nobody any more, and what it is then."""
    status = await status_now(tx, copy_id, kept=False)
    return CopyReleased(at=now, copy_id=copy_id, book_id=book_id, status=status)
