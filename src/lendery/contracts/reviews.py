"""What reviews offers: what readers think of books, and how many stars a book has."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from lendery.contracts.base import (
    AlreadyTaken,
    Event,
    Input,
    Line,
    NotFound,
    Page,
    Problem,
    Value,
    Window,
    many_lines,
    one_line,
)
from lendery.contracts.permissions import Actor

Order = Literal["newest", "highest", "lowest"]
ReportReason = Literal["offensive", "spam", "off-topic", "spoiler", "personal", "other"]
Stars = Annotated[int, Field(ge=1, le=5)]
Heading = Annotated[Line, StringConstraints(max_length=200)]
ReviewText = Annotated[str, StringConstraints(max_length=5_000), AfterValidator(many_lines)]


def _no_address(name: str) -> str:
    """A card number or an e-mail address would lead to the person."""
    if "@" in name or re.search(r"\d{5}", name):
        raise ValueError("Choose a name that is no address and no card number.")
    return name


DisplayName = Annotated[
    Line, StringConstraints(max_length=60), AfterValidator(one_line), AfterValidator(_no_address)
]


# A plain list of five: what reads the document need not know of lists by position.
FIVE_COUNTS = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0},
    "minItems": 5,
    "maxItems": 5,
}


class Rating(Value):
    """How many readers gave a book how many stars; `average` is null while nobody did.

    `histogram` counts one star first, five stars last.
    """

    book_id: UUID
    count: int
    average: float | None
    histogram: Annotated[tuple[int, int, int, int, int], WithJsonSchema(FIVE_COUNTS)]

    @classmethod
    def of(cls, book_id: UUID, stars: Sequence[int]) -> "Rating":
        """From how many gave one, two, three, four and five stars."""
        ones, twos, threes, fours, fives = stars
        count = sum(stars)
        total = sum(number * many for number, many in enumerate(stars, 1))
        return cls(
            book_id=book_id,
            count=count,
            average=round(total / count, 2) if count else None,
            histogram=(ones, twos, threes, fours, fives),
        )


class Review(Value):
    """What one reader thinks of one book, under a name that the reader chose, or none.

    `verified`: circulation knew that this reader has borrowed the book. `hidden` and why are told
    to the author and to staff, who alone read a hidden one; `reports` are the open ones, by
    reason, and null but for staff.
    """

    id: UUID
    book_id: UUID
    rating: int
    title: str | None
    text: str | None
    display_name: str | None
    verified: bool
    hidden: bool = False
    hidden_because: str | None = None
    reports: dict[ReportReason, int] | None = None
    created_at: datetime
    edited_at: datetime | None
    version: int


class ReviewPage(Page[Review]):
    """The reviews of one book; `rating` counts all that are shown."""

    rating: Rating


class NewReview(Input):
    """Stars are enough. Without a display name nobody is named."""

    rating: Stars
    title: Heading | None = None
    text: ReviewText | None = None
    display_name: DisplayName | None = None


class NewReviewOf(NewReview):
    """A review that says itself which book it is of."""

    book_id: UUID


class PastReview(NewReviewOf):
    """A review that somebody wrote elsewhere, or earlier."""

    patron_id: UUID
    at: datetime


class ReviewChanges(Input):
    rating: Stars | None = None
    title: Heading | None = None
    text: ReviewText | None = None
    display_name: DisplayName | None = None


class NewReport(Input):
    reason: ReportReason = "other"


class Decision(Input):
    """`hide` needs a reason: the author reads it."""

    decision: Literal["approve", "hide"]
    reason: Line | None = None


class ReviewFilter(Value):
    """`reported` and `hidden` are for staff; `patron_id` for oneself and staff."""

    book_id: UUID | None = None
    patron_id: UUID | None = None
    state: Literal["reported", "hidden"] | None = None


class NoSuchReview(NotFound):
    status = 404


class AlreadyReviewed(AlreadyTaken):
    """One review for each reader and book; `review_id` names the one there is."""

    status = 409


class AlreadyReported(Problem):
    """One report for each person and review."""

    status = 409


class OwnReview(Problem):
    """Nobody reports a review of one's own, or decides about it."""

    status = 409


class BookIsWithdrawn(Problem):
    """What left the library is not reviewed any more."""

    status = 409


class ReviewPosted(Event):
    about = "book_id"
    review_id: UUID
    book_id: UUID


class ReviewChanged(Event):
    about = "book_id"
    review_id: UUID
    book_id: UUID


class ReviewMoved(Event):
    """Its book became another, or itself again; `aside`: its reader's newer review counts."""

    about = "book_id"
    review_id: UUID
    book_id: UUID
    into: UUID
    aside: bool


class ReviewRemoved(Event):
    about = "book_id"
    review_id: UUID
    book_id: UUID


class ReviewReported(Event):
    about = "book_id"
    review_id: UUID
    book_id: UUID
    reason: ReportReason


class ReviewApproved(Event):
    about = "book_id"
    review_id: UUID
    book_id: UUID
    by: UUID | None = None


class ReviewHidden(Event):
    about = "book_id"
    review_id: UUID
    book_id: UUID
    by: UUID | None = None


class RatingChanged(Event):
    """How many of the reviews that are shown give a book how many stars, now.

    `version` grows with each change of the book's reviews: what has a smaller one is older.
    """

    about = "book_id"
    book_id: UUID
    ones: int
    twos: int
    threes: int
    fours: int
    fives: int
    version: int


class Reviews(Protocol):
    async def post(
        self, *, book_id: UUID, review: NewReview, actor: Actor, now: datetime
    ) -> Review: ...
    async def add_many(self, *, reviews: list[PastReview], actor: Actor, now: datetime) -> int:
        """Those of other people (the demo library, later imports): all, or none."""
        ...

    async def get(self, *, review_id: UUID, actor: Actor) -> Review: ...
    async def of_book(self, *, book_id: UUID, order: Order, window: Window) -> ReviewPage:
        """What everybody may read, the same for everybody."""
        ...

    async def find(self, *, like: ReviewFilter, window: Window, actor: Actor) -> Page[Review]:
        """Newest first."""
        ...

    async def change(
        self,
        *,
        review_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Review: ...
    async def remove(
        self, *, review_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...
    async def report(
        self, *, review_id: UUID, report: NewReport, actor: Actor, now: datetime
    ) -> None: ...
    async def moderate(
        self, *, review_id: UUID, decision: Decision, actor: Actor, now: datetime
    ) -> Review: ...
    async def verify(self, *, now: datetime) -> int:
        """Asks circulation again who has borrowed what they wrote of; how many marks were set."""
        ...
