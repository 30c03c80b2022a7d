"""A copy goes out: what that does to holds.

Whoever takes any copy of a book has no need of a hold on it any more. A copy that was kept for
somebody else goes only where staff waive that, and then that reader waits again in the old place.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import hold_steps
from lendery.circulation.charging import Charge
from lendery.circulation.copy_states import status_now
from lendery.circulation.hold_steps import Step
from lendery.circulation.repository import holds
from lendery.contracts.base import new_id
from lendery.contracts.circulation import CopyReleased
from lendery.platform.db import Tx
from lendery.platform.db.session import Write


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
) -> list[Write]:
    """The writes beside the loan's own. `copy` are the facts of the check-out, read under the
    lock of the book's queue."""
    writes: list[Write] = []
    if copy.kept_as is not None and copy.kept_as != copy.own_hold:
        kept = await holds.hold_by_id(tx, copy.kept_as)
        writes += hold_steps.put_back(kept, by=by, now=now).writes(tx)
    if copy.own_hold is None:
        return writes
    own: Any = await holds.hold_by_id(tx, copy.own_hold)
    writes += hold_steps.fulfilled(own, loan_id=loan_id, now=now).writes(tx)
    if own.given_copy_id not in (None, copy.id):
        writes.append(await released(tx, own.given_copy_id, book_id=own.book_id, now=now))
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
        writes += charge.writes(tx)
    return writes


async def ended(tx: Tx, step: Step, *, now: datetime) -> list[Write]:
    """The writes of a hold that ends uncollected: a copy that stood ready for it is free."""
    writes, row = step.writes(tx), step.row
    if row.state == "ready":
        writes.append(await released(tx, row.given_copy_id, book_id=row.book_id, now=now))
    return writes


async def released(tx: Tx, copy_id: UUID, *, book_id: UUID, now: datetime) -> Write:
    """Tells that a copy is kept for nobody any more, and what it is then."""
    status = await status_now(tx, copy_id, kept=False)
    told = CopyReleased(at=now, copy_id=copy_id, book_id=book_id, status=status)
    return tx.announcement(told)
