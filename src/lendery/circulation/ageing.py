"""What is late for so long that its rules give it up: loans that end as lost, page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.losing import Loss, loss
from lendery.circulation.repository import ledger, lists, remembered, undone
from lendery.contracts.base import Event
from lendery.contracts.circulation import CopyFlagged
from lendery.platform.db import Database, Tx

LOOKED_AT = 1_000  # late loans that are read at a time
AT_ONCE = 200  # loans that end in one transaction
BEGINNING = datetime(1, 1, 1, tzinfo=UTC), UUID(int=0)


@dataclass(frozen=True)
class Ageing:
    """May run several times, also at once: what ended meanwhile is passed over."""

    db: Database
    keeper: HouseKeeper
    currency: str

    async def declare_lost(self, *, now: datetime) -> int:
        """Returns how many loans ended."""
        ended, after = 0, BEGINNING
        while True:
            async with self.db.read() as session:
                house = await self.keeper.now(session, now)
                page = await lists.late_now(session, now=now, after=after, most=LOOKED_AT)
            late = [row for row in page if _is_lost(row, house, now)]
            for start in range(0, len(late), AT_ONCE):
                async with self.db.begin() as tx:
                    ended += await self._end(tx, late[start : start + AT_ONCE], now)
            if len(page) < LOOKED_AT:
                return ended
            after = page[-1].due_at, page[-1].id

    async def _end(self, tx: Tx, late: list[Any], now: datetime) -> int:
        copies = await remembered.lock_copies(tx, [row.copy_id for row in late])
        house = await self.keeper.now(tx, now)
        still = [
            row
            for row in await lists.open_now(tx, [row.id for row in late])
            if row.claimed_at is None and row.copy_id in copies and _is_lost(row, house, now)
        ]
        if not still:
            return 0
        charged = await ledger.charged_for(tx, [row.id for row in still])
        losses = [
            loss(
                row,
                copies[row.copy_id],
                charged=charged.get(row.id, 0),
                hours=house.hours_of(row.home_branch_id),
                currency=self.currency,
                now=now,
                by=None,
                automatic=True,
            )
            for row in still
        ]
        given_up = [{"lost_id": each.told.copy_id} for each in losses]
        ends = [undone.ending(each.told.loan_id, at=now, ended_as="lost")[1] for each in losses]
        await tx.many(undone.END, ends)
        await tx.many(remembered.GIVEN_UP, given_up)
        await ledger.load(tx, [charge.line for each in losses for charge in each.charges])
        await tx.announce(*(event for each in losses for event in _told(each, copies)))
        return len(losses)


def _is_lost(row: Any, house: House, now: datetime) -> bool:
    if row.policy.get("lost_after") is None:
        return False
    policy, hours = rules.Policy.from_json(row.policy), house.hours_of(row.home_branch_id)
    return rules.is_lost(due_at=row.due_at, now=now, policy=policy, hours=hours)


def _told(lost: Loss, copies: dict[UUID, Any]) -> list[Event]:
    copy = copies[lost.told.copy_id]
    flagged = CopyFlagged(
        at=lost.told.at,
        copy_id=copy.id,
        book_id=copy.book_id,
        flag="lost",
        status="withdrawn" if copy.withdrawn else "lost",
    )
    return [flagged, lost.told, *(charge.told for charge in lost.charges)]
