"""The loop inside a process that does by the clock what nobody else has done yet."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog

from lendery.contracts.base import Busy
from lendery.platform.periodic import SlotDesk
from lendery.platform.timetable import Wait

log = structlog.get_logger()
LOOK = 10.0  # seconds between two looks for what others asked for


@dataclass
class SlotRunner:
    """Looks and does, one after the other, inside a process; until `stop`."""

    desk: SlotDesk
    rest: float = LOOK
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        if not self.desk.works:
            return
        while not self.desk.stopping.is_set():
            self._asked.clear()
            rest = self.rest
            try:
                rest = await self._once()
            except Busy:
                pass
            except Exception as error:
                log.warning("jobs not looked at", why=f"{type(error).__name__}: {error}"[:200])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), rest)

    async def _once(self) -> float:
        """Does what is due; seconds until there may be something again."""
        until = None
        for work, _, decision in await self.desk.look():
            if self.desk.stopping.is_set():
                break
            if not isinstance(decision, Wait):
                await self.desk.run(work)
                until = self.desk.clock()  # look again: it may have missed others
            elif until is None or decision.until < until:
                until = decision.until
        waits = (until - self.desk.clock()).total_seconds() if until else self.rest
        return min(self.rest, max(0.0, waits))

    def wake(self) -> None:
        """Something was asked for here: do not wait for the next look."""
        self._asked.set()

    def stop(self) -> None:
        self.desk.stopping.set()
        self._asked.set()
