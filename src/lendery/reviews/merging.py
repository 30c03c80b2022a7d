"""Books that are one: their reviews too.

Where a review stands follows from the book it was written of, from what was merged into what, and
from which of its reader's is the newest. So nothing is lost, and it does not matter in which order
one hears of two merges.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from lendery.contracts.catalog import BookMerged, BookUnmerged
from lendery.contracts.reviews import ReviewMoved
from lendery.platform.db import Tx
from lendery.reviews import rules, turns
from lendery.reviews.repository import merged
from lendery.reviews.repository.merged import Place
from lendery.reviews.repository.stars import Turn, take_turns


async def follow(tx: Tx, event: BookMerged | BookUnmerged) -> None:
    """Reviews of the one stand with the other, or with their own again; both are counted anew."""
    taken = await _turns(tx, (event.book_id, event.into))
    into = event.into if isinstance(event, BookMerged) else None
    await merged.point(tx, book_id=event.book_id, into=into)
    await _set_up(tx, taken, now=event.at)


async def next_in_line(tx: Tx, *, patron_id: UUID | None, book_id: UUID, now: datetime) -> None:
    """The newest that a reader wrote was removed: the one before counts now, if there is one."""
    if patron_id is not None and await merged.aside_by(tx, patron_id=patron_id):
        await _set_up(tx, await _turns(tx, (book_id,)), now=now)


async def _turns(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Turn]:
    """Our turn on all books that are one with these."""
    taken: dict[UUID, Turn] = {}
    wanted = set(ids) | (await merged.family(tx, ids=ids)).keys()
    while missing := wanted - taken.keys():
        taken |= await take_turns(tx, book_ids=missing)
        wanted |= (await merged.family(tx, ids=wanted)).keys()
    return taken


async def _set_up(tx: Tx, taken: dict[UUID, Turn], *, now: datetime) -> None:
    into = await merged.family(tx, ids=taken)
    rows = await merged.written(tx, ids=list(taken))
    places = {
        review_id: Place(*place)
        for review_id, place in rules.places(rows, rules.ends(into)).items()
    }
    moved = [row for row in rows if places[row.id] != (row.book_id, row.aside)]
    if moved:
        await merged.place(tx, moved, places)
        await tx.announce(
            *(
                ReviewMoved(review_id=row.id, book_id=row.book_id, at=now, into=place.book_id,
                            aside=place.aside)
                for row in moved
                if (place := places[row.id])
            )
        )  # fmt: skip
    counts = {book_id: rules.NO_STARS for book_id in taken}
    for row in rows:
        place = places[row.id]
        if not place.aside and rules.is_public(row.state):
            counts[place.book_id] = rules.counted(counts[place.book_id], after=row.rating)
    for book_id, turn in taken.items():
        if writes := turns.counted(tx, book_id, turn, counts[book_id], now=now):
            await tx.write(*writes)
