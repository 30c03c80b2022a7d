"""A library whose jobs note when they ran, by a clock that moves when it is told to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from lendery.platform.db import Database
from lendery.platform.jobs import Job
from lendery.platform.periodic import SlotDesk

from .toy import CIRCULATION

SLOTS = CIRCULATION.slots
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class Library:
    """Jobs that note when they ran; `before` is awaited in each."""

    db: Database
    now: datetime = NINE + 12 * MINUTE
    ran: list[tuple[str, datetime]] = field(default_factory=list)
    before: Callable[[], Awaitable[object]] | None = None

    def job(self, name: str = "age to lost", every: timedelta = HOUR, **but: Any) -> Job:
        async def run(wiring: Any, now: datetime) -> None:
            assert wiring is self
            if self.before:
                await self.before()
            self.ran.append((name, now))

        return Job(name, every, run, **but)

    def desk(self, *jobs: Job, **but: Any) -> SlotDesk:
        clocked: dict[str, Any] = {"circulation": (SLOTS, jobs or (self.job(),))}
        return SlotDesk(self, self.db, clocked, clock=lambda: self.now, **but)

    async def run(self, desk: SlotDesk) -> Sequence[bool]:
        """What happens when a process looks at each of its jobs now."""
        return [await desk.run(work) for work in desk.works]

    async def rows(self) -> list[Any]:
        async with self.db.read() as session:
            return await session.rows(select(SLOTS.slot).order_by(SLOTS.slot.c.slot_at))
