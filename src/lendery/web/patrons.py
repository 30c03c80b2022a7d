"""People as staff see them: search, one person, registering, what is overdue."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import NewBlock, NewUser, User, UserFilter
from lendery.contracts.base import AlreadyTaken, Invalid, Problem, Window
from lendery.contracts.circulation import LoanFilter
from lendery.contracts.permissions import Permission
from lendery.web import shelves
from lendery.web.pages import Site, asked, field, go, identity, show, take, visit_of
from lendery.web.people import person
from lendery.web.renewing import Renewal, new_key, renew

FIELDS = (
    *("name", "email", "card_number", "category"),
    *("home_branch_id", "born_on", "expires_on"),
)
SAYS = {
    "name": "Write the name.",
    "email": "Write the e-mail address in full, like ann@example.org, or leave it empty.",
    "card_number": "A card number has 3 to 32 letters, digits or hyphens. Leave it empty for "
    "the next number.",
    "category": "A category is one word, like adult or child.",
    "born_on": "Write the date of birth as 1990-12-31, or leave it empty.",
    "expires_on": "Write the date as 2027-12-31, or leave it empty.",
    "home_branch_id": "Choose a branch of the list.",
}
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

    async def registering(self, request: Request) -> Response:
        visit_of(request).must(Permission.EDIT_PEOPLE)
        given = dict.fromkeys(FIELDS, "") | {"category": "adult"}
        given["card_number"] = asked(request, "card", 32)
        return await self._form(request, given)

    async def register(self, request: Request) -> Response:
        actor = visit_of(request).must(Permission.EDIT_PEOPLE)
        given = {name: await field(request, name, 254) for name in FIELDS}
        try:
            known = {name: value for name, value in given.items() if value}
            new = NewUser.model_validate(known)
        except ValidationError as error:
            return await self._form(request, given, wrong=_wrong(error))
        if not await field(request, "sure"):
            alike = await self._alike(request, new)
            if alike:
                return await self._form(request, given, alike=alike)
        try:
            made = await self.site.ports.users.add(person=new, actor=actor, now=datetime.now(UTC))
        except (AlreadyTaken, Invalid) as problem:
            alike = await self._alike(request, new)
            return await self._form(request, given, wrong=_refused(problem), alike=alike)
        if await field(request, "then") == "lend":
            return go(f"/staff?patron={made.id}")
        return go(f"/staff/patrons/{made.id}?done=registered")

    async def _alike(self, request: Request, new: NewUser) -> list[User]:
        """Who may be the same person: by name, by e-mail, by card."""
        texts = {text for text in (new.name, new.email, new.card_number) if text}
        pages = await asyncio.gather(
            *[
                self.site.ports.users.find(
                    like=UserFilter(q=text), window=Window(limit=5), actor=visit_of(request).actor
                )
                for text in texts
            ]
        )
        return list({user.id: user for page in pages for user in page.items}.values())[:5]

    async def _form(
        self,
        request: Request,
        given: dict[str, str],
        *,
        wrong: dict[str, str] | None = None,
        alike: Iterable[User] = (),
    ) -> Response:
        places = await shelves.places(self.site.ports)
        values: dict[str, Any] = {"given": given, "wrong": wrong or {}, "alike": list(alike)}
        status = 422 if wrong or values["alike"] else 200
        return self.site.page(request, "register.html", status, places=places, **values)

    async def overdue(self, request: Request) -> Response:
        actor, now = visit_of(request).must(Permission.LEND), datetime.now(UTC)
        ports, places = self.site.ports, await shelves.places(self.site.ports)
        branch = places.named(asked(request, "branch", 40))
        found = await ports.loans.find(
            like=LoanFilter(status="overdue", branch_id=branch.id if branch else None),
            window=Window(limit=50, after=asked(request, "cursor", 1000) or None, total=True),
            actor=actor,
            now=now,
        )
        loans = await shelves.held(ports, found.items)
        ids = list({each.loan.patron_id for each in loans if each.loan.patron_id})
        users = await ports.users.by_ids(ids=ids, actor=actor) if ids else []
        return self.site.page(
            request,
            "overdue.html",
            loans=loans,
            names={user.id: user for user in users},
            places=places,
            branch=branch,
            found=found,
            now=now,
        )


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def _wrong(error: ValidationError) -> dict[str, str]:
    names = [str(each["loc"][0]) for each in error.errors() if each["loc"]]
    return {name: SAYS.get(name, "Please correct this.") for name in names}


def _refused(problem: Problem) -> dict[str, str]:
    """What the registry objects to, by field."""
    if isinstance(problem, AlreadyTaken):
        name = str(problem.extra.get("field", "name"))
        return {name if name in FIELDS else "name": problem.detail}
    errors = {
        str(e.get("pointer", "")).removeprefix("#/"): str(e.get("says", ""))
        for e in problem.extra.get("errors", [])
    }
    return {n: s for n, s in errors.items() if n in FIELDS} or {"name": problem.detail}


def routes(site: Site) -> APIRouter:
    pages, router = PatronPages(site), site.router()
    show(router, "/staff/patrons", pages.search)
    show(router, "/staff/patrons/{user_id}", pages.one)
    take(router, "/staff/patrons/{user_id}", pages.act)
    show(router, "/staff/register", pages.registering)
    take(router, "/staff/register", pages.register)
    show(router, "/staff/overdue", pages.overdue)
    return router
