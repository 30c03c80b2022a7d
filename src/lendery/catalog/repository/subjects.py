"""Subjects, and finding them by name."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, insert, select, tuple_

from lendery.catalog.models import book_subject, see_also, subject, variant
from lendery.catalog.repository.authors import beginnings, called
from lendery.catalog.rules.filing import name_key
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

BY_NAMES = Statement(select(subject.c.id, subject.c.name).where(any_of(subject.c.name, "names")))
BY_IDS = Statement(select(subject.c.id, subject.c.name).where(any_of(subject.c.id, "ids")))
PUT = Statement(insert(subject))
OF_NO_BOOK = Statement(  # those that lead somewhere, or that others lead to, stay
    delete(subject).where(
        any_of(subject.c.name, "names"),
        ~exists().where(book_subject.c.subject_id == subject.c.id),
        ~exists().where(variant.c.heading_id == subject.c.id),
        ~exists().where(see_also.c.heading_id == subject.c.id),
    )
)
DESTROY = Statement(delete(subject).where(subject.c.id == bindparam("id")))
BOOKS = (
    select(func.count())
    .where(book_subject.c.subject_id == subject.c.id)
    .correlate(subject)
    .scalar_subquery()
)


ONE = Statement(
    select(subject.c.id, subject.c.name, BOOKS.label("books")).where(
        subject.c.id == bindparam("id")
    )
)


async def subjects_named(session: Session, *, names: list[str]) -> dict[str, UUID]:
    if not names:
        return {}
    return {row.name: row.id for row in await session.rows(BY_NAMES, names=names)}


async def names_of(session: Session, *, ids: list[UUID]) -> dict[UUID, str]:
    return {row.id: row.name for row in await session.rows(BY_IDS, ids=ids)} if ids else {}


async def subject_with(session: Session, *, subject_id: UUID) -> Any | None:
    """(id, name, books)"""
    return await session.row(ONE, id=subject_id)


async def destroy(tx: Tx, *, subject_id: UUID) -> None:
    """Only for a subject that no book is linked to."""
    await tx.run(DESTROY, id=subject_id)


def added(subject_id: UUID, name: str) -> Write:
    return PUT, {"id": subject_id, "name": name, "filed": name_key(name)}


async def forget_unused(tx: Tx, *, names: list[str]) -> None:
    if names:
        await tx.write(*unused(names))


def unused(names: Collection[str]) -> list[Write]:
    """The write that forgets those of them that no book is about."""
    return [(OF_NO_BOOK, {"names": list(names)})] if names else []


@lru_cache(maxsize=64)
def _listed(dialect: str, words: int, after: bool, counted: bool) -> Statement:
    named = called(dialect, "subject", (subject.c.id, subject.c.filed), words)
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
