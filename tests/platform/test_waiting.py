"""Waiting for an event, and being told to stop in the moment it comes."""

import asyncio
import time

import pytest

from lendery.platform.waiting import heard


async def test_what_comes_in_time_is_heard_and_what_does_not_is_not() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert await heard(event, 5) is True
    event.clear()
    began = time.monotonic()
    assert await heard(event, 0.05) is False
    assert time.monotonic() - began >= 0.04


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_told_to_stop_in_the_moment_the_event_comes_stops(turns: int) -> None:
    """However many turns of the event loop lie between."""
    event, went_on = asyncio.Event(), []

    async def waits_again_and_again() -> None:
        while True:
            await heard(event, 5)
            event.clear()
            went_on.append(turns)
            await asyncio.sleep(0)

    task = asyncio.create_task(waits_again_and_again())
    await asyncio.sleep(0.01)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)
    assert done and task.cancelled()
    assert len(went_on) <= 1
