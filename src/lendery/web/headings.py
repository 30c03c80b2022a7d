"""The pages of authors, subjects and series: what stands under them, and what else to look at."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.authorities import HeadingKind, NewVariant, SubjectWasMerged
from lendery.contracts.base import Window
from lendery.contracts.catalog import AuthorWasMerged, BookSearch
from lendery.contracts.permissions import Permission
from lendery.web import opinions
from lendery.web.pages import Site, asked, field, go, identity, show, take, visit_of

SHOWN = 50


def page_of(request: Request) -> Window:
    return Window(limit=SHOWN, after=asked(request, "cursor", 1000) or None)


@dataclass(frozen=True)
class HeadingPages:
    site: Site

    async def authors(self, request: Request) -> Response:
        q = asked(request, "q", 300)
        found = await self.site.ports.authors.find(q=q or None, window=page_of(request))
        return self.site.page(request, "headings.html", kind="authors", q=q, found=found)

    async def subjects(self, request: Request) -> Response:
        q = asked(request, "q", 300)
        found = await self.site.ports.books.subjects(q=q or None, window=page_of(request))
        return self.site.page(request, "headings.html", kind="subjects", q=q, found=found)

    async def series_list(self, request: Request) -> Response:
        q = asked(request, "q", 300)
        found = await self.site.ports.series.find(q=q or None, window=page_of(request))
        return self.site.page(request, "headings.html", kind="series", q=q, found=found)

    async def author(self, request: Request, author_id: UUID) -> Response:
        try:
            author = await self.site.ports.authorities.author(author_id=author_id)
        except AuthorWasMerged as merged:
            return go(f"/authors/{merged.extra['into']}")
        found = await self.site.ports.books.search(
            wanted=BookSearch(author_id=author_id, sort="title"),
            window=Window(limit=100),
        )
        rated = await opinions.rated(self.site.ports, found.items)
        return self.site.page(request, "author.html", author=author, books=found.items, rated=rated)

    async def subject(self, request: Request, subject_id: UUID) -> Response:
        file = self.site.ports.authorities
        try:
            subject = await file.subject(subject_id=subject_id)
        except SubjectWasMerged as merged:
            return go(f"/subjects/{merged.extra['into']}")
        found = await file.books_on(subject_id=subject_id, window=page_of(request))
        rated = await opinions.rated(self.site.ports, found.items)
        return self.site.page(request, "subject.html", subject=subject, found=found, rated=rated)

    async def series(self, request: Request, series: str) -> Response:
        shelf = self.site.ports.series
        named = await shelf.get(series=series[:500])
        found = await shelf.books(series=named.id, window=page_of(request))
        rated = await opinions.rated(self.site.ports, found.items)
        return self.site.page(request, "series.html", series=named, found=found, rated=rated)

    async def author_called(self, request: Request, author_id: UUID) -> Response:
        return await self._called(request, "author", author_id)

    async def subject_called(self, request: Request, subject_id: UUID) -> Response:
        return await self._called(request, "subject", subject_id)

    async def _called(self, request: Request, kind: HeadingKind, heading_id: UUID) -> Response:
        """Another form of the name: added, or (with its id) taken away."""
        actor, now = visit_of(request).must(Permission.CATALOGUE), datetime.now(UTC)
        file = self.site.ports.authorities
        if gone := identity(await field(request, "remove", 40)):
            await file.remove_variant(
                kind=kind, heading_id=heading_id, variant_id=gone, actor=actor, now=now
            )
        elif name := await field(request, "name"):
            wanted = NewVariant(name=name)
            await file.add_variant(
                kind=kind, heading_id=heading_id, name=wanted.name, actor=actor, now=now
            )
        return go(f"/{kind}s/{heading_id}")


def routes(site: Site) -> APIRouter:
    pages, router = HeadingPages(site), site.router()
    show(router, "/authors", pages.authors)
    show(router, "/authors/{author_id}", pages.author)
    take(router, "/authors/{author_id}/variants", pages.author_called)
    show(router, "/subjects", pages.subjects)
    show(router, "/subjects/{subject_id}", pages.subject)
    take(router, "/subjects/{subject_id}/variants", pages.subject_called)
    show(router, "/series", pages.series_list)
    show(router, "/series/{series:path}", pages.series)
    return router
