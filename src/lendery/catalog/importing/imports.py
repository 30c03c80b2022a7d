"""Imports as cataloguers ask for them: a file received, a job, a report, an undo."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from lendery.catalog.formats import PROFILES, Format, Refused, marcxml, opened
from lendery.catalog.importing.outcome import COUNTED
from lendery.catalog.importing.place import Place
from lendery.catalog.importing.reading import HEAD, recognised
from lendery.catalog.importing.undoing import in_the_way
from lendery.catalog.models import JOBS
from lendery.catalog.repository import sources
from lendery.contracts.base import Invalid, Page, Window, new_id
from lendery.contracts.circulation import Branches, CopyStates, NoSuchBranch
from lendery.contracts.importing import (
    ImportInTheWay,
    ImportNote,
    ImportOptions,
    ImportReport,
    NoSuchImport,
    NotReady,
    Severity,
    UploadRefused,
)
from lendery.contracts.jobs import ENDED
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Statement
from lendery.platform.job_list import WHOLE, JobList, asked_for
from lendery.platform.paging import make_cursor, read_cursor

KIND, UNDO = "import", "import-undo"
AT_ONCE = 500  # rejected records handed out at a time
LONGEST_NAME = 200
UNDONE_BY = Statement(
    select(JOBS.job.c.id, JOBS.job.c.about, JOBS.job.c.state)
    .where(JOBS.job.c.about == bindparam("about"), JOBS.job.c.kind == UNDO)
    .order_by(JOBS.job.c.created_at.desc())
)


@dataclass(frozen=True)
class ImportDesk:
    """Implements contracts.importing.Imports."""

    db: Database
    place: Place
    branches: Branches
    states: CopyStates
    wake: Callable[[], None]

    async def begin(self, *, actor: Actor, now: datetime) -> UUID:
        actor.must(Permission.RUN_IMPORTS)
        upload_id = new_id()
        await asyncio.to_thread(lambda: self.place.make(upload_id).close())
        return upload_id

    async def take(
        self, *, upload_id: UUID, at: int, data: bytes, actor: Actor, now: datetime
    ) -> int:
        actor.must(Permission.RUN_IMPORTS)
        return await asyncio.to_thread(self.place.add, upload_id, at, data)

    async def drop(self, *, upload_id: UUID, actor: Actor, now: datetime) -> None:
        actor.must(Permission.RUN_IMPORTS)
        await asyncio.to_thread(lambda: self.place.part(upload_id).unlink(missing_ok=True))

    async def start(
        self, *, upload_id: UUID, name: str, options: ImportOptions, actor: Actor, now: datetime
    ) -> ImportReport:
        actor.must(Permission.RUN_IMPORTS)
        try:
            await self._fits(options)
            form, head = await asyncio.to_thread(self._looked_at, upload_id, options, name)
            await asyncio.to_thread(self.place.keep, upload_id)
        except BaseException:
            self.place.part(upload_id).unlink(missing_ok=True)
            raise
        known = options.model_copy(update={"format": form.value})
        return await self._ask(upload_id, known, {"name": name[:LONGEST_NAME], "head": head}, now)

    def _looked_at(self, upload_id: UUID, options: ImportOptions, name: str) -> tuple[Format, str]:
        """The format, and the first line of a table: rejected rows go out under it."""
        path = self.place.part(upload_id)
        if not path.exists():
            raise UploadRefused("No such file is being received.")
        if not path.stat().st_size:
            raise UploadRefused("The file is empty.")
        try:
            form = Format(options.format) if options.format else recognised(path, name)
            return form, first_line(path) if form is Format.csv else ""
        except Refused as refused:
            raise UploadRefused(str(refused)) from refused

    async def proceed(
        self, *, import_id: UUID, options: ImportOptions, actor: Actor, now: datetime
    ) -> ImportReport:
        actor.must(Permission.RUN_IMPORTS)
        await self._fits(options)
        row = await self._row(import_id)
        if row.state not in ENDED or not row.request["options"].get("dry_run"):
            raise NotReady("Only a dry run that has ended can be gone on with.")
        new = new_id()
        if not self.place.hand_on(import_id, new):
            raise NotReady("The file of this dry run is gone. Send it again.")
        kept = {name: row.request[name] for name in ("name", "head")}
        before = row.request["options"]["format"]
        known = options.model_copy(update={"format": options.format or before})
        return await self._ask(new, known, kept, now)

    async def _ask(
        self, job_id: UUID, options: ImportOptions, kept: dict[str, str], now: datetime
    ) -> ImportReport:
        request = {"options": options.model_dump(mode="json"), **kept}
        counts = dict.fromkeys(COUNTED, 0)
        put = asked_for(JOBS, job_id=job_id, kind=KIND, request=request, now=now, counts=counts)
        async with self.db.begin() as tx:
            await tx.write(put)
        self.wake()
        return await self._report(await self._row(job_id))

    async def _fits(self, options: ImportOptions) -> None:
        """Raises Invalid for a profile or a branch that is not there."""
        if options.profile is not None and options.profile not in PROFILES:
            says = f"There is no such profile; there are {', '.join(sorted(PROFILES))}."
            raise Invalid(says, errors=[{"pointer": "#/profile", "says": says}])
        if options.branch_id is not None:
            try:
                await self.branches.get(branch_id=options.branch_id)
            except NoSuchBranch as unknown:
                says = "There is no such branch."
                problem = {"pointer": "#/branch_id", "says": says}
                raise Invalid(says, errors=[problem]) from unknown

    async def get(self, *, import_id: UUID, actor: Actor) -> ImportReport:
        actor.must(Permission.READ_JOBS)
        return await self._report(await self._row(import_id))

    async def find(self, *, window: Window, actor: Actor) -> Page[ImportReport]:
        page = await JobList(self.db, JOBS).find(window=window, actor=actor, kind=KIND)
        rows = [await self._row(each.id) for each in page.items]
        items = [await self._report(row) for row in rows]
        return Page(items=items, next_cursor=page.next_cursor)

    async def notes(
        self, *, import_id: UUID, window: Window, actor: Actor, severity: Severity | None = None
    ) -> Page[ImportNote]:
        actor.must(Permission.READ_JOBS)
        await self._row(import_id)
        after = read_cursor(window.after, int)[0] if window.after else 0
        async with self.db.read() as session:
            rows = await sources.notes(
                session, job_id=import_id, severity=severity, after=after, many=window.limit + 1
            )
        shown = rows[: window.limit]
        more = len(rows) > window.limit
        return Page(
            items=[ImportNote.model_validate(row) for row in shown],
            next_cursor=make_cursor(shown[-1].no) if more else None,
        )

    async def rejects(
        self, *, import_id: UUID, after: int, actor: Actor
    ) -> tuple[Sequence[bytes], int | None]:
        actor.must(Permission.RUN_IMPORTS)
        row = await self._row(import_id)
        async with self.db.read() as session:
            rows = await sources.rejects(session, job_id=import_id, after=after, many=AT_ONCE)
        more = rows[-1].no if len(rows) == AT_ONCE else None
        before, between, behind = around(Format(row.request["options"]["format"]), row.request)
        found = [each.raw.rstrip(b"\r\n") + between if between else each.raw for each in rows]
        first = [before] if before and not after else []
        return [*first, *found, *([behind] if behind and more is None else [])], more

    async def undo(self, *, import_id: UUID, actor: Actor, now: datetime) -> ImportReport:
        actor.must(Permission.RUN_IMPORTS)
        row = await self._row(import_id)
        report = await self._report(row)
        if row.state not in ENDED or report.options.dry_run:
            raise NotReady("Only an import that has ended, and was no dry run, can be undone.")
        if report.undo is not None:
            raise NotReady("It is being undone, or was undone, already.")
        if standing := await in_the_way(self.db, self.states, import_id, first=True):
            says = "Something of this import was changed or lent since: " + "; ".join(standing)
            raise ImportInTheWay(says, standing=standing)
        put = asked_for(JOBS, job_id=new_id(), kind=UNDO, request={}, now=now, about=import_id)
        async with self.db.begin() as tx:
            await tx.write(put)
        self.wake()
        return await self._report(row)

    async def _row(self, import_id: UUID) -> Any:
        async with self.db.read() as session:
            row = await session.row(JOBS.by_id, id=import_id)
        if row is None or row.kind != KIND:
            raise NoSuchImport("There is no such import.")
        return row

    async def _report(self, row: Any) -> ImportReport:
        async with self.db.read() as session:
            undo = await undone_by(session, row.id)
        return ImportReport(
            id=row.id,
            name=row.request["name"],
            state=row.state,
            progress=row.progress / WHOLE,
            options=ImportOptions.model_validate(row.request["options"]),
            **{name: row.counts.get(name, 0) for name in COUNTED},
            error=row.error,
            undo=undo.id if undo else None,
            undone=undo is not None and undo.state == "done",
            file_kept=row.state in ENDED and self.place.has(row.id),
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )


def first_line(path: Path) -> str:
    """In base 64; nothing where it is no line of a table."""
    with path.open("rb") as file:
        head = opened(file).readline(HEAD)
    return base64.b64encode(head).decode() if head.endswith(b"\n") else ""


def around(format: Format, request: dict[str, str]) -> tuple[bytes, bytes, bytes]:
    """What makes a file of single records: before the first, behind each, behind the last."""
    if format is Format.marc:
        return b"", b"", b""
    if format is Format.marcxml:
        return marcxml.HEAD, b"\n", marcxml.TAIL
    return base64.b64decode(request.get("head", "")), b"\n", b""


async def undone_by(session: Session, import_id: UUID) -> Any | None:
    """The job that undoes it, unless that one failed or was given up."""
    rows = await session.rows(UNDONE_BY, about=import_id)
    return next((row for row in rows if row.state not in ("failed", "cancelled")), None)
