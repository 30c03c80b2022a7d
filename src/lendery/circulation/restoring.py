"""What a check-out or check-in had caused, looked at as it is now, and put back as it was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.copy_states import shown_status
from lendery.circulation.repository import holds, remembered, suspensions, undone
from lendery.circulation.reversing_money import Reversal
from lendery.circulation.suspending import lifted
from lendery.contracts.base import Event
from lendery.contracts.circulation import (
    Before,
    CopyKept,
    CopyWas,
    HoldRestored,
    HoldWas,
    ItemCheckedOut,
)
from lendery.platform.db import Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class PuttingBack:
    """`before` is what the event told. Whoever calls holds the locks of what is undone."""

    tx: Tx
    before: Before
    now: datetime
    by: UUID | None

    @property
    def reversal(self) -> Reversal:
        return Reversal(self.tx, self.by, self.now)

    async def charges(self) -> tuple[list[UUID], bool]:
        """The charges that are still open; and was anything of one settled?"""
        now = {charge: await self.reversal.charge_now(charge) for charge in self.before.lines}
        return [charge for charge, is_ in now.items() if is_ == "open"], "settled" in now.values()

    async def was_collected(self) -> bool:
        rows = [await holds.hold_by_id(self.tx, was.hold_id) for was in self.before.holds_were]
        return any(row is not None and row.state == "fulfilled" for row in rows)

    async def spare_is_gone(self, copy_id: UUID) -> bool:
        """Was the copy that had been kept for the reader, who took another, given or lent since?"""
        for was in self.before.holds_were:
            spare = was.copy_id
            row: Any = await holds.hold_by_id(self.tx, was.hold_id)
            if spare in (None, copy_id) or row.state != "fulfilled":
                continue
            free = {each.id for each in await holds.free_copies(self.tx, row.book_id)}
            if was.state == "ready" and spare not in free:
                return True
            if was.state == "in-transit" and await holds.given(self.tx, spare) is not None:
                return True
        return False

    async def put_back(self, copy_id: UUID, charges: list[UUID]) -> list[Write]:
        writes: list[Write] = []
        if self.before.copy_was is not None:
            await remembered.change_copy(self.tx, copy_id, **_columns(self.before.copy_was))
        for was in self.before.holds_were:
            row: Any = await holds.hold_by_id(self.tx, was.hold_id)
            if _still_where_it_was_taken(row, was, copy_id):
                writes += [undone.restoring(was), self.tx.announcement(self._restored(row, was))]
        for charge in charges:
            writes += await self.reversal.charge(charge)
        if self.before.suspended is not None:
            found = await suspensions.by_id(self.tx, self.before.suspended)
            if found is not None and found.ended_at is None:
                writes += lifted(self.tx, self.before.suspended, now=self.now, by=self.by)
        for line in self.before.refunds:
            writes += await self.reversal.cancellation(line)
        return writes

    def _restored(self, row: Any, was: HoldWas) -> HoldRestored:
        return HoldRestored(
            at=self.now,
            hold_id=was.hold_id,
            book_id=row.book_id,
            state=was.state,
            copy_id=was.copy_id,
            ready_at=was.ready_at,
            expires_on=was.expires_on,
            by=self.by,
            pickup_branch_id=row.pickup_branch_id,
        )

    async def kept_again(self, lent: ItemCheckedOut) -> list[Event]:
        """Other copies that are kept for the reader again: what they show is told too."""
        found: list[Event] = []
        for was in self.before.holds_were:
            if was.copy_id in (None, lent.copy_id) or was.state != "ready":
                continue
            spare: Any = was.copy_id
            status = await shown_status(self.tx, spare)
            told = CopyKept(at=self.now, copy_id=spare, book_id=lent.book_id, status=status)
            found.append(told)
        return found


def _columns(was: CopyWas) -> dict[str, Any]:
    return {
        "current_branch_id": was.branch_id,
        "in_transit_to": was.in_transit_to,
        "last_seen_at": was.seen_at,
        "lost": was.lost,
        "missing": was.missing,
        "claimed_returned": was.claimed_returned,
        "in_house_uses": was.in_house_uses,
    }


def _still_where_it_was_taken(row: Any, was: HoldWas, copy_id: UUID) -> bool:
    """A hold that went its own way since (cancelled, given another copy) is left alone."""
    if row is None or row.state in ("cancelled", "expired"):
        return False
    if row.state == "fulfilled":
        return True
    if row.state == "waiting":  # put back by the check-out
        return was.copy_id == copy_id
    return bool(row.given_copy_id == copy_id)
