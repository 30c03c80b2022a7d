"""Placing a hold on a book: for oneself, or at the desk for somebody else.

Before the button the page says where the book is and how many wait; afterwards, in the same
place, which place one has. What speaks against it is told all at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import User
from lendery.contracts.base import Invalid, KeyReused
from lendery.contracts.circulation import HoldBlock, HoldRefused, NewHold
from lendery.contracts.permissions import Actor, Permission
from lendery.web import queues, shelves
from lendery.web.desk_branch import desk_branch
from lendery.web.pages import Site, field, go, identity, show, take, visit_of
from lendery.web.renewing import new_key, request_key
from lendery.web.shelves import Places

ELSEWHERE = ("pickup-not-allowed", "pickup-closed")
FIELDS = {"card_number": "card", "pickup_branch_id": "branch"}
SAYS = {
    "branch": "Choose where the book is collected.",
    "card": "Scan the card, or write its number.",
}


@dataclass(frozen=True)
class HoldPages:
    site: Site

    async def form(self, request: Request, book_id: UUID) -> Response:
        visit_of(request).must(Permission.PLACE_HOLDS)
        return await self._page(request, book_id, await self._whose(request))

    async def place(self, request: Request, book_id: UUID) -> Response:
        actor, now = visit_of(request).must(Permission.PLACE_HOLDS), datetime.now(UTC)
        places, whose = await shelves.places(self.site.ports), await self._whose(request)
        branch = places.named(await field(request, "branch", 40))
        card = await field(request, "card", 64) if whose is None else ""
        given = {"card": card, "branch": str(branch.id) if branch else ""}
        missing = [name for name in (("branch",) if whose else FIELDS.values()) if not given[name]]
        if missing or branch is None:
            wrong = {name: SAYS[name] for name in missing}
            return await self._page(request, book_id, whose, 422, wrong=wrong, given=given)
        asked = NewHold(
            book_id=book_id,
            patron_id=whose.id if whose else None,
            card_number=card or None,
            pickup_branch_id=branch.id,
        )
        key = request_key(await field(request, "key", 64), actor, "hold", asked.model_dump_json())
        try:
            hold = await self.site.ports.holds.place(hold=asked, actor=actor, now=now, key=key)
        except HoldRefused as refusal:
            blocks = [HoldBlock.model_validate(each) for each in refusal.extra.get("blocks", ())]
            blocks = blocks or [HoldBlock(code="not-holdable", says=refusal.detail)]
            return await self._page(request, book_id, whose, 409, blocks=blocks, given=given)
        except Invalid as problem:
            return await self._page(request, book_id, whose, 422, given=given, **_told(problem))
        except KeyReused:  # sent before, with another branch: it stands as it was placed
            return go(str(request.url.replace(scheme="", netloc="")))
        placed = (await queues.queued(self.site.ports, [hold]))[0]
        return await self._page(request, book_id, whose or await self._of(hold, actor), hold=placed)

    async def _whose(self, request: Request) -> User | None:
        """A reader, or the patron that staff named; None: staff have yet to say by the card."""
        visit, users = visit_of(request), self.site.ports.users
        patron_id = identity(request.query_params.get("patron")) if visit.staff else visit.me
        return await users.get(user_id=patron_id, actor=visit.actor) if patron_id else None

    async def _of(self, hold: Any, actor: Actor) -> User | None:
        users = self.site.ports.users
        return await users.get(user_id=hold.patron_id, actor=actor) if hold.patron_id else None

    async def _page(
        self,
        request: Request,
        book_id: UUID,
        whose: User | None,
        status: int = 200,
        *,
        hold: queues.Queued | None = None,
        blocks: list[HoldBlock] | None = None,
        wrong: Mapping[str, str] | None = None,
        given: Mapping[str, str] | None = None,
    ) -> Response:
        ports, actor, now = self.site.ports, visit_of(request).actor, datetime.now(UTC)
        book, places = await ports.books.get(book_id=book_id), await shelves.places(ports)
        held = None
        if whose is not None and hold is None:
            held = await queues.held_by(ports, whose.id, book_id, actor, now)
        return self.site.page(
            request,
            "hold.html",
            status,
            book=book,
            whose=whose,
            mine=not visit_of(request).staff,
            placed=hold,
            held=held,
            here=(await shelves.availability(ports, [book]))[book_id],
            waiting=await queues.length(ports, book_id),
            places=places,
            blocks=blocks or [],
            elsewhere=_only_elsewhere(blocks or []) and len(places.by_id) > 1,
            wrong=wrong or {},
            given=given or {"card": "", "branch": self._preset(request, whose, places)},
            key=new_key(),
        )

    def _preset(self, request: Request, whose: User | None, places: Places) -> str:
        """The reader's home branch; at the desk without one, the desk's."""
        home = places.by_id.get(whose.home_branch_id) if whose and whose.home_branch_id else None
        if home is None and visit_of(request).staff:
            home = desk_branch(self.site, request, places)
        return str(home.id) if home else ""


def _only_elsewhere(blocks: list[HoldBlock]) -> bool:
    """Would it do to collect it at another branch?"""
    return bool(blocks) and all(block.code in ELSEWHERE for block in blocks)


def _told(problem: Invalid) -> dict[str, Any]:
    """Beside the field that it is about, else as a reason."""
    listed = problem.extra.get("errors", [])
    named = {str(e.get("pointer", "")).removeprefix("#/"): str(e.get("says", "")) for e in listed}
    wrong = {FIELDS[name]: says for name, says in named.items() if name in FIELDS}
    if wrong:
        return {"wrong": wrong}
    return {"blocks": [HoldBlock(code="not-holdable", says=problem.detail)]}


def routes(site: Site) -> APIRouter:
    pages, router = HoldPages(site), site.router()
    show(router, "/books/{book_id}/hold", pages.form)
    take(router, "/books/{book_id}/hold", pages.place)
    return router
