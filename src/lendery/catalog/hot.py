"""The most read answers of the catalog as finished bytes: one statement, no model, no router.

A book, and plain lists of books. Whatever is unusual about a request is left to the router; what
is answered here is, byte for byte, what the router would answer (a test compares them).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

import lendery
from lendery.catalog.authorities import HeadingFile
from lendery.catalog.books import BookCatalog
from lendery.catalog.repository.books import BookRow, work_id_of
from lendery.catalog.repository.changes import author_key, book_key
from lendery.contracts.authorities import AuthorHeading
from lendery.contracts.base import Invalid, NotFound, Window, one_line
from lendery.contracts.catalog import Book, BookSearch
from lendery.platform.http.answers import etag_of, version_tag
from lendery.platform.http.kept import LIFETIME, LIST, Finished, HotPath, next_link

BOOKS, AUTHORS, SUBJECTS = "/api/v1/books", "/api/v1/authors", "/api/v1/subjects"
_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_BOOK = re.compile(rf"{BOOKS}/({_ID})")
_AUTHOR = re.compile(rf"{AUTHORS}/({_ID})")
_THEIR_BOOKS = re.compile(rf"{AUTHORS}/{_ID}/books")
_SHOWS_COPIES = re.compile(rb"(?:^|&)(?:available|branch|branch_id|facets|[^=&%]*%[^=&]*)=")
_IS_RANKED = re.compile(rb"(?:^|&)q=|sort=(?:popularity|rating)")
# Programs that would write these answers differently do not share them.
_FIELDS = [lendery.__version__, *Book.model_fields, *AuthorHeading.model_fields]
SHAPE = etag_of(",".join(_FIELDS).encode())[1:9]
_PLAIN = {
    "limit": re.compile(r"[1-9][0-9]?|100"),
    "cursor": re.compile(r"[A-Za-z0-9_-]{1,1000}"),
    "sort": re.compile(r"relevance|title|author|year|newest|popularity|rating"),
    "language": re.compile(r"[a-z]{2,3}"),
    "material": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"),
    "author": re.compile(r"[^\x00-\x1f]{1,500}"),
    "subject": re.compile(r"[^\x00-\x1f]{1,500}"),
}


def hot_paths(headings: HeadingFile, books: BookCatalog) -> list[HotPath]:
    """What is read most: a book, an author, plain lists and searches."""
    return [*_things(headings, books), *_lists(books)]


def _things(headings: HeadingFile, books: BookCatalog) -> list[HotPath]:
    async def book(path: str, query: bytes) -> Finished | None:
        named = _BOOK.fullmatch(path)
        if named is None or query:
            return None
        try:
            row = await books.row(book_id=UUID(named[1]))
        except NotFound:
            return None
        return Finished(book_json(row), version_tag(row.version).encode())

    async def author(path: str, query: bytes) -> Finished | None:
        named = _AUTHOR.fullmatch(path)
        if named is None or query:
            return None
        try:
            found = await headings.author(author_id=UUID(named[1]))
        except NotFound:
            return None
        return Finished(found.model_dump_json().encode(), version_tag(found.version).encode())

    found = (
        HotPath(f"{BOOKS}/{{book_id}}", "catalog", _named(_BOOK, book_key), book),
        HotPath(f"{AUTHORS}/{{author_id}}", "catalog", _named(_AUTHOR, author_key), author),
    )
    return [replace(each, shape=SHAPE, routed=False) for each in found]


def _named(path: re.Pattern[str], key: Callable[[str], str]) -> Callable[[str], str | None]:
    def named(asked: str) -> str | None:
        found = path.fullmatch(asked)
        return key(found[1]) if found else None

    return named


def _lists(books: BookCatalog) -> list[HotPath]:
    async def listed(path: str, query: bytes) -> Finished | None:
        wanted = plain_list(query)
        if wanted is None:
            return None
        try:
            rows, next_cursor = await books.page(wanted=wanted[0], window=wanted[1])
        except Invalid:
            return None
        body = page_json(rows, next_cursor)
        return Finished(body, etag_of(body).encode(), next_link(path, query, next_cursor))

    pages = (f"{BOOKS}/search", f"{BOOKS}/suggest", AUTHORS, SUBJECTS)
    return [
        HotPath(BOOKS, "catalog", {BOOKS: LIST}.get, listed, _as_told, SHAPE),
        *(HotPath(each, "catalog", {each: LIST}.get, None, _as_told, SHAPE) for each in pages),
        HotPath(
            f"{AUTHORS}/{{author_id}}/books",
            "catalog",
            lambda path: LIST if _THEIR_BOOKS.fullmatch(path) else None,
            shape=SHAPE,
        ),
    ]


def _as_told(query: bytes) -> float:
    """Seconds. Who is on the shelf and what is read most is told by others, and may lag."""
    if _SHOWS_COPIES.search(query):
        return 2.0
    return 30.0 if _IS_RANKED.search(query) else LIFETIME


@lru_cache(maxsize=1024)
def plain_list(query: bytes) -> tuple[BookSearch, Window] | None:
    """What a plain list asks for; None when the query says anything else."""
    if not query:
        return _EVERYTHING
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True)
        asked = {name: one_line(value) for name, value in given}
    except ValueError:
        return None
    if len(asked) != len(given):
        return None
    for name, value in asked.items():
        if name not in _PLAIN or not _PLAIN[name].fullmatch(value):
            return None
    limit, after = int(asked.pop("limit", "20")), asked.pop("cursor", None)
    wanted = BookSearch.model_validate(asked)
    return wanted, Window(limit=limit, after=after)


_EVERYTHING = (BookSearch(), Window())


class Shown(msgspec.Struct, gc=False):
    """A record in the order and form of contracts.catalog.Book, written at a tenth of the cost."""

    id: str | UUID
    title: str
    subtitle: str | None
    authors: msgspec.Raw
    isbn: str | None
    publisher: str | None
    published_year: int | None
    language: str | None
    subjects: msgspec.Raw
    description: str | None
    series: str | None
    series_number: str | None
    call_number: str | None
    material: str
    work_id: str | UUID
    withdrawn: bool
    version: int


def shown(row: BookRow) -> Shown:
    """In the order of the fields. Lists stand in the row as JSON, and go out as they are."""
    return Shown(
        _id(row.id),
        row.title,
        row.subtitle,
        msgspec.Raw(row.authors),
        row.isbn,
        row.publisher,
        row.published_year,
        row.language,
        msgspec.Raw(row.subjects),
        row.description,
        row.series,
        row.series_number,
        row.call_number,
        row.material,
        _id(row.work_id or work_id_of(row)),
        bool(row.withdrawn),
        row.version,
    )


def _id(raw: str | UUID) -> str | UUID:
    """SQLite keeps an id as 32 hexadecimal digits."""
    if isinstance(raw, str):
        return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
    return raw


def book_json(row: BookRow) -> bytes:
    return _json(shown(row))


class _Page(msgspec.Struct, gc=False):
    items: list[Shown]
    next_cursor: str | None


def page_json(rows: Iterable[BookRow], next_cursor: str | None) -> bytes:
    return _json(_Page([shown(row) for row in rows], next_cursor))


_json = msgspec.json.Encoder().encode
