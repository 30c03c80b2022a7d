"""Reviews over REST: those of a book, one's own, and the moderation queue."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from lendery.contracts.base import Page, SignInNeeded
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reviews import (
    Decision,
    NewReport,
    NewReview,
    NewReviewOf,
    Order,
    Review,
    ReviewChanges,
    ReviewFilter,
    ReviewPage,
    Reviews,
)
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    etag_of,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Reader = Annotated[Actor, Depends(Needs(Permission.REVIEW))]
Moderator = Annotated[Actor, Depends(Needs(Permission.MODERATE))]
Anybody = Annotated[Actor, Depends(Needs(None))]
A_REVIEW = {
    "rating": 5,
    "title": "Slow and wise",
    "text": "It took me a month and I miss them all.",
    "display_name": "A reader in Riverside",
}


def routes(reviews: Reviews) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["reviews"])
    _of_a_book(router, reviews)
    _lists(router, reviews)
    _writing(router, reviews)
    _moderating(router, reviews)
    return router


def one_answer(review: Review, request: Request, *, status: int = 200) -> Response:
    """Its ETag begins with the version, and covers what changes without one: marks and reports."""
    location = f"/api/v1/reviews/{review.id}" if status == 201 else None
    digest = etag_of(review.model_dump_json().encode()).strip('"')
    etag = version_tag(review.version, digest)
    return answer(review, request, status=status, etag=etag, location=location)


def _of_a_book(router: APIRouter, reviews: Reviews) -> None:
    @router.get(
        "/books/{book_id}/reviews", summary="The reviews of a book", response_model=ReviewPage
    )
    async def list_reviews_of_book(
        request: Request, book_id: UUID, window: PageWindow, sort: Order = "newest"
    ) -> Response:
        """The same for everybody; `rating` counts all stars, of this page and the others."""
        page = await reviews.of_book(book_id=book_id, order=sort, window=window)
        return page_answer(page, request)

    @router.post(
        "/books/{book_id}/reviews",
        summary="Review a book",
        response_model=Review,
        status_code=201,
    )
    async def review_book(
        request: Request,
        book_id: UUID,
        actor: Reader,
        review: Annotated[NewReview, Body(examples=[A_REVIEW])],
    ) -> Response:
        """One for each reader and book: 409 names the one there is."""
        now = datetime.now(UTC)
        made = await reviews.post(book_id=book_id, review=review, actor=actor, now=now)
        return one_answer(made, request, status=201)


def _lists(router: APIRouter, reviews: Reviews) -> None:
    @router.get("/reviews", summary="List reviews", response_model=Page[Review])
    async def list_reviews(
        request: Request,
        actor: Anybody,
        window: PageWindow,
        book_id: UUID | None = None,
        mine: Annotated[bool, Query(description="Your own, hidden ones too.")] = False,
        state: Annotated[
            Literal["reported", "hidden"] | None, Query(description="What staff look through.")
        ] = None,
    ) -> Response:
        """Newest first."""
        if mine and actor.id is None:
            raise SignInNeeded("Sign in first.")
        like = ReviewFilter(book_id=book_id, patron_id=actor.id if mine else None, state=state)
        return page_answer(await reviews.find(like=like, window=window, actor=actor), request)

    @router.get("/reviews/{review_id}", summary="One review", response_model=Review)
    async def read_review(request: Request, actor: Anybody, review_id: UUID) -> Response:
        """A hidden one is there for its author and for staff only."""
        return one_answer(await reviews.get(review_id=review_id, actor=actor), request)


def _writing(router: APIRouter, reviews: Reviews) -> None:
    @router.post("/reviews", summary="Review a book", response_model=Review, status_code=201)
    async def review_named_book(
        request: Request,
        actor: Reader,
        review: Annotated[
            NewReviewOf,
            Body(examples=[A_REVIEW | {"book_id": "0190a1c2-0000-7000-8000-000000000001"}]),
        ],
    ) -> Response:
        """The same as `POST /books/{book_id}/reviews`."""
        now = datetime.now(UTC)
        new = NewReview.model_validate(review.model_dump(exclude={"book_id"}))
        made = await reviews.post(book_id=review.book_id, review=new, actor=actor, now=now)
        return one_answer(made, request, status=201)

    @router.patch("/reviews/{review_id}", summary="Change one's review", response_model=Review)
    async def change_review(
        request: Request,
        review_id: UUID,
        actor: Reader,
        version: ExpectedVersion,
        changes: Annotated[ReviewChanges, Body(examples=[{"rating": 4}])],
    ) -> Response:
        """What is left out stays; null empties."""
        changed = await reviews.change(
            review_id=review_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return one_answer(changed, request)

    @router.delete("/reviews/{review_id}", summary="Remove a review", status_code=204)
    async def remove_review(review_id: UUID, actor: Reader, version: ExpectedVersion) -> Response:
        """One's own; staff may remove any."""
        now = datetime.now(UTC)
        await reviews.remove(review_id=review_id, actor=actor, now=now, version=version)
        return Response(status_code=204)


def _moderating(router: APIRouter, reviews: Reviews) -> None:
    @router.post("/reviews/{review_id}/report", summary="Report a review", status_code=204)
    async def report_review(
        review_id: UUID,
        actor: Reader,
        report: Annotated[NewReport, Body(examples=[{"reason": "offensive"}])],
    ) -> Response:
        """Once for each person. It stays to be read until staff have decided."""
        now = datetime.now(UTC)
        await reviews.report(review_id=review_id, report=report, actor=actor, now=now)
        return Response(status_code=204)

    @router.post(
        "/reviews/{review_id}/moderate", summary="Decide about a review", response_model=Review
    )
    async def moderate_review(
        request: Request,
        review_id: UUID,
        actor: Moderator,
        decision: Annotated[
            Decision, Body(examples=[{"decision": "hide", "reason": "It names a neighbour."}])
        ],
    ) -> Response:
        """Settles its reports. Nobody decides about a review of one's own."""
        now = datetime.now(UTC)
        decided = await reviews.moderate(
            review_id=review_id, decision=decision, actor=actor, now=now
        )
        return one_answer(decided, request)
