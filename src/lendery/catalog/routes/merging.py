"""Merging what is the same over HTTP, undoing it, and the list of what looks the same."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response

from lendery.catalog.routes.books import Cataloguer
from lendery.contracts.authorities import (
    Duplicate,
    DuplicateChoice,
    DuplicateKind,
    Duplicates,
    Merge,
    Merges,
    NewMerge,
)
from lendery.contracts.base import Page, Value
from lendery.platform.http.answers import PageWindow, answer, page_answer

TWO_ELIOTS = {
    "kind": "author",
    "loser_id": "0190a1c2-0000-7000-8000-000000000001",
    "winner_id": "0190a1c2-0000-7000-8000-000000000002",
}
THE_FIRST = {"winner_id": "0190a1c2-0000-7000-8000-000000000001"}


class Looked(Value):
    """How many pairs are on the list that were not."""

    found: int


def merge_routes(merges: Merges) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["merges"])

    @router.post("/merges", summary="Merge two into one", response_model=Merge, status_code=201)
    async def merge(
        request: Request,
        actor: Cataloguer,
        wanted: Annotated[NewMerge, Body(examples=[TWO_ELIOTS])],
    ) -> Response:
        """All that was the loser's is the winner's: books, copies, holds, forms of the name."""
        made = await merges.merge(wanted=wanted, actor=actor, now=datetime.now(UTC))
        return answer(made, request, status=201, location=f"/api/v1/merges/{made.id}")

    @router.get("/merges", summary="List merges", response_model=Page[Merge])
    async def list_merges(request: Request, window: PageWindow, actor: Cataloguer) -> Response:
        """The newest first, those that were undone too."""
        return page_answer(await merges.find(window=window, actor=actor), request)

    @router.get("/merges/{merge_id}", summary="One merge", response_model=Merge)
    async def read_merge(request: Request, merge_id: UUID, actor: Cataloguer) -> Response:
        return answer(await merges.get(merge_id=merge_id, actor=actor), request)

    @router.post("/merges/{merge_id}/undo", summary="Undo a merge", response_model=Merge)
    async def undo_merge(request: Request, merge_id: UUID, actor: Cataloguer) -> Response:
        """All that was moved goes back; refused where it is not clear any more what that is."""
        undone = await merges.undo(merge_id=merge_id, actor=actor, now=datetime.now(UTC))
        return answer(undone, request)

    return router


def duplicate_routes(duplicates: Duplicates) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["duplicates"])

    @router.get("/duplicates", summary="List what looks the same", response_model=Page[Duplicate])
    async def list_duplicates(
        request: Request, window: PageWindow, actor: Cataloguer, kind: DuplicateKind | None = None
    ) -> Response:
        """Those most alike first."""
        page = await duplicates.find(kind=kind, window=window, actor=actor)
        return page_answer(page, request)

    @router.post("/duplicates/look", summary="Look for duplicates now", response_model=Looked)
    async def look_for_duplicates(request: Request, actor: Cataloguer) -> Response:
        """Done every day after a change anyway."""
        found = await duplicates.look(actor=actor, now=datetime.now(UTC))
        return answer(Looked(found=found), request)

    @router.post(
        "/duplicates/{duplicate_id}/dismiss", summary="Say that they are two", status_code=204
    )
    async def dismiss_duplicate(duplicate_id: UUID, actor: Cataloguer) -> Response:
        """The pair is not shown again."""
        now = datetime.now(UTC)
        await duplicates.dismiss(duplicate_id=duplicate_id, actor=actor, now=now)
        return Response(status_code=204)

    @router.post("/duplicates/{duplicate_id}/merge", summary="Merge the two", response_model=Merge)
    async def merge_duplicate(
        request: Request,
        duplicate_id: UUID,
        actor: Cataloguer,
        choice: Annotated[DuplicateChoice, Body(examples=[THE_FIRST])],
    ) -> Response:
        made = await duplicates.merge(
            duplicate_id=duplicate_id,
            winner_id=choice.winner_id,
            actor=actor,
            now=datetime.now(UTC),
        )
        return answer(made, request)

    return router
