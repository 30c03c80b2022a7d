"""Two books that are one: their copies, their queues and what is out become one too.

Places in a queue go by when a hold was placed, so two queues become one by themselves.
"""

from typing import Any
from uuid import UUID

from lendery.circulation.repository import merged, remembered
from lendery.contracts.catalog import BareCopy, BookMerged, BookUnmerged
from lendery.contracts.circulation import HoldMoved, LoanMoved
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

Happened = BookMerged | BookUnmerged


async def follow_merge(tx: Tx, event: BookMerged, told: list[BareCopy]) -> None:
    """Who waited for the one waits for the other, in the order in which they came."""
    loser, winner = event.book_id, event.into
    await merged.lock_both(tx, event.copy_ids, loser, winner)
    writes = await _copies(tx, event, told, to=winner)
    for row in await merged.open_holds(tx, loser):
        writes += _hold(tx, row, winner, row.asked_for or loser, event)
    await tx.write(*writes) if writes else None


async def follow_undo(tx: Tx, event: BookUnmerged, told: list[BareCopy]) -> None:
    """Who came for it before the merge waits for it again; who is kept a copy goes with that."""
    loser, winner = event.book_id, event.into
    await merged.lock_both(tx, event.copy_ids, loser, winner)
    writes = await _copies(tx, event, told, to=loser)
    for row in await merged.holds_going_back(
        tx, winner, asked_for=(loser, *event.before), copy_ids=event.copy_ids
    ):
        asked_for = None if row.asked_for == loser else row.asked_for or winner
        writes += _hold(tx, row, loser, asked_for, event)
    await tx.write(*writes) if writes else None


async def _copies(tx: Tx, event: Happened, told: list[BareCopy], *, to: UUID) -> list[Write]:
    for copy in told:
        await remembered.remember_copy(tx, copy)
    writes: list[Write] = []
    for row in await merged.move_copies(tx, event.copy_ids, to=to):
        says = LoanMoved(loan_id=row.id, copy_id=row.copy_id, book_id=to, at=event.at)
        writes += [merged.moved_loan(row.id, to=to), tx.announcement(says)]
    return writes


def _hold(tx: Tx, row: Any, to: UUID, asked_for: UUID | None, event: Happened) -> list[Write]:
    says = HoldMoved(hold_id=row.id, book_id=row.book_id, into=to, asked_for=asked_for, at=event.at)
    return [merged.moved_hold(row.id, to=to, asked_for=asked_for), tx.announcement(says)]
