"""Pages of records in the order of a key: all there are, or those in which words stand.

A list has one statement for each shape it can have (which filters, which order), made once and
kept; the values are bound at each call. A page begins behind a row: those with its key and a
later number, then those with a later key, each found in the index where it begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select, union_all

from lendery.catalog.models import book
from lendery.catalog.repository.books import AS_IT_STANDS
from lendery.catalog.repository.filters import Filter, wanted_by
from lendery.catalog.repository.matching import (
    MANY,
    MATCHES,
    SKIP,
    TRAITS,
    WORK,
    Match,
    counted,
    matching,
)
from lendery.catalog.repository.search import VECTORS
from lendery.platform.db import Session, Statement

KEYS: Mapping[str, ColumnElement[Any]] = {
    "title": book.c.sort_title,
    "author": book.c.sort_author,
    "year": book.c.sort_year,
    "rating": book.c.sort_rating,
    "popularity": book.c.popularity,
}
GREATEST_FIRST = frozenset({"popularity"})


@dataclass(frozen=True)
class Shape:
    """Which statement a list needs. `match`: words are bound; `after`: a place is.

    `walks` (PostgreSQL): so many have the words that the list is looked through for them.
    """

    order: str = "number"
    filters: frozenset[Filter] = frozenset()
    match: Match | None = None
    withdrawn: bool = False
    after: bool = False
    walks: bool = False


def _wanted(shape: Shape, *columns: Any) -> Select[Any]:
    """The records that are wanted, in no order."""
    found = select(*columns).where(*wanted_by(shape.filters))
    if shape.match is None:
        return found.where(book.c.withdrawn.is_(shape.withdrawn))
    if shape.walks:
        looked_at = found.join(VECTORS, VECTORS.c.number == book.c.number)
        return looked_at.where(MATCHES.is_(True))  # said so that no index of words is asked
    hits = matching(shape.match).cte("hits")
    if shape.match.dialect == "postgresql":
        hits = hits.prefix_with("MATERIALIZED")
    return found.join(hits, hits.c.number == book.c.number)


def _by_number(shape: Shape, found: Select[Any]) -> Select[Any]:
    newest = shape.order == "newest"
    if shape.after:
        last = bindparam("last_number", type_=book.c.number.type)
        found = found.where(book.c.number < last if newest else book.c.number > last)
    return found.order_by(book.c.number.desc() if newest else book.c.number)


def _by_key(shape: Shape) -> Select[Any]:
    """(number, key) of a page that begins behind a row."""
    key = KEYS[shape.order]
    down = shape.order in GREATEST_FIRST
    last = bindparam("last_number", type_=book.c.number.type)
    here = bindparam("last_key", type_=key.type)
    same = and_(key == here, book.c.number > last)
    later = key < here if down else key > here
    found = _wanted(shape, book.c.number, key.label("key"))
    order = (key.desc() if down else key, book.c.number)
    if shape.match is not None and not shape.walks:  # all are found anyway
        return found.where(or_(same, later)).order_by(*order).limit(MANY)
    parts = [
        found.where(same).order_by(book.c.number).limit(MANY).subquery("same"),
        found.where(later).order_by(*order).limit(MANY).subquery("later"),
    ]
    both = union_all(*(select(part.c.number, part.c.key) for part in parts)).subquery("both")
    in_order = both.c.key.desc() if down else both.c.key
    return select(both.c.number, both.c.key).order_by(in_order, both.c.number).limit(MANY)


@lru_cache(maxsize=1024)
def _page(shape: Shape) -> Statement:
    key = KEYS.get(shape.order)
    if key is None:
        found = _by_number(shape, _wanted(shape, *AS_IT_STANDS))
        return Statement(found.limit(MANY).offset(SKIP))
    down = shape.order in GREATEST_FIRST
    if not shape.after and shape.match is None:
        found = _wanted(shape, *AS_IT_STANDS, key.label("key"))
        found = found.order_by(key.desc() if down else key, book.c.number)
        return Statement(found.limit(MANY).offset(SKIP))
    if shape.after:
        hits = _by_key(shape)
    else:
        hits = _wanted(shape, book.c.number, key.label("key"))
        hits = hits.order_by(key.desc() if down else key, book.c.number).limit(MANY).offset(SKIP)
    first = hits.subquery("first")
    return Statement(
        select(*AS_IT_STANDS, first.c.key)
        .join(first, first.c.number == book.c.number)
        .order_by(first.c.key.desc() if down else first.c.key, first.c.number)
    )


@lru_cache(maxsize=256)
def _count(shape: Shape, *, capped: bool, works: bool) -> Statement:
    found = _wanted(shape, WORK if works else book.c.number.label("work"))
    if capped:
        found = found.limit(bindparam("most"))
    return counted(found, works=works)


@lru_cache(maxsize=256)
def _traits(shape: Shape) -> Statement:
    return Statement(_wanted(shape, *TRAITS).order_by(book.c.number).limit(MANY))


async def books_listed(
    session: Session, shape: Shape, *, many: int, skip: int = 0, given: Mapping[str, Any]
) -> list[Any]:
    """Rows as books.BookRow, with `key` where the order has one."""
    return await session.rows(_page(shape), many=many, skip=skip, **given)


async def how_many_listed(
    session: Session,
    shape: Shape,
    *,
    given: Mapping[str, Any],
    most: int | None,
    works: bool = False,
) -> Any:
    """(books, works); counting ends at `most` books. Only with `works` those are counted."""
    plain = replace(shape, order="number", after=False, walks=False)
    statement = _count(plain, capped=most is not None, works=works)
    return await session.row(statement, most=most, **given)


async def traits_listed(
    session: Session, shape: Shape, *, many: int, given: Mapping[str, Any]
) -> list[Any]:
    """The traits (matching.TRAITS) of the oldest records that are wanted."""
    plain = replace(shape, order="number", after=False, walks=False)
    return await session.rows(_traits(plain), many=many, **given)
