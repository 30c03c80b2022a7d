"""Books that belong together: of a series, of a work, on a subject."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, select, tuple_, update

from lendery.catalog.models import book, book_subject
from lendery.catalog.repository.authors import beginnings, begins_a_word
from lendery.catalog.repository.books import AS_IT_STANDS
from lendery.platform.db import Session, Statement
from lendery.platform.db.session import Write

ON_SHELVES = book.c.withdrawn.is_(False)
IN_A_SERIES = book.c.series_key.is_not(None)
PLACE = (book.c.series_place, book.c.number)
OF_WORK = Statement(
    select(*AS_IT_STANDS)
    .where(book.c.work_id == bindparam("work_id"), book.c.merged_into.is_(None))
    .order_by(book.c.number)
    .limit(bindparam("many"))
)
HAS_WORK = Statement(select(book.c.id).where(book.c.work_id == bindparam("work_id")).limit(1))
TO_WORK = Statement(
    update(book)
    .where(book.c.number == bindparam("at_number", type_=book.c.number.type))
    .values(
        work_id=bindparam("to_work", type_=book.c.work_id.type),
        work_by_hand=True,
        version=book.c.version + 1,
        updated_at=bindparam("to_at", type_=book.c.updated_at.type),
    )
)


@lru_cache(maxsize=64)
def _listed(dialect: str, words: int, after: bool) -> Statement:
    named = (begins_a_word(dialect, book.c.series_key, f"w{at}") for at in range(words))
    found = (
        select(
            book.c.series_key.label("id"),
            func.min(book.c.series).label("name"),
            func.count().label("books"),
        )
        .where(IN_A_SERIES, ON_SHELVES, and_(True, *named))
        .group_by(book.c.series_key)
        .order_by(book.c.series_key)
        .limit(bindparam("many"))
    )
    if after:
        found = found.where(book.c.series_key > bindparam("after", type_=book.c.series_key.type))
    return Statement(found)


async def listed(session: Session, *, words: list[str], after: str | None, many: int) -> list[Any]:
    """(id, name, books) in alphabetical order; each word begins a word of the name."""
    place = {"after": after} if after else {}
    statement = _listed(session.dialect, len(words), after is not None)
    return await session.rows(statement, many=many, **place, **beginnings(words))


ONE = Statement(
    select(
        book.c.series_key.label("id"),
        func.min(book.c.series).label("name"),
        func.count().label("books"),
    )
    .where(book.c.series_key == bindparam("key", type_=book.c.series_key.type), ON_SHELVES)
    .group_by(book.c.series_key)
)


async def one_series(session: Session, *, key: str) -> Any | None:
    return await session.row(ONE, key=key)


@lru_cache(maxsize=2)
def _in_order(after: bool) -> Statement:
    key = bindparam("key", type_=book.c.series_key.type)
    found = select(*AS_IT_STANDS, book.c.series_place).where(book.c.series_key == key, ON_SHELVES)
    if after:
        last = (
            bindparam("last_place", type_=book.c.series_place.type),
            bindparam("last_number", type_=book.c.number.type),
        )
        found = found.where(tuple_(*PLACE) > tuple_(*last))
    return Statement(found.order_by(*PLACE).limit(bindparam("many")))


async def rows_in_series(
    session: Session, *, key: str, after: tuple[int, int] | None, many: int
) -> list[Any]:
    """As books.BookRow, in the order of their numbers, with `series_place`."""
    place = {"last_place": after[0], "last_number": after[1]} if after else {}
    return await session.rows(_in_order(after is not None), key=key, many=many, **place)


@lru_cache(maxsize=2)
def _on(after: bool) -> Statement:
    found = (
        select(*AS_IT_STANDS)
        .join(book_subject, book_subject.c.book_number == book.c.number)
        .where(book_subject.c.subject_id == bindparam("subject_id"))
        .order_by(book_subject.c.book_number)
        .limit(bindparam("many"))
    )
    if after:
        last = bindparam("last_number", type_=book.c.number.type)
        found = found.where(book_subject.c.book_number > last)
    return Statement(found)


async def rows_on(session: Session, *, subject_id: UUID, after: int | None, many: int) -> list[Any]:
    place = {"last_number": after} if after is not None else {}
    return await session.rows(_on(after is not None), subject_id=subject_id, many=many, **place)


async def rows_of_work(session: Session, *, work_id: UUID, many: int) -> list[Any]:
    """The editions of a work, those that are withdrawn too."""
    return await session.rows(OF_WORK, work_id=work_id, many=many)


async def work_exists(session: Session, *, work_id: UUID) -> bool:
    return await session.row(HAS_WORK, work_id=work_id) is not None


def to_work(number: int, *, work_id: UUID, now: Any) -> Write:
    """By hand: it stays there, whatever becomes of its title."""
    return TO_WORK, {"at_number": number, "to_work": work_id, "to_at": now}
