"""Books over HTTP: lists and searches, one record, cataloguing."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import AfterValidator

from lendery.contracts.base import Page, Window, one_line
from lendery.contracts.catalog import (
    Book,
    BookChanges,
    Books,
    BookSearch,
    GroupBy,
    NewBook,
    SearchPage,
    Sort,
    Subject,
    Suggestion,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reviews import Rating
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    RequestKeyed,
    answer,
    etag_of,
    items_answer,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Cataloguer = Annotated[Actor, Depends(Needs(Permission.CATALOGUE))]
Typed = Annotated[str | None, Query(max_length=500), AfterValidator(lambda t: t and one_line(t))]
CodeGiven = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Year = Annotated[int | None, Query(ge=-3000, le=2200)]
SEARCHING = (
    'Words, "phrases", -words that must not be there, beginnings*, `author:` `title:` `subject:` '
    "`isbn:` before a word, `year:1990..2000`, an ISBN in any form, a call number."
)
MIDDLEMARCH = {
    "title": "Middlemarch",
    "authors": ["George Eliot"],
    "isbn": "978-0-14-143954-9",
    "published_year": 1871,
    "language": "en",
    "subjects": ["City and town life -- Fiction"],
}
NEW_BOOK = Body(
    openapi_examples={
        "full": {"summary": "What a title page says", "value": MIDDLEMARCH},
        "least": {"summary": "A title is enough", "value": {"title": "Middlemarch"}},
    }
)


async def wanted_books(
    q: Annotated[Typed, Query(description=SEARCHING)] = None,
    author: Typed = None,
    subject: Typed = None,
    category: Annotated[Typed, Query(description="The same as `subject`.")] = None,
    language: Annotated[str | None, Query(pattern=r"^[a-z]{2,3}$")] = None,
    material: CodeGiven = None,
    isbn: Typed = None,
    year_from: Year = None,
    year_to: Year = None,
    available: Annotated[
        bool | None, Query(description="With a copy on the shelf (or, false, without).")
    ] = None,
    branch_id: Annotated[UUID | None, Query(description="Which branch has it.")] = None,
    branch: Annotated[UUID | None, Query(description="The same as `branch_id`.")] = None,
    withdrawn: Annotated[bool, Query(description="Those that left the shelves.")] = False,
    sort: Sort = "relevance",
    group_by: Annotated[
        GroupBy | None,
        Query(description="`work`: one hit for each work, and how many `editions` were found."),
    ] = None,
    facets: Annotated[bool, Query(description="Count what the hits have in common.")] = False,
    similarity: Annotated[
        float | None,
        Query(
            ge=0,
            le=1,
            description="How far a match may be from the words typed: 0 words only, 1 very far. "
            "Left out: other words are tried when those typed find nothing.",
        ),
    ] = None,
    explain: Annotated[bool, Query(description="Say why each hit ranks where it does.")] = False,
) -> BookSearch:
    return BookSearch(
        q=q,
        author=author,
        subject=subject or category,
        language=language,
        material=material,
        isbn=isbn or None,
        year_from=year_from,
        year_to=year_to,
        available=available,
        branch_id=branch_id or branch,
        withdrawn=withdrawn,
        sort=sort,
        group_by=group_by,
        facets=facets,
        similarity=similarity,
        explain=explain,
    )


async def book_window(
    window: PageWindow,
    offset: Annotated[int, Query(ge=0, le=10_000, description="Skip so many.")] = 0,
) -> Window:
    return window.model_copy(update={"offset": offset}) if offset else window


BookWindow = Annotated[Window, Depends(book_window)]


def book_routes(books: Books) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["books"])
    _finding(router, books)
    _reading(router, books)
    _cataloguing(router, books)
    return router


def _finding(router: APIRouter, books: Books) -> None:
    @router.get("/books", summary="List books", response_model=SearchPage)
    @router.get("/books/search", summary="Search books", response_model=SearchPage)
    async def find_books(
        request: Request,
        wanted: Annotated[BookSearch, Depends(wanted_books)],
        window: BookWindow,
    ) -> Response:
        """Without `q` a list in the order the books came; with it the best hits first."""
        return page_answer(await books.search(wanted=wanted, window=window), request)

    @router.get(
        "/books/suggest",
        summary="Titles and authors that begin like this",
        response_model=Page[Suggestion],
        response_model_include={"items"},
    )
    async def suggest(
        request: Request,
        q: Annotated[str, Query(max_length=200), AfterValidator(one_line)],
    ) -> Response:
        return items_answer(await books.suggest(q=q), request)

    @router.get("/subjects", summary="List subjects", response_model=Page[Subject])
    async def list_subjects(request: Request, window: PageWindow, q: Typed = None) -> Response:
        return page_answer(await books.subjects(q=q, window=window), request)


def _reading(router: APIRouter, books: Books) -> None:
    @router.get("/books/{book_id}", summary="One book", response_model=Book)
    async def read_book(request: Request, book_id: UUID) -> Response:
        book = await books.get(book_id=book_id)
        return answer(book, request, etag=version_tag(book.version))

    @router.get("/books/{book_id}/rating", summary="The stars of a book", response_model=Rating)
    async def read_rating(request: Request, book_id: UUID) -> Response:
        """How many readers gave how many stars, one star first; milliseconds behind."""
        await books.get(book_id=book_id)
        [rating] = await books.ratings(ids=[book_id])
        return answer(rating, request, etag=etag_of(rating.model_dump_json().encode()))

    @router.get(
        "/books/{book_id}/similar",
        summary="Books like this one",
        response_model=Page[Book],
        response_model_include={"items"},
    )
    async def similar_books(
        request: Request,
        book_id: UUID,
        limit: Annotated[int, Query(ge=1, le=50, description="How many at most.")] = 10,
    ) -> Response:
        """Of the same author or on the same subjects, the closest first."""
        return items_answer(await books.similar(book_id=book_id, many=limit), request)


def _cataloguing(router: APIRouter, books: Books) -> None:
    @router.post("/books", summary="Add a book", response_model=Book, status_code=201)
    async def add_book(
        request: Request,
        actor: Cataloguer,
        book: Annotated[NewBook, NEW_BOOK],
        key: RequestKeyed,
    ) -> Response:
        added = await books.add(book=book, actor=actor, now=datetime.now(UTC), key=key)
        place = f"/api/v1/books/{added.id}"
        etag = version_tag(added.version)
        return answer(added, request, status=201, etag=etag, location=place)

    @router.patch("/books/{book_id}", summary="Change a book", response_model=Book)
    async def change_book(
        request: Request,
        book_id: UUID,
        actor: Cataloguer,
        version: ExpectedVersion,
        changes: Annotated[BookChanges, Body(examples=[{"subjects": ["Novels"]}])],
    ) -> Response:
        """What is left out stays; null empties. `withdrawn: false` brings a book back."""
        book = await books.change(
            book_id=book_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return answer(book, request, etag=version_tag(book.version))

    @router.delete("/books/{book_id}", summary="Withdraw or remove a book", status_code=204)
    async def remove_book(book_id: UUID, actor: Cataloguer, version: ExpectedVersion) -> Response:
        """With copies it is withdrawn: readable, but out of lists. Without, it is gone."""
        now = datetime.now(UTC)
        await books.remove(book_id=book_id, actor=actor, now=now, version=version)
        return Response(status_code=204)
