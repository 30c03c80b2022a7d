"""Why somebody waits: the queue and the shelves as they are, asked for one hold."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import filling, rules
from lendery.circulation.facts import FreeCopy
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.repository import holds, recalls, waits
from lendery.circulation.waiting_times import WaitingTimes, expected
from lendery.contracts.base import NotAllowed
from lendery.contracts.circulation import HoldExpected, HoldNotWaiting, NoSuchHold, WhyNotYet
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session


@dataclass(frozen=True)
class QueueView:
    db: Database
    times: WaitingTimes
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def expected(
        self, *, hold_ids: list[UUID], actor: Actor, now: datetime
    ) -> list[HoldExpected]:
        actor.must(Permission.PLACE_HOLDS)
        if not hold_ids:
            return []
        experience = await self.times.experience(now)
        async with self.db.read() as session:
            rows = await waits.places(session, hold_ids)
            if not actor.may(Permission.MANAGE_HOLDS) and (
                {row.patron_id for row in rows} - {actor.id} or len(rows) < len(set(hold_ids))
            ):
                raise NotAllowed("You can see your own holds only.")
            house = await self.keeper.now(session, now)
        return [
            HoldExpected(hold_id=row.id, expected=expected(row, experience, house, now))
            for row in rows
            if row.state == "waiting"
        ]

    async def why(self, *, hold_id: UUID, actor: Actor, now: datetime) -> WhyNotYet:
        actor.must(Permission.PLACE_HOLDS)
        experience = await self.times.experience(now)
        async with self.db.read() as session:
            row = await holds.hold_by_id(session, hold_id)
            if not actor.may(Permission.MANAGE_HOLDS) and (
                row is None or row.patron_id != actor.id
            ):
                raise NotAllowed("You can see your own holds only.")
            if row is None:
                raise NoSuchHold("There is no such hold.")
            if row.state != "waiting":
                raise HoldNotWaiting("This hold does not wait any more.", state=row.state)
            house = await self.keeper.now(session, now)
            (place,) = await waits.places(session, [hold_id])
            likely = expected(place, experience, house, now)
            told = await self._why(session, row, house, now)
        return told.model_copy(update={"expected": likely})

    async def _why(self, session: Session, row: Any, house: House, now: datetime) -> WhyNotYet:
        queue = await holds.queue(session, row.book_id, most=row.position)
        mine = next((each for each in queue if each.id == row.id), queue[-1])
        copies = await holds.copies_of_book(session, row.book_id)
        free = [FreeCopy.of(each) for each in await holds.free_copies(session, row.book_id)]
        filled = filling.Filling.of(queue, free, house, now)
        waits = next((each for each in filled.queue if each.id == row.id), None)
        suits = {each.id for each in copies if filling.suits(mine, each, house, now)}
        out = [
            each
            for each in await recalls.out(session, row.book_id, row.copy_id)
            if each.copy_id in suits
        ]
        away = {each.copy_id for each in out} | {each.id for each in free}
        wait = rules.Wait(
            suspended=waits is None,
            gets_one=row.id in rules.filled(filled.queue, filled.stock, house.transport),
            free=len(free),
            suitable=sum(each.id in suits for each in free),
            on_loan=len(out),
            elsewhere=sum(_is_coming(each) for each in copies if each.id in suits - away),
        )
        code, says = rules.why_not_yet(wait)
        return WhyNotYet(
            hold_id=row.id,
            position=row.position,
            code=code,
            says=says,
            free=wait.free,
            suitable=wait.suitable,
            next_due_at=min((each.due_at for each in out), default=None),
        )


def _is_coming(copy: Any) -> bool:
    """Neither lost nor put aside: it is on its way, or kept for somebody."""
    return not (copy.lost or copy.missing or copy.damaged or copy.withdrawn)
