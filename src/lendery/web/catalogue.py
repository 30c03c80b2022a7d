"""The catalogue: home, results, a book. Open to everyone."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast, get_args
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.authorities import NoSuchWork
from lendery.contracts.base import PeerUnavailable, Window
from lendery.contracts.catalog import Book, BookSearch, BookWasMerged, Facet, Sort
from lendery.contracts.circulation import HoldFilter, LoanFilter
from lendery.web import opinions, queues, shelves
from lendery.web.opinions import Written
from lendery.web.pages import Site, asked, by_htmx, go, show, visit_of
from lendery.web.queues import Queued
from lendery.web.rendering import query
from lendery.web.shelves import Availability, Held, Places

SHOWN = 20
ABOUT = 1_000  # a count above it is a guess where words were asked for
EXACT = 300  # counts beside filters are exact where no more books match
ALIKE = 6
LAST_PAGE, LAST_OF_WORKS = 500, 100
FIELDS = (
    *("q", "author", "subject", "language", "material", "available", "branch"),
    *("year_from", "year_to", "sort"),
)
YEAR = re.compile(r"^-?\d{1,4}$")


@dataclass(frozen=True)
class Wanted:
    """A search as the address of its page says it. Empty: not asked."""

    q: str = ""
    author: str = ""
    subject: str = ""
    language: str = ""
    material: str = ""
    available: str = ""
    branch: str = ""
    year_from: str = ""
    year_to: str = ""
    sort: str = ""
    page: int = 1
    wrong: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Request) -> "Wanted":
        given: dict[str, Any] = {name: asked(request, name, 300) for name in FIELDS}
        wrong = tuple(n for n in ("year_from", "year_to") if given[n] and not YEAR.match(given[n]))
        page = asked(request, "page", 6)
        number = int(page) if page.isascii() and page.isdigit() else 1
        given["page"] = min(max(number, 1), LAST_OF_WORKS if given["q"] else LAST_PAGE)
        if given["sort"] not in get_args(Sort):
            given["sort"] = ""
        return cls(**given, wrong=wrong)

    def search(self, places: Places) -> BookSearch:
        branch = places.named(self.branch)
        return BookSearch(
            q=self.q or None,
            author=self.author or None,
            subject=self.subject or None,
            language=self.language or None,
            material=self.material or None,
            available=True if self.available else None,
            branch_id=branch.id if branch else None,
            year_from=self._year("year_from"),
            year_to=self._year("year_to"),
            sort=cast(Sort, self.sort or ("relevance" if self.q else "title")),
            group_by="work" if self.q else None,
            facets=True,
        )

    def _year(self, name: str) -> int | None:
        text = getattr(self, name)
        return int(text) if text and name not in self.wrong else None

    @property
    def filtered(self) -> dict[str, str]:
        """The filters that are on, beside the words."""
        return {n: getattr(self, n) for n in FIELDS if n not in ("q", "sort") and getattr(self, n)}

    def link(self, **changes: Any) -> str:
        """The address of this search with something changed; a new search begins at page 1."""
        other = replace(self, **({"page": 1} | changes))
        values: dict[str, Any] = {name: getattr(other, name) for name in FIELDS}
        if other.page > 1:
            values["page"] = other.page
        text = query(values)
        return f"/books?{text}" if text else "/books"


@dataclass(frozen=True)
class Pager:
    page: int
    pages: int

    @property
    def numbers(self) -> list[int | None]:
        """1 … 4 5 6 … 20; None where some are left out."""
        near = {1, self.pages, *range(self.page - 1, self.page + 2)}
        found: list[int | None] = []
        for number in sorted(n for n in near if 1 <= n <= self.pages):
            if found and number - cast(int, found[-1]) > 1:
                found.append(None)
            found.append(number)
        return found


@dataclass(frozen=True)
class Catalogue:
    site: Site

    async def home(self, request: Request) -> Response:
        now, ports, visit = datetime.now(UTC), self.site.ports, visit_of(request)
        places = await shelves.places(ports)
        new = await ports.books.search(wanted=BookSearch(sort="newest"), window=Window(limit=8))
        next_due: Held | None = None
        ready = []
        if visit.signed_in:
            like = HoldFilter(patron_id=visit.me, state="ready")
            holds = await ports.holds.find(
                like=like, window=Window(limit=5), actor=visit.actor, now=now
            )
            ready = await queues.queued(ports, holds.items)
            loans = await ports.loans.find(
                like=LoanFilter(patron_id=visit.me, status="open"),
                window=Window(limit=100),
                actor=visit.actor,
                now=now,
            )
            soonest = sorted(loans.items, key=lambda loan: loan.due_at)[:1]
            next_due = next(iter(await shelves.held(ports, soonest)), None)
        return self.site.page(
            request,
            "home.html",
            new=new.items,
            hours=await shelves.hours_today(ports, places, now),
            next_due=next_due,
            ready=ready,
            places=places,
        )

    async def results(self, request: Request) -> Response:
        ports, wanted = self.site.ports, Wanted.of(request)
        places = await shelves.places(ports)
        found = await ports.books.search(
            wanted=wanted.search(places),
            window=Window(
                limit=SHOWN,
                offset=(wanted.page - 1) * SHOWN,
                total=True,
                estimate=bool(wanted.q),
            ),
        )
        total = found.total if found.total is not None else len(found.items)
        pages = min(max(1, -(-total // SHOWN)), LAST_OF_WORKS if wanted.q else LAST_PAGE)
        branch = places.named(wanted.branch)
        return self.site.page(
            request,
            "results_list.html" if by_htmx(request) else "results.html",
            wanted=wanted,
            found=found,
            total=total,
            pager=Pager(wanted.page, pages),
            places=places,
            branch=branch,
            about=bool(wanted.q) and total > ABOUT,
            facets=_choices(found.facets or {}, total),
            shelf=await self._shelf(found.items),
            rated=await opinions.rated(ports, found.items),
        )

    async def _shelf(self, books: Any) -> dict[UUID, Availability] | None:
        """None when circulation does not answer: the catalogue still does."""
        try:
            return await shelves.availability(self.site.ports, books)
        except PeerUnavailable:
            return None

    async def book(self, request: Request, book_id: UUID) -> Response:
        return await self.book_page(request, book_id)

    async def book_page(
        self, request: Request, book_id: UUID, written: Written | None = None, status: int = 200
    ) -> Response:
        """`written`: a review that could not be taken as it was sent."""
        ports = self.site.ports
        try:
            book = await ports.books.get(book_id=book_id)
        except BookWasMerged as merged:
            return go(f"/books/{merged.extra['into']}")
        places = await shelves.places(ports)
        shelf = await self._shelf([book])
        here = shelf[book.id] if shelf is not None else Availability()
        waiting, held = await self._queue(request, book_id) if shelf is not None else (0, None)
        return self.site.page(
            request,
            "book.html",
            status,
            book=book,
            opinions=await opinions.of_book(ports, request, book_id, written),
            places=places,
            here=here if shelf is not None else None,
            waiting=waiting,
            held=held,
            editions=await self._other_editions(book),
            alike=await ports.books.similar(book_id=book_id, many=ALIKE),
            copies=sorted(here.kept, key=lambda each: (places.name(each.branch_id), each.status)),
        )

    async def _other_editions(self, book: Book) -> list[Book]:
        try:
            work = await self.site.ports.works.get(work_id=book.work_id)
        except NoSuchWork:  # moved while we asked
            return []
        return [each for each in work.editions if each.id != book.id]

    async def _queue(self, request: Request, book_id: UUID) -> tuple[int, Queued | None]:
        """How many wait for it, and the hold of who looks."""
        ports, visit = self.site.ports, visit_of(request)
        held = None
        if visit.signed_in:
            now = datetime.now(UTC)
            held = await queues.held_by(ports, visit.me, book_id, visit.actor, now)
        return await queues.length(ports, book_id), held


def _choices(facets: dict[str, list[Facet]], total: int) -> dict[str, list[tuple[str, int | None]]]:
    """What may be ticked, with how many books: None where not all of them were counted."""
    exact = total <= EXACT
    return {
        name: [(each.value, each.count if exact else None) for each in found]
        for name, found in facets.items()
    }


def routes(site: Site) -> APIRouter:
    pages, router = Catalogue(site), site.router()
    show(router, "/", pages.home)
    show(router, "/books", pages.results)
    show(router, "/books/{book_id}", pages.book)
    return router
