"""A command that is told to stop, at any moment."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from lendery.platform.stopping import stop_as_after_ctrl_c


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nobody_is_stopped_between_what_is_begun_and_what_clears_it_away(
    number: signal.Signals,
) -> None:
    said = []

    async def work() -> None:
        os.kill(os.getpid(), number)
        said.append("begun")
        try:
            await asyncio.sleep(10)
            said.append("done")
        finally:
            said.append("cleared away")

    stop_as_after_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert said == ["begun", "cleared away"]
