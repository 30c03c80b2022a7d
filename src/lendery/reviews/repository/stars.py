"""The stars of books, and the turns that changes of their reviews take."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql

from lendery.platform.db import Session, Statement, Tx
from lendery.platform.db.session import Write
from lendery.reviews.models import rating

STARS = ("ones", "twos", "threes", "fours", "fives")

_turn = postgresql.insert(rating)
TURN = Statement(
    _turn.values(
        {"book_id": bindparam("book_id", type_=rating.c.book_id.type), "version": 1}
        | dict.fromkeys(STARS, 0)
        | {"closed": False}
    )
    .on_conflict_do_update(index_elements=["book_id"], set_={"version": rating.c.version + 1})
    .returning(*rating.c)
)
STARS_OF = Statement(select(rating).where(rating.c.book_id == bindparam("book_id")))
COUNT_STARS = Statement(
    update(rating)
    .where(rating.c.book_id == bindparam("at_book_id", type_=rating.c.book_id.type))
    .values({name: bindparam(f"to_{name}", type_=rating.c[name].type) for name in STARS})
)
CLOSE = Statement(
    update(rating)
    .where(rating.c.book_id == bindparam("book_id"))
    .values(dict.fromkeys(STARS, 0) | {"closed": True})
)


class Turn(NamedTuple):
    """The stars of a book while nobody else changes its reviews."""

    stars: tuple[int, ...]
    version: int
    closed: bool
    merged_into: UUID | None = None


async def take_turn(tx: Tx, *, book_id: UUID) -> Turn:
    """Our turn to change reviews of this book. First in a transaction."""
    row = await tx.row(TURN, book_id=book_id)
    assert row is not None
    return _turn_of(row)


async def stars_of(session: Session, *, book_id: UUID) -> Turn | None:
    """Whoever's turn it is. None: nobody ever reviewed it."""
    row = await session.row(STARS_OF, book_id=book_id)
    return _turn_of(row) if row else None


def _turn_of(row: Any) -> Turn:
    stars = tuple(getattr(row, name) for name in STARS)
    return Turn(stars, row.version, row.closed, row.merged_into)


def starred(book_id: UUID, stars: Sequence[int]) -> Write:
    counts = {f"to_{name}": many for name, many in zip(STARS, stars, strict=True)}
    return COUNT_STARS, {"at_book_id": book_id, **counts}


async def close(tx: Tx, *, book_id: UUID) -> None:
    """The book is no more: it has no stars, and takes no reviews."""
    await tx.run(CLOSE, book_id=book_id)
