"""What reviews does when something happens elsewhere: it forgets people and books that are gone.

Reviews of a book that became another follow it there.
"""

from typing import Protocol

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.catalog import BookMerged, Books, BookUnmerged, BookWithdrawn
from lendery.contracts.reviews import ReviewChanged, ReviewRemoved
from lendery.platform.db import Tx
from lendery.platform.events import Reaction
from lendery.reviews import rules
from lendery.reviews.merging import follow
from lendery.reviews.repository import merged, reports, stars
from lendery.reviews.repository import reviews as kept


class Neighbours(Protocol):
    @property
    def books(self) -> Books: ...


async def forget_person(tx: Tx, event: PatronRemoved, told: None) -> None:
    """What they wrote stays, without a name and without a link to anybody."""
    written = await kept.reviews_by(tx, patron_id=event.patron_id)
    if written:
        await stars.take_turns(tx, book_ids=(row.book_id for row in written))
    aside = await merged.aside_by(tx, patron_id=event.patron_id)
    if aside:  # which of two counts could not be told any more
        await merged.destroy(tx, ids=[row.id for row in aside])
        written = await kept.reviews_by(tx, patron_id=event.patron_id)
        await tx.announce(
            *(ReviewRemoved(review_id=row.id, book_id=row.book_id, at=event.at) for row in aside)
        )
    await tx.write(kept.forgotten(event.patron_id), reports.forgotten(event.patron_id))
    await tx.announce(
        *(ReviewChanged(review_id=row.id, book_id=row.book_id, at=event.at) for row in written)
    )


async def ask_whether_it_is_gone(ports: Neighbours, event: BookWithdrawn) -> bool:
    """A withdrawn book stays readable, and may come back; a destroyed one is no more."""
    return not await ports.books.by_ids(ids=[event.book_id])


async def forget_book(tx: Tx, event: BookWithdrawn, gone: bool) -> None:
    if not gone:
        return
    await stars.take_turn(tx, book_id=event.book_id)
    await stars.close(tx, book_id=event.book_id)
    into = rules.ends(await merged.family(tx, ids=[event.book_id]))
    for book_id in sorted(each for each, end in into.items() if end == event.book_id):
        ids = await kept.destroy_of_book(tx, book_id=book_id)
        await tx.announce(
            *(ReviewRemoved(review_id=each, book_id=book_id, at=event.at) for each in ids)
        )


async def follow_merge(tx: Tx, event: BookMerged | BookUnmerged, told: None) -> None:
    await follow(tx, event)


REACTIONS: tuple[Reaction, ...] = (
    Reaction(PatronRemoved, forget_person),
    Reaction(BookWithdrawn, forget_book, ask_whether_it_is_gone),
    Reaction(BookMerged, follow_merge),
    Reaction(BookUnmerged, follow_merge),
)
