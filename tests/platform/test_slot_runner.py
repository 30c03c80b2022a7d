"""The loops inside a process: looking, sleeping, stopping, and nobody held up by another."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from lendery.platform.db import Database
from lendery.platform.jobs import Job
from lendery.platform.periodic import Clockwork, Taken
from lendery.platform.slot_runner import SlotRunner

from .clocked import HOUR, MINUTE, NINE, Library


@pytest_asyncio.fixture
async def library(db: Database) -> Library:
    return Library(db)


async def test_a_runner_looks_sleeps_until_the_next_and_stops(library: Library) -> None:
    library.now = NINE + 59 * MINUTE + timedelta(seconds=58)
    runner = SlotRunner(library.desk(library.job(), library.job("second")))
    assert await runner._once("default") == 0 and len(library.ran) == 2, "and looks again at once"
    assert await runner._once("default") == 2
    library.now = NINE + HOUR
    await runner._once("default")
    assert await runner._once("default") == runner.rest, "an hour, but somebody may ask meanwhile"
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    runner.stop()
    await asyncio.wait_for(running, 1)
    assert len(library.ran) == 4


async def test_what_takes_long_holds_up_nothing_else(library: Library) -> None:
    begun, second = asyncio.Event(), asyncio.Event()

    async def backup(_: Any, now: datetime) -> None:
        begun.set()
        await second.wait()

    async def other(_: Any, now: datetime) -> None:
        await begun.wait()
        second.set()

    jobs = [Job("backup", HOUR, backup, queue="long"), Job("other", HOUR, other)]
    runner = SlotRunner(library.desk(*jobs))
    running = asyncio.create_task(runner.run())
    await asyncio.wait_for(second.wait(), 5)
    runner.stop()
    await asyncio.wait_for(running, 5)
    assert {row.state for row in await library.rows()} == {"done"}


async def test_a_job_that_cannot_be_begun_holds_up_no_other(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = library.desk(library.job("bad"), library.job("good"))
    claim = desk.claim

    async def broken(work: Clockwork) -> Taken | None:
        if work.job.name == "bad":
            raise RuntimeError("disk full")
        return await claim(work)

    monkeypatch.setattr(desk, "claim", broken)
    runner = SlotRunner(desk)
    assert await runner._once("default") == 0 and [name for name, _ in library.ran] == ["good"]
    assert await runner._once("default") == runner.rest


async def test_no_job_is_begun_after_the_runner_was_stopped(library: Library) -> None:
    async def stop() -> None:
        runner.stop()

    library.before = stop
    runner = SlotRunner(library.desk(library.job("first"), library.job("second")))
    await asyncio.wait_for(runner.run(), 5)
    assert [name for name, _ in library.ran] == ["first"]
