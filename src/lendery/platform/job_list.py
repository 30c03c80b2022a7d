"""Jobs as people ask for them: put into the queue, listed, looked at, cancelled.

What does them is in queue.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, Uuid, bindparam, insert, or_, select, tuple_, update

from lendery.contracts.base import Invalid, Page, Window
from lendery.contracts.jobs import ENDED, Job, JobHasEnded, JobState, NoSuchJob
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Statement, UtcDateTime
from lendery.platform.db.jobs import JobTable
from lendery.platform.paging import make_cursor, read_cursor

WHOLE = 1_000_000  # progress is kept in millionths


def asked_for(
    table: JobTable,
    *,
    job_id: UUID,
    kind: str,
    request: dict[str, Any],
    now: datetime,
    about: UUID | None = None,
    counts: Mapping[str, int] | None = None,
) -> tuple[Statement, dict[str, Any]]:
    """The write that asks for a job: for the transaction of what it belongs to."""
    return _put(table), {
        "id": job_id,
        "kind": kind,
        "state": "queued",
        "request": request,
        "position": {},
        "counts": dict(counts or {}),
        "progress": 0,
        "error": None,
        "attempts": 0,
        "cancel_asked": False,
        "about": about,
        "runner": None,
        "lease_until": None,
        "created_at": now,
        "started_at": None,
        "ended_at": None,
    }


_puts: dict[str, Statement] = {}


def _put(table: JobTable) -> Statement:
    return _puts.setdefault(table.context, Statement(insert(table.job)))


def in_millionths(progress: float) -> int:
    return int(min(max(progress, 0.0), 1.0) * WHOLE)


def job_of(row: Any) -> Job:
    return Job.model_validate({**row._asdict(), "progress": row.progress / WHOLE})


@dataclass(frozen=True)
class JobList:
    """Implements contracts.jobs.Jobs for one context."""

    db: Database
    table: JobTable

    async def get(self, *, job_id: UUID, actor: Actor) -> Job:
        actor.must(Permission.READ_JOBS)
        async with self.db.read() as session:
            return _found(await session.row(self.table.by_id, id=job_id))

    async def find(
        self,
        *,
        window: Window,
        actor: Actor,
        kind: str | None = None,
        state: JobState | None = None,
    ) -> Page[Job]:
        actor.must(Permission.READ_JOBS)
        job = self.table.job
        wanted = select(job)
        if kind:
            wanted = wanted.where(job.c.kind == bindparam("kind", kind, type_=String()))
        if state:
            wanted = wanted.where(job.c.state == bindparam("state", state, type_=String()))
        if window.after:
            text, last = read_cursor(window.after, str, UUID)
            at = _moment(text)
            wanted = wanted.where(
                tuple_(job.c.created_at, job.c.id)
                < tuple_(
                    bindparam("at", at, type_=UtcDateTime()),
                    bindparam("last", last, type_=Uuid()),
                )
            )
        many = bindparam("many", window.limit + 1, type_=Integer())
        ordered = wanted.order_by(job.c.created_at.desc(), job.c.id.desc()).limit(many)
        async with self.db.read() as session:
            rows = await session.rows(ordered)
        shown = [job_of(row) for row in rows[: window.limit]]
        more = len(rows) > window.limit
        cursor = make_cursor(shown[-1].created_at.isoformat(), shown[-1].id) if more else None
        return Page(items=shown, next_cursor=cursor)

    async def cancel(self, *, job_id: UUID, actor: Actor, now: datetime) -> Job:
        actor.must(Permission.RUN_IMPORTS)
        job = self.table.job
        waits = or_(job.c.state == "queued", job.c.state == "running")
        at = job.c.id == bindparam("at_id", job_id, type_=Uuid())
        async with self.db.begin() as tx:
            before = _found(await tx.row(self.table.by_id, id=job_id))
            if before.state in ENDED:
                raise JobHasEnded(f"This job is {before.state} already.", state=before.state)
            await tx.run(update(job).where(at, waits).values(cancel_asked=True))
            dropped = {"state": "cancelled", "ended_at": now, "lease_until": None}
            await tx.run(update(job).where(at, job.c.state == "queued").values(**dropped))
            return _found(await tx.row(self.table.by_id, id=job_id))


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("This is not a cursor of this list.") from error


def _found(row: Any | None) -> Job:
    if row is None:
        raise NoSuchJob("There is no such job.")
    return job_of(row)
