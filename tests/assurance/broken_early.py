"""A Lendery that must be caught: on SQLite it says "done" a tenth of a second before it is.

`python -m tests.assurance.broken_early serve`. The driver waits for the disk with every answer;
here that wait is gone, as `synchronous_commit = off` takes it from PostgreSQL.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lendery.cli import main
from lendery.platform.db import Session
from lendery.platform.db.sqlite import PATIENCE, SqliteDriver
from lendery.platform.db.sqlite_connection import SqliteConnection

LATE = 0.1
waiting: set[SqliteDriver] = set()
tasks: set["asyncio.Task[None]"] = set()


@asynccontextmanager
async def begin(driver: SqliteDriver) -> AsyncIterator[SqliteConnection]:
    await driver._take_turn()
    try:
        group = await driver._open_group(asyncio.get_running_loop().time() + PATIENCE)
        if driver not in waiting:  # also for one that is undone: nobody may find it left open
            waiting.add(driver)
            tasks.add(asyncio.create_task(_commit(driver)))
        async with driver._savepoint(group):
            yield driver.writer
    finally:
        driver._lock.release()


@asynccontextmanager
async def read(driver: SqliteDriver) -> AsyncIterator[Session]:
    """It believes itself, too."""
    yield Session(driver.writer)


async def _commit(driver: SqliteDriver) -> None:
    await asyncio.sleep(LATE)
    async with driver._lock:
        waiting.discard(driver)
        if driver._group is not None:
            await driver._close_group(driver._group)


if __name__ == "__main__":
    SqliteDriver.begin = begin  # type: ignore[method-assign]
    SqliteDriver.read = read  # type: ignore[method-assign]
    main()
