"""Long jobs: done once, gone on with after a kill, given up when told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select

from lendery.contracts.base import Invalid, PeerUnavailable, Window, new_id
from lendery.contracts.jobs import Job, JobHasEnded, NoSuchJob
from lendery.contracts.permissions import SYSTEM
from lendery.platform.db import Database
from lendery.platform.db.jobs import job_table
from lendery.platform.job_list import JobList, asked_for
from lendery.platform.queue import LongJob, QueueRunner, Running

metadata = MetaData()
JOBS = job_table("toy", metadata)
DONE = Table("toy_done", metadata, Column("n", Integer, primary_key=True))
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Toy:
    """Writes the numbers 0 to 4, one a transaction; `before` is called ahead of each."""

    db: Database
    before: Callable[[int], Any] = lambda n: None
    clock: Clock = field(default_factory=Clock)
    left: list[str] = field(default_factory=list)

    async def run(self, _: Any, running: Running) -> None:
        for n in range(running.position.get("next", 0), 5):
            waits = self.before(n)
            if waits is not None:
                await waits
            async with self.db.begin() as tx:
                await tx.run(insert(DONE).values(n=n))
                await running.step(
                    tx, position={"next": n + 1}, counts={"done": n + 1}, progress=(n + 1) / 5
                )
            running.stepped({"next": n + 1}, {"done": n + 1}, (n + 1) / 5)

    async def leave(self, _: Any, job_id: Any, state: str) -> None:
        self.left.append(state)

    def runner(self) -> QueueRunner:
        kinds = {"toy": (JOBS, {"count": LongJob("count", self.run, self.leave)})}
        return QueueRunner(self, self.db, kinds, self.clock, look=0.01)

    async def ask(self, kind: str = "count") -> Any:
        job_id = new_id()
        async with self.db.begin() as tx:
            await tx.write(asked_for(JOBS, job_id=job_id, kind=kind, request={}, now=NOW))
        return job_id

    async def job(self, job_id: Any) -> Job:
        return await self.jobs.get(job_id=job_id, actor=SYSTEM)

    @property
    def jobs(self) -> JobList:
        return JobList(self.db, JOBS)

    async def done(self) -> list[int]:
        async with self.db.read() as session:
            return [row.n for row in await session.rows(select(DONE).order_by(DONE.c.n))]


@pytest_asyncio.fixture
async def toy(tmp_path: Path) -> AsyncIterator[Toy]:
    engine = create_engine(f"sqlite:///{tmp_path}/toy.db")
    metadata.create_all(engine)
    engine.dispose()
    db = Database(f"sqlite:///{tmp_path}/toy.db")
    yield Toy(db)
    await db.close()


async def test_what_is_asked_for_is_done_once(toy: Toy) -> None:
    job_id = await toy.ask()
    assert (await toy.job(job_id)).state == "queued"
    runner = toy.runner()
    assert await runner.once() and not await runner.once()
    job = await toy.job(job_id)
    assert (job.state, job.progress, job.counts, job.attempts) == ("done", 1.0, {"done": 5}, 1)
    assert await toy.done() == [0, 1, 2, 3, 4] and toy.left == ["done"]


async def test_two_runners_never_do_the_same_job(toy: Toy) -> None:
    job_id = await toy.ask()
    first, second = toy.runner(), toy.runner()
    took = await asyncio.gather(first.once(), second.once())
    assert sorted(took) == [False, True]
    assert (await toy.job(job_id)).attempts == 1 and await toy.done() == [0, 1, 2, 3, 4]


async def test_a_job_whose_runner_was_killed_goes_on_from_its_last_chunk(toy: Toy) -> None:
    job_id = await toy.ask()
    hangs, there = asyncio.Event(), asyncio.Event()

    def hang_at_three(n: int) -> Any:
        if n == 3 and not there.is_set():
            there.set()
            return hangs.wait()
        return None

    toy.before = hang_at_three
    dead = asyncio.create_task(toy.runner().once())
    await there.wait()
    assert not await toy.runner().once(), "its lease still runs"
    toy.clock.now += timedelta(minutes=1)
    assert await toy.runner().once()
    job = await toy.job(job_id)
    assert (job.state, job.attempts, await toy.done()) == ("done", 2, [0, 1, 2, 3, 4])
    hangs.set()  # the one thought dead comes back, and can do no harm
    await dead
    assert (await toy.job(job_id)) == job and await toy.done() == [0, 1, 2, 3, 4]


async def test_a_process_that_ends_gives_its_job_back_at_once(toy: Toy) -> None:
    job_id = await toy.ask()
    there = asyncio.Event()

    def hang_at_two(n: int) -> Any:
        if n == 2 and not there.is_set():
            there.set()
            return asyncio.Event().wait()
        return None

    toy.before = hang_at_two
    runner = toy.runner()
    running = asyncio.create_task(runner.run())
    await there.wait()
    runner.stop()
    await running
    job = await toy.job(job_id)
    assert (job.state, job.attempts, await toy.done()) == ("queued", 0, [0, 1])
    assert await toy.runner().once()
    assert (await toy.job(job_id)).state == "done" and await toy.done() == [0, 1, 2, 3, 4]


async def test_what_runs_is_cancelled_after_its_chunk(toy: Toy) -> None:
    job_id = await toy.ask()

    async def cancel() -> None:
        await toy.jobs.cancel(job_id=job_id, actor=SYSTEM, now=NOW)

    toy.before = lambda n: cancel() if n == 2 else None
    await toy.runner().once()
    job = await toy.job(job_id)
    assert (job.state, job.counts, await toy.done()) == ("cancelled", {"done": 2}, [0, 1])
    assert toy.left == ["cancelled"]
    with pytest.raises(JobHasEnded):
        await cancel()


async def test_a_problem_is_said_and_a_fault_is_not_shown(toy: Toy) -> None:
    async def refuse() -> None:
        raise Invalid("The file is empty.")

    async def break_down() -> None:
        raise RuntimeError("postgresql://secret@host")

    toy.before = lambda n: refuse()
    first = await toy.ask()
    await toy.runner().once()
    toy.before = lambda n: break_down()
    second = await toy.ask()
    await toy.runner().once()
    assert [(await toy.job(each)).state for each in (first, second)] == ["failed", "failed"]
    assert (await toy.job(first)).error == "The file is empty."
    assert (await toy.job(second)).error == "RuntimeError: it is in the log."
    assert await toy.done() == []


async def test_a_neighbour_that_is_away_makes_it_wait(toy: Toy) -> None:
    async def away() -> None:
        raise PeerUnavailable("Circulation does not answer.")

    toy.before = lambda n: away() if toy.clock.now == NOW else None
    job_id = await toy.ask()
    await toy.runner().once()
    assert (await toy.job(job_id)).state == "queued"
    assert not await toy.runner().once()
    toy.clock.now += timedelta(seconds=10)
    await toy.runner().once()
    assert (await toy.job(job_id)).state == "done"


async def test_one_that_kills_its_runner_again_and_again_is_given_up(toy: Toy) -> None:
    job_id = await toy.ask()
    runner = toy.runner()
    for _ in range(20):
        assert await runner._claim(JOBS, {"count": LongJob("count", toy.run)})  # and killed
        toy.clock.now += timedelta(minutes=1)
    await runner.once()
    job = await toy.job(job_id)
    assert job.state == "failed" and "never came to its end" in (job.error or "")
    assert await toy.done() == []


async def test_a_kind_of_a_newer_program_is_left_alone(toy: Toy) -> None:
    job_id = await toy.ask("unheard-of")
    assert not await toy.runner().once()
    assert (await toy.job(job_id)).state == "queued"
    with pytest.raises(NoSuchJob):
        await toy.job(uuid4())
    assert (await toy.jobs.find(window=Window(), actor=SYSTEM, state="done")).items == []
