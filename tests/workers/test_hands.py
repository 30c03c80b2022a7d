"""One process of a worker: interrupted, told to stop, called for what it does not know."""

import asyncio
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select

from lendery import parts
from lendery.main import TABLES
from lendery.platform import migrate
from lendery.platform.jobs import Job
from lendery.platform.settings import Settings
from lendery.workers.worker import Hands

SLOT = TABLES["circulation"].slots.slot


async def blocks(_: Any, now: datetime) -> None:
    time.sleep(60)


async def waits(_: Any, now: datetime) -> None:
    await asyncio.sleep(60)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    jobs = [Job(each.__name__, timedelta(hours=1), each) for each in (blocks, waits)]
    monkeypatch.setitem(parts.JOBS, "circulation", tuple(jobs))
    address = f"sqlite:///{tmp_path}/library.db"
    migrate.run(address, ["circulation"])
    return address


@pytest.fixture
def hands(url: str) -> Iterator[Hands]:
    broker = "redis://127.0.0.1:1/0"  # nothing is sent
    settings = Settings(database_url=url, contexts={"circulation"}, celery_broker=broker)
    made = Hands(settings, multiprocessing.get_context("fork").Event())
    yield made
    made.close()


@contextmanager
def soft_limit(seconds: float) -> Iterator[None]:
    """As Celery does it: by a signal, wherever the process is."""

    def strike(*_: Any) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def slots(hands: Hands) -> list[Any]:
    async def read() -> list[Any]:
        async with hands.wiring.db.read() as session:
            return await session.rows(select(SLOT))

    return hands.loop.run_until_complete(read())


def test_a_job_that_blocks_its_process_is_interrupted_and_has_failed(hands: Hands) -> None:
    with soft_limit(0.1):
        hands.periodic("circulation", "blocks")
    (slot,) = slots(hands)
    assert (slot.state, slot.error) == ("failed", "SoftTimeLimitExceeded: it is in the log.")


def test_one_that_is_struck_while_it_waits_is_given_back(hands: Hands) -> None:
    with soft_limit(0.1):
        hands.periodic("circulation", "waits")
    assert [(slot.state, slot.ran_by) for slot in slots(hands)] == [("waiting", "celery")]


def test_a_worker_told_to_stop_gives_back_what_it_has_in_hand(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lendery.platform.periodic.PATIENCE", 0)
    threading.Timer(0.05, hands.stopping.set).start()
    hands.periodic("circulation", "waits")
    assert [(slot.state, slot.attempts) for slot in slots(hands)] == [("waiting", 0)]


def test_a_job_of_another_version_is_left_alone(hands: Hands) -> None:
    hands.periodic("circulation", "unheard-of")
    assert slots(hands) == []
