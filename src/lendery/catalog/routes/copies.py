"""Copies over HTTP, each with its status asked of circulation at that moment."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response

from lendery.catalog.repository.copies import idle_status
from lendery.catalog.routes.books import Cataloguer, CodeGiven
from lendery.contracts.base import Page
from lendery.contracts.catalog import (
    BareCopy,
    Books,
    Copies,
    Copy,
    CopyChanges,
    CopyFilter,
    CopyStatus,
    NewCopy,
    NoSuchCopy,
)
from lendery.contracts.circulation import CopyStates
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    RequestKeyed,
    answer,
    items_answer,
    page_answer,
    version_tag,
)

A_COPY = {
    "barcode": "30001000000017",
    "book_id": "0190a1c2-0000-7000-8000-000000000001",
    "branch_id": "0190a1c2-0000-7000-8000-000000000002",
    "item_type": "book",
    "location": "Main floor",
    "call_number": "FIC ELI",
    "price": {"amount": 1250, "currency": "EUR"},
}


async def with_status(copies: Sequence[BareCopy], states: CopyStates) -> list[Copy]:
    """In one question. A copy circulation has not met yet is what its type says."""
    told = await states.states(copy_ids=[each.id for each in copies]) if copies else []
    status = {each.copy_id: each.status for each in told}
    return [
        Copy(**dict(each), status=status.get(each.id) or idle_status(each.item_type))
        for each in copies
    ]


async def one_answer(
    copy: BareCopy, states: CopyStates, request: Request, *, status: int = 200
) -> Response:
    [shown] = await with_status([copy], states)
    location = f"/api/v1/copies/{copy.id}" if status == 201 else None
    etag = version_tag(shown.version, shown.status)
    return answer(shown, request, status=status, etag=etag, location=location)


def copy_routes(books: Books, copies: Copies, states: CopyStates) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["copies"])
    _reading(router, books, copies, states)
    _cataloguing(router, copies, states)
    return router


def _reading(router: APIRouter, books: Books, copies: Copies, states: CopyStates) -> None:
    @router.get(
        "/books/{book_id}/copies", summary="The copies of a book", response_model=Page[Copy]
    )
    async def list_copies_of_book(request: Request, book_id: UUID) -> Response:
        found = await copies.of_book(book_id=book_id)
        if not found:
            await books.get(book_id=book_id)
        return items_answer(await with_status(found, states), request)

    @router.get("/copies", summary="List copies", response_model=Page[Copy])
    async def list_copies(
        request: Request,
        window: PageWindow,
        book_id: UUID | None = None,
        branch_id: UUID | None = None,
        item_type: CodeGiven = None,
        status: Annotated[
            CopyStatus | None, Query(description="As told last; milliseconds behind.")
        ] = None,
    ) -> Response:
        like = CopyFilter(book_id=book_id, branch_id=branch_id, item_type=item_type, status=status)
        page = await copies.find(like=like, window=window)
        shown = await with_status(page.items, states)
        told = Page[Copy](items=shown, next_cursor=page.next_cursor, total=page.total)
        return page_answer(told, request)

    @router.get("/copies/by-barcode/{barcode}", summary="A copy by barcode", response_model=Copy)
    async def read_copy_by_barcode(
        request: Request, barcode: Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    ) -> Response:
        found = await copies.by_barcode(barcode=barcode)
        if found is None:
            raise NoSuchCopy(f"No copy has the barcode {barcode}.")
        return await one_answer(found, states, request)

    @router.get("/copies/{copy_id}", summary="One copy", response_model=Copy)
    async def read_copy(request: Request, copy_id: UUID) -> Response:
        return await one_answer(await copies.get(copy_id=copy_id), states, request)


def _cataloguing(router: APIRouter, copies: Copies, states: CopyStates) -> None:
    @router.post("/copies", summary="Add a copy", response_model=Copy, status_code=201)
    async def add_copy(
        request: Request,
        actor: Cataloguer,
        copy: Annotated[NewCopy, Body(examples=[A_COPY])],
        key: RequestKeyed,
    ) -> Response:
        added = await copies.add(copy=copy, actor=actor, now=datetime.now(UTC), key=key)
        return await one_answer(added, states, request, status=201)

    @router.patch("/copies/{copy_id}", summary="Change a copy", response_model=Copy)
    async def change_copy(
        request: Request,
        copy_id: UUID,
        actor: Cataloguer,
        version: ExpectedVersion,
        changes: Annotated[CopyChanges, Body(examples=[{"location": "Stacks"}])],
    ) -> Response:
        changed = await copies.change(
            copy_id=copy_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return await one_answer(changed, states, request)

    @router.delete("/copies/{copy_id}", summary="Remove a copy", status_code=204)
    async def remove_copy(copy_id: UUID, actor: Cataloguer, version: ExpectedVersion) -> Response:
        """Only a copy that was never lent; flag any other withdrawn."""
        now = datetime.now(UTC)
        await copies.remove(copy_id=copy_id, actor=actor, now=now, version=version)
        return Response(status_code=204)
