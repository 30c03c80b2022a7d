"""Imports over HTTP: a file in one stream, a report, what was rejected, an undo."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from lendery.catalog.routes.jobs import Importer, Watcher
from lendery.contracts.base import Invalid, Page, Window, one_line
from lendery.contracts.importing import (
    FormatName,
    ImportNote,
    ImportOptions,
    ImportReport,
    Imports,
    MatchRule,
    OnMatch,
    Severity,
    UploadRefused,
)
from lendery.contracts.permissions import Actor
from lendery.platform.http.answers import PageWindow, answer, page_answer

MATCH: tuple[MatchRule, ...] = ("control-number", "isbn")
PIECE = 512 * 1024  # bytes handed on at a time: between services a piece is one request
MULTIPART = "multipart/form-data"
FILE = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
    },
}
FileName = Annotated[str, Query(max_length=200), AfterValidator(one_line)]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def import_options(
    format: FormatName | None = None,
    profile: Annotated[str | None, Query(max_length=64), AfterValidator(lambda p: p)] = None,
    column: Annotated[
        list[str] | None, Query(max_length=40, description="CSV: our field=the column's name.")
    ] = None,
    match: Annotated[
        list[MatchRule] | None,
        Query(max_length=4, description="In this order; default: control-number, isbn."),
    ] = None,
    on_match: OnMatch = "skip",
    dry_run: Annotated[bool, Query(description="Report, and change nothing.")] = False,
    branch_id: Annotated[
        UUID | None, Query(description="Where copies stand that name no branch.")
    ] = None,
) -> ImportOptions:
    try:
        return ImportOptions(
            format=format,
            profile=profile,
            columns=dict(pair(each) for each in column or ()),
            match=[*MATCH] if match is None else match,
            on_match=on_match,
            dry_run=dry_run,
            branch_id=branch_id,
        )
    except ValidationError as error:
        says = "; ".join(str(each["msg"]) for each in error.errors()[:3])
        raise Invalid(says, errors=[{"parameter": "column", "says": says}]) from error


def pair(text: str) -> tuple[str, str]:
    name, _, column = text.partition("=")
    return name.strip(), column.strip()


Options = Annotated[ImportOptions, Depends(import_options)]


def import_routes(imports: Imports) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["imports"])
    _starting(router, imports)
    _reading(router, imports)
    return router


def _starting(router: APIRouter, imports: Imports) -> None:
    @router.post(
        "/imports",
        summary="Import records from a file",
        response_model=ImportReport,
        status_code=202,
        openapi_extra={"requestBody": FILE},
    )
    async def start_import(
        request: Request, actor: Importer, options: Options, name: FileName = ""
    ) -> Response:
        """The file is the body, or the part `file` of a form. It may be packed with gzip."""
        given = await upload(request, imports, actor)
        report = await imports.start(
            upload_id=given[0],
            name=name or given[1],
            options=options,
            actor=actor,
            now=datetime.now(UTC),
        )
        place = f"/api/v1/imports/{report.id}"
        return answer(report, request, status=202, location=place)

    @router.post(
        "/imports/{import_id}/proceed",
        summary="Import the file of a dry run",
        response_model=ImportReport,
        status_code=202,
    )
    async def proceed_with_import(
        request: Request, actor: Importer, import_id: UUID, options: Options
    ) -> Response:
        """Once: the file goes with the new import."""
        now = datetime.now(UTC)
        report = await imports.proceed(import_id=import_id, options=options, actor=actor, now=now)
        place = f"/api/v1/imports/{report.id}"
        return answer(report, request, status=202, location=place)

    @router.post(
        "/imports/{import_id}/undo",
        summary="Take a whole import back",
        response_model=ImportReport,
        status_code=202,
    )
    async def undo_import(request: Request, actor: Importer, import_id: UUID) -> Response:
        """As long as nothing of it was lent or edited since."""
        report = await imports.undo(import_id=import_id, actor=actor, now=datetime.now(UTC))
        return answer(report, request, status=202)


def _reading(router: APIRouter, imports: Imports) -> None:
    @router.get("/imports", summary="List imports", response_model=Page[ImportReport])
    async def list_imports(request: Request, actor: Watcher, window: PageWindow) -> Response:
        return page_answer(await imports.find(window=window, actor=actor), request)

    @router.get("/imports/{import_id}", summary="One import", response_model=ImportReport)
    async def read_import(request: Request, actor: Watcher, import_id: UUID) -> Response:
        return answer(await imports.get(import_id=import_id, actor=actor), request)

    @router.get(
        "/imports/{import_id}/notes",
        summary="What there is to say of single records",
        response_model=Page[ImportNote],
    )
    async def list_notes(
        request: Request,
        actor: Watcher,
        import_id: UUID,
        window: PageWindow,
        severity: Severity | None = None,
    ) -> Response:
        page = await imports.notes(
            import_id=import_id, window=window, actor=actor, severity=severity
        )
        return page_answer(page, request)

    @router.get(
        "/imports/{import_id}/rejects",
        summary="The rejected records, to be mended and sent again",
        response_class=Response,
    )
    async def read_rejects(
        actor: Importer,
        import_id: UUID,
        reasons: Annotated[
            bool, Query(description="A table of their numbers and reasons instead.")
        ] = False,
    ) -> Response:
        report = await imports.get(import_id=import_id, actor=actor)
        if reasons:
            table = reasons_of(imports, import_id, actor)
            return file_answer(table, f"rejects-{import_id}.csv", "text/csv; charset=utf-8")
        return file_answer(rejects_of(imports, report, actor), f"rejects-{import_id}")


async def upload(request: Request, imports: Imports, actor: Actor) -> tuple[UUID, str]:
    """The file of a request, handed on as it comes; returns its id and the name it had."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != MULTIPART:
        return await handed_on(_pieces(request.stream()), imports, actor), ""
    try:
        form = await request.form(max_files=1, max_fields=20)
    except HTTPException as wrong:
        raise UploadRefused("The form cannot be read.") from wrong
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise UploadRefused("The form has no part `file`.")

    async def read() -> AsyncIterator[bytes]:
        while data := await file.read(PIECE):
            yield data

    return await handed_on(read(), imports, actor), file.filename or ""


