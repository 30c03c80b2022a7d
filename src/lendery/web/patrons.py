"""People as staff see them: search, and one person with the loans."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import NewBlock, UserFilter
from lendery.contracts.base import Window
from lendery.contracts.permissions import Permission
from lendery.web import shelves
from lendery.web.pages import Site, asked, field, go, identity, show, take, visit_of
from lendery.web.people import person
from lendery.web.renewing import Renewal, new_key, renew

DONE = ("blocked", "unblocked", "registered", "extended")


@dataclass(frozen=True)
class PatronPages:
    site: Site

    async def search(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.SEE_PEOPLE)
        q, cursor = asked(request, "q", 100), asked(request, "cursor", 1000)
        found = None
        if q:
            window = Window(limit=20, after=cursor or None)
            found = await self.site.ports.users.find(
                like=UserFilter(q=q), window=window, actor=actor
            )
        return self.site.page(request, "patrons.html", q=q, found=found)

    async def one(self, request: Request, user_id: UUID) -> Response:
        return await self._page(request, user_id, [])

    async def act(self, request: Request, user_id: UUID) -> Response:
        """Renew one or all, block, unblock, renew the card."""
        visit, now = visit_of(request), datetime.now(UTC)
        users, do = self.site.ports.users, await field(request, "do", 100)
        what, _, which = do.partition(":")
        if what == "renew":
            actor = visit.must(Permission.LEND)
            loans = (await person(self.site.ports, user_id, actor, now)).loans
            ids = [loan.id for loan in loans if which in ("all", str(loan.id))]
            key = await field(request, "key", 64)
            done = await renew(self.site.ports, ids, actor=actor, now=now, key=key)
            return await self._page(request, user_id, done)
        actor = visit.must(Permission.EDIT_PEOPLE)
        if what == "block":
            note, reason = await field(request, "note", 300), await field(request, "reason", 40)
            block = NewBlock.model_validate({"reason": reason or "other", "note": note or None})
            await users.block(user_id=user_id, block=block, actor=actor, now=now)
            return go(f"/staff/patrons/{user_id}?done=blocked")
        if what == "unblock":
            block_id = identity(which) or UUID(int=0)
            await users.unblock(user_id=user_id, block_id=block_id, actor=actor, now=now)
            return go(f"/staff/patrons/{user_id}?done=unblocked")
        if what == "extend":
            user = await users.get(user_id=user_id, actor=actor)
            until = _a_year_after(max(user.expires_on or now.date(), now.date()))
            changes = {"expires_on": until}
            await users.change(user_id=user_id, changes=changes, actor=actor, now=now)
            return go(f"/staff/patrons/{user_id}?done=extended")
        return go(f"/staff/patrons/{user_id}")

    async def _page(self, request: Request, user_id: UUID, done: list[Renewal]) -> Response:
        actor, now = visit_of(request).must(Permission.SEE_PEOPLE), datetime.now(UTC)
        patron = await person(self.site.ports, user_id, actor, now)
        return self.site.page(
            request,
            "patron.html",
            patron=patron,
            loans=await shelves.held(self.site.ports, patron.loans),
            places=await shelves.places(self.site.ports),
            done={each.loan_id: each for each in done},
            renewed=sum(each.loan is not None for each in done),
            told=asked(request, "done") if asked(request, "done") in DONE else "",
            key=new_key(),
        )


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def routes(site: Site) -> APIRouter:
    pages, router = PatronPages(site), site.router()
    show(router, "/staff/patrons", pages.search)
    show(router, "/staff/patrons/{user_id}", pages.one)
    take(router, "/staff/patrons/{user_id}", pages.act)
    return router
