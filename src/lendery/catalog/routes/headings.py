"""Authors and subjects as headings over HTTP: other forms of their names, see also."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Request, Response

from lendery.catalog.routes.books import Cataloguer
from lendery.contracts.authorities import (
    AuthorHeading,
    AuthorityFile,
    HeadingKind,
    NewVariant,
    SubjectHeading,
    Variant,
)
from lendery.contracts.base import Page
from lendery.contracts.catalog import Book
from lendery.platform.http.answers import (
    PageWindow,
    answer,
    items_answer,
    page_answer,
    version_tag,
)

PEN_NAME = Body(examples=[{"name": "Mary Ann Evans"}])


def heading_routes(file: AuthorityFile) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    _reading(router, file)
    _forms(router, file, "author", "authors")
    _forms(router, file, "subject", "subjects")
    return router


def _reading(router: APIRouter, file: AuthorityFile) -> None:
    @router.get(
        "/authors/{author_id}", summary="One author", response_model=AuthorHeading, tags=["authors"]
    )
    async def read_author(request: Request, author_id: UUID) -> Response:
        """With other forms of the name. Who was merged into another is gone, and named."""
        author = await file.author(author_id=author_id)
        return answer(author, request, etag=version_tag(author.version))

    @router.get(
        "/subjects/{subject_id}",
        summary="One subject",
        response_model=SubjectHeading,
        tags=["subjects"],
    )
    async def read_subject(request: Request, subject_id: UUID) -> Response:
        return answer(await file.subject(subject_id=subject_id), request)

    @router.get(
        "/subjects/{subject_id}/books",
        summary="The books on a subject",
        response_model=Page[Book],
        tags=["subjects"],
    )
    async def list_books_on(request: Request, subject_id: UUID, window: PageWindow) -> Response:
        return page_answer(await file.books_on(subject_id=subject_id, window=window), request)


def _forms(router: APIRouter, file: AuthorityFile, kind: HeadingKind, things: str) -> None:
    path, tags = f"/{things}/{{heading_id}}", [things]

    @router.get(
        f"{path}/variants",
        summary=f"Other forms of the name of {_a(kind)}",
        response_model=Page[Variant],
        tags=tags,  # type: ignore[arg-type]
        name=f"list_{kind}_variants",
    )
    async def list_variants(request: Request, heading_id: UUID) -> Response:
        if kind == "author":
            return items_answer((await file.author(author_id=heading_id)).variants, request)
        return items_answer((await file.subject(subject_id=heading_id)).variants, request)

    @router.post(
        f"{path}/variants",
        summary=f"Add another form of the name of {_a(kind)}",
        response_model=Variant,
        status_code=201,
        tags=tags,  # type: ignore[arg-type]
        name=f"add_{kind}_variant",
    )
    async def add_variant(
        request: Request,
        heading_id: UUID,
        actor: Cataloguer,
        variant: Annotated[NewVariant, PEN_NAME],
    ) -> Response:
        """A search for it finds the heading; a book that is added under it goes there too."""
        now = datetime.now(UTC)
        added = await file.add_variant(
            kind=kind, heading_id=heading_id, name=variant.name, actor=actor, now=now
        )
        return answer(added, request, status=201)

    @router.delete(
        f"{path}/variants/{{variant_id}}",
        summary=f"Remove another form of the name of {_a(kind)}",
        status_code=204,
        tags=tags,  # type: ignore[arg-type]
        name=f"remove_{kind}_variant",
    )
    async def remove_variant(heading_id: UUID, variant_id: UUID, actor: Cataloguer) -> Response:
        now = datetime.now(UTC)
        await file.remove_variant(
            kind=kind, heading_id=heading_id, variant_id=variant_id, actor=actor, now=now
        )
        return Response(status_code=204)

    @router.put(
        f"{path}/see-also/{{other_id}}",
        summary=f"Show {_a(kind)} with another",
        status_code=204,
        tags=tags,  # type: ignore[arg-type]
        name=f"relate_{things}",
    )
    async def relate(heading_id: UUID, other_id: UUID, actor: Cataloguer) -> Response:
        """Both ways: each is shown with the other."""
        now = datetime.now(UTC)
        await file.relate(kind=kind, one=heading_id, other=other_id, actor=actor, now=now)
        return Response(status_code=204)

    @router.delete(
        f"{path}/see-also/{{other_id}}",
        summary=f"Show {_a(kind)} without another",
        status_code=204,
        tags=tags,  # type: ignore[arg-type]
        name=f"part_{things}",
    )
    async def part(heading_id: UUID, other_id: UUID, actor: Cataloguer) -> Response:
        now = datetime.now(UTC)
        await file.part(kind=kind, one=heading_id, other=other_id, actor=actor, now=now)
        return Response(status_code=204)


def _a(kind: str) -> str:
    return "an author" if kind == "author" else "a subject"
