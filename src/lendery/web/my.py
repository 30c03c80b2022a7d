"""A reader's own library: what is ready, late, on loan, waited for and owed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import NotFound, Window
from lendery.contracts.circulation import LoanFilter
from lendery.contracts.permissions import Permission
from lendery.web import queues, shelves
from lendery.web.owing import owing
from lendery.web.pages import Site, field, identity, show, take, visit_of
from lendery.web.renewing import Renewal, new_key, renew


@dataclass(frozen=True)
class MyLibrary:
    site: Site

    async def library(self, request: Request) -> Response:
        return await self._page(request)

    async def act(self, request: Request) -> Response:
        """Renews loans, or changes a hold. The answer is the page itself, with what became."""
        do, _, which = (await field(request, "do", 80)).partition(":")
        if do in ("suspend", "resume", "cancel"):
            return await self._change_hold(request, do, identity(which))
        return await self._renew(request)

    async def _renew(self, request: Request) -> Response:
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

    async def _change_hold(self, request: Request, do: str, hold_id: UUID | None) -> Response:
        visit = visit_of(request)
        actor = visit.must(Permission.PLACE_HOLDS)
        if hold_id is None:
            raise NotFound("There is no such hold.")
        changed = await queues.change(
            self.site.ports,
            do=do,
            hold_id=hold_id,
            whose=visit.me,
            until=await field(request, "until", 10),
            actor=actor,
            now=datetime.now(UTC),
        )
        return await self._page(request, changed=changed)

    async def cancelling(self, request: Request, hold_id: UUID) -> Response:
        """Asks once more: the place in the queue is lost."""
        actor = visit_of(request).must(Permission.PLACE_HOLDS)
        hold = await self.site.ports.holds.get(hold_id=hold_id, actor=actor, now=datetime.now(UTC))
        if hold.patron_id != visit_of(request).me:
            raise NotFound("This is not a hold of yours.")
        shown = (await queues.queued(self.site.ports, [hold]))[0]
        places = await shelves.places(self.site.ports)
        return self.site.page(request, "cancel_hold.html", shown=shown, places=places)

    async def _page(
        self,
        request: Request,
        done: list[Renewal] | None = None,
        changed: queues.Change | None = None,
    ) -> Response:
        visit, now, ports = visit_of(request), datetime.now(UTC), self.site.ports
        actor, done = visit.must(Permission.OWN_ACCOUNT), done or []
        loans, holds, owes, me, places = await asyncio.gather(
            self._open_loans(request, now),
            queues.open_holds(ports, visit.me, actor, now),
            owing(ports, visit.me, cursor=None, actor=actor, now=now),
            ports.users.get(user_id=visit.me, actor=actor),
            shelves.places(ports),
        )
        return self.site.page(
            request,
            "my.html",
            422 if changed and changed.what == "not-a-day" else 200,
            ready=[each for each in holds if each.hold.state == "ready"],
            late=[each for each in loans if each.loan.overdue],
            loans=[each for each in loans if not each.loan.overdue],
            holds=[each for each in holds if each.hold.state != "ready"],
            owing=owes,
            done={each.loan_id: each for each in done},
            renewed=sum(each.loan is not None for each in done),
            changed=changed,
            me=me,
            places=places,
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
    show(router, "/my", pages.library)
    take(router, "/my", pages.act)
    show(router, "/my/holds/{hold_id}/cancel", pages.cancelling)
    return router
