"""Importing a file in four steps, each at an address of its own: file, check, matches, import.

The first sends the file and has it read through without changing anything; the next two show
what that came to; the last does it, and can take it back.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lendery.contracts.base import Invalid, NotFound, Problem, Window
from lendery.contracts.importing import ImportOptions, ImportReport, Severity
from lendery.contracts.jobs import ENDED
from lendery.contracts.permissions import Actor, Permission
from lendery.web import shelves
from lendery.web.pages import Site, asked, field, go, show, take, visit_of

SHOWN = 50
PIECE = 512 * 1024
FORMATS = ("marc", "marcxml", "marcjson", "csv", "openlibrary", "lendery")
PROFILES = ("gutenberg", "goodbooks", "koha", "sierra")
RULES = {
    "number-isbn": ["control-number", "isbn"],
    "number": ["control-number"],
    "number-isbn-title": ["control-number", "isbn", "title-author-year"],
    "title": ["title-author"],
}


@dataclass(frozen=True)
class ImportPages:
    site: Site

    async def file(self, request: Request) -> Response:
        """The first step, and what was imported before."""
        return await self._file(request, None)

    async def _file(self, request: Request, problem: Problem | None) -> Response:
        actor = visit_of(request).must(Permission.RUN_IMPORTS)
        window = Window(limit=20, after=asked(request, "cursor", 1000) or None)
        return self.site.page(
            request,
            "imports/file.html",
            problem.status if problem else 200,
            found=await self.site.ports.imports.find(window=window, actor=actor),
            places=await shelves.places(self.site.ports),
            formats=FORMATS,
            profiles=PROFILES,
            problem=problem,
        )

    async def send(self, request: Request) -> Response:
        """The file, read through as a dry run."""
        actor, now = visit_of(request).must(Permission.RUN_IMPORTS), datetime.now(UTC)
        file = (await request.form()).get("file")
        try:
            if not isinstance(file, UploadFile) or not file.filename:
                raise Invalid("Choose a file.")
            options = await self._options(request, dry_run=True)
            report = await self._received(file, options, actor, now)
        except Problem as problem:
            if problem.status in (401, 403):
                raise
            return await self._file(request, problem)
        return go(f"/staff/imports/{report.id}/check")

    async def _received(
        self, file: UploadFile, options: ImportOptions, actor: Actor, now: datetime
    ) -> ImportReport:
        imports = self.site.ports.imports
        upload_id, at = await imports.begin(actor=actor, now=now), 0
        try:
            while data := await file.read(PIECE):
                at = await imports.take(upload_id=upload_id, at=at, data=data, actor=actor, now=now)
        except BaseException:
            await imports.drop(upload_id=upload_id, actor=actor, now=now)
            raise
        return await imports.start(
            upload_id=upload_id,
            name=(file.filename or "")[:200],
            options=options,
            actor=actor,
            now=now,
        )

    async def _options(self, request: Request, *, dry_run: bool) -> ImportOptions:
        given: dict[str, Any] = {
            name: await field(request, name, 64) or None
            for name in ("format", "profile", "branch_id")
        }
        columns = (await field(request, "columns", 4000)).split(";")
        pairs = [each.partition("=") for each in columns if "=" in each]
        rules = await field(request, "match", 20) or "number-isbn"
        try:
            return ImportOptions.model_validate(
                given
                | {
                    "columns": {name.strip(): column.strip() for name, _, column in pairs},
                    "match": RULES.get(rules, RULES["number-isbn"]),
                    "on_match": await field(request, "on_match", 20) or "skip",
                    "dry_run": dry_run,
                }
            )
        except ValidationError as error:
            raise Invalid("; ".join(str(e["msg"]) for e in error.errors()[:3])) from error

    async def check(self, request: Request, import_id: UUID) -> Response:
        return await self._step(request, import_id, "imports/check.html", "rejected", "warning")

    async def matches(self, request: Request, import_id: UUID) -> Response:
        return await self._step(request, import_id, "imports/matches.html", "match")

    async def report(self, request: Request, import_id: UUID) -> Response:
        return await self._step(request, import_id, "imports/import.html", "rejected", "warning")

    async def _step(
        self, request: Request, import_id: UUID, template: str, *severities: Severity
    ) -> Response:
        actor = visit_of(request).must(Permission.RUN_IMPORTS)
        imports = self.site.ports.imports
        report = await imports.get(import_id=import_id, actor=actor)
        notes = {}
        for severity in severities:
            page = await imports.notes(
                import_id=import_id, window=Window(limit=SHOWN), actor=actor, severity=severity
            )
            notes[severity] = page
        return self.site.page(
            request,
            template,
            report=report,
            ended=report.state in ENDED,
            notes=notes,
            rules=next((n for n, r in RULES.items() if r == report.options.match), "number-isbn"),
            undoing=report.undo is not None and not report.undone,
        )

    async def again(self, request: Request, import_id: UUID) -> Response:
        """The same file with other rules: looked through again, or imported."""
        actor, now = visit_of(request).must(Permission.RUN_IMPORTS), datetime.now(UTC)
        imports = self.site.ports.imports
        before = (await imports.get(import_id=import_id, actor=actor)).options
        dry_run = await field(request, "then", 10) != "import"
        chosen = await self._options(request, dry_run=dry_run)
        options = before.model_copy(
            update={"match": chosen.match, "on_match": chosen.on_match, "dry_run": dry_run}
        )
        report = await imports.proceed(import_id=import_id, options=options, actor=actor, now=now)
        return go(f"/staff/imports/{report.id}" + ("/matches" if dry_run else ""))

    async def undo(self, request: Request, import_id: UUID) -> Response:
        actor, now = visit_of(request).must(Permission.RUN_IMPORTS), datetime.now(UTC)
        await self.site.ports.imports.undo(import_id=import_id, actor=actor, now=now)
        return go(f"/staff/imports/{import_id}")

    async def rejects(self, request: Request, import_id: UUID) -> Response:
        """The rejected records as they came: to be mended, and sent again."""
        actor = visit_of(request).must(Permission.RUN_IMPORTS)
        await self.site.ports.imports.get(import_id=import_id, actor=actor)
        name = f'attachment; filename="rejects-{import_id}"'
        return StreamingResponse(
            self._rejects(import_id, actor),
            media_type="application/octet-stream",
            headers={"content-disposition": name},
        )

    async def _rejects(self, import_id: UUID, actor: Actor) -> AsyncIterator[bytes]:
        after: int | None = 0
        while after is not None:
            found, after = await self.site.ports.imports.rejects(
                import_id=import_id, after=after, actor=actor
            )
            for raw in found:
                yield raw


def of_import(pages: Any) -> Any:
    """For a path that names an import; what is no id names none."""

    async def found(request: Request) -> Response:
        try:
            import_id = UUID(request.path_params["import_id"])
        except ValueError:
            raise NotFound("There is no such page.") from None
        answer: Response = await pages(request, import_id)
        return answer

    return found


def routes(site: Site) -> APIRouter:
    pages, router = ImportPages(site), site.router()
    show(router, "/staff/imports", pages.file)
    take(router, "/staff/imports", pages.send)
    one = "/staff/imports/{import_id}"
    show(router, one, of_import(pages.report))
    show(router, f"{one}/check", of_import(pages.check))
    show(router, f"{one}/matches", of_import(pages.matches))
    show(router, f"{one}/rejects", of_import(pages.rejects))
    take(router, f"{one}/proceed", of_import(pages.again))
    take(router, f"{one}/undo", of_import(pages.undo))
    return router
