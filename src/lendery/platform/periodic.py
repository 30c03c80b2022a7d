"""Runs what the contexts do by the clock: each slot once, whoever looks and however often.

`SlotDesk.look` asks the table what is due, `SlotDesk.run` claims and does it. What calls them may
be the loop of a process that serves (`SlotRunner`) or a worker of Celery that a message woke: a
message that is lost, late or doubled changes nothing, because the row decides (decision 0027).
"""

import asyncio
import contextlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import structlog

from lendery.contracts.base import Busy, Problem, new_id
from lendery.platform.db import Database, Tx
from lendery.platform.db.slots import SlotTable
from lendery.platform.jobs import Job
from lendery.platform.metrics import JOB_FAILURES, JOB_SECONDS, JOBS
from lendery.platform.timetable import (
    Claim,
    Decision,
    Doubt,
    GiveUp,
    Slot,
    Times,
    decide,
    horizon,
    rest_after,
)

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
TICK = timedelta(microseconds=1)
PAUSES = (0.2, 1.0, 5.0)  # seconds, when the database is too busy to note how a job ended
PATIENCE = 3.0  # seconds that a job may still take when its process ends

RanBy = Literal["process", "celery"]
Clocked = Mapping[str, tuple[SlotTable, Sequence[Job]]]  # by context


@dataclass(frozen=True)
class Clockwork:
    """A job, where its slots are noted, and when they come round."""

    context: str
    table: SlotTable
    job: Job
    times: Times

    @property
    def turn(self) -> int:
        """The number of the lock that those take turns on who decide about this job."""
        return 27 << 32 | zlib.crc32(f"{self.context}/{self.job.name}".encode())


@dataclass(frozen=True)
class Taken:
    """A slot that is ours to do."""

    id: UUID
    at: datetime
    attempts: int
    began_at: datetime


