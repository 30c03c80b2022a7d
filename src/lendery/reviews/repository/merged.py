"""Books that became one, or two again: which they are, and where their reviews stand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, func, or_, select, update

from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.reviews.models import rating, review
from lendery.reviews.repository import reports

RELATED = Statement(
    select(rating.c.book_id, rating.c.merged_into).where(
        or_(any_of(rating.c.book_id, "ids"), any_of(rating.c.merged_into, "ids"))
    )
)
POINT = Statement(
    update(rating)
    .where(rating.c.book_id == bindparam("at_book_id", type_=rating.c.book_id.type))
    .values(merged_into=bindparam("to_book_id", type_=rating.c.merged_into.type))
)
WRITTEN = Statement(
    select(
        review.c.id,
        review.c.book_id,
        func.coalesce(review.c.written_of, review.c.book_id).label("written_of"),
        review.c.patron_id,
        review.c.rating,
        review.c.state,
        review.c.aside,
        review.c.created_at,
    )
    .where(any_of(review.c.book_id, "ids"))
    .order_by(review.c.id)
)
PLACE = Statement(
    update(review)
    .where(review.c.id == bindparam("at_id", type_=review.c.id.type))
    .values(
        book_id=bindparam("to_book_id", type_=review.c.book_id.type),
        written_of=bindparam("to_written_of", type_=review.c.written_of.type),
        aside=bindparam("to_aside", type_=review.c.aside.type),
    )
)
ASIDE = Statement(
    select(review.c.id, review.c.book_id).where(
        review.c.patron_id == bindparam("patron_id"), review.c.aside.is_(True)
    )
)
DESTROY = Statement(delete(review).where(any_of(review.c.id, "ids")))


class Place(NamedTuple):
    """`aside`: out of sight, because its reader wrote a newer one of the same book."""

    book_id: UUID
    aside: bool


async def family(session: Session, *, ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """These books, and all that were merged into them or that they went into; what each went into.

    Books of which nobody heard anything yet are not among them.
    """
    known, found = set(ids), {}
    while True:
        rows = await session.rows(RELATED, ids=sorted(known))
        found = {row.book_id: row.merged_into for row in rows}
        more = (found.keys() | {each for each in found.values() if each}) - known
        if not more:
            return found
        known |= more


async def point(tx: Tx, *, book_id: UUID, into: UUID | None) -> None:
    """The book is another from now on, or (None) itself again."""
    await tx.run(POINT, at_book_id=book_id, to_book_id=into)


async def written(session: Session, *, ids: Sequence[UUID]) -> list[Any]:
    """All reviews that stand with these books, with what decides where they are to stand."""
    return await session.rows(WRITTEN, ids=list(ids))


async def place(tx: Tx, rows: Sequence[Any], places: Mapping[UUID, Place]) -> None:
    """Two may change places, so each first stands where no other can: under its own id."""
    for apart in (True, False):
        await tx.many(
            PLACE,
            [
                {
                    "at_id": row.id,
                    "to_book_id": row.id if apart else places[row.id].book_id,
                    "to_written_of": row.written_of,
                    "to_aside": places[row.id].aside,
                }
                for row in rows
            ],
        )


async def aside_by(session: Session, *, patron_id: UUID) -> list[Any]:
    """(id, book_id) of what this reader wrote that stands aside."""
    return await session.rows(ASIDE, patron_id=patron_id)


async def destroy(tx: Tx, *, ids: list[UUID]) -> None:
    await tx.write(reports.destroyed(ids), (DESTROY, {"ids": ids}))
