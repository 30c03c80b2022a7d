"""REST for a copy of all that is held about a person, its end, and who looked at it."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.privacy import Erasure, Lookup, PersonExport, Privacy
from lendery.platform.http.answers import PageWindow, answer, page_answer
from lendery.platform.http.identity import Needs
from lendery.platform.http.routes_index import joined

Self = Annotated[Actor, Depends(Needs(Permission.OWN_ACCOUNT))]
Told = Callable[[float], Awaitable[bool]]
PATIENCE = 5.0  # seconds to wait for the other parts
NOT_KEPT = {"cache-control": "no-store"}
BEGINS_A_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")  # the wide forms too


def routes(privacy: Privacy, told: Told) -> APIRouter:
    router = APIRouter(prefix="/api/v1/users/{user_id}", tags=["privacy"])
    _exporting(router, privacy)
    _erasing(router, privacy, told)

    @router.get("/lookups", summary="Who looked at a person", response_model=Page[Lookup])
    async def lookups(request: Request, actor: Self, user_id: UUID, window: PageWindow) -> Response:
        """Which staff, when, at what, and why where they said it. The newest first.

        Oneself, or anybody with `people:privacy`. Staff say why in the header `Lookup-Reason`.
        """
        found = await privacy.lookups(user_id=user_id, actor=actor, window=window)
        return page_answer(found, request)

    return joined(router)


def _exporting(router: APIRouter, privacy: Privacy) -> None:
    @router.get(
        "/export",
        summary="All that is held about a person",
        response_model=PersonExport,
        responses={200: {"content": {"application/zip": {}}}},
    )
    async def export(
        actor: Self, user_id: UUID, format: Literal["json", "zip"] = "json"
    ) -> Response:
        """Oneself, or anybody with `people:privacy`. `zip` holds the same as JSON and as CSV files.

        503 while a part of the library does not answer: there is no half an export.
        """
        made = await privacy.export(user_id=user_id, actor=actor, now=datetime.now(UTC))
        name = f"lendery-{user_id}.{format}"
        headers = NOT_KEPT | {"content-disposition": f'attachment; filename="{name}"'}
        if format == "zip":
            packed = await asyncio.to_thread(zipped, made)
            return Response(packed, 200, headers, "application/zip")
        said = await asyncio.to_thread(made.model_dump_json, indent=2)
        return Response(said, 200, headers, "application/json")


def _erasing(router: APIRouter, privacy: Privacy, told: Told) -> None:
    @router.post("/erase", summary="Erase a person", response_model=Erasure)
    async def erase(request: Request, actor: Self, user_id: UUID) -> Response:
        """Oneself, or anybody with `people:write`; staff need `people:roles`.

        409 `erasure-refused` says what is still open: loans, holds ready to be collected, money.
        `pending` in the answer: a part was not reached yet, and erases when it is. Asked for
        again, it tells how far it is.
        """
        now = datetime.now(UTC)
        done = await privacy.erase(user_id=user_id, actor=actor, now=now)
        if done.state == "pending":
            await told(PATIENCE)
            await privacy.finish(now=datetime.now(UTC))
            done = await privacy.erasure(user_id=user_id, actor=actor)
        return answer(done, request)

    @router.get("/erasure", summary="How far an erasure is", response_model=Erasure)
    async def erasure(request: Request, actor: Self, user_id: UUID) -> Response:
        """What there was, what is left, and why. Needs `people:read`."""
        return answer(await privacy.erasure(user_id=user_id, actor=actor), request)


def zipped(made: PersonExport) -> bytes:
    """export.json with all of it, and a CSV file for each kind of rows."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        into.writestr("export.json", made.model_dump_json(indent=2))
        for context, kinds in made.records.items():
            for kind, rows in kinds.items():
                if rows:
                    into.writestr(f"{context}/{kind.replace(' ', '-')}.csv", _csv(rows))
        if made.books:
            into.writestr("catalog/books.csv", _csv(made.books))
    return packed.getvalue()


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(_cells(row) for row in rows)
    return text.getvalue()


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """No spreadsheet takes what somebody typed for a formula."""
    return {name: f"'{value}" if _is_formula(value) else value for name, value in row.items()}


def _is_formula(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    return value[:1] in ("\t", "\r") or value.lstrip()[:1] in BEGINS_A_FORMULA
