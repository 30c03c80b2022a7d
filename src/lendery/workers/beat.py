"""`lendery beat`: rings for what is due and nobody has taken up.

Not Celery's own beat: that one keeps a schedule and what it has sent in a file, and two of them
send twice. This one keeps nothing but the memory of what it rang for lately; two of them ring
twice, and the second ring finds nothing to do. Without any, jobs wait in the table.
"""

import asyncio
import signal
import time
from collections.abc import Hashable
from dataclasses import dataclass, field

import structlog

from lendery.platform.broker import RING_AGAIN, Bell, celery_app
from lendery.platform.settings import Settings
from lendery.platform.timetable import Wait
from lendery.platform.waiting import heard
from lendery.wiring import Wiring, wire

log = structlog.get_logger()
LOOK = 5.0  # seconds between two looks, unless something is due sooner
LEAST = 0.1


@dataclass
class Beat:
    """`rang`: for what, and when by the monotonic clock."""

    wiring: Wiring
    bell: Bell
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    rang: dict[Hashable, float] = field(default_factory=dict)

    async def run(self) -> None:
        while not self.stopping.is_set():
            rest = LOOK
            try:
                rest = await self.look()
            except Exception as error:  # the database or the broker is away
                log.warning("not rung", why=f"{type(error).__name__}: {error}"[:200])
            await heard(self.stopping, rest)

    async def look(self) -> float:
        """Rings for what is to be done; seconds until the next look."""
        slots, queue = self.wiring.background.slots, self.wiring.background.queue
        rest = LOOK
        for work, newest, decision in await slots.look():
            if isinstance(decision, Wait):
                rest = min(rest, (decision.until - slots.clock()).total_seconds())
            elif self._is_news((work.context, work.job.slug, decision, newest)):
                await asyncio.to_thread(self.bell.for_job, work.context, work.job)
        for context in queue.kinds:
            if await queue.waits(context) and self._is_news((context,)):
                await asyncio.to_thread(self.bell.for_long_work, context)
        return max(LEAST, rest)

    def _is_news(self, what: Hashable) -> bool:
        """Not rung for lately."""
        now = time.monotonic()
        self.rang = {each: at for each, at in self.rang.items() if now - at < RING_AGAIN}
        if what in self.rang:
            return False
        self.rang[what] = now
        return True


def run(settings: Settings) -> None:
    """Until it is told to stop."""
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    wiring = wire(settings)
    beat = Beat(wiring, Bell(celery_app(settings)))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, beat.stopping.set)
    await beat.run()
    await wiring.close()
