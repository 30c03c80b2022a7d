"""Long jobs: asked for in a transaction, done by whichever process comes first, never twice.

A job is a row (db/jobs.py) and a plain async function that gets the wiring and a `Running`. It
works in chunks: each chunk is one transaction that ends with `Running.step`, which writes how far
the job is together with what the chunk did. So a job killed anywhere goes on, in another process,
from its last whole chunk; and whoever lost the lease meanwhile cannot commit what it still had in
hand. Workers of Celery call `once` when they are woken. What runs by the clock is in periodic.py.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from lendery.contracts.base import Busy, PeerUnavailable, Problem, new_id
from lendery.contracts.jobs import JobState
from lendery.platform.db import Database, Tx
from lendery.platform.db.jobs import JobTable
from lendery.platform.job_list import WHOLE, in_millionths
from lendery.platform.metrics import JOBS
from lendery.platform.waiting import heard

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
LOOK = 1.0  # seconds between two looks for what others asked for
AGAIN = timedelta(seconds=5)  # after a neighbour or the database did not answer
AT_ONCE = 2  # jobs of one process, so that a short one does not wait for a long one
MOST_ATTEMPTS = 20


class LeaseLost(Exception):
    """Another runner has this job now; nothing of the transaction at hand may stand."""


class CancelAsked(Exception):
    """Somebody does not want this job any more."""


@dataclass
class Running:
    """A job in progress: what was asked, where it was, and the pen to write how far it is."""

    id: UUID
    kind: str
    request: dict[str, Any]
    position: dict[str, Any]
    counts: dict[str, int]
    progress: float
    about: UUID | None
    table: JobTable
    runner: UUID
    clock: Callable[[], datetime]
    lease: timedelta = LEASE

    async def step(
        self, tx: Tx, *, position: dict[str, Any], counts: dict[str, int], progress: float
    ) -> None:
        """Last in a chunk's transaction. Raises LeaseLost or CancelAsked: the chunk is undone."""
        row = await tx.row(
            self.table.step,
            at_id=self.id,
            by=self.runner,
            to_position=position,
            to_counts=counts,
            to_progress=in_millionths(progress),
            until=self.clock() + self.lease,
        )
        if row is None:
            raise LeaseLost
        if row.cancel_asked:
            raise CancelAsked

    def stepped(self, position: dict[str, Any], counts: dict[str, int], progress: float) -> None:
        """Notes here what was committed."""
        self.position, self.counts, self.progress = position, counts, progress


Work = Callable[[Any, Running], Awaitable[None]]
Leave = Callable[[Any, UUID, JobState], Awaitable[None]]


