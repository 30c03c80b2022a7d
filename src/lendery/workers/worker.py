"""`lendery worker`: processes that do the jobs which the database says are to be done.

A job is an async function, Celery's processes are not: each has an event loop and a wiring of its
own, made after the fork. When the worker is told to stop, a job has a few seconds to end; then it
gives its slot or lease back, and another worker goes on at once.
"""

import asyncio
import multiprocessing
from collections.abc import Coroutine, Sequence
from multiprocessing.synchronize import Event
from typing import Any

import structlog
from celery import Celery, signals
from celery.exceptions import SoftTimeLimitExceeded

from lendery.platform.broker import LONG, PERIODIC, PERIODIC_LONG, celery_app, queue_name
from lendery.platform.settings import Settings
from lendery.wiring import Wiring, wire

log = structlog.get_logger()
GLANCE = 0.2  # seconds between two looks whether the worker is told to stop


class Hands:
    """One process of a worker."""

    def __init__(self, settings: Settings, stopping: Event) -> None:
        self.loop, self.stopping = asyncio.new_event_loop(), stopping
        self.wiring: Wiring = wire(settings)

    def periodic(self, context: str, slug: str) -> None:
        work = self.wiring.background.slots.find(context, slug)
        if work is None:
            log.warning("unknown job", context=context, job=slug)  # of another version
        else:
            self._do(
                self.wiring.background.slots.run(work)
            )  # which sees for itself that it is to stop

    def long(self, context: str) -> None:
        """All that waits: whoever asked for more meanwhile may have rung in vain."""
        while self._do(self.wiring.background.queue.once(context), cut_off=True):
            pass

    def _do(self, doing: Coroutine[Any, Any, bool], *, cut_off: bool = False) -> bool:
        task = self.loop.create_task(self._attended(doing, cut_off))
        try:
            return self.loop.run_until_complete(task)
        except SoftTimeLimitExceeded:  # it struck between two steps of the job
            task.cancel()
            self.loop.run_until_complete(asyncio.wait([task]))
            return False

    async def _attended(self, doing: Coroutine[Any, Any, bool], cut_off: bool) -> bool:
        task = asyncio.ensure_future(doing)
        attending = asyncio.create_task(self._attend(task if cut_off else None))
        try:
            return await task
        except asyncio.CancelledError:
            if not self.stopping.is_set():
                task.cancel()
                await asyncio.wait([task])
                raise
            return False
        finally:
            attending.cancel()

    async def _attend(self, task: "asyncio.Future[bool] | None") -> None:
        while not self.stopping.is_set():
            await asyncio.sleep(GLANCE)
        self.wiring.background.slots.stopping.set()
        self.wiring.background.queue.stop()
        if task is not None:
            task.cancel()

    def close(self) -> None:
        self.loop.run_until_complete(self.wiring.close())
        self.loop.close()


def prepare(settings: Settings) -> Celery:
    """The app with its tasks, ready to be forked."""
    app = celery_app(settings)
    stopping = multiprocessing.get_context("fork").Event()
    hands: list[Hands] = []

    def hire(**_: Any) -> None:
        hands.append(Hands(settings, stopping))

    def dismiss(**_: Any) -> None:
        while hands:
            hands.pop().close()

    def tell(**_: Any) -> None:
        stopping.set()

    signals.setup_logging.connect(_ours, weak=False)
    signals.worker_process_init.connect(hire, weak=False)
    signals.worker_process_shutdown.connect(dismiss, weak=False)
    signals.worker_shutting_down.connect(tell, weak=False)
    # A database that does not answer: the message is tried again. A job that fails is not an
    # error here: the table says when it is tried again.
    patient = {
        "autoretry_for": (Exception,),
        "retry_backoff": True,
        "retry_backoff_max": 60,
        "retry_jitter": True,
        "max_retries": 5,
    }

    def periodic(context: str, slug: str) -> None:
        hands[0].periodic(context, slug)

    def long(context: str) -> None:
        hands[0].long(context)

    app.task(name=PERIODIC, **patient)(periodic)
    # Long work takes longer than a broker waits for a message to be acknowledged.
    app.task(name=PERIODIC_LONG, acks_late=False, **patient)(periodic)
    app.task(name=LONG, acks_late=False, **patient)(long)
    return app


def _ours(**_: Any) -> None:
    """Logs are set up already; Celery is not to do it again."""


def run(settings: Settings, contexts: Sequence[str], kinds: Sequence[str], at_once: int) -> int:
    """Until it is told to stop; the exit status."""
    app = prepare(settings)
    worker = app.Worker(
        queues=[queue_name(context, kind) for context in contexts for kind in kinds],
        concurrency=at_once,
        pool="prefork",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()
    status: int = worker.exitcode or 0
    return status
