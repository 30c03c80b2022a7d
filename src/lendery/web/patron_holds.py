"""What one patron waits for, as staff see it, and finding a book to hold for them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import NotFound, Window
from lendery.contracts.catalog import Book, BookSearch
from lendery.contracts.permissions import Permission
from lendery.web import queues, shelves
from lendery.web.pages import Site, asked, field, identity, show, take, visit_of
from lendery.web.people import person
from lendery.web.scans import BARCODE

FOUND = 8  # books offered for a hold; who finds more says more


@dataclass(frozen=True)
class PatronHolds:
    site: Site

    async def show(self, request: Request, user_id: UUID) -> Response:
        return await self._page(request, user_id)

    async def change(self, request: Request, user_id: UUID) -> Response:
        actor = visit_of(request).must(Permission.MANAGE_HOLDS)
        do, _, which = (await field(request, "do", 80)).partition(":")
        hold_id = identity(which)
        if do not in ("suspend", "resume", "cancel") or hold_id is None:
            raise NotFound("There is no such hold.")
        changed = await queues.change(
            self.site.ports,
            do=do,
            hold_id=hold_id,
            whose=user_id,
            until=await field(request, "until", 10),
            actor=actor,
            now=datetime.now(UTC),
        )
        return await self._page(request, user_id, changed)

    async def _page(
        self, request: Request, user_id: UUID, changed: queues.Change | None = None
    ) -> Response:
        visit, ports, now = visit_of(request), self.site.ports, datetime.now(UTC)
        visit.must(Permission.SEE_PEOPLE)
        actor = visit.must(Permission.MANAGE_HOLDS)
        patron, q = await person(ports, user_id, actor, now), asked(request, "q", 200)
        return self.site.page(
            request,
            "patron_holds.html",
            422 if changed and changed.what == "not-a-day" else 200,
            patron=patron,
            holds=await queues.open_holds(ports, user_id, actor, now),
            changed=changed,
            places=await shelves.places(ports),
            q=q,
            books=await self._books(q) if q else None,
        )

    async def _books(self, q: str) -> list[Book]:
        """The book of the copy that was scanned, else what a search finds."""
        ports = self.site.ports
        if BARCODE.match(q) and (copy := await ports.copies.by_barcode(barcode=q)):
            return [await ports.books.get(book_id=copy.book_id)]
        found = await ports.books.search(wanted=BookSearch(q=q), window=Window(limit=FOUND))
        return list(found.items)


def routes(site: Site) -> APIRouter:
    pages, router = PatronHolds(site), site.router()
    show(router, "/staff/patrons/{user_id}/holds", pages.show)
    take(router, "/staff/patrons/{user_id}/holds", pages.change)
    return router