def slot_of(row: Any) -> Slot:
    return Slot(row.slot_at, row.state, row.attempts, row.lease_until, row.doubted, row.again_at)


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class SlotDesk:
    """Decides about the slots of the contexts here, and does them."""

    wiring: Any
    db: Database
    clocked: Clocked
    zone: str = "UTC"
    ran_by: RanBy = "process"
    clock: Callable[[], datetime] = clock
    lease: timedelta = LEASE
    id: UUID = field(default_factory=new_id)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.works = [
            Clockwork(context, table, job, Times(job.every, job.at, self.zone))
            for context, (table, jobs) in self.clocked.items()
            for job in jobs
        ]

    def find(self, context: str, slug: str) -> Clockwork | None:
        named = (each for each in self.works if each.context == context)
        return next((each for each in named if each.job.slug == slug), None)

    # -- What is to be done -----------------------------------------------------------------------

    async def look(self, kind: str | None = None) -> list[tuple[Clockwork, Slot | None, Decision]]:
        """What is to be done about each job of a kind. Changes nothing, and takes no lock."""
        now, found = self.clock(), []
        wanted = [each for each in self.works if kind in (None, each.job.queue)]
        for context in dict.fromkeys(each.context for each in wanted):
            table = self.clocked[context][0]
            async with self.db.read() as session:
                rows = await session.rows(table.newest_of_all, horizon=horizon(now))
            newest = {row.job: slot_of(row) for row in rows}
            for work in wanted:
                if work.context == context:
                    known = newest.get(work.job.name)
                    found.append((work, known, self.decide(work, known, now)))
        return found

    def decide(self, work: Clockwork, newest: Slot | None, now: datetime) -> Decision:
        return decide(work.times, newest, now, lease=self.lease, each=work.job.each)

    async def claim(self, work: Clockwork) -> Taken | None:
        """The slot that is due, if it falls to us. Whoever comes second finds it claimed."""
        async with self.db.begin() as tx:
            if tx.dialect == "postgresql":
                await tx.rows(work.table.take_turns, turn=work.turn)
            now = self.clock()
            row = await tx.row(work.table.newest, job=work.job.name, horizon=horizon(now))
            decision = self.decide(work, slot_of(row) if row else None, now)
            if isinstance(decision, Doubt):
                at = {"job": work.job.name, "slot_at": decision.at}
                await tx.run(work.table.doubt, **at, until=now + self.lease / 2)
            if isinstance(decision, GiveUp):
                over = decision.at + TICK
                await tx.run(work.table.pass_over, job=work.job.name, slot_at=over, now=now)
                JOBS.labels(work.job.name, "failed").inc()
                log.error("job given up", job=work.job.name, slot=decision.at.isoformat())
            if isinstance(decision, Claim):
                return await self._take(tx, work, decision, now)
        return None

    async def _take(self, tx: Tx, work: Clockwork, claim: Claim, now: datetime) -> Taken:
        at = {"job": work.job.name, "slot_at": claim.at}
        began = {"by": self.id, "how": self.ran_by, "until": now + self.lease, "now": now}
        await tx.run(work.table.pass_over, **at, now=now)
        if claim.again:
            row = await tx.row(work.table.claim_again, **at, **began)
            assert row is not None  # it is locked since it was read
            return Taken(row.id, claim.at, row.attempts, now)
        taken = Taken(new_id(), claim.at, 1, now)
        named = {f"to_{name}": value for name, value in at.items()}
        await tx.run(work.table.claim, **named, to_id=taken.id, **began)
        return taken

    # -- Doing it ---------------------------------------------------------------------------------

    async def run(self, work: Clockwork) -> bool:
        """Does the slot that is due, if it falls to us; False: there was nothing to do."""
        taken = await self.claim(work)
        if taken is None:
            return False
        with structlog.contextvars.bound_contextvars(job=work.job.name, run_id=str(taken.id)):
            await self._do(work, taken)
        return True

    async def _do(self, work: Clockwork, taken: Taken) -> None:
        job = work.job
        running = asyncio.ensure_future(
            job.run(self.wiring, taken.at if job.each else self.clock())
        )
        renewing = asyncio.create_task(self._renew(work, taken, running))
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            limit = job.limit.total_seconds()
            await asyncio.wait({running, stopped}, timeout=limit, return_when="FIRST_COMPLETED")
            if not running.done():
                if stopped.done():
                    await asyncio.wait({running}, timeout=PATIENCE)
                await self._cut_off(work, taken, running, late=not stopped.done())
                return
            error = None if running.cancelled() else running.exception()
        except BaseException:
            running.cancel()
            await asyncio.wait({running})
            await asyncio.shield(self._give_back(work, taken))
            raise
        finally:
            stopped.cancel()
            renewing.cancel()
        if running.cancelled():
            log.warning("job lost its lease", slot=taken.at.isoformat())
        else:
            await self._end(work, taken, error)

    async def _cut_off(
        self, work: Clockwork, taken: Taken, running: "asyncio.Future[None]", *, late: bool
    ) -> None:
        """Stops what runs still: it took too long, or the process ends."""
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled() and running.exception() is None:
            await self._end(work, taken, None)  # it was done at the last moment
        elif late:
            says = f"It took longer than {work.job.limit}."
            await self._end(work, taken, TimeoutError(says))
        else:
            await self._give_back(work, taken)

    async def _renew(self, work: Clockwork, taken: Taken, running: "asyncio.Future[None]") -> None:
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 6)
            with contextlib.suppress(Busy):
                at = {"job": work.job.name, "slot_at": taken.at}
                async with self.db.begin() as tx:
                    until = self.clock() + self.lease
                    renewed = await tx.run(work.table.renew, **at, by=self.id, until=until)
                if not renewed:
                    running.cancel()
                    return

    async def _end(self, work: Clockwork, taken: Taken, error: BaseException | None) -> None:
        now, name = self.clock(), work.job.name
        again = rest_after(taken.attempts, work.job.every) if error else None
        if error:
            JOB_FAILURES.labels(name, type(error).__name__).inc()
            why = f"{type(error).__name__}: {error}".split("\n")[0][:200]
            log.warning("job failed", why=why, attempt=taken.attempts, exc_info=error)
        JOBS.labels(name, "failed" if error else "done").inc()
        JOB_SECONDS.labels(name).observe(max(0.0, (now - taken.began_at).total_seconds()))
        await self._write_end(
            work,
            taken,
            to_state="failed" if error else "done",
            to_error=_said(error) if error else None,
            to_again_at=now + again if again else None,
            to_ended_at=now,
            uncounted=0,
        )

    async def _give_back(self, work: Clockwork, taken: Taken) -> None:
        """The process ends: another does it, at once."""
        await self._write_end(
            work,
            taken,
            to_state="waiting",
            to_error=None,
            to_again_at=None,
            to_ended_at=None,
            uncounted=1,
        )

    async def _write_end(self, work: Clockwork, taken: Taken, **ended: Any) -> None:
        at = {"job": work.job.name, "slot_at": taken.at, "by": self.id}
        for pause in (*PAUSES, None):
            try:
                async with self.db.begin() as tx:
                    mine = await tx.run(work.table.end, **at, **ended)
                break
            except Busy:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
        if not mine:
            log.warning("job ended after its lease", slot=taken.at.isoformat())


def _said(error: BaseException) -> str:
    """What staff may read of a failure. A fault's words may hold anything: they are in the log."""
    told = error.detail if isinstance(error, Problem) else "it is in the log."
    return f"{type(error).__name__}: {told}"[:200]
