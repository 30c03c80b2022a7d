"""The cash desk: a drawer is opened with a float, counted and closed; and the day's totals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import User
from lendery.contracts.base import Invalid, KeyReused, Money, RequestKey, Window
from lendery.contracts.circulation import (
    Branch,
    CashCount,
    CashSession,
    CashSessionFilter,
    CashSessionRefused,
    DeskName,
    NewCashSession,
    NoSuchCashSession,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.web import amounts, shelves
from lendery.web.desk_branch import desk_branch
from lendery.web.pages import Site, field, identity, show, take, visit_of
from lendery.web.ports import Ports
from lendery.web.renewing import new_key, request_key

MOST = 100
WRITE = "Write the amount like 4.20."
NAME = "Give the desk a name like front or children-2: letters, digits, point, hyphen."
AGAIN = "This form was sent before, with something else in it. Nothing more was done."
DESK: TypeAdapter[str] = TypeAdapter(DeskName)


async def drawers(ports: Ports, branch: Branch | None, actor: Actor) -> Sequence[CashSession]:
    """The cash sessions that are open at a branch, by the names of their desks."""
    if branch is None:
        return ()
    like = CashSessionFilter(branch_id=branch.id, open=True)
    found = await ports.cash_sessions.find(like=like, window=Window(limit=MOST), actor=actor)
    return sorted(found.items, key=lambda each: each.desk)


class Unfinished(Exception):
    """A field that has to be filled in first: its id, and what to write there."""

    def __init__(self, field_id: str, says: str) -> None:
        super().__init__(says)
        self.wrong = {field_id: says}


@dataclass(frozen=True)
class CashPages:
    site: Site

    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def act(self, request: Request) -> Response:
        """Opens or closes. The answer is the page itself, with what was done or why not."""
        actor = visit_of(request).must(Permission.SETTLE)
        what, _, which = (await field(request, "do", 80)).partition(":")
        try:
            if what == "open":
                return await self._page(request, told=await self._open(request, actor))
            if what == "close":
                return await self._page(request, told=await self._close(request, which, actor))
        except Unfinished as unfinished:
            return await self._page(request, 422, wrong=unfinished.wrong)
        except (CashSessionRefused, NoSuchCashSession) as refusal:
            return await self._page(request, 409, refused=refusal.detail)
        except KeyReused:
            return await self._page(request, 409, refused=AGAIN)
        return await self._page(request)

    async def _open(self, request: Request, actor: Actor) -> CashSession:
        branch = desk_branch(self.site, request, await shelves.places(self.site.ports))
        try:
            desk = DESK.validate_python(await field(request, "desk", 100))
        except ValidationError:
            raise Unfinished("desk", NAME) from None
        opening = NewCashSession(
            branch_id=branch.id if branch else None,
            desk=desk,
            opening_float=await self._amount(request, "float"),
        )
        key = await self._key(request, actor, "open", opening.model_dump_json())
        return await self.site.ports.cash_sessions.open(
            opening=opening, actor=actor, now=datetime.now(UTC), key=key
        )

    async def _close(self, request: Request, which: str, actor: Actor) -> CashSession:
        session_id = identity(which)
        if session_id is None:
            raise NoSuchCashSession("There is no such cash session.")
        count = CashCount(counted=await self._amount(request, f"counted-{session_id}"))
        key = await self._key(request, actor, "close", session_id, count.model_dump_json())
        return await self.site.ports.cash_sessions.close(
            session_id=session_id, count=count, actor=actor, now=datetime.now(UTC), key=key
        )

    async def _amount(self, request: Request, name: str) -> Money:
        currency = self.site.ports.settings.currency
        found = amounts.typed(await field(request, name, 40), currency)
        if found is None:
            raise Unfinished(name, WRITE)
        return found

    async def _key(self, request: Request, actor: Actor, what: str, *said: object) -> RequestKey:
        key = await field(request, "key", 64)
        found = request_key(f"{key[:24]}-{what}", actor, *said)
        if len(key) < 8 or found is None:
            raise Invalid("This form is not complete. Nothing was done: load the page again.")
        return found

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        told: CashSession | None = None,
        refused: str = "",
        wrong: Mapping[str, str] | None = None,
    ) -> Response:
        ports, actor = self.site.ports, visit_of(request).must(Permission.SETTLE)
        places = await shelves.places(ports)
        branch = desk_branch(self.site, request, places)
        found = await drawers(ports, branch, actor)
        so_far = branch and await ports.cash_sessions.day(
            on=None, branch_id=branch.id, actor=actor, now=datetime.now(UTC)
        )
        less = abs(told.difference.amount) if told and told.difference else 0
        currency = ports.settings.currency
        return self.site.page(
            request,
            "cash.html",
            status,
            places=places,
            branch=branch,
            drawers=found,
            staff=await self._staff(found, actor),
            so_far=so_far,
            told=told,
            difference=Money(amount=less, currency=currency),
            refused=refused,
            wrong=wrong or {},
            typed=await _typed(request) if wrong else {},
            currency=currency,
            key=new_key(),
        )

    async def _staff(self, found: Sequence[CashSession], actor: Actor) -> dict[UUID, User]:
        """Who opened them."""
        ids = list({each.opened_by for each in found if each.opened_by})
        users = await self.site.ports.users.by_ids(ids=ids, actor=actor) if ids else []
        return {user.id: user for user in users}


async def _typed(request: Request) -> dict[str, str]:
    """What stood in the fields, for whoever has to correct one of them."""
    return {name: await field(request, name, 100) for name in await request.form()}


def routes(site: Site) -> APIRouter:
    pages, router = CashPages(site), site.router()
    show(router, "/staff/cash", pages.show)
    take(router, "/staff/cash", pages.act)
    return router
