"""The one row that every change of the catalog goes through.

Writers take turns on it: so an author named twice at once is made once, an ISBN is checked
before it is written, and numbers are committed in the order they were given out.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, update

from lendery.catalog.models import CHANGES, change
from lendery.platform.cache import Turn as Numbered
from lendery.platform.db import Statement, Tx
from lendery.platform.db.session import Write

ONLY = 1
NEXT = Statement(
    update(change)
    .where(change.c.id == ONLY)
    .values(
        version=change.c.version + 1,
        mark=bindparam("new_mark", type_=change.c.mark.type),
        last_number=change.c.last_number + bindparam("wanted", type_=change.c.last_number.type),
    )
    .returning(change.c.version, change.c.last_number)
)


@dataclass(frozen=True)
class Turn:
    version: int
    first_number: int
    numbered: Numbered

    def touches(self, *keys: str) -> Write:
        """The write that notes what this change touches: `book_key`, `author_key`.

        Every list is touched by every change. A change that notes nothing touches everything.
        """
        return self.numbered.touches(*keys)


async def next_turn(tx: Tx, *, numbers: int = 0) -> Turn:
    """Our turn to change the catalog, with `numbers` new book numbers. First in a transaction."""
    mark = CHANGES.new_mark()
    row = await tx.row(NEXT, wanted=numbers, new_mark=mark)
    assert row is not None
    numbered = CHANGES.turn(tx, row.version, mark)
    return Turn(row.version, row.last_number - numbers + 1, numbered)


def book_key(book_id: object) -> str:
    return f"book:{book_id}"


def author_key(author_id: object) -> str:
    return f"author:{author_id}"
