"""The reviews that staff look through: those that were reported, and those that are hidden."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import Window
from lendery.contracts.permissions import Permission
from lendery.contracts.reviews import Decision, NoSuchReview, OwnReview, ReviewFilter
from lendery.web.pages import Site, asked, field, go, identity, show, take, visit_of

SHOWN = 20
Shown = Literal["reported", "hidden"]


@dataclass(frozen=True)
class ReviewQueue:
    site: Site

    async def show(self, request: Request) -> Response:
        ports, actor = self.site.ports, visit_of(request).must(Permission.MODERATE)
        state: Shown = "hidden" if asked(request, "state", 10) == "hidden" else "reported"
        page = await ports.reviews.find(
            like=ReviewFilter(state=state),
            window=Window(limit=SHOWN, after=asked(request, "after", 1000) or None),
            actor=actor,
        )
        books = await ports.books.by_ids(ids=list({each.book_id for each in page.items}))
        return self.site.page(
            request,
            "review_queue.html",
            page=page,
            state=state,
            books={book.id: book for book in books},
            told=asked(request, "told", 20),
        )

    async def act(self, request: Request) -> Response:
        actor, now = visit_of(request).must(Permission.MODERATE), datetime.now(UTC)
        what, _, which = (await field(request, "do", 80)).partition(":")
        one, reason = identity(which), await field(request, "reason")
        if what not in ("approve", "hide") or one is None:
            return _back(request, "")
        if what == "hide" and not reason:
            return _back(request, "no-reason")
        decision = Decision.model_validate({"decision": what, "reason": reason or None})
        try:
            await self.site.ports.reviews.moderate(
                review_id=one, decision=decision, actor=actor, now=now
            )
        except OwnReview:
            return _back(request, "own")
        except NoSuchReview:
            return _back(request, "gone")
        return _back(request, "hidden" if what == "hide" else "approved")


def _back(request: Request, told: str) -> Response:
    hidden = request.query_params.get("state") == "hidden"
    state = "state=hidden&" if hidden else ""
    return go(f"/staff/reviews?{state}told={told}#told" if told else "/staff/reviews")


def routes(site: Site) -> APIRouter:
    pages, router = ReviewQueue(site), site.router()
    show(router, "/staff/reviews", pages.show)
    take(router, "/staff/reviews", pages.act)
    return router
