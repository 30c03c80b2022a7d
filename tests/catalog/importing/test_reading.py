"""Reading ahead of the database, in another process."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from lendery.catalog.formats import Format
from lendery.catalog.importing.reading import Reading, read_ahead


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_stops_reading_stops_the_process_that_read_ahead(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    """Its pipe is full: it has read more than anybody took."""
    file = tmp_path / "long.jsonl"
    line = json.dumps({"title": "Middlemarch " * 40})
    file.write_text("\n".join([line] * 20_000))
    asked = Reading(str(file), file.name, "sqlite", 1 << 30, format=Format.lendery.value)

    async def stop_early() -> None:
        ahead = read_ahead(asked)
        assert (await anext(ahead)).records
        await asyncio.sleep(1)  # the pipe fills
        await asyncio.wait_for(ahead.aclose(), 20)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(stop_early())
