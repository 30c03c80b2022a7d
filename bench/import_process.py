"""One import, in a process of its own: prints how long it took and how much memory."""

import asyncio
import contextlib
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from lendery.contracts.base import Window
from lendery.contracts.importing import ImportOptions
from lendery.contracts.permissions import SYSTEM
from lendery.main import wire
from lendery.platform.settings import Settings

PIECE = 1 << 20


class NoBranches:
    """A catalogue alone has no branches; records without copies need none."""

    async def find(self, *, window: Window) -> object:
        from lendery.contracts.base import Page

        return Page(items=[])


LARGEST = [0]


def _most(pid: int) -> int:
    """Kilobytes that a process ever held at once. Not by getrusage: that counts who started it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


async def _largest_child() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        for pid in children.read_text().split():
            with contextlib.suppress(OSError):
                LARGEST[0] = max(LARGEST[0], _most(int(pid)))
        await asyncio.sleep(0.05)


async def run(url: str, path: Path, folder: Path) -> dict[str, float]:
    wiring = wire(Settings(database_url=url, import_folder=folder))
    wiring.branches = NoBranches()  # type: ignore[assignment]
    now = datetime.now(UTC)
    upload_id, at = await wiring.imports.begin(actor=SYSTEM, now=now), 0
    with path.open("rb") as file:
        while data := file.read(PIECE):
            at = await wiring.imports.take(
                upload_id=upload_id, at=at, data=data, actor=SYSTEM, now=now
            )
    started = await wiring.imports.start(
        upload_id=upload_id, name=path.name, options=ImportOptions(), actor=SYSTEM, now=now
    )
    began = time.perf_counter()
    readers = asyncio.create_task(_largest_child())
    await wiring.queue.once()
    seconds = time.perf_counter() - began
    readers.cancel()
    report = await wiring.imports.get(import_id=started.id, actor=SYSTEM)
    await wiring.close()
    if report.state != "done" or report.added != report.read:
        raise SystemExit(f"{report.state}: {report.error}, {report.added} of {report.read}")
    ours = _most(os.getpid())
    return {
        "records": report.read,
        "seconds": seconds,
        "megabytes": max(ours, LARGEST[0]) / 1024,
        "ours": ours / 1024,
        "reader": LARGEST[0] / 1024,
        "cpu": time.process_time(),
    }


if __name__ == "__main__":
    url, path, folder = sys.argv[1:]
    print(json.dumps(asyncio.run(run(url, Path(path), Path(folder)))))
