"""Jobs by Celery's workers, over a real Redis and a real RabbitMQ: each slot's effects once."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from lendery.contracts.base import new_id
from lendery.parts import JOBS, LONG_JOBS
from lendery.platform.broker import Bell, celery_app
from lendery.platform.db import Database
from lendery.platform.job_list import asked_for
from lendery.platform.settings import Settings
from lendery.wiring import wire
from tests import hatchery
from tests.databases import Shelter, shelter
from tests.redis_server import redis_server

from .crew import ROOT, ZONE, Crew, build, crew
from .program import LOANS, PIECES, counted, line, nightly, tick

SECOND = timedelta(seconds=1)
WORK = 4  # long jobs asked for before each blow


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    with shelter(tmp_path_factory.mktemp("workers"), "workers", build) as made:
        yield made


@contextmanager
def rabbitmq() -> Iterator[str]:
    """Its address; without it the test is skipped, and fails where everything must be there."""
    services = [sys.executable, str(ROOT / "scripts" / "services"), "start", "rabbitmq"]
    process = subprocess.Popen(services, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    try:
        said = {}
        while "LENDERY_TEST_RABBITMQ" not in said:
            announced = re.match(r"export (\w+)=(.*)\n", process.stdout.readline())
            if announced is None:
                missing = "is missing" in process.stderr.read() and os.environ.get("CI") != "true"
                (pytest.skip if missing else pytest.fail)("no RabbitMQ")
            said[announced[1]] = announced[2]
        yield said["LENDERY_TEST_RABBITMQ"]
    finally:
        process.terminate()
        process.wait(30)


def test_two_beats_two_workers_and_one_killed_half_way(libraries: Shelter, tmp_path: Path) -> None:
    """The nightly job hangs in one worker, which is killed; the other charges who is left."""
    with (
        libraries.url("sqlite") as url,
        redis_server(tmp_path) as redis,
        crew(url, redis.url, tmp_path, "charge tick", lease=1) as here,
    ):
        here.hang.touch()
        workers = [here.start("worker", "--context", "circulation") for _ in range(2)]
        beats = [here.start("beat") for _ in range(2)]
        hung = int(here.until(lambda: here.hang.read_text()))
        here.hang.unlink()
        dead, alive = sorted(workers, key=lambda each: each.pid != hung)
        here.kill(dead)
        here.until(lambda: here.is_done("charge"))
        here.until(lambda: len(here.rows(tick)) >= 5)
        assert here.stop(*beats, alive) == [0, 0, 0]

        (slot,) = here.slots("charge")
        assert slot.ran_by == "celery" and slot.attempts >= 2 and slot.slot_at.minute == 30
        assert sorted(row.loan for row in here.rows(line)) == list(LOANS)
        every_second_was_counted(here)


def every_second_was_counted(here: Crew) -> None:
    ran = Counter(row.at for row in here.rows(tick))
    seconds = [each for each in here.slots("tick") if each.state == "done"]
    first = seconds[0].slot_at
    assert [each.slot_at for each in seconds] == [first + n * SECOND for n in range(len(seconds))]
    # On a machine that stands still for longer than the lease one may be begun again.
    assert all(1 <= ran[each.slot_at] <= each.attempts for each in seconds)


def test_ten_workers_are_killed_and_all_work_is_done_once(
    libraries: Shelter, tmp_path: Path
) -> None:
    dice, asked = Random(10), 0
    with (
        libraries.url("postgres") as url,
        redis_server(tmp_path) as redis,
        crew(url, redis.url, tmp_path, "charge tick", lease=2) as here,
    ):
        bell = Bell(celery_app(Settings(celery_broker=redis.url)))
        beat, workers = here.start("beat"), [here.start("worker") for _ in range(2)]
        for _ in range(10):
            done = len(here.rows(counted))
            for _ in range(WORK):
                asyncio.run(ask_to_count(url, asked))
                asked += 1
            bell.for_long_work("catalog")
            here.until(lambda done=done: len(here.rows(counted)) > done)
            time.sleep(dice.random() / 4)
            here.kill(workers.pop(0))
            workers.append(here.start("worker"))
        here.until(lambda: len(here.rows(counted)) >= PIECES * asked and here.is_done("charge"))
        assert here.stop(beat, *workers) == [0, 0, 0]

        assert Counter(row.n for row in here.rows(counted)) == dict.fromkeys(range(asked), PIECES)
        jobs = here.rows(LONG_JOBS["catalog"][0].job)
        assert any(job.attempts > 1 for job in jobs), "nobody fell while at work"
        assert sorted(row.loan for row in here.rows(line)) == list(LOANS)
        every_second_was_counted(here)


async def ask_to_count(url: str, n: int) -> None:
    db = Database(url)
    table = LONG_JOBS["catalog"][0]
    request = {"n": n}
    now = datetime.now(UTC)
    async with db.begin() as tx:
        await tx.write(asked_for(table, job_id=new_id(), kind="count", request=request, now=now))
    await db.close()


async def go_on(url: str) -> None:
    """What a process does that serves without workers."""
    wiring = wire(Settings(database_url=url, time_zone=ZONE))
    slots = wiring.background.slots
    work = slots.find("circulation", "charge")
    assert work is not None and await slots.run(work)
    await wiring.close()


def test_a_worker_told_to_stop_gives_back_and_another_goes_on(
    libraries: Shelter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        rabbitmq() as broker,
        libraries.url("postgres") as url,
        crew(url, broker, tmp_path, "charge age", lease=10) as here,
    ):
        here.hang.touch()
        worker, beat = here.start("worker"), here.start("beat")
        here.until(lambda: here.hang.read_text())
        asyncio.run(ask_to_count(url, 1))
        bell = Bell(celery_app(Settings(celery_broker=broker)))
        bell.for_long_work("catalog")
        bell.for_long_work("catalog")
        here.until(lambda: len(here.rows(counted)) == PIECES and here.is_done("age"))
        here.until(lambda: here.is_done("find duplicates", "catalog"))  # in the queue `long`
        assert here.stop(worker, beat) == [0, 0]
        assert [(slot.state, slot.attempts) for slot in here.slots("charge")] == [("waiting", 0)]
        (slot,) = here.slots("age")
        assert (slot.ran_by, slot.attempts, len(here.rows(tick))) == ("celery", 1, 1)
        assert [row.n for row in here.rows(counted)] == [1] * PIECES

        here.hang.unlink()
        monkeypatch.setenv("LENDERY_TEST_HANG", str(here.hang))
        monkeypatch.setitem(JOBS, "circulation", nightly(here.at))
        asyncio.run(go_on(url))
        (slot,) = here.slots("charge")
        assert (slot.state, slot.ran_by, slot.attempts) == ("done", "process", 1)
        assert sorted(row.loan for row in here.rows(line)) == list(LOANS)


def test_worker_and_beat_say_what_they_need() -> None:
    bare = {name: value for name, value in os.environ.items() if "CELERY" not in name}
    for command in ("worker", "beat"):
        done = hatchery.run(command, env=bare)
        assert done.returncode == 2 and "LENDERY_CELERY_BROKER is not set" in done.stderr
