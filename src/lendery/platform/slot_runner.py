"""The loops inside a process that do by the clock what nobody else has done yet."""

import asyncio
from dataclasses import dataclass, field

import structlog

from lendery.contracts.base import Busy
from lendery.platform.periodic import Clockwork, SlotDesk
from lendery.platform.timetable import Wait
from lendery.platform.waiting import heard

log = structlog.get_logger()
LOOK = 10.0  # seconds between two looks for what others asked for


@dataclass
class SlotRunner:
    """Looks and does, until `stop`: one after the other of each kind, so that what is done every
    ten minutes does not wait for a backup."""

    desk: SlotDesk
    rest: float = LOOK
    _asked: dict[str, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._asked = {each.job.queue: asyncio.Event() for each in self.desk.works}

    async def run(self) -> None:
        await asyncio.gather(*(self._lane(kind) for kind in self._asked))

    async def _lane(self, kind: str) -> None:
        asked = self._asked[kind]
        while not self.desk.stopping.is_set():
            asked.clear()
            rest = self.rest
            try:
                rest = await self._once(kind)
            except Busy:
                pass
            except Exception as error:
                log.warning("jobs not looked at", why=_said(error))
            await heard(asked, rest)

    async def _once(self, kind: str) -> float:
        """Does what is due; seconds until there may be something again."""
        until = None
        for work, _, decision in await self.desk.look(kind):
            if self.desk.stopping.is_set():
                break
            if not isinstance(decision, Wait):
                if await self._did(work):
                    until = self.desk.clock()  # look again: it may have missed others
            elif until is None or decision.until < until:
                until = decision.until
        waits = (until - self.desk.clock()).total_seconds() if until else self.rest
        return min(self.rest, max(0.0, waits))

    async def _did(self, work: Clockwork) -> bool:
        """False: the database did not let us, and that holds up no other job."""
        try:
            await self.desk.run(work)
        except Exception as error:
            log.warning("job not begun", job=work.job.name, why=_said(error))
            return False
        return True

    def wake(self) -> None:
        """Something was asked for here: do not wait for the next look."""
        for each in self._asked.values():
            each.set()

    def stop(self) -> None:
        self.desk.stopping.set()
        self.wake()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n")[0][:200]