async def handed_on(pieces: AsyncIterator[bytes], imports: Imports, actor: Actor) -> UUID:
    now = datetime.now(UTC)
    upload_id, at = await imports.begin(actor=actor, now=now), 0
    try:
        async for data in pieces:
            at = await imports.take(upload_id=upload_id, at=at, data=data, actor=actor, now=now)
    except BaseException:
        await imports.drop(upload_id=upload_id, actor=actor, now=now)
        raise
    return upload_id


async def _pieces(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A stream in pieces of one size, whatever the network made of it."""
    held = bytearray()
    async for data in stream:
        held += data
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def file_answer(
    data: AsyncIterator[bytes], name: str, kind: str = "application/octet-stream"
) -> Response:
    disposition = f'attachment; filename="{name}"'
    headers = {"content-disposition": disposition, "cache-control": "private, no-store"}
    return StreamingResponse(data, media_type=kind, headers=headers)


async def rejects_of(imports: Imports, report: ImportReport, actor: Actor) -> AsyncIterator[bytes]:
    after: int | None = 0
    while after is not None:
        found, after = await imports.rejects(import_id=report.id, after=after, actor=actor)
        for raw in found:
            yield raw


async def reasons_of(imports: Imports, import_id: UUID, actor: Actor) -> AsyncIterator[bytes]:
    """A table for a spreadsheet, in which nothing that came in a file becomes a formula."""
    yield _line(["record", "byte", "control_number", "title", "reason"])
    window = Window(limit=100)
    while True:
        page = await imports.notes(
            import_id=import_id, window=window, actor=actor, severity="rejected"
        )
        for each in page.items:
            yield _line(
                [each.record, each.at_byte, each.control_number or "", each.title or "", each.says]
            )
        if page.next_cursor is None:
            return
        window = Window(limit=100, after=page.next_cursor)


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(str(cell)) for cell in cells])
    return text.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
