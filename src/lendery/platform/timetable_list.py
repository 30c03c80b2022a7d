"""The jobs by the clock as people see them: listed, and asked for out of turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lendery.contracts.base import PeerFailed, PeerUnavailable, new_id
from lendery.contracts.jobs import (
    JobIsRunning,
    NoSuchJob,
    PeriodicJob,
    PeriodicJobs,
    SlotRun,
    Timetable,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Tx
from lendery.platform.metrics import JOB_DONE_AT, JOB_FAILING
from lendery.platform.periodic import TICK, Clockwork, SlotDesk, slot_of
from lendery.platform.timetable import Claim, Decision, Wait, horizon, is_over


@dataclass(frozen=True)
class TimetableList:
    """Implements contracts.jobs.Timetable for the contexts here; `wake` tells who does the work."""

    desk: SlotDesk
    wake: Callable[[Clockwork], None]

    async def find(self, *, context: str, actor: Actor) -> list[PeriodicJob]:
        actor.must(Permission.READ_JOBS)
        if context not in self.desk.clocked:
            raise NoSuchJob(f"{context.capitalize()} does not run here.")
        table = self.desk.clocked[context][0]
        until = horizon(self.desk.clock())
        async with self.desk.db.read() as session:
            newest = await session.rows(table.newest_of_all, horizon=until)
            ended = await session.rows(table.last_ended, horizon=until)
        rows = {row.job: row for row in newest}, {row.job: row for row in ended}
        works = (each for each in self.desk.works if each.context == context)
        return [self._shown(each, *(of.get(each.job.name) for of in rows)) for each in works]

    def _shown(self, work: Clockwork, newest: Any | None, ended: Any | None) -> PeriodicJob:
        known, now = slot_of(newest) if newest else None, self.desk.clock()
        decision = self.desk.decide(work, known, now)
        open_now = known is not None and not is_over(known) and known.state != "failed"
        return PeriodicJob(
            context=work.context,
            job=work.job.slug,
            name=work.job.name,
            every_seconds=work.times.every.total_seconds(),
            at=work.times.at,
            time_zone=self.desk.zone,
            runs_in=self.desk.ran_by,
            next_at=_next_at(work, decision, open_now, now),
            last=_run_of(ended) if ended else None,
            now=_run_of(newest) if open_now else None,
        )

    async def run_now(self, *, context: str, job: str, actor: Actor, now: datetime) -> PeriodicJob:
        actor.must(Permission.RUN_JOBS)
        work = self.desk.find(context, job)
        if work is None:
            raise NoSuchJob("There is no such job.")
        async with self.desk.db.begin() as tx:
            await self._ask(tx, work, now)
        self.wake(work)
        shown = await self.find(context=context, actor=actor)
        return next(each for each in shown if each.job == job)

    async def _ask(self, tx: Tx, work: Clockwork, now: datetime) -> None:
        """Nothing is written where it is due anyway. Raises JobIsRunning."""
        if tx.dialect == "postgresql":
            await tx.rows(work.table.take_turns, turn=work.turn)
        name = work.job.name
        row = await tx.row(work.table.newest, job=name, horizon=horizon(now))
        newest = slot_of(row) if row else None
        decision = self.desk.decide(work, newest, now)
        if newest and newest.state == "running" and not isinstance(decision, Claim):
            raise JobIsRunning("This job is running already.")
        if newest is None or isinstance(decision, Claim):
            return
        if newest.again_at is not None:
            await tx.run(work.table.hasten, job=name, slot_at=newest.at)
            return
        asked: dict[str, Any] = dict.fromkeys(work.table.slot.c.keys())
        asked |= {"job": name, "slot_at": max(now, newest.at + TICK), "id": new_id()}
        asked |= {"state": "waiting", "attempts": 0, "doubted": False}
        await tx.run(work.table.ask, **{f"to_{column}": each for column, each in asked.items()})


def _next_at(work: Clockwork, decision: Decision, open_now: bool, now: datetime) -> datetime:
    """When it is due: the slot that waits to be begun, or the one after what runs."""
    if isinstance(decision, Claim):
        return decision.at
    if isinstance(decision, Wait) and not open_now:
        return decision.until
    return work.times.following(now)


def _run_of(row: Any) -> SlotRun:
    took = (row.ended_at - row.began_at).total_seconds() if row.ended_at and row.began_at else None
    return SlotRun.model_validate(
        {**row._asdict(), "seconds": None if took is None else max(0.0, took)}
    )


@dataclass(frozen=True)
class Timetables:
    """Those of all parts that can be asked, each by its context."""

    of: Mapping[str, Timetable]

    async def find(self, actor: Actor) -> PeriodicJobs:
        actor.must(Permission.READ_JOBS)
        found: list[PeriodicJob] = []
        unreachable = []
        for context, timetable in self.of.items():
            try:
                found += await timetable.find(context=context, actor=actor)
            except (PeerUnavailable, PeerFailed):  # away, or of an older version
                unreachable.append(context)
        return PeriodicJobs(items=found, unreachable=unreachable)

    async def run_now(self, context: str, job: str, *, actor: Actor, now: datetime) -> PeriodicJob:
        actor.must(Permission.RUN_JOBS)
        if context not in self.of:
            raise NoSuchJob("There is no such job.")
        return await self.of[context].run_now(context=context, job=job, actor=actor, now=now)


async def measure(desk: SlotDesk) -> None:
    """What the tables say of the jobs here, for /metrics: whoever ran them."""
    JOB_FAILING.clear()
    for context, (table, jobs) in desk.clocked.items():
        names = {job.name for job in jobs}
        async with desk.db.read() as session:
            rows = await session.rows(table.last_ended, horizon=horizon(desk.clock()))
        for row in rows:
            if row.job in names and row.state == "done":
                JOB_DONE_AT.labels(context, row.job).set(row.ended_at.timestamp())
            elif row.job in names:
                error = (row.error or "").partition(":")[0]
                JOB_FAILING.labels(context, row.job, error).set(1)
