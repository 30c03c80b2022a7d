"""A process that does what is in the queue, slowly enough to be killed in the middle.

It waits for a line, and then has a child do the work: a child costs no start of Python. The
child's number goes out; `over` follows when it has ended, however it ended.
"""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import structlog

from lendery.catalog.importing import running
from lendery.catalog.jobs import LONG_JOBS
from lendery.catalog.models import JOBS, TABLES
from lendery.platform.db import Database
from lendery.platform.queue import QueueRunner
from lendery.platform.settings import Settings
from tests.catalog.importing.conftest import Bulk


async def work(url: str, folder: str) -> None:
    running.AT_LEAST = running.AT_MOST = 12  # many chunks, so that kills fall between and into them
    bulk = Bulk(Database(url, [TABLES]), Settings(import_folder=Path(folder)))
    lease = timedelta(seconds=0.3)
    queue = QueueRunner(bulk, bulk.db, {"catalog": (JOBS, LONG_JOBS)}, lease=lease)
    for _ in range(50):
        if await queue.once():
            break
        await asyncio.sleep(0.05)  # the lease of the one before is not over yet
    await bulk.db.close()


def main(url: str, folder: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            asyncio.run(work(url, folder))
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("over", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
