"""Writing a review on the page of a book: posting, changing, removing, reporting."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import category
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import Stale
from lendery.contracts.permissions import Permission
from lendery.contracts.reviews import (
    AlreadyReported,
    AlreadyReviewed,
    NewReport,
    NewReview,
    NoSuchReview,
    OwnReview,
)
from lendery.web.catalogue import Catalogue
from lendery.web.opinions import Written
from lendery.web.pages import NOT_TEXT, Site, field, go, identity, show, take, visit_of

LONGEST = 20_000
SAYS = {
    "rating": "Choose from one to five stars.",
    "display_name": "Choose a name that is no address and no card number.",
}
TOLD: dict[type[Exception], str] = {
    AlreadyReviewed: "already",
    AlreadyReported: "already-reported",
    NoSuchReview: "gone",
    OwnReview: "own",
    Stale: "stale",
}


@dataclass(frozen=True)
class ReviewPages:
    site: Site

    async def there(self, request: Request, book_id: UUID) -> Response:
        """Whoever comes back here from signing in."""
        return go(f"/books/{book_id}#reviews")

    async def act(self, request: Request, book_id: UUID) -> Response:
        visit_of(request).must(Permission.REVIEW)
        what, _, which = (await field(request, "do", 80)).partition(":")
        one = identity(which)
        try:
            if what == "post":
                return await self._write(request, book_id, None)
            if what == "change" and one is not None:
                return await self._write(request, book_id, one)
            if what == "remove" and one is not None:
                told = await self._remove(request, one)
            elif what == "report" and one is not None:
                told = await self._report(request, one)
            else:
                told = ""
        except tuple(TOLD) as problem:
            told = TOLD[type(problem)]
        return _back(book_id, told)

    async def _write(self, request: Request, book_id: UUID, which: UUID | None) -> Response:
        reviews, actor, now = self.site.ports.reviews, visit_of(request).actor, datetime.now(UTC)
        typed = {name: await field(request, name) for name in ("rating", "title", "display_name")}
        typed["text"] = await _lines(request, "text")
        values = {name: text or None for name, text in typed.items()}
        try:
            new = NewReview.model_validate(values)
        except ValidationError as error:
            written = Written(typed, _wrong(error))
            return await Catalogue(self.site).book_page(request, book_id, written, 422)
        if which is None:
            await reviews.post(book_id=book_id, review=new, actor=actor, now=now)
            return _back(book_id, "posted")
        seen = await field(request, "version", 10)
        version = int(seen) if seen.isascii() and seen.isdigit() else None
        changes: dict[str, Any] = new.model_dump()
        await reviews.change(
            review_id=which, changes=changes, actor=actor, now=now, version=version
        )
        return _back(book_id, "changed")

    async def _remove(self, request: Request, which: UUID) -> str:
        actor, now = visit_of(request).actor, datetime.now(UTC)
        await self.site.ports.reviews.remove(review_id=which, actor=actor, now=now)
        return "removed"

    async def _report(self, request: Request, which: UUID) -> str:
        actor, now = visit_of(request).actor, datetime.now(UTC)
        report = NewReport.model_validate({"reason": await field(request, "reason", 20)})
        await self.site.ports.reviews.report(review_id=which, report=report, actor=actor, now=now)
        return "reported"


def _back(book_id: UUID, told: str) -> Response:
    return go(f"/books/{book_id}?told={told}#reviews" if told else f"/books/{book_id}#reviews")


async def _lines(request: Request, name: str) -> str:
    """What was typed in a large box: line breaks stay, other control characters go."""
    value = (await request.form()).get(name)
    text = value[:LONGEST].replace("\r\n", "\n") if isinstance(value, str) else ""
    return "".join(c for c in text if c in "\n\t" or category(c) not in NOT_TEXT).strip()


def _wrong(error: ValidationError) -> Mapping[str, str]:
    """What to say beside each field."""
    found = {}
    for each in error.errors():
        name = str(each["loc"][0])
        most = each.get("ctx", {}).get("max_length")
        found[name] = f"At most {most} characters." if most else SAYS.get(name, each["msg"])
    return found


def routes(site: Site) -> APIRouter:
    pages, router = ReviewPages(site), site.router()
    show(router, "/books/{book_id}/reviews", pages.there)
    take(router, "/books/{book_id}/reviews", pages.act)
    return router
