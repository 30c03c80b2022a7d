"""Registering somebody: who may be the same person is shown first."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import NewUser, User, UserFilter
from lendery.contracts.base import AlreadyTaken, Invalid, Problem, Window
from lendery.contracts.permissions import Permission
from lendery.web import shelves
from lendery.web.pages import Site, asked, field, go, show, take, visit_of

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


@dataclass(frozen=True)
class Registrations:
    site: Site

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
    pages, router = Registrations(site), site.router()
    show(router, "/staff/register", pages.registering)
    take(router, "/staff/register", pages.register)
    return router
