"""Pairs that look the same: what is compared, and the list of what was found."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from lendery.catalog.models import author, book, change, duplicate
from lendery.catalog.rules.filing import LAST
from lendery.contracts.authorities import DuplicateKind
from lendery.contracts.base import new_id
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

AT_ONCE = 250  # rows compared before others have their turn
_COMPARED = (
    *(book.c.id, book.c.sort_title, book.c.sort_author, book.c.published_year),
    *(book.c.isbn, book.c.language, book.c.material, book.c.series_number),
)
_books = select(*_COMPARED).where(book.c.withdrawn.is_(False))
BOOKS_BY_TITLE = Statement(_books.order_by(book.c.sort_title, book.c.number))
BOOKS_BY_AUTHOR = Statement(
    _books.where(book.c.sort_author != LAST).order_by(book.c.sort_author, book.c.number)
)
_authors = select(author.c.id, author.c.filed, author.c.born, author.c.died)
AUTHORS_FILED = Statement(_authors.order_by(author.c.filed, author.c.id))
AUTHORS_BY_NAME = Statement(_authors.order_by(author.c.folded, author.c.id))
_put = insert(duplicate)
FOUND = Statement(
    _put.values(
        {c.name: bindparam(c.name, type_=c.type) for c in duplicate.c}
    ).on_conflict_do_update(
        index_elements=["one_id", "other_id"],
        set_={"score": _put.excluded.score, "found_at": _put.excluded.found_at},
        where=duplicate.c.dismissed_at.is_(None),
    )
)
SET_APART = Statement(
    _put.values(
        {c.name: bindparam(c.name, type_=c.type) for c in duplicate.c}
    ).on_conflict_do_update(
        index_elements=["one_id", "other_id"],
        set_={name: _put.excluded[name] for name in ("dismissed_at", "dismissed_by")},
    )
)
NO_LONGER = Statement(
    delete(duplicate).where(
        duplicate.c.dismissed_at.is_(None),
        duplicate.c.found_at < bindparam("looked_at", type_=duplicate.c.found_at.type),
    )
)
DISMISS = Statement(
    update(duplicate)
    .where(duplicate.c.id == bindparam("at_id"), duplicate.c.dismissed_at.is_(None))
    .values(
        dismissed_at=bindparam("to_at", type_=duplicate.c.dismissed_at.type),
        dismissed_by=bindparam("to_by", type_=duplicate.c.dismissed_by.type),
    )
)
OPEN = Statement(
    select(func.count()).select_from(duplicate).where(duplicate.c.dismissed_at.is_(None))
)
BY_ID = Statement(
    select(duplicate).where(duplicate.c.id == bindparam("id"), duplicate.c.dismissed_at.is_(None))
)
LOOKED = Statement(select(change.c.version, change.c.looked_at, change.c.looked_version))
CLAIM = Statement(
    update(change)
    .where(
        or_(
            change.c.looked_at.is_(None),
            change.c.looked_at < bindparam("before", type_=change.c.looked_at.type),
        )
    )
    .values(
        looked_at=bindparam("to_at", type_=change.c.looked_at.type),
        looked_version=change.c.version,
    )
)
BOOKS_SAID = Statement(
    select(
        book.c.id,
        book.c.title.label("name"),
        type_coerce(book.c.authors, Text).label("authors"),
        book.c.published_year,
        book.c.isbn,
    ).where(any_of(book.c.id, "ids"))
)
AUTHORS_SAID = Statement(
    select(author.c.id, author.c.name, author.c.born, author.c.died).where(
        any_of(author.c.id, "ids")
    )
)


class Pair(NamedTuple):
    one: UUID
    other: UUID
    score: int


def books_by_title(session: Session) -> AsyncIterator[list[Any]]:
    return session.chunks(BOOKS_BY_TITLE, most=AT_ONCE)


def books_by_author(session: Session) -> AsyncIterator[list[Any]]:
    return session.chunks(BOOKS_BY_AUTHOR, most=AT_ONCE)


def authors_filed(session: Session) -> AsyncIterator[list[Any]]:
    return session.chunks(AUTHORS_FILED, most=AT_ONCE)


def authors_by_name(session: Session) -> AsyncIterator[list[Any]]:
    return session.chunks(AUTHORS_BY_NAME, most=AT_ONCE)


def _row(kind: str, one: UUID, other: UUID, score: int, now: datetime) -> dict[str, Any]:
    first, second = sorted((one, other))
    return {
        "id": new_id(),
        "kind": kind,
        "one_id": first,
        "other_id": second,
        "score": score,
        "found_at": now,
        "dismissed_at": None,
        "dismissed_by": None,
    }


def found(kind: DuplicateKind, pair: Pair, *, now: datetime) -> Write:
    """On the list, unless somebody has said that they are two."""
    return FOUND, _row(kind, pair.one, pair.other, pair.score, now)


async def set_apart(
    tx: Tx, kind: str, pair: tuple[UUID, UUID], *, by: UUID | None, now: datetime
) -> None:
    """They are two, whatever a comparison says."""
    row = _row(kind, *pair, 0, now) | {"dismissed_at": now, "dismissed_by": by}
    await tx.run(SET_APART, **row)


async def forget_unfound(tx: Tx, *, looked_at: datetime) -> None:
    """What was on the list and does not look the same any more."""
    await tx.run(NO_LONGER, looked_at=looked_at)


async def dismissed(tx: Tx, *, duplicate_id: UUID, by: UUID | None, now: datetime) -> bool:
    return await tx.run(DISMISS, at_id=duplicate_id, to_at=now, to_by=by) > 0


async def how_many(session: Session) -> int:
    return int(await session.value(OPEN))


async def open_pair(session: Session, *, duplicate_id: UUID) -> Any | None:
    return await session.row(BY_ID, id=duplicate_id)


@lru_cache(maxsize=8)
def _listed(kind: bool, after: bool) -> Statement:
    wanted: list[ColumnElement[bool]] = [duplicate.c.dismissed_at.is_(None)]
    if kind:
        wanted.append(duplicate.c.kind == bindparam("kind"))
    if after:
        score = bindparam("score", type_=duplicate.c.score.type)
        wanted.append(
            or_(
                duplicate.c.score < score,
                and_(
                    duplicate.c.score == score,
                    duplicate.c.id > bindparam("after", type_=duplicate.c.id.type),
                ),
            )
        )
    found = select(duplicate).where(*wanted)
    found = found.order_by(duplicate.c.score.desc(), duplicate.c.id)
    return Statement(found.limit(bindparam("many")))


async def listed(
    session: Session, *, kind: str | None, after: tuple[int, UUID] | None, many: int
) -> list[Any]:
    """Those most alike first."""
    given: dict[str, Any] = {"kind": kind} if kind else {}
    if after:
        given |= {"score": after[0], "after": after[1]}
    return await session.rows(_listed(kind is not None, after is not None), many=many, **given)


async def said_of(session: Session, kind: str, *, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """What tells one from the other."""
    statement = BOOKS_SAID if kind == "book" else AUTHORS_SAID
    return {row.id: row for row in await session.rows(statement, ids=list(ids))} if ids else {}


async def last_look(session: Session) -> Any:
    """(version, looked_at, looked_version) of the catalog."""
    return await session.row(LOOKED)


async def claim_look(tx: Tx, *, now: datetime, before: datetime) -> bool:
    """True for one process of several that would compare at the same time."""
    return await tx.run(CLAIM, to_at=now, before=before) > 0
