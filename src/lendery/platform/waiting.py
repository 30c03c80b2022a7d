"""Waiting for an event, but not for ever."""

import asyncio


async def heard(event: asyncio.Event, within: float) -> bool:
    """Was it set within so many seconds? Whoever is cancelled meanwhile is cancelled.

    `asyncio.wait_for` is not used: until Python 3.12 it loses a cancellation that comes in the
    moment in which what it waits for is done, and who was to end goes on for ever.
    """
    try:
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False