@dataclass(frozen=True)
class LongJob:
    """A kind of job: what does it, and what is cleared away when it has ended."""

    kind: str
    run: Work
    leave: Leave | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class QueueRunner:
    """Does what is asked for, until `stop`. What it has in hand then goes back into the queue."""

    wiring: Any
    db: Database
    kinds: Mapping[str, tuple[JobTable, Mapping[str, LongJob]]]  # by context
    clock: Callable[[], datetime] = _now
    lease: timedelta = LEASE
    look: float = LOOK
    ring: Callable[[], None] | None = None  # wakes who does the work elsewhere
    id: UUID = field(default_factory=new_id)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        if not self.kinds:
            return
        lanes = [asyncio.create_task(self._lane()) for _ in range(AT_ONCE)]
        await self._stopping.wait()
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    def stop(self) -> None:
        self._stopping.set()

    def wake(self) -> None:
        """Something was asked for here: do not wait for the next look."""
        self._asked.set()
        if self.ring is not None:
            self.ring()

    async def _lane(self) -> None:
        while not self._stopping.is_set():
            try:
                found = await self.once()
            except Busy:
                found = False
            except Exception as error:
                log.warning("jobs not looked at", why=f"{type(error).__name__}: {error}"[:200])
                found = False
            if not found:
                self._asked.clear()
                await heard(self._asked, self.look)

    async def waits(self, context: str) -> bool:
        """Is there anything to be taken up?"""
        table, kinds = self.kinds[context]
        async with self.db.read() as session:
            rows = await session.rows(table.waiting, now=self.clock())
        return any(row.kind in kinds for row in rows)

    async def once(self, context: str | None = None) -> bool:
        """Does one job, if one waits."""
        for table, kinds in self.kinds.values() if context is None else [self.kinds[context]]:
            running = await self._claim(table, kinds)
            if running is not None:
                await self._do(kinds[running.kind], running)
                return True
        return False

    async def _claim(self, table: JobTable, kinds: Mapping[str, LongJob]) -> Running | None:
        async with self.db.read() as session:  # so that looking takes no write lock
            waiting = await session.rows(table.waiting, now=self.clock())
        for each in waiting:
            if each.kind not in kinds:
                continue  # of a newer program
            now = self.clock()
            async with self.db.begin() as tx:
                row = await tx.row(
                    table.claim, at_id=each.id, by=self.id, until=now + self.lease, now=now
                )
            if row is not None:
                return self._taken(table, row)
        return None

    def _taken(self, table: JobTable, row: Any) -> Running:
        running = Running(
            row.id,
            row.kind,
            row.request,
            row.position,
            row.counts,
            row.progress / WHOLE,
            row.about,
            table,
            self.id,
            self.clock,
            self.lease,
        )
        running.request = {**row.request, "attempt": row.attempts}
        return running

    async def _do(self, kind: LongJob, running: Running) -> None:
        working = asyncio.ensure_future(kind.run(self.wiring, running))
        renewing = asyncio.create_task(self._renew(running, working))
        state: JobState = "done"
        why: str | None = None
        try:
            if running.request["attempt"] > MOST_ATTEMPTS:
                working.cancel()
                raise Problem(f"It was begun {MOST_ATTEMPTS} times and never came to its end.")
            await working
        except (LeaseLost, CancelAsked, asyncio.CancelledError) as error:
            if not isinstance(error, CancelAsked):
                await self._let_go(running, working)
                if isinstance(error, asyncio.CancelledError) and self._stopping.is_set():
                    raise
                return
            state = "cancelled"
        except (Busy, PeerUnavailable) as error:
            log.info("job waits", job=running.kind, why=error.detail[:200])
            await self._give_back(running, AGAIN)
            return
        except Problem as problem:
            state, why = "failed", problem.detail
        except Exception as error:
            state, why = "failed", f"{type(error).__name__}: it is in the log."
            log.error("job failed", job=running.kind, id=str(running.id), exc_info=error)
        finally:
            renewing.cancel()
        await self._end(kind, running, state, why)

    async def _let_go(self, running: Running, working: "asyncio.Future[None]") -> None:
        """The process ends, or the job is no longer ours: nothing may go on working on it."""
        working.cancel()
        await asyncio.wait([working])
        if self._stopping.is_set():
            await asyncio.shield(self._give_back(running, timedelta(0), uncounted=1))

    async def _give_back(self, running: Running, rest: timedelta, *, uncounted: int = 0) -> None:
        until = self.clock() + rest if rest else None
        async with self.db.begin() as tx:
            await tx.run(
                running.table.give_back,
                at_id=running.id,
                by=self.id,
                until=until,
                uncounted=uncounted,
            )

    async def _end(self, kind: LongJob, running: Running, state: JobState, why: str | None) -> None:
        async with self.db.begin() as tx:
            ended = await tx.run(
                running.table.end,
                at_id=running.id,
                by=self.id,
                to_state=state,
                why=why,
                to_progress=WHOLE if state == "done" else in_millionths(running.progress),
                now=self.clock(),
            )
        JOBS.labels(running.kind, state).inc()
        if ended and kind.leave is not None:
            await kind.leave(self.wiring, running.id, state)

    async def _renew(self, running: Running, working: "asyncio.Future[None]") -> None:
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            with contextlib.suppress(Busy):
                until = self.clock() + self.lease
                async with self.db.begin() as tx:
                    row = await tx.row(
                        running.table.renew, at_id=running.id, by=self.id, until=until
                    )
                if row is None:
                    working.cancel()
                    return
