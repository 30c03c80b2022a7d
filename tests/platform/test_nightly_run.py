"""All that is done by the clock: once, twice, and by a worker, with the same library afterwards."""

import asyncio
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lendery.main import wire
from lendery.platform.settings import Settings
from lendery.workers.worker import Hands
from tests.databases import Shelter

from .backups import everything

BROKER = "redis://127.0.0.1:1/0"  # nothing is sent


def once(url: str) -> None:
    async def run() -> None:
        wiring = wire(Settings(database_url=url))
        slots = wiring.background.slots
        assert all([await slots.run(work) for work in slots.works])
        await wiring.close()

    asyncio.run(run())


def twice(url: str) -> None:
    """As if every process had been killed between doing the work and noting it."""

    async def again() -> None:
        wiring = wire(Settings(database_url=url))
        for work in wiring.background.slots.works:
            await work.job.run(wiring, datetime.now(UTC))
        await wiring.close()

    once(url)
    asyncio.run(again())


def by_a_worker(url: str) -> None:
    settings = Settings(database_url=url, celery_broker=BROKER)
    hands = Hands(settings, multiprocessing.get_context("fork").Event())
    for work in hands.wiring.background.slots.works:
        hands.periodic(work.context, work.job.slug)
    hands.close()


def rows(url: str) -> dict[str, int]:
    return {name: len(found) for name, found in everything(url).items() if found}


@pytest.mark.parametrize("otherwise", [twice, by_a_worker])
def test_the_library_is_the_same_afterwards(
    libraries: Shelter, otherwise: Callable[[str], None]
) -> None:
    """In rows: ids and times are new each time. The demo's holds have long expired."""
    with libraries.url("sqlite") as first, libraries.url("sqlite") as second:
        before = rows(first)
        once(first)
        otherwise(second)
        after = rows(first)
        assert rows(second) == after
        assert after["circulation_event"] > before["circulation_event"]
        assert after["circulation_slot"] >= 2
