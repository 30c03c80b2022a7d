"""Exports over HTTP: asked for, and fetched when they are finished."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response

from lendery.catalog.routes.imports import file_answer
from lendery.catalog.routes.jobs import Importer, Watcher
from lendery.contracts.importing import ExportOptions, ExportReport, Exports
from lendery.platform.http.answers import answer

ENDING = {
    "marc": "mrc",
    "marcxml": "xml",
    "marcjson": "json",
    "csv": "csv",
    "openlibrary": "txt",
    "lendery": "jsonl",
}


def export_routes(exports: Exports) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["imports"])

    @router.post(
        "/exports", summary="Export the catalogue", response_model=ExportReport, status_code=202
    )
    async def start_export(
        request: Request,
        actor: Importer,
        options: Annotated[ExportOptions, Body(examples=[{"format": "marcxml"}])],
    ) -> Response:
        """Every record, as all of them stand when it begins."""
        report = await exports.start(options=options, actor=actor, now=datetime.now(UTC))
        place = f"/api/v1/exports/{report.id}"
        return answer(report, request, status=202, location=place)

    @router.get("/exports/{export_id}", summary="One export", response_model=ExportReport)
    async def read_export(request: Request, actor: Watcher, export_id: UUID) -> Response:
        return answer(await exports.get(export_id=export_id, actor=actor), request)

    @router.get("/exports/{export_id}/file", summary="The exported file", response_class=Response)
    async def read_file(actor: Importer, export_id: UUID) -> Response:
        report = await exports.get(export_id=export_id, actor=actor)
        first = await exports.piece(export_id=export_id, at=0, actor=actor)

        async def pieces() -> AsyncIterator[bytes]:
            piece, at = first, 0
            while True:
                yield piece.data
                at += len(piece.data)
                if piece.last:
                    return
                piece = await exports.piece(export_id=export_id, at=at, actor=actor)

        name = f"catalogue-{report.created_at:%Y-%m-%d}.{ENDING[report.format]}"
        return file_answer(pieces(), name)

    return router
