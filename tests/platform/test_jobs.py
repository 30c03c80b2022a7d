"""Jobs: when they are due, one after the other, and none stopped by another."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from lendery.platform.jobs import AGAIN, Job, JobRunner, round_of
from lendery.platform.metrics import JOBS

HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ROUNDS = [
    (NINE, HOUR, NINE),
    (NINE - timedelta(microseconds=1), HOUR, NINE - HOUR),
    (NINE + timedelta(minutes=59, seconds=59), HOUR, NINE),
    (NINE, timedelta(hours=24), datetime(2026, 3, 1, tzinfo=UTC)),
    (datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=24), datetime(2026, 3, 1, tzinfo=UTC)),
    (NINE, timedelta(minutes=7), datetime(2026, 3, 1, 8, 58, tzinfo=UTC)),
]


@pytest.mark.parametrize(("now", "every", "came_round"), ROUNDS)
def test_a_jobs_time_comes_round(now: datetime, every: timedelta, came_round: datetime) -> None:
    assert round_of(now, every) == came_round


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Library:
    """A runner, with notes of what ran when."""

    def __init__(self, now: datetime = NINE + timedelta(minutes=12)) -> None:
        self.clock, self.ran = Clock(now), list[tuple[str, datetime]]()

    def job(
        self, name: str, every: timedelta, also: Callable[[], Awaitable[None]] | None = None
    ) -> Job:
        async def run(wiring: Any, now: datetime) -> None:
            assert wiring == "wiring"
            self.ran.append((name, now))
            if also:
                await also()

        return Job(name, every, run)

    async def look(self, runner: JobRunner) -> list[str]:
        """What runs when the runner wakes up now."""
        self.ran.clear()
        for job in runner.jobs:
            now = self.clock()
            if runner._due_at(job, now) <= now:
                await runner._run(job, now)
        return [name for name, _ in self.ran]


async def test_a_job_runs_at_the_start_and_then_on_its_hour() -> None:
    library = Library()
    runner = JobRunner("wiring", [library.job("notices", HOUR)], library.clock)
    assert await library.look(runner) == ["notices"]
    for at, runs in (
        (NINE + timedelta(minutes=13), []),
        (NINE + HOUR - timedelta(microseconds=1), []),
        (NINE + HOUR, ["notices"]),
        (NINE + HOUR, []),
        (NINE + 5 * HOUR, ["notices"]),  # asleep for some hours: once, not four times
        (NINE + 5 * HOUR, []),
    ):
        library.clock.now = at
        assert await library.look(runner) == runs


async def test_a_job_is_given_the_time_it_runs_at() -> None:
    library = Library()
    runner = JobRunner("wiring", [library.job("notices", HOUR)], library.clock)
    await library.look(runner)
    assert library.ran == [("notices", NINE + timedelta(minutes=12))]


async def poisoned() -> None:
    raise RuntimeError("no such branch\nwith a second line")


async def test_a_job_that_fails_is_logged_and_tried_again_and_stops_no_other() -> None:
    library = Library()
    bad, good = library.job("bad", HOUR, poisoned), library.job("good", HOUR)
    runner = JobRunner("wiring", [bad, good], library.clock)
    before = JOBS.labels("bad", "failed")._value.get()
    with structlog.testing.capture_logs() as logged:
        assert await library.look(runner) == ["bad", "good"]
    (entry,) = logged
    assert (entry["job"], entry["why"]) == ("bad", "RuntimeError: no such branch")
    assert JOBS.labels("bad", "failed")._value.get() == before + 1
    failed_at = library.clock.now
    library.clock.now = failed_at + AGAIN - timedelta(microseconds=1)
    assert await library.look(runner) == []
    library.clock.now = failed_at + AGAIN
    assert await library.look(runner) == ["bad"], "again before its hour, and the other not"
    library.clock.now = NINE + HOUR
    assert await library.look(runner) == ["bad", "good"]


async def test_a_job_of_every_minute_is_not_held_back_after_a_failure() -> None:
    library = Library()
    job = library.job("bad", timedelta(minutes=1), poisoned)
    runner = JobRunner("wiring", [job], library.clock)
    assert await library.look(runner) == ["bad"]
    library.clock.now += timedelta(minutes=1)
    assert await library.look(runner) == ["bad"]


@pytest.mark.parametrize("moved", [timedelta(hours=-3), timedelta(-3650), timedelta(3650)])
async def test_a_clock_that_is_set_stops_nothing(moved: timedelta) -> None:
    library = Library()
    jobs = [library.job("notices", HOUR), library.job("bad", HOUR, poisoned)]
    runner = JobRunner("wiring", jobs, library.clock)
    assert await library.look(runner) == ["notices", "bad"]
    library.clock.now += moved
    assert await library.look(runner) == ["notices", "bad"]
    assert 0 <= runner._rest(library.clock.now) <= 60


async def test_the_runner_sleeps_until_the_next_is_due() -> None:
    library = Library(NINE + timedelta(minutes=59, seconds=30))
    runner = JobRunner("wiring", [library.job("notices", HOUR)], library.clock)
    assert runner._rest(library.clock.now) == 0, "due at once"
    await library.look(runner)
    assert runner._rest(library.clock.now) == 30
    library.clock.now = NINE + HOUR
    await library.look(runner)
    assert runner._rest(library.clock.now) == 60, "an hour, but a clock may be set meanwhile"
    assert JobRunner("wiring", [], library.clock)._rest(library.clock.now) == 60


async def test_the_runner_runs_and_stops_when_told() -> None:
    ran = asyncio.Event()
    quick = Job("quick", timedelta(milliseconds=20), lambda wiring, now: count())
    counted = 0

    async def count() -> None:
        nonlocal counted
        counted += 1
        if counted == 3:
            ran.set()

    runner = JobRunner("wiring", [quick])
    running = asyncio.create_task(runner.run())
    await asyncio.wait_for(ran.wait(), 5)
    runner.stop()
    await asyncio.wait_for(running, 1)
    then = counted
    await asyncio.sleep(0.05)
    assert counted == then


async def test_a_runner_without_jobs_stops_too() -> None:
    runner = JobRunner("wiring", [])
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    runner.stop()
    await asyncio.wait_for(running, 1)


async def test_no_job_is_begun_after_the_runner_was_stopped() -> None:
    library = Library()
    runner: JobRunner

    async def stop() -> None:
        runner.stop()

    runner = JobRunner(
        "wiring", [library.job("first", HOUR, stop), library.job("second", HOUR)], library.clock
    )
    await asyncio.wait_for(runner.run(), 1)
    assert [name for name, _ in library.ran] == ["first"]


async def test_a_job_that_takes_too_long_is_cut_off_when_the_process_ends() -> None:
    begun, tidied = asyncio.Event(), asyncio.Event()

    async def long(wiring: Any, now: datetime) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            tidied.set()

    runner = JobRunner("wiring", [Job("long", HOUR, long)])
    running = asyncio.create_task(runner.run())
    await begun.wait()
    runner.stop()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(running, 0.05)
    assert tidied.is_set() and running.cancelled()
