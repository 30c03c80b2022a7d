"""Reviews, each read and written whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from lendery.contracts.reviews import Order, ReviewFilter
from lendery.platform.db import Session, Statement, Tx, UtcDateTime
from lendery.platform.db.session import Write
from lendery.reviews.models import review
from lendery.reviews.repository import reports
from lendery.reviews.rules import State

NOW = bindparam("now", type_=UtcDateTime())
AT_ID = bindparam("at_id", type_=review.c.id.type)
SEEN: ColumnElement[bool] = review.c.aside.is_(False)
PUBLIC: ColumnElement[bool] = and_(review.c.state != "hidden", SEEN)

BY_ID = Statement(select(review).where(review.c.id == bindparam("id")))
OWN = Statement(
    select(review).where(
        review.c.book_id == bindparam("book_id"), review.c.patron_id == bindparam("patron_id")
    )
)
PUT = Statement(insert(review))
CHANGED = ("rating", "title", "text", "display_name", "state", "hidden_because")
REPLACE = Statement(
    update(review)
    .where(review.c.id == AT_ID)
    .values(
        {
            name: bindparam(f"to_{name}", type_=review.c[name].type)
            for name in (*CHANGED, "edited_at", "version")
        }
    )
)
DESTROY = Statement(delete(review).where(review.c.id == AT_ID))
OF_PATRON = Statement(
    select(review.c.id, review.c.book_id)
    .where(review.c.patron_id == bindparam("patron_id"))
    .order_by(review.c.book_id)
)
FORGET_AUTHOR = Statement(
    update(review)
    .where(review.c.patron_id == bindparam("at_patron_id", type_=review.c.patron_id.type))
    .values(patron_id=None, display_name=None, ask_again_at=None)
)
IDS_OF_BOOK = Statement(select(review.c.id).where(review.c.book_id == bindparam("book_id")))
DESTROY_OF_BOOK = Statement(
    delete(review).where(review.c.book_id == bindparam("at_book_id", type_=review.c.book_id.type))
)
TO_ASK = Statement(
    select(
        review.c.id,
        review.c.book_id,
        review.c.patron_id,
        review.c.created_at,
        review.c.written_of,
    )
    .where(review.c.ask_again_at <= NOW)
    .order_by(review.c.ask_again_at, review.c.id)
    .limit(bindparam("many"))
)
MARK = Statement(
    update(review)
    .where(review.c.id == AT_ID, review.c.patron_id.is_not(None))
    .values(verified=True, ask_again_at=None)
)
ASK_LATER = Statement(
    update(review)
    .where(review.c.id == AT_ID, review.c.ask_again_at.is_not(None))
    .values(ask_again_at=bindparam("to_at", type_=UtcDateTime()))
)


@dataclass(frozen=True)
class Kept:
    """A review as it is kept."""

    id: UUID
    book_id: UUID
    patron_id: UUID | None
    rating: int
    title: str | None
    text: str | None
    display_name: str | None
    verified: bool
    ask_again_at: datetime | None
    state: State
    hidden_because: str | None
    created_at: datetime
    edited_at: datetime | None
    version: int
    written_of: UUID | None = None
    aside: bool = False


def _kept(row: Any) -> Kept:
    return Kept(**row._asdict())


async def review_with(session: Session, *, review_id: UUID) -> Kept | None:
    row = await session.row(BY_ID, id=review_id)
    return _kept(row) if row else None


async def review_by(session: Session, *, patron_id: UUID, book_id: UUID) -> Kept | None:
    """What this reader wrote of this book."""
    row = await session.row(OWN, patron_id=patron_id, book_id=book_id)
    return _kept(row) if row else None


def added(new: Kept) -> Write:
    return PUT, dict(vars(new))


def replaced(changed: Kept) -> Write:
    values = {name: getattr(changed, name) for name in (*CHANGED, "edited_at", "version")}
    return REPLACE, {"at_id": changed.id, **{f"to_{name}": v for name, v in values.items()}}


def destroyed(review_id: UUID) -> list[Write]:
    return [reports.destroyed([review_id]), (DESTROY, {"at_id": review_id})]


@lru_cache(maxsize=16)
def _of_book(order: Order, after: bool) -> Statement:
    found: Select[Any] = select(review).where(review.c.book_id == bindparam("book_id"), PUBLIC)
    last_id = bindparam("last_id", type_=review.c.id.type)
    if order == "newest":
        keys: list[ColumnElement[Any]] = [review.c.id.desc()]
        place: ColumnElement[bool] = review.c.id < last_id
    else:
        here = tuple_(review.c.rating, review.c.id)
        last = tuple_(bindparam("last_rating", type_=review.c.rating.type), last_id)
        down = order == "highest"
        keys = [key.desc() if down else key for key in (review.c.rating, review.c.id)]
        place = here < last if down else here > last
    if after:
        found = found.where(place)
    return Statement(found.order_by(*keys).limit(bindparam("many")))


async def of_book(
    session: Session, *, book_id: UUID, order: Order, after: tuple[int, UUID] | None, many: int
) -> list[Kept]:
    """Those that are shown. `after`: stars and id of the last one seen."""
    place: dict[str, Any] = {}
    if after:
        place = {"last_id": after[1]} | ({} if order == "newest" else {"last_rating": after[0]})
    statement = _of_book(order, after is not None)
    return [
        _kept(row) for row in await session.rows(statement, book_id=book_id, many=many, **place)
    ]


@lru_cache(maxsize=64)
def _listed(filters: tuple[str, ...], after: bool, counted: bool) -> Statement:
    wanted = and_(SEEN, *(review.c[name] == bindparam(name) for name in filters))
    if "state" not in filters and "patron_id" not in filters:
        wanted = and_(wanted, PUBLIC)
    if counted:
        return Statement(select(func.count()).select_from(review).where(wanted))
    found = select(review).where(wanted)
    if after:
        found = found.where(review.c.id < bindparam("after", type_=review.c.id.type))
    return Statement(found.order_by(review.c.id.desc()).limit(bindparam("many")))


async def listed(
    session: Session, *, like: ReviewFilter, after: UUID | None, many: int
) -> list[Kept]:
    """Newest first. The hidden ones only of one person, or where they are asked for."""
    given = like.model_dump(exclude_none=True)
    place = {"after": after} if after else {}
    statement = _listed(tuple(given), after is not None, False)
    return [_kept(row) for row in await session.rows(statement, many=many, **place, **given)]


async def how_many(session: Session, *, like: ReviewFilter) -> int:
    given = like.model_dump(exclude_none=True)
    return int(await session.value(_listed(tuple(given), False, True), **given))


async def to_ask_about(session: Session, *, now: datetime, many: int) -> list[Any]:
    """(id, book_id, patron_id, created_at) of those of which to ask circulation now."""
    return await session.rows(TO_ASK, now=now, many=many)


async def mark(tx: Tx, ids: list[UUID]) -> None:
    """Their readers had the book in hand."""
    await tx.many(MARK, [{"at_id": each} for each in ids])


async def ask_later(tx: Tx, again: Mapping[UUID, datetime]) -> None:
    """When to ask next about each of these."""
    await tx.many(ASK_LATER, [{"at_id": each, "to_at": at} for each, at in again.items()])


async def reviews_by(session: Session, *, patron_id: UUID) -> list[Any]:
    """(id, book_id) of all that this person wrote, by book."""
    return await session.rows(OF_PATRON, patron_id=patron_id)


def forgotten(patron_id: UUID) -> Write:
    """The reviews stay; who wrote them is not known any more."""
    return FORGET_AUTHOR, {"at_patron_id": patron_id}


async def destroy_of_book(tx: Tx, *, book_id: UUID) -> list[UUID]:
    """All its reviews and their reports; returns which they were."""
    ids = [row.id for row in await tx.rows(IDS_OF_BOOK, book_id=book_id)]
    if ids:
        await tx.write(reports.destroyed(ids), (DESTROY_OF_BOOK, {"at_book_id": book_id}))
    return ids
