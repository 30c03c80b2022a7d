"""The bell of the workers: what is sent, and that nobody waits for a broker that is away."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from celery import Celery

from lendery.platform.broker import RING_AGAIN, Bell, celery_app
from lendery.platform.jobs import Job
from lendery.platform.settings import Settings


async def nothing(_: Any, now: datetime) -> None: ...


JOB = Job("age to lost", timedelta(days=1), nothing, limit=timedelta(minutes=5))


BACKUP = Job("backup", timedelta(days=1), nothing, limit=timedelta(hours=12), queue="long")
CALLS = [
    (JOB, "default", "lendery.periodic", "age-to-lost", 300),
    (BACKUP, "long", "lendery.periodic_long", "backup", 43_200),
]


@pytest.mark.parametrize(("job", "queue", "task", "slug", "limit"), CALLS)
def test_a_call_names_the_job_and_its_limits_and_does_not_live_long(
    job: Job, queue: str, task: str, slug: str, limit: int
) -> None:
    app = Celery("toy", broker="memory://", set_as_current=False)
    Bell(app).for_job("circulation", job)
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue(f"lendery.circulation.{queue}").get(timeout=1)
    assert message.headers["task"] == task
    assert message.payload[0] == ["circulation", slug]
    assert message.headers["timelimit"] == [limit + 30, limit + 10]
    lives = datetime.fromisoformat(message.headers["expires"]) - datetime.now(UTC)
    assert timedelta(0) < lives <= timedelta(seconds=RING_AGAIN)


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "amqp://guest:secret@127.0.0.1:1//"])
async def test_who_asks_for_work_does_not_wait_for_a_broker_that_is_away(broker: str) -> None:
    app = celery_app(Settings(celery_broker=broker))
    app.conf.broker_connection_timeout = 0.05
    bell = Bell(app)
    begun = time.monotonic()
    with structlog.testing.capture_logs() as logged:
        bell.soon_for_long_work(["catalog"])
        bell.soon_for_job("circulation", JOB)
        assert time.monotonic() - begun < 1
        await asyncio.wait(bell._ringing)
    assert [each["event"] for each in logged] == ["broker not reached"] * 2
    assert "secret" not in str(logged)


def test_what_may_take_longer_than_a_broker_waits_is_long() -> None:
    Job("quick", timedelta(days=1), nothing, limit=timedelta(minutes=25))
    with pytest.raises(ValueError, match="belongs to the queue `long`"):
        Job("slow", timedelta(days=1), nothing, limit=timedelta(minutes=26))
