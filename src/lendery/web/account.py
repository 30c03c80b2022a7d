"""What one patron owes, as staff see and settle it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import User
from lendery.contracts.base import KeyReused
from lendery.contracts.circulation import (
    ChargeRefused,
    PaymentRefused,
    RefundRefused,
    WaiverRefused,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.web import shelves
from lendery.web.cash import drawers
from lendery.web.desk_branch import desk_branch
from lendery.web.owing import Owing, owing
from lendery.web.pages import Site, asked, field, identity, show, take, visit_of
from lendery.web.people import person
from lendery.web.renewing import new_key
from lendery.web.till import Form, Till, Told, Unfinished

REFUSALS = (PaymentRefused, WaiverRefused, RefundRefused, ChargeRefused)


@dataclass(frozen=True)
class AccountPages:
    site: Site

    async def show(self, request: Request, user_id: UUID) -> Response:
        return await self._page(request, user_id)

    async def act(self, request: Request, user_id: UUID) -> Response:
        """Settles something. The answer is the page itself, with what was done or why not."""
        actor, ports = visit_of(request).must(Permission.SETTLE), self.site.ports
        what, _, which = (await field(request, "do", 80)).partition(":")
        now, till = datetime.now(UTC), Till(ports)
        branch = desk_branch(self.site, request, await shelves.places(ports))
        place = ports.settings.currency, branch.id if branch else None
        form = Form(request, user_id, identity(which), actor, now, *place)
        deeds: dict[str, Callable[[Form], Awaitable[Told]]] = {
            "pay": till.pay,
            "waive": till.waive,
            "cancel": till.cancel,
            "refund": till.refund,
            "charge": till.charge,
        }
        if what not in deeds:
            return await self._page(request, user_id)
        ticked = await form.ticked()
        try:
            told = await deeds[what](form)
        except Unfinished as unfinished:
            wrong, typed = unfinished.wrong, await form.typed(what)
            return await self._page(request, user_id, 422, wrong=wrong, ticked=ticked, typed=typed)
        except REFUSALS as refusal:
            # what may be paid or refunded is said, and stands in the field
            typed = await form.typed(what) if what == "charge" else {}
            says = refusal.detail
            return await self._page(request, user_id, 409, refused=says, ticked=ticked, typed=typed)
        except KeyReused as reused:
            return await self._page(request, user_id, 409, refused=reused)
        return await self._page(request, user_id, told=told)

    async def _page(
        self,
        request: Request,
        user_id: UUID,
        status: int = 200,
        *,
        told: Told | None = None,
        refused: str | KeyReused = "",
        wrong: Mapping[str, str] | None = None,
        ticked: Sequence[UUID] = (),
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        visit, ports, now = visit_of(request), self.site.ports, datetime.now(UTC)
        visit.must(Permission.SEE_PEOPLE)
        actor, places = visit.must(Permission.SETTLE), await shelves.places(ports)
        cursor = asked(request, "cursor", 1000) or None
        patron = await person(ports, user_id, actor, now)
        owes = await owing(ports, user_id, cursor=cursor, actor=actor, now=now)
        branch = desk_branch(self.site, request, places)
        return self.site.page(
            request,
            "account.html",
            status,
            patron=patron,
            owing=owes,
            staff=await self._staff(owes, actor),
            places=places,
            zone=branch.time_zone if branch else "UTC",
            told=told,
            refused=refused if isinstance(refused, str) else "",
            sent_before=isinstance(refused, KeyReused),
            wrong=wrong or {},
            ticked=set(ticked),
            typed=typed or {},
            preset=owes.of(list(ticked)) if ticked else owes.account.owed,
            drawers=await drawers(ports, branch, actor),
            me=actor.id,
            cursor=cursor,
            key=new_key(),
        )

    async def _staff(self, owes: Owing, actor: Actor) -> dict[UUID, User]:
        """Who wrote the lines."""
        ids = list({line.by for line in owes.account.items if line.by})
        users = await self.site.ports.users.by_ids(ids=ids, actor=actor) if ids else []
        return {user.id: user for user in users}


def routes(site: Site) -> APIRouter:
    pages, router = AccountPages(site), site.router()
    show(router, "/staff/patrons/{user_id}/account", pages.show)
    take(router, "/staff/patrons/{user_id}/account", pages.act)
    return router
