"""Authors over HTTP."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response

from lendery.catalog.routes.books import BookWindow, Cataloguer, Typed
from lendery.contracts.base import Page
from lendery.contracts.catalog import (
    Author,
    AuthorChanges,
    Authors,
    Books,
    BookSearch,
    NewAuthor,
    SearchPage,
)
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    page_answer,
    version_tag,
)

GEORGE_ELIOT = {"name": "George Eliot", "sort_name": "Eliot, George", "born": 1819, "died": 1880}


def author_routes(authors: Authors, books: Books) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["authors"])
    _reading(router, authors, books)
    _cataloguing(router, authors)
    return router


def _reading(router: APIRouter, authors: Authors, books: Books) -> None:
    @router.get("/authors", summary="List authors", response_model=Page[Author])
    async def list_authors(request: Request, window: PageWindow, q: Typed = None) -> Response:
        """In alphabetical order; each word of `q` begins a word of the name."""
        return page_answer(await authors.find(q=q, window=window), request)

    @router.get(
        "/authors/{author_id}/books", summary="The books of an author", response_model=SearchPage
    )
    async def list_their_books(request: Request, author_id: UUID, window: BookWindow) -> Response:
        await authors.get(author_id=author_id)
        wanted = BookSearch(author_id=author_id)
        return page_answer(await books.search(wanted=wanted, window=window), request)


def _cataloguing(router: APIRouter, authors: Authors) -> None:
    @router.post("/authors", summary="Add an author", response_model=Author, status_code=201)
    async def add_author(
        request: Request,
        actor: Cataloguer,
        author: Annotated[NewAuthor, Body(examples=[GEORGE_ELIOT])],
    ) -> Response:
        added = await authors.add(author=author, actor=actor, now=datetime.now(UTC))
        place = f"/api/v1/authors/{added.id}"
        etag = version_tag(added.version)
        return answer(added, request, status=201, etag=etag, location=place)

    @router.patch("/authors/{author_id}", summary="Change an author", response_model=Author)
    async def change_author(
        request: Request,
        author_id: UUID,
        actor: Cataloguer,
        version: ExpectedVersion,
        changes: Annotated[AuthorChanges, Body(examples=[{"died": 1880}])],
    ) -> Response:
        """A new name stands in all their books at once."""
        author = await authors.change(
            author_id=author_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return answer(author, request, etag=version_tag(author.version))

    @router.delete("/authors/{author_id}", summary="Remove an author", status_code=204)
    async def remove_author(
        author_id: UUID, actor: Cataloguer, version: ExpectedVersion
    ) -> Response:
        """Only one whom no book names."""
        now = datetime.now(UTC)
        await authors.remove(author_id=author_id, actor=actor, now=now, version=version)
        return Response(status_code=204)
