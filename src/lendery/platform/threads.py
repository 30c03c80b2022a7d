"""Work in a thread that nobody leaves behind."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def to_the_end(work: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
    """As `asyncio.to_thread`, but whoever is cancelled waits until the work has ended.

    A thread cannot be stopped: left alone, it makes again what its caller is clearing away.
    """
    loop = asyncio.get_running_loop()
    working = loop.run_in_executor(None, partial(work, *given, **named))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        if not working.cancelled():
            working.exception()  # marks it as seen
        raise
