"""The stars of books, and the turns that changes of their reviews take."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql

from lendery.platform.db import Session, Statement, Tx
from lendery.platform.db.session import Write
from lendery.reviews.models import CHANGES, rating

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


def reviews_key(book_id: object) -> str:
    """What a change of its reviews touches: the list of them."""
    return f"reviews:{book_id}"


async def take_turn(tx: Tx, *, book_id: UUID) -> Turn:
    """Our turn to change reviews of this book. First in a transaction, and once."""
    return (await take_turns(tx, book_ids=[book_id]))[book_id]


async def take_turns(tx: Tx, *, book_ids: Iterable[UUID]) -> dict[UUID, Turn]:
    """Our turn to change reviews of all these books. First in a transaction, and once."""
    wanted = sorted(set(book_ids))
    turn = await CHANGES.next_turn(tx)
    await tx.write(turn.touches(*map(reviews_key, wanted)))
    return {book_id: await _taken(tx, book_id) for book_id in wanted}


async def _taken(tx: Tx, book_id: UUID) -> Turn:
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
