"""What every change of a book's reviews goes through: its turn, and the stars that follow.

Changes of one book take turns, so that two posts of one reader make one review, and the stars
that are told are those that are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.contracts.base import PeerFailed, PeerUnavailable, Stale
from lendery.contracts.catalog import BookWasMerged, NoSuchBook
from lendery.contracts.circulation import Borrowed, Borrowings
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reviews import NoSuchReview, RatingChanged
from lendery.platform.db import Database, Tx
from lendery.platform.db.session import Write
from lendery.reviews import rules
from lendery.reviews.repository import reviews as kept
from lendery.reviews.repository import stars as stars_kept
from lendery.reviews.repository.reviews import Kept
from lendery.reviews.repository.stars import Turn

ASKED_AT_ONCE = 200


@dataclass(frozen=True)
class Asked:
    """Who had which book in hand, as (patron, book); not `told`: circulation did not answer."""

    had: frozenset[tuple[UUID, UUID]] = frozenset()
    told: bool = True


async def had_in_hand(borrowings: Borrowings, asked: list[Borrowed]) -> Asked:
    """A review does not wait for circulation: the mark can follow."""
    try:
        known = await borrowings.known(asked=asked)
    except (PeerUnavailable, PeerFailed):
        return Asked(told=False)
    return Asked(frozenset((each.patron_id, each.book_id) for each in known))


def readable(row: Kept | None, actor: Actor) -> Kept:
    """Raises NoSuchReview for what is not there, or hidden from whoever asks."""
    if row is not None and not row.aside:
        own = row.patron_id is not None and row.patron_id == actor.id
        if own or rules.is_public(row.state) or actor.may(Permission.MODERATE):
            return row
    raise NoSuchReview("There is no such review.")


def still_open(book_id: UUID, turn: Turn) -> None:
    """Raises what the catalog says of a book that is no more, or is another now."""
    if turn.closed:
        raise NoSuchBook("There is no such book.", book_id=str(book_id))
    not_merged(turn)


def not_merged(turn: Turn | None) -> None:
    """Raises BookWasMerged, which names the book that it is now."""
    if turn is not None and turn.merged_into is not None:
        into = str(turn.merged_into)
        raise BookWasMerged("This book was merged into another book.", into=into)


async def seen(db: Database, review_id: UUID, actor: Actor) -> Kept:
    """The review as whoever asks may see it. Raises NoSuchReview."""
    async with db.read() as session:
        return readable(await kept.review_with(session, review_id=review_id), actor)


async def taken(
    tx: Tx, before: Kept, actor: Actor, version: int | None = None
) -> tuple[Turn, Kept]:
    """Our turn on its book, and the review as it is now. Raises Stale, NoSuchReview."""
    turn = await stars_kept.take_turn(tx, book_id=before.book_id)
    row = readable(await kept.review_with(tx, review_id=before.id), actor)
    while row.book_id != before.book_id:  # two books became one meanwhile
        before = row
        turn = await stars_kept.take_turn(tx, book_id=before.book_id)
        row = readable(await kept.review_with(tx, review_id=before.id), actor)
    if version is not None and version != row.version:
        raise Stale("This has changed since you read it. Read it again.", version=row.version)
    return turn, row


def starred(
    tx: Tx, book_id: UUID, turn: Turn, before: Kept | None, after: Kept | None, *, now: datetime
) -> list[Write]:
    """The stars of a book after a change, told when they are others than before."""
    stars = rules.counted(turn.stars, before=_counts(before), after=_counts(after))
    return counted(tx, book_id, turn, stars, now=now)


def _counts(row: Kept | None) -> int | None:
    return row.rating if row is not None and rules.is_public(row.state) else None


def counted(
    tx: Tx, book_id: UUID, turn: Turn, stars: Sequence[int], *, now: datetime
) -> list[Write]:
    if tuple(stars) == turn.stars:
        return []
    ones, twos, threes, fours, fives = stars
    told = RatingChanged(
        book_id=book_id,
        ones=ones,
        twos=twos,
        threes=threes,
        fours=fours,
        fives=fives,
        version=turn.version,
        at=now,
    )
    return [stars_kept.starred(book_id, stars), tx.announcement(told)]


async def verify(db: Database, borrowings: Borrowings, *, now: datetime) -> int:
    """Sets the marks that could not be set before; a mark once set stays."""
    marks = 0
    while True:
        async with db.read() as session:
            rows = await kept.to_ask_about(session, now=now, many=ASKED_AT_ONCE)
        if not rows:
            return marks
        asked = {row.id: _in_hand(row) for row in rows}
        pairs = sorted({pair for each in asked.values() for pair in each})
        known = await borrowings.known(asked=[Borrowed(patron_id=p, book_id=b) for p, b in pairs])
        told = {(each.patron_id, each.book_id) for each in known}
        had = [row for row in rows if told & asked[row.id]]
        later = [row for row in rows if not told & asked[row.id]]
        async with db.begin() as tx:
            if had:  # their lists read otherwise from now on
                await stars_kept.take_turns(tx, book_ids=(row.book_id for row in had))
            await kept.mark(tx, [row.id for row in had])
            again = {row.id: rules.ask_again_at(row.created_at, now) for row in later}
            await kept.ask_later(tx, again)
        marks += len(had)


def _in_hand(row: Any) -> set[tuple[UUID, UUID]]:
    """A loan that ended names the book as it was before it became another."""
    return {(row.patron_id, book_id) for book_id in (row.book_id, row.written_of) if book_id}
