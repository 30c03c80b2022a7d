"""Slots in the database: each run once, by whoever comes first, also after a kill."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import structlog

from lendery.contracts.base import Invalid
from lendery.platform.background import KEPT, forget_slots
from lendery.platform.db import Database, Duplicate
from lendery.platform.jobs import Job
from lendery.platform.metrics import JOB_FAILURES, JOBS
from lendery.platform.periodic import SlotDesk, Taken
from lendery.platform.timetable import MOST_ATTEMPTS, Claim

from .clocked import HOUR, MINUTE, NINE, SLOTS, Library


@pytest_asyncio.fixture
async def library(db: Database) -> Library:
    return Library(db)


async def test_a_slot_is_run_once_whoever_looks(library: Library) -> None:
    first, second = library.desk(), library.desk(ran_by="celery")
    assert await library.run(second) == [True]
    assert await library.run(first) == await library.run(second) == [False]
    (row,) = await library.rows()
    assert (row.job, row.slot_at, row.state, row.attempts) == ("age to lost", NINE, "done", 1)
    assert (row.ran_by, row.began_at, row.ended_at) == ("celery", library.now, library.now)
    assert library.ran == [("age to lost", NINE + 12 * MINUTE)]
    library.now = NINE + 5 * HOUR + MINUTE  # nobody was there for some hours
    assert await library.run(first) == [True] and await library.run(second) == [False]
    library.now = NINE + 3 * HOUR  # the clock is set back
    assert await library.run(first) == await library.run(second) == [False]
    assert [row.slot_at for row in await library.rows()] == [NINE, NINE + 5 * HOUR]


async def test_many_that_look_at_once_run_each_slot_once(library: Library) -> None:
    desks = [library.desk() for _ in range(8)]
    for hour in range(3):
        library.now = NINE + hour * HOUR
        done = await asyncio.gather(*(library.run(desk) for desk in desks))
        assert sorted(done) == [[False]] * 7 + [[True]]
    assert [at for _, at in library.ran] == [NINE + hour * HOUR for hour in range(3)]


async def test_without_a_look_the_key_still_refuses_a_second_claim(library: Library) -> None:
    """The guard behind the guard: who decides on old facts is stopped by the table."""
    await library.run(library.desk())
    blind = library.desk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SlotDesk, "decide", lambda *_: Claim(NINE))
        with pytest.raises(Duplicate):
            await blind.run(blind.works[0])
    assert len(await library.rows()) == len(library.ran) == 1


async def test_schedulers_whose_clocks_differ_run_what_was_missed_once(library: Library) -> None:
    """One says it is nearly ten, the other that it is ten: one of them finds the other's slot."""
    await library.run(library.desk())
    slow, fast = library.desk(), library.desk()
    slow.clock, fast.clock = lambda: NINE + 2 * HOUR - MINUTE, lambda: NINE + 2 * HOUR
    assert await library.run(fast) == [True] and await library.run(slow) == [False]
    assert [row.slot_at for row in await library.rows()] == [NINE, NINE + 2 * HOUR]


async def test_a_job_that_counts_each_slot_makes_up_for_all_and_is_told_which(
    library: Library,
) -> None:
    desk = library.desk(library.job(each=True))
    await library.run(desk)
    library.now = NINE + 3 * HOUR + MINUTE
    while await library.run(desk) == [True]:
        pass
    assert [at for _, at in library.ran] == [NINE + hour * HOUR for hour in range(4)]


async def hung() -> None:
    await asyncio.Event().wait()


async def test_a_killed_runners_slot_is_doubted_and_then_done_by_another(library: Library) -> None:
    dead, other = library.desk(), library.desk()
    assert isinstance(await dead.claim(dead.works[0]), Taken)  # and its process is killed
    lease = dead.lease
    for at, ran in (
        (lease - timedelta(microseconds=1), False),
        (lease, False),  # now it is doubted
        (lease + lease / 2 - timedelta(microseconds=1), False),
        (lease + lease / 2, True),
        (lease + lease / 2, False),
    ):
        library.now = NINE + 12 * MINUTE + at
        assert await library.run(other) == [ran], at
    (row,) = await library.rows()
    assert (row.state, row.attempts, row.runner) == ("done", 2, None)


async def test_a_runner_that_lives_is_only_doubted_when_the_clock_moves(library: Library) -> None:
    """Put on by three hours, then set back by five: nobody else takes the job up."""
    there, goes_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        there.set()
        await goes_on.wait()

    library.before = wait
    desk, other = library.desk(lease=timedelta(seconds=0.3)), library.desk()
    running = asyncio.create_task(library.run(desk))
    await there.wait()
    for moved in (2 * HOUR, -5 * HOUR):
        library.now += moved
        assert await library.run(other) == [False]
        assert (await library.rows())[0].doubted
        while (await library.rows())[0].doubted:
            await asyncio.sleep(0.01)  # until it has spoken up
        assert await library.run(other) == [False]
    goes_on.set()
    assert await running == [True]
    assert len(library.ran) == 1 and (await library.rows())[0].attempts == 1


