"""The lists of holds at a desk: what to fetch, what stands on the hold shelf, what is coming."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import User
from lendery.contracts.base import Window
from lendery.contracts.catalog import BareCopy, Book
from lendery.contracts.circulation import (
    Branch,
    Hold,
    HoldFilter,
    HoldHasEnded,
    Pull,
    Transfer,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.web import shelves
from lendery.web.desk_branch import desk_branch
from lendery.web.pages import Site, field, identity, show, take, visit_of
from lendery.web.words import zone

T = TypeVar("T", Pull, Hold, Transfer)
MOST = 200


@dataclass(frozen=True)
class Listed(Generic[T]):
    """A copy on one of the lists; `of` says why it is there."""

    of: T
    book: Book | None
    copy: BareCopy | None
    reader: User | None = None

    @property
    def title(self) -> str:
        return self.book.title if self.book else ""

    @property
    def location(self) -> str:
        return (self.copy.location if self.copy else None) or ""

    @property
    def call_number(self) -> str:
        own = self.copy.call_number if self.copy else None
        return own or (self.book.call_number if self.book else None) or ""


@dataclass(frozen=True)
class Lists:
    """The three lists of one branch. `expired` stand on the hold shelf too long."""

    pulls: list[Listed[Pull]]
    shelf: list[Listed[Hold]]
    coming: list[Listed[Transfer]]
    expired: frozenset[UUID]
    more: bool


@dataclass(frozen=True)
class Known:
    """Books, copies and people of some rows, asked for at once."""

    books: dict[UUID, Book]
    copies: dict[UUID, BareCopy]
    users: dict[UUID, User]

    def row(
        self, of: T, book_id: UUID, copy_id: UUID | None, patron_id: UUID | None = None
    ) -> Listed[T]:
        copy = self.copies.get(copy_id) if copy_id else None
        reader = self.users.get(patron_id) if patron_id else None
        return Listed(of, self.books.get(book_id), copy, reader)


@dataclass(frozen=True)
class Told:
    """What became of a row that somebody pressed a button in."""

    what: Literal["missing", "not-listed", "ended"]
    title: str = ""
    barcode: str = ""


@dataclass(frozen=True)
class HoldLists:
    site: Site

    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def act(self, request: Request) -> Response:
        """A copy that is not on its shelf is missing; who came too late loses the hold."""
        actor, now = visit_of(request).must(Permission.MANAGE_HOLDS), datetime.now(UTC)
        what, _, which = (await field(request, "do", 80)).partition(":")
        one = identity(which)
        if what == "missing" and one is not None:
            return await self._page(request, await self._missing(one, actor, now))
        if what == "finish" and one is not None:
            return await self._page(request, await self._end(one, actor, now))
        return await self._page(request)

    async def _missing(self, copy_id: UUID, actor: Actor, now: datetime) -> Told:
        """Only of what is still to be pulled: it may have been scanned while this list was open."""
        ports = self.site.ports
        pulls = await ports.holds.to_pull(branch_id=None, actor=actor, now=now)
        if not any(pull.copy_id == copy_id for pull in pulls):
            return Told("not-listed")
        copy = await ports.copies.get(copy_id=copy_id)
        await ports.copy_states.flag(copy_id=copy_id, flag="missing", actor=actor, now=now)
        books = await ports.books.by_ids(ids=[copy.book_id])
        return Told("missing", books[0].title if books else "", copy.barcode)

    async def _end(self, hold_id: UUID, actor: Actor, now: datetime) -> Told:
        """Only of what stands on the hold shelf past its day."""
        ports, places = self.site.ports, await shelves.places(self.site.ports)
        hold = await ports.holds.get(hold_id=hold_id, actor=actor, now=now)
        branch = places.by_id.get(hold.pickup_branch_id)
        if hold.state != "ready" or not _expired(hold, _today(branch, now)):
            return Told("not-listed")
        try:
            await ports.holds.cancel(hold_id=hold_id, actor=actor, now=now)
        except HoldHasEnded:
            return Told("not-listed")
        books = await ports.books.by_ids(ids=[hold.book_id])
        return Told("ended", books[0].title if books else "")

    async def _page(self, request: Request, told: Told | None = None) -> Response:
        actor, now = visit_of(request).must(Permission.MANAGE_HOLDS), datetime.now(UTC)
        places = await shelves.places(self.site.ports)
        branch = desk_branch(self.site, request, places)
        where = zone(branch.time_zone if branch else None)
        return self.site.page(
            request,
            "hold_lists.html",
            places=places,
            branch=branch,
            lists=await self._lists(branch, actor, now) if branch else None,
            told=told,
            checked=f"{now.astimezone(where):%H:%M}",
        )

    async def _lists(self, branch: Branch, actor: Actor, now: datetime) -> Lists:
        holds, window = self.site.ports.holds, Window(limit=MOST)
        ready = HoldFilter(pickup_branch_id=branch.id, state="ready")
        pulls, on_shelf, coming = await asyncio.gather(
            holds.to_pull(branch_id=branch.id, actor=actor, now=now),
            holds.find(like=ready, window=window, actor=actor, now=now),
            holds.transfers(to_branch_id=branch.id, window=window, actor=actor),
        )
        known = await self._known(pulls, on_shelf.items, coming.items, actor)
        fetch = [known.row(each, each.book_id, each.copy_id) for each in pulls]
        shelf = [
            known.row(each, each.book_id, each.given_copy_id, each.patron_id)
            for each in on_shelf.items
        ]
        today = _today(branch, now)
        return Lists(
            pulls=sorted(fetch, key=lambda row: (row.location, row.call_number, row.title)),
            shelf=sorted(shelf, key=lambda row: (row.of.expires_on or date.max, row.title)),
            coming=[known.row(each, each.book_id, each.copy_id) for each in coming.items],
            expired=frozenset(hold.id for hold in on_shelf.items if _expired(hold, today)),
            more=bool(on_shelf.next_cursor or coming.next_cursor),
        )

    async def _known(
        self,
        pulls: Sequence[Pull],
        holds: Sequence[Hold],
        transfers: Sequence[Transfer],
        actor: Actor,
    ) -> Known:
        ports = self.site.ports
        rows: list[Pull | Hold | Transfer] = [*pulls, *holds, *transfers]
        if not rows:
            return Known({}, {}, {})
        copies = {pull.copy_id for pull in pulls} | {each.copy_id for each in transfers}
        copies |= {hold.given_copy_id for hold in holds if hold.given_copy_id}
        people = {hold.patron_id for hold in holds if hold.patron_id}
        found = await asyncio.gather(
            ports.books.by_ids(ids=list({row.book_id for row in rows})),
            ports.copies.by_ids(ids=list(copies)),
            ports.users.by_ids(ids=list(people), actor=actor),
        )
        books, owned, users = found
        return Known(
            {book.id: book for book in books},
            {copy.id: copy for copy in owned},
            {user.id: user for user in users},
        )


def _today(branch: Branch | None, now: datetime) -> date:
    return now.astimezone(zone(branch.time_zone if branch else None)).date()


def _expired(hold: Hold, today: date) -> bool:
    return hold.expires_on is not None and hold.expires_on < today


def routes(site: Site) -> APIRouter:
    pages, router = HoldLists(site), site.router()
    show(router, "/staff/holds", pages.show)
    take(router, "/staff/holds", pages.act)
    return router
