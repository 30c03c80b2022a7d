"""An import that is killed, again and again, ends as one that was not."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from lendery.catalog.formats import Described, NamedHeading
from lendery.catalog.importing.running import run_import
from lendery.catalog.models import (
    JOBS,
    author,
    book,
    book_author,
    book_subject,
    copy,
    import_note,
    source,
    subject,
)
from lendery.contracts.importing import ImportReport
from lendery.contracts.permissions import SYSTEM
from lendery.platform.queue import LeaseLost
from tests.catalog.conftest import MAIN_STREET

from .conftest import Bulk, held, marc
from .conftest import book as described

KILLS = int(os.environ.get("LENDERY_TEST_KILLS", "10"))
ROOT = Path(__file__).parents[3]


def a_library(many: int) -> bytes:
    """Records with authors and subjects in common, copies, and some that match each other."""
    dice = random.Random(7)
    books: list[Described] = []
    for n in range(many):
        twin = n % 50 == 49
        books.append(
            described(
                f"Title {n - 1 if twin else n}",
                "",
                f"(k){n - 1 if twin else n}",
                authors=(NamedHeading(f"Author {dice.randrange(40)}", f"Author {n % 40}"),),
                subjects=tuple({f"Subject {dice.randrange(25)}" for _ in range(2)}),
                holdings=(held(f"k{n}"), held(f"k{n - 1}" if n % 30 == 0 else f"x{n}")),
            )
        )
    broken = b"00026nam a2200025 i 4500\x1e\x1d"
    half = many // 2
    return marc(*books[:half]) + broken + marc(*books[half:])


async def catalogue(bulk: Bulk) -> dict[str, Any]:
    """What there is, without the ids that each run makes anew."""
    async with bulk.db.read() as session:
        books = await session.rows(select(book).order_by(book.c.sort_title, book.c.number))
        return {
            "books": [(b.title, b.isbn, b.version, b.subjects) for b in books],
            "names": sorted(a["name"] for b in books for a in b.authors),
            "authors": sorted(r.name for r in await session.rows(select(author.c.name))),
            "subjects": sorted(r.name for r in await session.rows(select(subject.c.name))),
            "links": [len(await session.rows(select(t))) for t in (book_author, book_subject)],
            "copies": sorted(r.barcode for r in await session.rows(select(copy.c.barcode))),
            "raw": sorted(r.raw for r in await session.rows(select(source.c.raw))),
            "notes": [
                (r.no, r.record, r.says)
                for r in await session.rows(select(import_note).order_by(import_note.c.no))
            ],
        }


@dataclass
class Runner:
    """runner.py, and what it says."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def started(cls, url: str, folder: Path) -> AsyncIterator["Runner"]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.catalog.importing.runner", url, str(folder)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def work(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(b"work\n")
        return int(await self._line())

    async def kill(self, pid: int) -> bool:
        """False when it was over before."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    async def over(self) -> None:
        assert await self._line() == "over"

    async def _line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()


async def moved_on(bulk: Bulk, asked: ImportReport) -> None:
    """Waits until it has come further than when we last looked."""
    before = await bulk.report(asked.id)
    while True:
        now = await bulk.report(asked.id)
        if now.read > before.read or now.state not in ("queued", "running"):
            return
        await asyncio.sleep(0.003)


async def test_ten_kills_change_nothing_of_what_comes_of_it(
    bulk: Bulk, url: str, tmp_path: Path, events: Any
) -> None:
    data = a_library(600)
    options = {"profile": "koha", "branch_id": str(MAIN_STREET)}
    undisturbed = await bulk.run(data, **options)
    expected, told = await catalogue(bulk), sorted(await events())
    await bulk.undo(undisturbed)
    async with bulk.db.begin() as tx:
        await tx.run(import_note.delete())
    assert await bulk.titles() == []

    before = len(await events())
    asked = await bulk.ask(data, **options)
    killed, dice = 0, random.Random()
    async with Runner.started(url, tmp_path / "files") as runner:
        while (await bulk.report(asked.id)).state in ("queued", "running"):
            pid = await runner.work()
            if killed < KILLS:
                await moved_on(bulk, asked)
                await asyncio.sleep(dice.uniform(0.0, 0.03))
                killed += await runner.kill(pid)
            await runner.over()
    report = await bulk.report(asked.id)
    job = await bulk.jobs.get(job_id=asked.id, actor=SYSTEM)
    assert (report.state, report.error) == ("done", None)
    assert killed == KILLS and job.attempts == KILLS + 1, "it was over before it could be killed"
    assert report.read == 601
    assert report.read == report.added + report.overlaid + report.skipped + report.rejected
    assert await catalogue(bulk) == expected
    assert sorted((await events())[before:]) == told


async def test_who_lost_the_lease_cannot_commit(bulk: Bulk) -> None:
    """The negative of the above: a runner that was thought dead, and comes back."""
    await bulk.ask(marc(described("Emma")))
    running = await bulk.queue._claim(JOBS, {"import": object()})  # type: ignore[dict-item]
    assert running is not None
    running.runner = UUID(int=1)  # somebody else
    with pytest.raises(LeaseLost):
        await run_import(bulk, running)
    assert await bulk.titles() == []
