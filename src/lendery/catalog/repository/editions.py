"""Editions: which of the editions of a work stands first in a list, and how many it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from lendery.catalog.models import book
from lendery.catalog.repository.books import uuid_of
from lendery.catalog.repository.filters import Filter, wanted_by
from lendery.catalog.repository.listing import GREATEST_FIRST, KEYS
from lendery.catalog.repository.matching import MATCHES, PLACE, TRAITS
from lendery.catalog.repository.search import FTS, VECTORS
from lendery.platform.db import Session, Statement, any_of

MOST_UNTOLD = 500  # records whose work an older program did not note
_ORDERS = tuple(key for key in KEYS.values() if key.name not in {each.name for each in TRAITS})


@dataclass(frozen=True)
class Listed:
    """Which list: its order (`relevance`: as often as lent), its filters, whether it has words."""

    dialect: str
    order: str
    filters: frozenset[Filter]
    worded: bool
    withdrawn: bool


@dataclass(frozen=True)
class First:
    """The first edition of a work in a list, and how many the list has."""

    number: int
    many: int


def _place(listed: Listed) -> ColumnElement[int]:
    if listed.worded and listed.dialect != "sqlite":
        return PLACE
    return func.coalesce(book.c.place, book.c.number)


def _on_the_list(listed: Listed, *columns: Any) -> Select[Any]:
    found = select(*columns).where(*wanted_by(listed.filters))
    if not listed.worded:
        return found.where(book.c.withdrawn.is_(listed.withdrawn))
    if listed.dialect == "sqlite":
        words = FTS.c.catalog_search.op("MATCH")(bindparam("words", type_=Text))
        return found.join(FTS, FTS.c.rowid == _place(listed)).where(words)
    found = found.join(VECTORS, VECTORS.c.number == book.c.number)
    return found.where(MATCHES.is_(True))  # said so that no index of words is asked


def _in_order(listed: Listed) -> list[Any]:
    if listed.order == "relevance":
        return [_place(listed)]
    if listed.order not in KEYS:
        return [book.c.number.desc() if listed.order == "newest" else book.c.number]
    key = KEYS[listed.order]
    return [key.desc() if listed.order in GREATEST_FIRST else key, book.c.number]


@lru_cache(maxsize=256)
def _firsts(listed: Listed) -> Statement:
    work = book.c.work_id
    nth = func.row_number().over(partition_by=work, order_by=_in_order(listed))
    many = func.count().over(partition_by=work)
    each = _on_the_list(listed, work, book.c.number, nth.label("nth"), many.label("many")).where(
        any_of(work, "works")
    )
    told = each.subquery("told")
    untold = select(book.c.number).where(work.is_(None)).order_by(book.c.number)
    untold_ones = untold.limit(MOST_UNTOLD).subquery("untold")
    return Statement(
        union_all(
            select(told.c.work_id, told.c.number, told.c.many).where(told.c.nth == 1),
            select(cast(null(), work.type), untold_ones.c.number, literal(0, BigInteger)),
        )
    )


async def firsts_of(
    session: Session, listed: Listed, *, works: Iterable[UUID], given: Mapping[str, Any]
) -> tuple[dict[UUID, First], list[int]]:
    """By work; and the records, on the list or not, of which no work is noted.

    `given` has `words` as matching.question_for says them, which then say `withdrawn` too.
    """
    found: dict[UUID, First] = {}
    untold: list[int] = []
    for row in await session.rows(_firsts(listed), works=list(works), **given):
        if row.work_id is None:
            untold.append(row.number)
        else:
            found[uuid_of(row.work_id)] = First(row.number, row.many)
    return found, untold


@lru_cache(maxsize=256)
def _some(listed: Listed) -> Statement:
    found = _on_the_list(listed, _place(listed).label("place"), *TRAITS, *_ORDERS)
    return Statement(found.where(any_of(book.c.number, "numbers")))


async def those_listed(
    session: Session, listed: Listed, *, numbers: list[int], given: Mapping[str, Any]
) -> list[Any]:
    """Those of these records that a list has: (place, *TRAITS) and what lists are ordered by."""
    return await session.rows(_some(listed), numbers=numbers, **given)
