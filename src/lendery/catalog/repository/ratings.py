"""The stars of books, as reviews told them last."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql

from lendery.catalog.models import book, rating
from lendery.catalog.rules.ratings import sort_rating
from lendery.contracts.reviews import Rating
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

STARS = ("ones", "twos", "threes", "fours", "fives")
_told = postgresql.insert(rating)
TOLD = Statement(
    _told.values(
        {column.name: bindparam(column.name, type_=column.type) for column in rating.c}
    ).on_conflict_do_update(
        index_elements=["book_id"],
        set_={name: _told.excluded[name] for name in (*STARS, "version")},
        where=rating.c.version < _told.excluded.version,
    )
)
IS_THERE = Statement(select(book.c.number).where(book.c.id == bindparam("book_id")))
PLACE = Statement(
    update(book)
    .where(book.c.id == bindparam("at_id", type_=book.c.id.type))
    .values(sort_rating=bindparam("to_sort_rating", type_=book.c.sort_rating.type))
)
OF_BOOKS = Statement(select(rating).where(any_of(rating.c.book_id, "ids")))
FORGET = Statement(
    delete(rating).where(
        rating.c.book_id.in_(
            select(book.c.id).where(
                book.c.number == bindparam("at_number", type_=book.c.number.type)
            )
        )
    )
)


async def note_rating(tx: Tx, *, book_id: UUID, stars: Sequence[int], version: int) -> None:
    """What reviews told of a book. No change of the catalog: its version stays."""
    if await tx.row(IS_THERE, book_id=book_id) is None:
        return
    counts = dict(zip(STARS, stars, strict=True))
    if await tx.run(TOLD, book_id=book_id, version=version, **counts):
        await tx.run(PLACE, at_id=book_id, to_sort_rating=sort_rating(stars))


async def ratings_of(session: Session, *, ids: list[UUID]) -> list[Rating]:
    """For each in the order asked; without stars where nobody gave any."""
    rows = {row.book_id: row for row in await session.rows(OF_BOOKS, ids=ids)}
    return [Rating.of(each, _stars(rows.get(each))) for each in ids]


def _stars(row: Any | None) -> tuple[int, ...]:
    return tuple(getattr(row, name) for name in STARS) if row else (0, 0, 0, 0, 0)


def forgotten(number: int) -> Write:
    """Of a book that is destroyed; before it is."""
    return FORGET, {"at_number": number}
