"""Waiting for another process's write must not stop everything else in this one."""

import asyncio
import sqlite3
import time
from pathlib import Path

from sqlalchemy import text

from lendery.platform.db import Database

WHILE = 0.3  # seconds that the other process writes


async def test_a_desk_that_waits_for_another_process_leaves_the_others_free(tmp_path: Path) -> None:
    path = tmp_path / "lendery.db"
    db = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE circulation_scan (barcode TEXT)")

    async def write() -> None:
        async with db.begin() as tx:
            await tx.run(text("INSERT INTO circulation_scan VALUES (:code)"), code="1")

    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(write())
    started, longest = time.monotonic(), 0.0
    while time.monotonic() - started < WHILE:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    assert not waiting.done()
    other.execute("COMMIT")
    await waiting

    assert other.execute("SELECT count(*) FROM circulation_scan").fetchone() == (1,)
    assert longest < WHILE / 2, f"nothing else ran for {longest:.2f} seconds"
    await db.close()
    other.close()
