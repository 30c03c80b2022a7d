"""Works and series over HTTP."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import AfterValidator

from lendery.catalog.routes.books import Cataloguer, Typed
from lendery.contracts.authorities import Series, SeriesList, Work, WorkChoice, Works
from lendery.contracts.base import Page, one_line
from lendery.contracts.catalog import Book
from lendery.platform.http.answers import PageWindow, answer, page_answer, version_tag

Named = Annotated[
    str, Path(max_length=500, description="Its id or its name."), AfterValidator(one_line)
]


def work_routes(works: Works) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["works"])

    @router.get("/works/{work_id}", summary="One work", response_model=Work)
    async def read_work(request: Request, work_id: UUID) -> Response:
        """With its editions, in the order they came."""
        return answer(await works.get(work_id=work_id), request)

    @router.put("/books/{book_id}/work", summary="Move an edition", response_model=Book)
    async def move_edition(
        request: Request,
        book_id: UUID,
        actor: Cataloguer,
        choice: Annotated[WorkChoice, Body(examples=[{"work_id": None}])],
    ) -> Response:
        """To another work, or with null to one of its own. It stays there by hand."""
        now = datetime.now(UTC)
        book = await works.move(book_id=book_id, work_id=choice.work_id, actor=actor, now=now)
        return answer(book, request, etag=version_tag(book.version))

    return router


def series_routes(shelf: SeriesList) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["series"])

    @router.get("/series", summary="List series", response_model=Page[Series])
    async def list_series(request: Request, window: PageWindow, q: Typed = None) -> Response:
        """In alphabetical order; each word of `q` begins a word of the name."""
        return page_answer(await shelf.find(q=q, window=window), request)

    @router.get("/series/{series}", summary="One series", response_model=Series)
    async def read_series(request: Request, series: Named) -> Response:
        return answer(await shelf.get(series=series), request)

    @router.get(
        "/series/{series}/books", summary="The books of a series", response_model=Page[Book]
    )
    async def list_books_of_series(request: Request, series: Named, window: PageWindow) -> Response:
        """In the order of their numbers; those without stand last."""
        return page_answer(await shelf.books(series=series, window=window), request)

    return router
