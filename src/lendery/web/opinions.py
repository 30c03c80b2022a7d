"""What the page of a book shows of its reviews: stars, words, and the reader's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args
from uuid import UUID

from starlette.requests import Request

from lendery.contracts.base import Invalid, PeerFailed, PeerUnavailable, Window
from lendery.contracts.catalog import Book
from lendery.contracts.reviews import Order, Rating, Review, ReviewFilter, ReviewPage
from lendery.web.pages import asked, visit_of
from lendery.web.ports import Ports

SHOWN = 10
ORDERS: tuple[Order, ...] = get_args(Order)
NOTHING = {"rating": "", "title": "", "text": "", "display_name": ""}


@dataclass(frozen=True)
class Written:
    """A form as it was sent, and what is wrong with it."""

    given: Mapping[str, str]
    wrong: Mapping[str, str]


@dataclass(frozen=True)
class Opinions:
    """`page` is None while reviews does not answer; the catalogue still knows the stars."""

    rating: Rating
    page: ReviewPage | None = None
    own: Review | None = None
    order: Order = "newest"
    first: bool = True
    given: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    wrong: Mapping[str, str] = field(default_factory=dict)
    told: str = ""

    @property
    def whole(self) -> int:
        """Full stars, rounded as people round."""
        return int((self.rating.average or 0) + 0.5)


async def rated(ports: Ports, books: Sequence[Book]) -> dict[UUID, Rating]:
    """The stars of those in a list that have any: one question, which the catalogue answers.

    A list stands without them too.
    """
    if not books:
        return {}
    try:
        found = await ports.books.ratings(ids=[book.id for book in books])
    except (PeerUnavailable, PeerFailed):
        return {}
    return {rating.book_id: rating for rating in found if rating.count}


async def of_book(
    ports: Ports, request: Request, book_id: UUID, written: Written | None = None
) -> Opinions:
    order = asked(request, "order", 10)
    chosen: Order = order if order in ORDERS else "newest"
    after = asked(request, "after", 1000) or None
    try:
        page = await _page(ports, book_id, chosen, after)
        own = await _own(ports, request, book_id)
    except (PeerUnavailable, PeerFailed):
        [rating] = await ports.books.ratings(ids=[book_id])
        return Opinions(rating)
    return Opinions(
        page.rating,
        page,
        own,
        chosen,
        first=after is None,
        given=written.given if written else _as_typed(own),
        wrong=written.wrong if written else {},
        told=asked(request, "told", 30),
    )


async def _page(ports: Ports, book_id: UUID, order: Order, after: str | None) -> ReviewPage:
    """A place that is none is the beginning."""
    window = Window(limit=SHOWN, after=after)
    try:
        return await ports.reviews.of_book(book_id=book_id, order=order, window=window)
    except Invalid:
        window = Window(limit=SHOWN)
        return await ports.reviews.of_book(book_id=book_id, order=order, window=window)


async def _own(ports: Ports, request: Request, book_id: UUID) -> Review | None:
    visit = visit_of(request)
    if not visit.signed_in:
        return None
    like = ReviewFilter(book_id=book_id, patron_id=visit.me)
    found = await ports.reviews.find(like=like, window=Window(limit=1), actor=visit.actor)
    return next(iter(found.items), None)


def _as_typed(own: Review | None) -> Mapping[str, str]:
    if own is None:
        return NOTHING
    return {name: str(getattr(own, name) or "") for name in NOTHING}
