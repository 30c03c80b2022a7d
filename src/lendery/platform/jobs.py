"""What the library does by the clock.

A job of a context has slots (timetable.py), and each is run once, by whichever process claims it
in the database (periodic.py), inside a process that serves or in a worker of Celery. What a job
changes it changes in transactions of its own, so **a job must bear being begun again** after its
process was killed: it looks what is to be done and does it in a transaction that looks again.

What concerns the memory of each process has no slots: `JobRunner` runs that when the process starts
and whenever its time has come round, in every process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, Protocol

import structlog

from lendery.platform.metrics import JOBS
from lendery.platform.waiting import heard

log = structlog.get_logger()
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MOST_OF_DEFAULT = timedelta(minutes=25)  # RabbitMQ waits half an hour for an acknowledgement
AGAIN = timedelta(minutes=5)  # after a failure, unless the job's own time is sooner
LONGEST = 60.0  # seconds asleep: a clock that was set is noticed by then


@dataclass(frozen=True)
class Job:
    """`run` gets the wiring, and what time it is.

    `at` is a time of the day in the library's zone (LENDERY_TIME_ZONE); `every` then counts days.
    `each`: every slot that was missed is made up for, and `run` gets the slot's own time.
    `limit` is how long a run may take; what takes longer is stopped, and tried again.
    `queue` is the kind of work, and which workers of Celery do it: what may take longer than 25
    minutes is `long`.
    """

    name: str
    every: timedelta
    run: Callable[[Any, datetime], Awaitable[None]]
    at: time | None = None
    each: bool = False
    limit: timedelta = timedelta(minutes=20)
    queue: Literal["default", "long"] = "default"

    def __post_init__(self) -> None:
        if self.queue == "default" and self.limit > MOST_OF_DEFAULT:
            raise ValueError(
                f"{self.name}: a job that may take so long belongs to the queue `long`"
            )

    @property
    def slug(self) -> str:
        """As it is called in addresses."""
        return self.name.replace(" ", "-")


class Runner(Protocol):
    """Works in a process until it is told to stop."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


def round_of(now: datetime, every: timedelta) -> datetime:
    """When the time of a job last came round."""
    return now - (now - BEGINNING) % every


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class JobRunner:
    """Runs each job of this process when it is due, until `stop`. One that fails stops no other."""

    wiring: Any
    jobs: Sequence[Job]
    clock: Callable[[], datetime] = _now
    _done: dict[str, datetime] = field(default_factory=dict)
    _again_at: dict[str, datetime] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        while not self._stopping.is_set():
            for job in self.jobs:
                now = self.clock()
                if self._due_at(job, now) <= now and not self._stopping.is_set():
                    await self._run(job, now)
            await heard(self._stopping, self._rest(self.clock()))

    def stop(self) -> None:
        self._stopping.set()

    def _due_at(self, job: Job, now: datetime) -> datetime:
        again_at, this = self._again_at.get(job.name), round_of(now, job.every)
        if again_at and again_at - now <= AGAIN:  # else the clock was set back
            return again_at
        return now if self._done.get(job.name) != this else this + job.every

    async def _run(self, job: Job, now: datetime) -> None:
        self._done[job.name] = round_of(now, job.every)
        self._again_at.pop(job.name, None)
        try:
            await job.run(self.wiring, now)
        except Exception as error:
            self._again_at[job.name] = now + min(job.every, AGAIN)
            why = f"{type(error).__name__}: {error}".split("\n")[0][:200]
            log.warning("job failed", job=job.name, why=why)
        JOBS.labels(job.name, "failed" if job.name in self._again_at else "done").inc()

    def _rest(self, now: datetime) -> float:
        """Seconds until the next is due."""
        waits = [(self._due_at(job, now) - now).total_seconds() for job in self.jobs]
        return max(0.0, min([LONGEST, *waits]))
