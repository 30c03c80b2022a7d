"""The records in which words stand, in the order of their places: the most lent first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql

from lendery.catalog.models import book
from lendery.catalog.repository.filters import ON_THE_SHELF, Filter, wanted_by
from lendery.catalog.repository.search import FTS, VECTORS
from lendery.catalog.rules.estimates import WINDOW, Way
from lendery.catalog.rules.popularity import BETWEEN, last_place_of, level_word
from lendery.catalog.rules.query import Asked, Term
from lendery.catalog.rules.wording import fts5, tsquery
from lendery.platform.db import Session, Statement, any_of

PLACE: ColumnElement[int] = func.coalesce(VECTORS.c.place, VECTORS.c.number)
_QUERY = cast(bindparam("words", type_=Text), postgresql.TSQUERY)
MATCHES: ColumnElement[bool] = VECTORS.c.words.op("@@")(_QUERY)
_NUMBER_AT: ColumnElement[int] = FTS.c.rowid.op("&")(literal(BETWEEN - 1, BigInteger))
# What a record is counted as where works are: those of older programs each as one of its own.
WORK = func.coalesce(book.c.work_id, book.c.id).label("work")
MANY: Any = bindparam("many")
SKIP: Any = bindparam("skip")
_AFTER = bindparam("after", type_=BigInteger)
_UPTO = bindparam("upto", type_=BigInteger)
# What a hit is ranked, grouped and counted by. The lists stay JSON text.
TRAITS = (
    *(book.c[name] for name in ("number", "sort_title", "sort_author", "published_year")),
    *(book.c[name] for name in ("language", "material", "popularity", "title", "subtitle")),
    *(
        type_coerce(book.c[name], Text).label(name)
        for name in ("id", "authors", "subjects", "work_id")
    ),
    ON_THE_SHELF.label("on_the_shelf"),
)


@dataclass(frozen=True)
class Match:
    """Which statement finds them: `after` a place, `limited` by another, some numbers `apart`."""

    dialect: str
    by: Literal["index", "walk"] = "index"
    filters: frozenset[Filter] = frozenset()
    after: bool = False
    limited: bool = False
    apart: bool = False


def question_for(dialect: str, asked: Asked, *, withdrawn: bool, level: int | None = None) -> str:
    """What is bound as `words` in the statements below."""
    if dialect == "sqlite":
        return fts5(asked, withdrawn=withdrawn)
    if level is not None:
        asked = replace(asked, terms=(*asked.terms, Term("", (level_word(level),))))
    return tsquery(asked, withdrawn=withdrawn)


def matching(match: Match) -> Any:
    """(number, place) of the records in which the words stand, in no order."""
    if match.dialect == "sqlite":
        place: ColumnElement[int] = FTS.c.rowid
        found = select(_NUMBER_AT.label("number"), place.label("place")).where(
            FTS.c.catalog_search.op("MATCH")(bindparam("words", type_=Text))
        )
        return _between(match, place, found)
    if match.by == "index":
        # Said so that the index of places is not asked: neither for where, nor for the order.
        unordered = PLACE + 0
        found = select(VECTORS.c.number, unordered.label("place")).where(MATCHES)
        return _between(match, unordered, found)
    looked_at = select(VECTORS.c.number, PLACE.label("place"), VECTORS.c.words)
    seen = _between(match, PLACE, looked_at).order_by(PLACE).limit(WINDOW).subquery("seen")
    return select(seen.c.number, seen.c.place).where(seen.c.words.op("@@")(_QUERY))


def _between(match: Match, place: ColumnElement[int], found: Any) -> Any:
    if match.after:
        found = found.where(place > _AFTER)
    return found.where(place <= _UPTO) if match.limited else found


@lru_cache(maxsize=512)
def _first(match: Match) -> Statement:
    """The first of them with their traits."""
    narrowed = [*wanted_by(match.filters)]
    found = matching(match)
    if match.apart:
        found = found.where(~any_of(found.selected_columns.number, "apart"))
    if not narrowed:
        found = found.order_by(found.selected_columns.place).limit(MANY).offset(SKIP)
        hits: Any = found.subquery("hits")
    elif match.dialect == "sqlite" or match.by == "walk":
        hits = found.subquery("hits")
    else:
        hits = found.cte("hits").prefix_with("MATERIALIZED", dialect="postgresql")
    first = select(hits.c.place, *TRAITS).join(hits, hits.c.number == book.c.number)
    first = first.where(*narrowed).order_by(hits.c.place)
    return Statement(first.limit(MANY).offset(SKIP) if narrowed else first)


@lru_cache(maxsize=256)
def _count(match: Match, *, capped: bool, works: bool) -> Statement:
    hits = matching(match).subquery("hits")
    found = select(WORK if works else hits.c.number.label("work")).select_from(hits)
    if match.filters or works:
        found = found.join(book, book.c.number == hits.c.number).where(*wanted_by(match.filters))
    if capped:
        found = found.limit(bindparam("most"))
    return counted(found, works=works)


def counted(found: Any, *, works: bool) -> Statement:
    """(books, works) of what is found, by `work`."""
    each = found.subquery("found")
    many = func.count(each.c.work.distinct()) if works else func.count()
    return Statement(select(func.count().label("books"), many.label("works")).select_from(each))


@lru_cache(maxsize=128)
def _titled(filters: frozenset[Filter], *, withdrawn: bool) -> Statement:
    return Statement(
        select(func.coalesce(book.c.place, book.c.number).label("place"), *TRAITS)
        .where(
            book.c.sort_title == bindparam("whole_title"),
            book.c.withdrawn.is_(withdrawn),
            *wanted_by(filters),
        )
        .order_by(book.c.number)
        .limit(MOST_TITLED)
    )


MOST_TITLED = 20


async def first_matching(
    session: Session,
    match: Match,
    ways: list[Way],
    asked: Asked,
    *,
    withdrawn: bool,
    given: Mapping[str, Any],
    many: int,
    skip: int = 0,
    after: int | None = None,
    upto: int | None = None,
    apart: list[int] | None = None,
) -> list[Any]:
    """Rows of (place, *TRAITS): the first `many` beyond a place (and up to another)."""
    rows: list[Any] = []
    for way in ways:
        end = upto
        if way.level is not None and upto is not None and last_place_of(way.level) <= upto:
            end = None  # its word says it
        asks = replace(
            match,
            by=way.by,
            after=after is not None,
            limited=end is not None,
            apart=bool(apart),
        )
        words = question_for(session.dialect, asked, withdrawn=withdrawn, level=way.level)
        bound = {**given, "words": words, "after": after, "upto": end, "apart": apart}
        rows = await session.rows(_first(asks), many=many, skip=skip, **bound)
        if len(rows) == many:
            break
    return rows


async def how_many_match(
    session: Session,
    match: Match,
    *,
    words: str,
    given: Mapping[str, Any],
    most: int | None,
    works: bool = False,
) -> Any:
    """(books, works); counting ends at `most` books. Only with `works` those are counted."""
    statement = _count(match, capped=most is not None, works=works)
    return await session.row(statement, words=words, most=most, **given)


async def titled(
    session: Session,
    *,
    whole_title: str,
    filters: frozenset[Filter],
    withdrawn: bool,
    given: Mapping[str, Any],
) -> list[Any]:
    """Rows of (place, *TRAITS): those that are called just so, the oldest records first."""
    return await session.rows(
        _titled(filters, withdrawn=withdrawn), **{**given, "whole_title": whole_title}
    )
