"""What a reader has: loans, due dates, renewing."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import Window
from lendery.contracts.circulation import LoanFilter
from lendery.contracts.permissions import Permission
from lendery.web import shelves
from lendery.web.pages import Site, field, identity, show, take, visit_of
from lendery.web.renewing import Renewal, new_key, renew


@dataclass(frozen=True)
class MyLibrary:
    site: Site

    async def loans(self, request: Request) -> Response:
        return await self._page(request, [])

    async def renew(self, request: Request) -> Response:
        """One loan, or all of them. The answer is the page itself, with what became of each."""
        visit, now = visit_of(request), datetime.now(UTC)
        actor = visit.must(Permission.OWN_ACCOUNT)
        which, key = await field(request, "loan"), await field(request, "key", 64)
        if which == "all":
            found = await self._open_loans(request, now)
            ids = [each.loan.id for each in found]
        else:
            ids = [one] if (one := identity(which)) else []
        done = await renew(self.site.ports, ids, actor=actor, now=now, key=key)
        return await self._page(request, done)

    async def _page(self, request: Request, done: list[Renewal]) -> Response:
        visit, now = visit_of(request), datetime.now(UTC)
        actor = visit.must(Permission.OWN_ACCOUNT)
        loans = await self._open_loans(request, now)
        return self.site.page(
            request,
            "my.html",
            loans=loans,
            now=now,
            done={each.loan_id: each for each in done},
            renewed=sum(each.loan is not None for each in done),
            me=await self.site.ports.users.get(user_id=visit.me, actor=actor),
            places=await shelves.places(self.site.ports),
            key=new_key(),
            welcome=bool(request.query_params.get("welcome")),
        )

    async def _open_loans(self, request: Request, now: datetime) -> list[shelves.Held]:
        visit = visit_of(request)
        found = await self.site.ports.loans.find(
            like=LoanFilter(patron_id=visit.me, status="open"),
            window=Window(limit=100),
            actor=visit.actor,
            now=now,
        )
        return await shelves.held(self.site.ports, found.items)


def routes(site: Site) -> APIRouter:
    pages, router = MyLibrary(site), site.router()
    show(router, "/my", pages.loans)
    take(router, "/my", pages.renew)
    return router
