"""The one row that every change of the catalog goes through.

Writers take turns on it: so an author named twice at once is made once, an ISBN is checked
before it is written, and numbers are committed in the order they were given out.
"""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from lendery.catalog.models import change
from lendery.platform.db import Session, Statement, Tx

ONLY = 1
NEXT = Statement(
    update(change)
    .where(change.c.id == ONLY)
    .values(
        version=change.c.version + 1,
        last_number=change.c.last_number + bindparam("wanted", type_=change.c.last_number.type),
    )
    .returning(change.c.version, change.c.last_number)
)
VERSION = Statement(select(change.c.version).where(change.c.id == ONLY))


class Turn(NamedTuple):
    version: int
    first_number: int


async def next_turn(tx: Tx, *, numbers: int = 0) -> Turn:
    """Our turn to change the catalog, with `numbers` new book numbers. First in a transaction."""
    row = await tx.row(NEXT, wanted=numbers)
    assert row is not None
    return Turn(row.version, row.last_number - numbers + 1)


async def catalog_version(session: Session) -> int:
    found: int = await session.value(VERSION)
    return found
