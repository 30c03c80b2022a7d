"""Long jobs: asked for in a transaction, done by whichever process comes first, never twice.

A job is a row (db/jobs.py) and a plain async function that gets the wiring and a `Running`. It
works in chunks: each chunk is one transaction that ends with `Running.step`, which writes how far
the job is together with what the chunk did. So a job killed anywhere goes on, in another process,
from its last whole chunk; and whoever lost the lease meanwhile cannot commit what it still had in
hand. What runs on a schedule is in jobs.py.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Integer, String, Uuid, bindparam, insert, or_, select, tuple_, update

from lendery.contracts.base import Busy, Invalid, Page, PeerUnavailable, Problem, Window, new_id
from lendery.contracts.jobs import ENDED, Job, JobHasEnded, JobState, NoSuchJob
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Statement, Tx, UtcDateTime
from lendery.platform.db.jobs import JobTable
from lendery.platform.metrics import JOBS
from lendery.platform.paging import make_cursor, read_cursor

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
LOOK = 1.0  # seconds between two looks for what others asked for
AGAIN = timedelta(seconds=5)  # after a neighbour or the database did not answer
AT_ONCE = 2  # jobs of one process, so that a short one does not wait for a long one
MOST_ATTEMPTS = 20
WHOLE = 1_000_000  # progress is kept in millionths


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


def asked_for(
    table: JobTable,
    *,
    job_id: UUID,
    kind: str,
    request: dict[str, Any],
    now: datetime,
    about: UUID | None = None,
    counts: Mapping[str, int] | None = None,
) -> tuple[Statement, dict[str, Any]]:
    """The write that asks for a job: for the transaction of what it belongs to."""
    return _put(table), {
        "id": job_id,
        "kind": kind,
        "state": "queued",
        "request": request,
        "position": {},
        "counts": dict(counts or {}),
        "progress": 0,
        "error": None,
        "attempts": 0,
        "cancel_asked": False,
        "about": about,
        "runner": None,
        "lease_until": None,
        "created_at": now,
        "started_at": None,
        "ended_at": None,
    }


_puts: dict[str, Statement] = {}


def _put(table: JobTable) -> Statement:
    return _puts.setdefault(table.context, Statement(insert(table.job)))


def in_millionths(progress: float) -> int:
    return int(min(max(progress, 0.0), 1.0) * WHOLE)


def job_of(row: Any) -> Job:
    return Job.model_validate({**row._asdict(), "progress": row.progress / WHOLE})


@dataclass(frozen=True)
class JobList:
    """Implements contracts.jobs.Jobs for one context."""

    db: Database
    table: JobTable

    async def get(self, *, job_id: UUID, actor: Actor) -> Job:
        actor.must(Permission.READ_JOBS)
        async with self.db.read() as session:
            return _found(await session.row(self.table.by_id, id=job_id))

    async def find(
        self,
        *,
        window: Window,
        actor: Actor,
        kind: str | None = None,
        state: JobState | None = None,
    ) -> Page[Job]:
        actor.must(Permission.READ_JOBS)
        job = self.table.job
        wanted = select(job)
        if kind:
            wanted = wanted.where(job.c.kind == bindparam("kind", kind, type_=String()))
        if state:
            wanted = wanted.where(job.c.state == bindparam("state", state, type_=String()))
        if window.after:
            text, last = read_cursor(window.after, str, UUID)
            at = _moment(text)
            wanted = wanted.where(
                tuple_(job.c.created_at, job.c.id)
                < tuple_(
                    bindparam("at", at, type_=UtcDateTime()),
                    bindparam("last", last, type_=Uuid()),
                )
            )
        many = bindparam("many", window.limit + 1, type_=Integer())
        ordered = wanted.order_by(job.c.created_at.desc(), job.c.id.desc()).limit(many)
        async with self.db.read() as session:
            rows = await session.rows(ordered)
        shown = [job_of(row) for row in rows[: window.limit]]
        more = len(rows) > window.limit
        cursor = make_cursor(shown[-1].created_at.isoformat(), shown[-1].id) if more else None
        return Page(items=shown, next_cursor=cursor)

    async def cancel(self, *, job_id: UUID, actor: Actor, now: datetime) -> Job:
        actor.must(Permission.RUN_IMPORTS)
        job = self.table.job
        waits = or_(job.c.state == "queued", job.c.state == "running")
        at = job.c.id == bindparam("at_id", job_id, type_=Uuid())
        async with self.db.begin() as tx:
            before = _found(await tx.row(self.table.by_id, id=job_id))
            if before.state in ENDED:
                raise JobHasEnded(f"This job is {before.state} already.", state=before.state)
            await tx.run(update(job).where(at, waits).values(cancel_asked=True))
            dropped = {"state": "cancelled", "ended_at": now, "lease_until": None}
            await tx.run(update(job).where(at, job.c.state == "queued").values(**dropped))
            return _found(await tx.row(self.table.by_id, id=job_id))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("This is not a cursor of this list.") from error


def _found(row: Any | None) -> Job:
    if row is None:
        raise NoSuchJob("There is no such job.")
    return job_of(row)


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
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), self.look)

    async def once(self) -> bool:
        """Does one job, if one waits."""
        for table, kinds in self.kinds.values():
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