async def test_who_lost_the_slot_is_stopped_and_cannot_say_how_it_ended(library: Library) -> None:
    library.before = hung
    slow, other = library.desk(lease=timedelta(seconds=0.06)), library.desk()
    running = asyncio.create_task(library.run(slow))
    while not await library.rows():
        await asyncio.sleep(0.001)
    async with library.db.begin() as tx:
        work = other.works[0]
        at = {"job": work.job.name, "slot_at": NINE}
        began = {"by": other.id, "how": "celery", "until": library.now + HOUR, "now": library.now}
        assert await tx.row(SLOTS.claim_again, **at, **began)
    assert await asyncio.wait_for(running, 5) == [True]
    (row,) = await library.rows()
    assert (row.state, row.runner, row.attempts) == ("running", other.id, 2)
    assert library.ran == []


async def test_a_process_that_ends_gives_its_slot_back_at_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lendery.platform.periodic.PATIENCE", 0)
    library.before = hung
    desk = library.desk()
    running = asyncio.create_task(library.run(desk))
    while not await library.rows():
        await asyncio.sleep(0.001)
    desk.stopping.set()
    await asyncio.wait_for(running, 5)
    assert [(row.state, row.attempts) for row in await library.rows()] == [("waiting", 0)]
    library.before = None
    assert await library.run(library.desk()) == [True]
    assert [(row.state, row.attempts) for row in await library.rows()] == [("done", 1)]


async def test_so_does_one_that_is_cut_off(library: Library) -> None:
    begun = asyncio.Event()

    async def begin() -> None:
        begun.set()
        await hung()

    library.before = begin
    running = asyncio.create_task(library.run(library.desk()))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [(row.state, row.attempts) for row in await library.rows()] == [("waiting", 0)]


async def test_a_job_that_takes_too_long_is_stopped_and_tried_again(library: Library) -> None:
    library.before = hung
    desk = library.desk(library.job(limit=timedelta(milliseconds=20)))
    assert await library.run(desk) == [True]
    (row,) = await library.rows()
    assert (row.state, row.error) == ("failed", "TimeoutError: it is in the log.")
    assert row.again_at == library.now + 5 * MINUTE and library.ran == []
    library.before, library.now = None, row.again_at
    assert await library.run(desk) == [True]
    assert [(row.state, row.attempts) for row in await library.rows()] == [("done", 2)]


async def test_a_failure_is_seen_by_its_type_and_stops_no_other(library: Library) -> None:
    async def poisoned(_: Any, now: datetime) -> None:
        raise RuntimeError("postgresql://secret@host\nwith a second line")

    async def refused(_: Any, now: datetime) -> None:
        raise Invalid("There is no such branch.")

    bad, told = Job("bad", HOUR, poisoned), Job("told", HOUR, refused)
    desk = library.desk(bad, library.job(), told)
    before = JOBS.labels("bad", "failed")._value.get()
    with structlog.testing.capture_logs() as logged:
        assert await library.run(desk) == [True, True, True]
    rows = {row.job: row for row in await library.rows()}
    assert [rows[name].state for name in ("bad", "age to lost", "told")] == [
        *("failed", "done", "failed")
    ]
    assert rows["bad"].error == "RuntimeError: it is in the log."
    assert rows["told"].error == "Invalid: There is no such branch."
    assert logged[0]["why"] == "RuntimeError: postgresql://secret@host"
    assert JOBS.labels("bad", "failed")._value.get() == before + 1
    assert JOB_FAILURES.labels("bad", "RuntimeError")._value.get() >= 1


async def test_a_slot_left_behind_is_closed_by_the_next(library: Library) -> None:
    dead, other = library.desk(), library.desk()
    await dead.claim(dead.works[0])
    library.now = NINE + HOUR
    assert await library.run(other) == [False], "doubted first"
    library.now += dead.lease
    assert await library.run(other) == [True]
    assert [(row.slot_at, row.state) for row in await library.rows()] == [
        (NINE, "failed"),
        (NINE + HOUR, "done"),
    ]


async def test_one_that_kills_its_process_again_and_again_is_given_up(library: Library) -> None:
    desk = library.desk(library.job(every=24 * HOUR))
    for attempt in range(1, MOST_ATTEMPTS + 1):
        taken = await desk.claim(desk.works[0])  # and its process is killed
        assert taken is not None and taken.attempts == attempt
        library.now += desk.lease
        assert await desk.claim(desk.works[0]) is None, "doubted"
        library.now += desk.lease
    assert await library.run(desk) == await library.run(desk) == [False]
    (row,) = await library.rows()
    assert (row.state, row.error) == ("failed", "Its process ended before it did.")
    library.now += 24 * HOUR
    assert await library.run(desk) == [True]


async def test_old_slots_are_forgotten_and_the_newest_never(library: Library) -> None:
    desk = library.desk(library.job(), library.job("monthly"))
    await library.run(desk)
    library.now = NINE + HOUR
    await desk.run(desk.works[0])
    await forget_slots(library.db, SLOTS).run(None, NINE + KEPT + MINUTE)
    assert [(row.job, row.slot_at) for row in await library.rows()] == [
        ("monthly", NINE),
        ("age to lost", NINE + HOUR),
    ]
