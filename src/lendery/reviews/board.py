"""The board where reviews are put up: posting, reading, changing, and taking down."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.contracts.base import Invalid, NotAllowed, Page, Window, new_id
from lendery.contracts.catalog import Books, NoSuchBook
from lendery.contracts.circulation import Borrowed, Borrowings
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reviews import (
    AlreadyReviewed,
    BookIsWithdrawn,
    Decision,
    NewReport,
    NewReview,
    Order,
    PastReview,
    Rating,
    Review,
    ReviewChanged,
    ReviewChanges,
    ReviewFilter,
    ReviewPage,
    ReviewPosted,
    ReviewRemoved,
)
from lendery.platform.db import Database, Session, Tx
from lendery.platform.paging import make_cursor, read_cursor
from lendery.reviews import merging, moderation, rules, turns
from lendery.reviews.repository import reviews as kept
from lendery.reviews.repository import stars
from lendery.reviews.repository.reviews import Kept
from lendery.reviews.repository.stars import Turn
from lendery.reviews.showing import shown, shown_with_reports
from lendery.reviews.turns import Asked, had_in_hand


@dataclass(frozen=True)
class ReviewBoard:
    """Implements contracts.reviews.Reviews."""

    db: Database
    books: Books
    borrowings: Borrowings

    async def post(
        self, *, book_id: UUID, review: NewReview, actor: Actor, now: datetime
    ) -> Review:
        actor.must(Permission.REVIEW)
        if actor.id is None:
            raise NotAllowed("Only people write reviews.")
        book = await self.books.get(book_id=book_id)
        if book.withdrawn:
            raise BookIsWithdrawn("This book is no longer part of the library.")
        asked = await had_in_hand(self.borrowings, [Borrowed(patron_id=actor.id, book_id=book_id)])
        new = _new(review, book_id=book_id, patron_id=actor.id, asked=asked, at=now, now=now)
        async with self.db.begin() as tx:
            turn = await stars.take_turn(tx, book_id=book_id)
            turns.still_open(book_id, turn)
            own = await kept.review_by(tx, patron_id=actor.id, book_id=book_id)
            if own is not None:
                raise AlreadyReviewed(
                    "You have reviewed this book. Change that review instead.",
                    field="book_id",
                    review_id=str(own.id),
                )
            await tx.write(
                kept.added(new),
                tx.announcement(ReviewPosted(review_id=new.id, book_id=book_id, at=now)),
                *turns.starred(tx, book_id, turn, None, new, now=now),
            )
        return shown(new)

    async def add_many(self, *, reviews: list[PastReview], actor: Actor, now: datetime) -> int:
        """All or none. The oldest get the smallest ids, so that lists begin with the newest."""
        actor.must(Permission.MODERATE)
        pairs = [Borrowed(patron_id=each.patron_id, book_id=each.book_id) for each in reviews]
        books = {pair.book_id for pair in pairs}
        found = {each.id for each in await self.books.by_ids(ids=list(books))}
        if len({(pair.patron_id, pair.book_id) for pair in pairs}) < len(pairs):
            raise AlreadyReviewed("One reader has two reviews of one book in this list.")
        if books - found:
            raise NoSuchBook("There is no such book.", book_id=str(min(books - found)))
        asked = await had_in_hand(self.borrowings, pairs)
        by_book: defaultdict[UUID, list[Kept]] = defaultdict(list)
        for each in sorted(reviews, key=lambda each: each.at):
            new = _new(each, book_id=each.book_id, patron_id=each.patron_id, asked=asked,
                       at=each.at, now=now)  # fmt: skip
            by_book[each.book_id].append(new)
        async with self.db.begin() as tx:
            for book_id, turn in (await stars.take_turns(tx, book_ids=by_book)).items():
                await _put_up(tx, book_id, turn, by_book[book_id], now)
        return len(reviews)

    async def get(self, *, review_id: UUID, actor: Actor) -> Review:
        async with self.db.read() as session:
            row = turns.readable(await kept.review_with(session, review_id=review_id), actor)
            if not actor.may(Permission.MODERATE):
                return shown(row)
            return (await shown_with_reports(session, [row]))[0]

    async def of_book(self, *, book_id: UUID, order: Order, window: Window) -> ReviewPage:
        page = await self.reviewed(book_id=book_id, order=order, window=window)
        if page is None:  # is there such a book?
            await self.books.get(book_id=book_id)
            none = Rating.of(book_id, rules.NO_STARS)
            page = ReviewPage(
                items=[], next_cursor=None, total=0 if window.total else None, rating=none
            )
        return page

    async def reviewed(self, *, book_id: UUID, order: Order, window: Window) -> ReviewPage | None:
        """The same, from what is kept here alone. None: nobody ever reviewed it."""
        after = _place(order, window.after) if window.after else None
        async with self.db.read() as session:
            standing = await stars.stars_of(session, book_id=book_id)
            if standing is None:
                return None
            turns.not_merged(standing)
            rows = await kept.of_book(
                session, book_id=book_id, order=order, after=after, many=window.limit + 1
            )
        told = Rating.of(book_id, standing.stars)
        page = rows[: window.limit]
        more = len(rows) > window.limit
        return ReviewPage(
            items=[shown(row) for row in page],
            next_cursor=make_cursor(order, page[-1].rating, page[-1].id) if more else None,
            total=told.count if window.total else None,
            rating=told,
        )

    async def find(self, *, like: ReviewFilter, window: Window, actor: Actor) -> Page[Review]:
        if like.state is not None:
            actor.must(Permission.MODERATE)
        if like.patron_id is not None:
            actor.must_be(like.patron_id, Permission.MODERATE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            if like.book_id is not None:
                turns.not_merged(await stars.stars_of(session, book_id=like.book_id))
            rows = await kept.listed(session, like=like, after=after, many=window.limit + 1)
            page = rows[: window.limit]
            return Page[Review](
                items=await self._told(session, page, with_reports=like.state is not None),
                next_cursor=make_cursor(page[-1].id) if len(rows) > window.limit else None,
                total=await kept.how_many(session, like=like) if window.total else None,
            )

    async def _told(
        self, session: Session, rows: Sequence[Kept], *, with_reports: bool
    ) -> list[Review]:
        if with_reports:
            return await shown_with_reports(session, rows)
        return [shown(row) for row in rows]

    async def change(
        self,
        *,
        review_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Review:
        """By its author only. A hidden one stays hidden until staff decide again."""
        actor.must(Permission.REVIEW)
        wanted = ReviewChanges.model_validate(changes)
        given = wanted.model_dump(include=wanted.model_fields_set)
        if "rating" in given and wanted.rating is None:
            says = "This must not be empty."
            raise Invalid(f"rating: {says}", errors=[{"pointer": "#/rating", "says": says}])
        before = await turns.seen(self.db, review_id, actor)
        if before.patron_id != actor.id:
            raise NotAllowed("You can change your own reviews only.")
        async with self.db.begin() as tx:
            turn, before = await turns.taken(tx, before, actor, version)
            if not given:
                return shown(before)
            after = replace(before, **_filled(given), edited_at=now, version=before.version + 1)
            await tx.write(
                kept.replaced(after),
                tx.announcement(ReviewChanged(review_id=after.id, book_id=after.book_id, at=now)),
                *turns.starred(tx, after.book_id, turn, before, after, now=now),
            )
        return shown(after)

    async def remove(
        self, *, review_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        actor.must(Permission.REVIEW)
        before = await turns.seen(self.db, review_id, actor)
        actor.must_be(before.patron_id, Permission.MODERATE)
        async with self.db.begin() as tx:
            turn, before = await turns.taken(tx, before, actor, version)
            await tx.write(
                *kept.destroyed(review_id),
                tx.announcement(ReviewRemoved(review_id=review_id, book_id=before.book_id, at=now)),
                *turns.starred(tx, before.book_id, turn, before, None, now=now),
            )
            await merging.next_in_line(
                tx, patron_id=before.patron_id, book_id=before.book_id, now=now
            )

    async def report(
        self, *, review_id: UUID, report: NewReport, actor: Actor, now: datetime
    ) -> None:
        await moderation.report(self.db, review_id, report, actor=actor, now=now)

    async def moderate(
        self, *, review_id: UUID, decision: Decision, actor: Actor, now: datetime
    ) -> Review:
        return await moderation.decide(self.db, review_id, decision, actor=actor, now=now)

    async def verify(self, *, now: datetime) -> int:
        return await turns.verify(self.db, self.borrowings, now=now)


def _filled(given: dict[str, Any]) -> dict[str, Any]:
    """A text of blanks is no text."""
    return {name: value or None for name, value in given.items()}


def _place(order: Order, cursor: str) -> tuple[int, UUID]:
    made_for, stars, review_id = read_cursor(cursor, str, int, UUID)
    if made_for != order or not 1 <= (stars or 0) <= 5:
        says = "This cursor belongs to a list in another order."
        raise Invalid(says, errors=[{"parameter": "cursor", "says": says}])
    return stars, review_id


def _new(
    review: NewReview, *, book_id: UUID, patron_id: UUID, asked: Asked, at: datetime, now: datetime
) -> Kept:
    verified = (patron_id, book_id) in asked.had
    later = rules.ask_again_at(at, now) if asked.told else now
    given = review.model_dump(include={"rating", "title", "text", "display_name"})
    return Kept(
        id=new_id(),
        book_id=book_id,
        patron_id=patron_id,
        **_filled(given),
        verified=verified,
        ask_again_at=None if verified else later,
        state="shown",
        hidden_because=None,
        created_at=at,
        edited_at=None,
        version=1,
    )


async def _put_up(tx: Tx, book_id: UUID, turn: Turn, new: Sequence[Kept], now: datetime) -> None:
    turns.still_open(book_id, turn)
    counts = turn.stars
    for each in new:
        assert each.patron_id is not None
        if await kept.review_by(tx, patron_id=each.patron_id, book_id=book_id) is not None:
            raise AlreadyReviewed("A reader has reviewed one of these books already.")
        counts = rules.counted(counts, after=each.rating)
    await tx.many(kept.PUT, [kept.added(each)[1] for each in new])
    posted = [ReviewPosted(review_id=each.id, book_id=book_id, at=now) for each in new]
    await tx.announce(*posted)
    await tx.write(*turns.counted(tx, book_id, turn, counts, now=now))
