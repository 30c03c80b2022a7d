"""Long work of the catalog, and what it does by the clock."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lendery.catalog.duplicates import DuplicateList
from lendery.catalog.importing.exporting import KIND as EXPORT
from lendery.catalog.importing.exporting import run_export
from lendery.catalog.importing.imports import KIND as IMPORT
from lendery.catalog.importing.imports import UNDO
from lendery.catalog.importing.place import Place
from lendery.catalog.importing.running import run_import
from lendery.catalog.importing.undoing import run_undo
from lendery.catalog.models import JOBS as JOB_TABLE
from lendery.contracts.jobs import JobState
from lendery.platform.jobs import Job
from lendery.platform.queue import LongJob


async def let_go(wiring: Any, job_id: UUID, state: JobState) -> None:
    """The file of an import goes when the job ends; that of a dry run waits to be gone on with."""
    async with wiring.db.read() as session:
        row = await session.row(JOB_TABLE.by_id, id=job_id)
    if state == "done" and row.request["options"].get("dry_run"):
        return
    place = Place(wiring.settings.import_folder, wiring.settings.import_limit)
    await asyncio.to_thread(place.drop, job_id)


async def sweep(wiring: Any, now: datetime) -> None:
    """Drops files that nobody came back for."""
    job = JOB_TABLE.job
    async with wiring.db.read() as session:
        needed = select(job.c.id).where(job.c.state.in_(("queued", "running")))
        ids = [row.id for row in await session.rows(needed)]
    place = Place(wiring.settings.import_folder, wiring.settings.import_limit)
    await asyncio.to_thread(place.sweep, ids, now=now)


async def find_duplicates(catalog: Any, now: datetime) -> None:
    """What was added looks the same as something that was there?"""
    await DuplicateList(catalog.db).look_daily(now)


JOBS: tuple[Job, ...] = (
    Job(
        "find duplicates",
        timedelta(hours=1),
        find_duplicates,
        limit=timedelta(hours=6),
        queue="long",
    ),
    Job("import-files", timedelta(hours=1), sweep),
)
LONG_JOBS = {
    each.kind: each
    for each in (
        LongJob(IMPORT, run_import, let_go),
        LongJob(UNDO, run_undo),
        LongJob(EXPORT, run_export),
    )
}
