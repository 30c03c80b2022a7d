"""Celery, as a bell: a message says that there may be something to do, and nothing more.

What is to be done, and whether it is still to be done, is in the database (periodic.py, queue.py),
so nothing is lost with a message and nothing is done twice by two. `lendery beat` rings for what
nobody has taken up, `lendery worker` answers; who asks for long work rings at once.

There is a queue for each context and kind of work: `lendery.circulation.default`,
`lendery.catalog.long`. Loaded only where LENDERY_CELERY_BROKER is set: Celery takes its time.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery

from lendery.platform.jobs import Job
from lendery.platform.settings import Settings

log = structlog.get_logger()
PERIODIC, PERIODIC_LONG, LONG = "lendery.periodic", "lendery.periodic_long", "lendery.long"
RING_AGAIN = 60.0  # seconds until it is rung again for what nobody took up; a message lives as long
BLOCKED = timedelta(seconds=10)  # over its limit: a job that does not let itself be cancelled
HOPELESS = timedelta(seconds=30)  # over its limit: its process is killed


def queue_name(context: str, kind: str) -> str:
    return f"lendery.{context}.{kind}"


def celery_app(settings: Settings) -> Celery:
    """Raises ValueError where no broker is set."""
    if settings.celery_broker is None:
        raise ValueError("LENDERY_CELERY_BROKER is not set")
    app = Celery("lendery", broker=settings.celery_broker.get_secret_value(), set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=500,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,  # nobody orders workers about through the broker
        worker_send_task_events=False,
        broker_connection_timeout=3,
        broker_connection_retry_on_startup=True,
        broker_transport_options=(
            {} if "amqp" in app.conf.broker_url[:5] else {"socket_connect_timeout": 3}
        ),
    )
    return app


@dataclass
class Bell:
    """Rings for workers. One that cannot be rung is no harm: the beat rings again."""

    app: Celery
    _ringing: set["asyncio.Task[None]"] = field(default_factory=set)

    def for_job(self, context: str, job: Job) -> None:
        """Waits for the broker. Raises what its client raises."""
        limits = {
            "soft_time_limit": (job.limit + BLOCKED).total_seconds(),
            "time_limit": (job.limit + HOPELESS).total_seconds(),
        }
        name = PERIODIC if job.queue == "default" else PERIODIC_LONG
        self._send(name, [context, job.slug], queue_name(context, job.queue), **limits)

    def for_long_work(self, context: str) -> None:
        """The same."""
        self._send(LONG, [context], queue_name(context, "long"))

    def _send(self, name: str, given: list[str], queue: str, **limits: Any) -> None:
        self.app.send_task(name, given, queue=queue, expires=RING_AGAIN, retry=False, **limits)

    def soon_for_long_work(self, contexts: Iterable[str]) -> None:
        """Without waiting, from a process that serves."""
        for context in contexts:
            self._ring_aside(self.for_long_work, context)

    def soon_for_job(self, context: str, job: Job) -> None:
        self._ring_aside(self.for_job, context, job)

    def _ring_aside(self, ring: Any, *given: Any) -> None:
        async def aside() -> None:
            try:
                await asyncio.to_thread(ring, *given)
            except Exception as error:
                log.warning("broker not reached", why=type(error).__name__)

        task = asyncio.create_task(aside())
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)
