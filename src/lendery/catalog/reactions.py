"""What the catalog does when something happens elsewhere.

It notes what a search may say is in, how often each book was lent, and how many stars it has.
"""

from lendery.catalog.repository.copies import note_status
from lendery.catalog.repository.popularity import lent_again, lent_once_less
from lendery.catalog.repository.ratings import note_rating
from lendery.contracts.circulation import (
    CheckInUndone,
    CheckOutUndone,
    CopyFlagged,
    CopyKept,
    CopyReleased,
    ItemCheckedIn,
    ItemCheckedOut,
)
from lendery.contracts.reviews import RatingChanged
from lendery.platform.db import Tx
from lendery.platform.events import Reaction


async def note_that_it_is_out(tx: Tx, event: ItemCheckedOut, told: None) -> None:
    await lent_again(tx, book_id=event.book_id)
    await note_status(tx, copy_id=event.copy_id, status="on-loan")


async def note_what_it_is_now(tx: Tx, event: ItemCheckedIn, told: None) -> None:
    await note_status(tx, copy_id=event.copy_id, status=event.status)


async def note_its_flag(tx: Tx, event: CopyFlagged, told: None) -> None:
    await note_status(tx, copy_id=event.copy_id, status=event.status)


async def note_that_it_is_free(tx: Tx, event: CopyReleased, told: None) -> None:
    await note_status(tx, copy_id=event.copy_id, status=event.status)


async def note_that_it_is_kept(tx: Tx, event: CopyKept, told: None) -> None:
    await note_status(tx, copy_id=event.copy_id, status=event.status)


async def note_that_it_did_not_come(tx: Tx, event: CheckInUndone, told: None) -> None:
    await note_status(tx, copy_id=event.copy_id, status=event.status)


async def note_that_it_was_not_lent(tx: Tx, event: CheckOutUndone, told: None) -> None:
    await lent_once_less(tx, book_id=event.book_id)
    await note_status(tx, copy_id=event.copy_id, status=event.status)


async def note_its_stars(tx: Tx, event: RatingChanged, told: None) -> None:
    stars = (event.ones, event.twos, event.threes, event.fours, event.fives)
    await note_rating(tx, book_id=event.book_id, stars=stars, version=event.version)


REACTIONS: tuple[Reaction, ...] = (
    Reaction(to=ItemCheckedOut, act=note_that_it_is_out),
    Reaction(to=ItemCheckedIn, act=note_what_it_is_now),
    Reaction(to=CopyFlagged, act=note_its_flag),
    Reaction(to=CopyReleased, act=note_that_it_is_free),
    Reaction(to=CopyKept, act=note_that_it_is_kept),
    Reaction(to=CheckOutUndone, act=note_that_it_was_not_lent),
    Reaction(to=CheckInUndone, act=note_that_it_did_not_come),
    Reaction(to=RatingChanged, act=note_its_stars),
)
