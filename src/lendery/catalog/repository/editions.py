"""Editions: which records are of the same works, and which of them a list has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, func, select, type_coerce, union_all

from lendery.catalog.models import book
from lendery.catalog.repository.books import work_id_of
from lendery.catalog.repository.filters import Filter, wanted_by
from lendery.catalog.repository.listing import KEYS
from lendery.catalog.repository.matching import MATCHES, PLACE, TRAITS
from lendery.catalog.repository.search import FTS, VECTORS
from lendery.platform.db import Session, Statement, any_of

MOST_UNTOLD = 500  # records whose work an older program did not note
# What books.work_id_of asks of a record.
OF_ITS_WORK = (
    *(book.c[name] for name in ("number", "title", "language")),
    *(type_coerce(book.c[name], Text).label(name) for name in ("id", "authors", "work_id")),
)
OF_BOOKS = Statement(select(*OF_ITS_WORK).where(any_of(book.c.number, "numbers")))
_untold = (
    select(*OF_ITS_WORK)
    .where(book.c.work_id.is_(None))
    .order_by(book.c.number)
    .limit(MOST_UNTOLD)
    .subquery("untold")
)
OF_WORKS = Statement(
    union_all(
        select(*OF_ITS_WORK).where(any_of(book.c.work_id, "works")),
        select(*(_untold.c[column.name] for column in OF_ITS_WORK)),
    )
)
_ORDERS = tuple(key for key in KEYS.values() if key.name not in {each.name for each in TRAITS})


async def works_of(session: Session, *, numbers: list[int]) -> dict[int, UUID]:
    """Of which works these records are."""
    return {row.number: work_id_of(row) for row in await session.rows(OF_BOOKS, numbers=numbers)}


async def editions_of(session: Session, *, works: Iterable[UUID]) -> dict[UUID, list[int]]:
    """The records that are of these works, on a list or not."""
    wanted, found = set(works), defaultdict[UUID, list[int]](list)
    for row in await session.rows(OF_WORKS, works=list(wanted)):
        work_id = work_id_of(row)
        if work_id in wanted:
            found[work_id].append(row.number)
    return found


@lru_cache(maxsize=256)
def _standing(
    dialect: str, filters: frozenset[Filter], *, worded: bool, withdrawn: bool
) -> Statement:
    place: ColumnElement[int] = func.coalesce(book.c.place, book.c.number)
    if worded and dialect != "sqlite":
        place = PLACE
    found = select(place.label("place"), *TRAITS, *_ORDERS).where(
        any_of(book.c.number, "numbers"), *wanted_by(filters)
    )
    if not worded:
        return Statement(found.where(book.c.withdrawn.is_(withdrawn)))
    if dialect == "sqlite":
        words = FTS.c.catalog_search.op("MATCH")(bindparam("words", type_=Text))
        return Statement(found.join(FTS, FTS.c.rowid == place).where(words))
    # said so that no index of words is asked
    found = found.join(VECTORS, VECTORS.c.number == book.c.number)
    return Statement(found.where(MATCHES.is_(True)))


async def standing(
    session: Session,
    *,
    numbers: list[int],
    words: str | None,
    filters: frozenset[Filter],
    withdrawn: bool,
    given: Mapping[str, Any],
) -> list[Any]:
    """Those of these records that a list has: (place, *TRAITS) and what lists are ordered by.

    `words` as matching.question_for says them, which then say `withdrawn` too.
    """
    statement = _standing(session.dialect, filters, worded=words is not None, withdrawn=withdrawn)
    bound = {**given, "numbers": numbers} | ({"words": words} if words is not None else {})
    return await session.rows(statement, **bound)
