"""Subjects, and finding them by name."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, func, insert, select, tuple_

from lendery.catalog.models import book_subject, subject
from lendery.catalog.repository.authors import beginnings, begins_a_word
from lendery.catalog.rules.filing import name_key
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

BY_NAMES = Statement(select(subject.c.id, subject.c.name).where(any_of(subject.c.name, "names")))
PUT = Statement(insert(subject))
OF_NO_BOOK = Statement(
    delete(subject).where(
        any_of(subject.c.name, "names"),
        ~exists().where(book_subject.c.subject_id == subject.c.id),
    )
)
BOOKS = (
    select(func.count())
    .where(book_subject.c.subject_id == subject.c.id)
    .correlate(subject)
    .scalar_subquery()
)


async def subjects_named(session: Session, *, names: list[str]) -> dict[str, UUID]:
    if not names:
        return {}
    return {row.name: row.id for row in await session.rows(BY_NAMES, names=names)}


def added(subject_id: UUID, name: str) -> Write:
    return PUT, {"id": subject_id, "name": name, "filed": name_key(name)}


async def forget_unused(tx: Tx, *, names: list[str]) -> None:
    if names:
        await tx.run(OF_NO_BOOK, names=names)


@lru_cache(maxsize=64)
def _listed(dialect: str, words: int, after: bool, counted: bool) -> Statement:
    named = and_(True, *(begins_a_word(dialect, subject.c.filed, f"w{at}") for at in range(words)))
    if counted:
        return Statement(select(func.count()).select_from(subject).where(named))
    found = select(subject.c.id, subject.c.name, BOOKS.label("books"), subject.c.filed).where(named)
    if after:
        place = tuple_(bindparam("filed"), bindparam("id", type_=subject.c.id.type))
        found = found.where(tuple_(subject.c.filed, subject.c.id) > place)
    return Statement(found.order_by(subject.c.filed, subject.c.id).limit(bindparam("many")))


async def listed(
    session: Session, *, words: list[str], after: tuple[str, UUID] | None, many: int
) -> list[Any]:
    place = {"filed": after[0], "id": after[1]} if after else {}
    statement = _listed(session.dialect, len(words), after is not None, False)
    return await session.rows(statement, many=many, **place, **beginnings(words))


async def how_many(session: Session, *, words: list[str]) -> int:
    found: int = await session.value(
        _listed(session.dialect, len(words), False, True), **beginnings(words)
    )
    return found
