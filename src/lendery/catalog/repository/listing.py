"""Pages of records: filtered, sorted, counted.

A list has one statement for each shape it can have (which filters, which order), made once and
kept; the values are bound at each call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    bindparam,
    case,
    exists,
    func,
    select,
    tuple_,
    type_coerce,
)

from lendery.catalog.models import book, book_author, copy
from lendery.catalog.repository.books import AS_IT_STANDS
from lendery.catalog.repository.search import CANDIDATES, first_found, matching, number_of, ranked
from lendery.catalog.rules.filing import LAST
from lendery.platform.db import Session, Statement

Order = Literal["relevance", "number", "newest", "title", "author", "year", "rating"]
Filter = Literal[
    "language",
    "material",
    "isbn",
    "year_from",
    "year_to",
    "author_id",
    "available",
    "unavailable",
    "branch_id",
]
KEYS: Mapping[str, ColumnElement[Any]] = {
    "title": book.c.sort_title,
    "author": book.c.sort_author,
    "year": book.c.sort_year,
    "rating": book.c.sort_rating,
}


@dataclass(frozen=True)
class Shape:
    """Which statement a list needs. `matched`: words are bound; `after`: a place is."""

    dialect: str
    order: Order = "number"
    matched: bool = False
    filters: frozenset[Filter] = frozenset()
    withdrawn: bool = False
    after: bool = False


def _is_wanted(shape: Shape) -> list[ColumnElement[bool]]:
    simple: dict[Filter, ColumnElement[bool]] = {
        "language": book.c.language == bindparam("language"),
        "material": book.c.material == bindparam("material"),
        "isbn": book.c.isbn == bindparam("isbn"),
        "year_from": book.c.published_year >= bindparam("year_from"),
        "year_to": book.c.published_year <= bindparam("year_to"),
        "author_id": book.c.number.in_(
            select(book_author.c.book_number).where(
                book_author.c.author_id == bindparam("author_id")
            )
        ),
    }
    found = [condition for name, condition in simple.items() if name in shape.filters]
    if shape.filters & {"available", "unavailable", "branch_id"}:
        found.append(_has_a_copy(shape.filters))
    return found


def _has_a_copy(filters: frozenset[Filter]) -> ColumnElement[bool]:
    held = exists().where(copy.c.book_id == book.c.id)
    if "branch_id" in filters:
        held = held.where(copy.c.branch_id == bindparam("branch_id"))
    if "available" in filters or "unavailable" in filters:
        held = held.where(copy.c.status == "available")
    return ~held if "unavailable" in filters else held


def _found(shape: Shape) -> Select[Any]:
    """The numbers of all records that are wanted, in no order."""
    wanted = _is_wanted(shape)
    if not shape.matched:
        on_list = book.c.withdrawn.is_(shape.withdrawn)
        return select(book.c.number).where(on_list, *wanted)
    found = matching(shape.dialect, withdrawn=shape.withdrawn)
    if wanted or shape.order in KEYS:
        found = found.join(book, book.c.number == number_of(shape.dialect)).where(*wanted)
    return found


@lru_cache(maxsize=1024)
def _page(shape: Shape) -> Statement:
    if shape.order == "relevance":
        return Statement(_best_first(shape))
    if shape.matched and shape.order in KEYS:
        return Statement(_hits_in_order(shape, KEYS[shape.order]))
    number = number_of(shape.dialect) if shape.matched else book.c.number
    found = _found(replace(shape, order="title") if shape.matched else shape)
    key = KEYS.get(shape.order)
    found = found.with_only_columns(*AS_IT_STANDS, *([] if key is None else [key.label("key")]))
    if shape.after:
        found = found.where(_comes_after(shape, key, number))
    if key is not None:
        found = found.order_by(key, book.c.number)
    else:
        found = found.order_by(number.desc() if shape.order == "newest" else number)
    return Statement(found.limit(bindparam("many")).offset(bindparam("skip")))


def _hits_in_order(shape: Shape, key: ColumnElement[Any]) -> Select[Any]:
    """Sorted as numbers and keys; whole records are read for the page only."""
    hits = _found(shape).with_only_columns(book.c.number, key.label("key"))
    if shape.after:
        hits = hits.where(_comes_after(shape, key, book.c.number))
    hits = hits.order_by(key, book.c.number).limit(bindparam("many")).offset(bindparam("skip"))
    first = hits.subquery("first")
    return (
        select(*AS_IT_STANDS, first.c.key)
        .join(first, first.c.number == book.c.number)
        .order_by(first.c.key, first.c.number)
    )


def _comes_after(
    shape: Shape, key: ColumnElement[Any] | None, number: ColumnElement[Any]
) -> ColumnElement[bool]:
    last = bindparam("last_number", type_=book.c.number.type)
    if key is None:
        return number < last if shape.order == "newest" else number > last
    here: ColumnElement[bool] = tuple_(key, book.c.number) > tuple_(
        bindparam("last_key", type_=key.type), last
    )
    return here


def _best_first(shape: Shape) -> Select[Any]:
    """The first CANDIDATES by rank; a title that is just what was asked stands above all."""
    hits = ranked(shape.dialect, _found(shape)).subquery("hits")
    titled = select(book.c.number).where(book.c.sort_title == bindparam("whole_title"))
    other = case((hits.c.number.in_(titled), 0), else_=1).label("other")
    best = (
        select(hits.c.number, hits.c.rank, other)
        .order_by(other, hits.c.rank, hits.c.number)
        .limit(bindparam("many"))
        .offset(bindparam("skip"))
        .subquery("best")
    )
    return (
        select(*AS_IT_STANDS)
        .join(best, best.c.number == book.c.number)
        .order_by(best.c.other, best.c.rank, best.c.number)
    )


@lru_cache(maxsize=256)
def _count(shape: Shape) -> Statement:
    return Statement(select(func.count()).select_from(_found(shape).subquery("found")))


@lru_cache(maxsize=256)
def _traits(shape: Shape) -> Statement:
    found = _found(shape)
    if shape.matched:
        first = first_found(shape.dialect, found).subquery("first")
    else:
        first = found.order_by(book.c.number).limit(CANDIDATES).subquery("first")
    subjects = type_coerce(book.c.subjects, Text).label("subjects")
    return Statement(
        select(book.c.language, book.c.material, subjects).join(
            first, first.c.number == book.c.number
        )
    )


async def books_listed(
    session: Session, *, shape: Shape, many: int, skip: int = 0, given: Mapping[str, Any]
) -> list[Any]:
    """Rows as books.BookRow, with `key` where the order has one."""
    return await session.rows(_page(shape), many=many, skip=skip, **given)


async def how_many_books(session: Session, *, shape: Shape, given: Mapping[str, Any]) -> int:
    plain = replace(shape, order="number", after=False)
    found: int = await session.value(_count(plain), **given)
    return found


async def traits_of_books(session: Session, *, shape: Shape, given: Mapping[str, Any]) -> list[Any]:
    """Language, material and subjects (JSON text) of the first CANDIDATES that match."""
    return await session.rows(_traits(replace(shape, order="number", after=False)), **given)


SUGGESTED = 10
TITLED = Statement(
    select(book.c.id, book.c.title)
    .where(
        book.c.sort_title >= bindparam("first"),
        book.c.sort_title < bindparam("past"),
        book.c.withdrawn.is_(False),
    )
    .order_by(book.c.sort_title, book.c.number)
    .limit(SUGGESTED)
)


@lru_cache(maxsize=2)
def _worded(dialect: str) -> Statement:
    found = matching(dialect, withdrawn=False)
    first = first_found(dialect, found, many=SUGGESTED * 2).subquery("first")
    return Statement(
        select(book.c.id, book.c.title)
        .join(first, first.c.number == book.c.number)
        .order_by(book.c.number)
    )


async def titles_beginning(session: Session, *, key: str) -> list[Any]:
    """(id, title) of the first books whose filing title begins with `key`."""
    return await session.rows(TITLED, first=key, past=key + LAST)


async def titles_with(session: Session, *, words: str) -> list[Any]:
    """(id, title) of some books in which the words stand, the last of them begun."""
    return await session.rows(_worded(session.dialect), words=words)
