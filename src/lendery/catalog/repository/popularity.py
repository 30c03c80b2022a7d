"""How often books were lent, told by circulation; and their places in a search by that."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from lendery.catalog.models import book
from lendery.catalog.repository.books import AS_IT_STANDS, book_of, worded
from lendery.catalog.repository.search import unindexed
from lendery.catalog.repository.variants import variants_of
from lendery.catalog.repository.words import count_words
from lendery.catalog.rules.popularity import level_words, place, step
from lendery.platform.db import Statement, Tx, any_of

LENT_AGAIN = Statement(
    update(book)
    .where(book.c.id == bindparam("at_id"))
    .values(popularity=book.c.popularity + 1)
    .returning(book.c.number, book.c.popularity)
)
LENT_LESS = Statement(
    update(book)
    .where(book.c.id == bindparam("at_id"), book.c.popularity > 0)
    .values(popularity=book.c.popularity - 1)
    .returning(book.c.number, book.c.popularity)
)
MOVED = Statement(
    update(book)
    .where(book.c.number == bindparam("at_number", type_=book.c.number.type))
    .values(
        place=bindparam("to_place", type_=book.c.number.type),
        popularity=bindparam("to_popularity", type_=book.c.popularity.type),
    )
    .returning(*AS_IT_STANDS)
)
EVER_LENT = Statement(select(book.c.id).where(book.c.popularity > 0))
SOME = Statement(
    select(book.c.number, book.c.id, book.c.popularity).where(any_of(book.c.id, "ids"))
)


async def lent_again(tx: Tx, *, book_id: UUID) -> None:
    """A book was lent once more. No change of the catalog: its version stays."""
    row = await tx.row(LENT_AGAIN, at_id=book_id)
    if row is not None and step(row.popularity) != step(row.popularity - 1):
        await _move(tx, row.number, row.popularity - 1, row.popularity)


async def lent_once_less(tx: Tx, *, book_id: UUID) -> None:
    """A loan of it was undone."""
    row = await tx.row(LENT_LESS, at_id=book_id)
    if row is not None and step(row.popularity) != step(row.popularity + 1):
        await _move(tx, row.number, row.popularity + 1, row.popularity)


async def ever_lent(tx: Tx) -> set[UUID]:
    """The books that are known to have been lent."""
    return {row.id for row in await tx.rows(EVER_LENT)}


async def recount(tx: Tx, *, lent: Mapping[UUID, int]) -> int:
    """So often were these books lent; returns how many were noted otherwise."""
    rows = await tx.rows(SOME, ids=list(lent))
    wrong = [row for row in rows if row.popularity != lent[row.id]]
    for row in wrong:
        await _move(tx, row.number, row.popularity, lent[row.id])
    return len(wrong)


async def _move(tx: Tx, number: int, before: int, now: int) -> None:
    if tx.dialect == "sqlite":
        statement, given = unindexed(tx.dialect, number)  # from where it stood
        await tx.run(statement, **given)
    moved: Any = await tx.row(
        MOVED, at_number=number, to_place=place(number, now), to_popularity=now
    )
    shown = book_of(moved)
    names = await variants_of(tx, (each.id for each in shown.authors))
    await tx.write(worded(tx.dialect, number, shown, names))
    if tx.dialect != "sqlite":
        levels = set(level_words(now)) - set(level_words(before))
        await count_words(tx, dict.fromkeys(levels, 1))
