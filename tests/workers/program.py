"""Lendery with jobs of a test's own: `python -m tests.workers.program worker`.

`charge` is a nightly job of circulation: it charges six loans, one a transaction, each once; after
the third it hangs while there is a file named by LENDERY_TEST_HANG, and says so in that file.
`age` is another, `tick` counts every second, and `count` is long work of the catalog.
"""

import asyncio
import os
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, insert, update

from lendery import cli, parts
from lendery.platform.db import UtcDateTime
from lendery.platform.jobs import Job
from lendery.platform.queue import LongJob, Running

LOANS = range(6)
PIECES = 2  # of long work
metadata = MetaData()
loan = Table(
    "circulation_story_loan",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("charged", Boolean, nullable=False),
)
line = Table("circulation_story_line", metadata, Column("loan", Integer, nullable=False))
tick = Table("circulation_story_tick", metadata, Column("at", UtcDateTime, nullable=False))
counted = Table("circulation_story_count", metadata, Column("n", Integer, nullable=False))


async def charge(wiring: Any, now: datetime) -> None:
    hang = Path(os.environ["LENDERY_TEST_HANG"])
    for each in LOANS:
        async with wiring.db.begin() as tx:
            open_loan = update(loan).where(loan.c.id == each, loan.c.charged.is_(False))
            if await tx.run(open_loan.values(charged=True)):
                await tx.run(insert(line).values(loan=each))
        if each == 2 and hang.exists():
            hang.write_text(str(os.getppid()))
            await asyncio.sleep(3600)


async def note(wiring: Any, now: datetime) -> None:
    async with wiring.db.begin() as tx:
        await tx.run(insert(tick).values(at=now))


NIGHTLY = {"charge": charge, "age": note}


async def count(wiring: Any, running: Running) -> None:
    """In two pieces, between which somebody may fall."""
    for piece in range(running.position.get("done", 0), PIECES):
        await asyncio.sleep(0.1)
        async with wiring.db.begin() as tx:
            await tx.run(insert(counted).values(n=running.request["n"]))
            position = {"done": piece + 1}
            await running.step(tx, position=position, counts={}, progress=(piece + 1) / PIECES)


def nightly(at: time) -> list[Job]:
    return [Job(name, timedelta(days=1), run, at=at) for name, run in NIGHTLY.items()]


def main() -> None:
    names, at = os.environ["LENDERY_TEST_JOBS"].split(), os.environ["LENDERY_TEST_AT"]
    jobs = [*nightly(time.fromisoformat(at)), Job("tick", timedelta(seconds=1), note, each=True)]
    parts.JOBS["circulation"] = tuple(job for job in jobs if job.name in names)
    parts.LONG_JOBS["catalog"][1]["count"] = LongJob("count", count)
    cli.main()


if __name__ == "__main__":
    main()
