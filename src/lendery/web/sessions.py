"""Signing in and out, and joining the library."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import Registration, WrongCredentials
from lendery.contracts.base import AlreadyTaken, Invalid, TooManyRequests
from lendery.platform.http.limits import address
from lendery.web.pages import Site, asked, field, go, show, take, visit_of
from lendery.web.visits import local_path

SAYS = {
    "email": "Write your e-mail address in full, like ann@example.org.",
    "password": "Choose a password of 10 characters or more.",
    "name": "Write your name.",
}


@dataclass(frozen=True)
class SignInPages:
    site: Site

    async def form(self, request: Request) -> Response:
        target = local_path(request.query_params.get("next"), "")
        if visit_of(request).signed_in:
            return go(target or self._home(request))
        return self.site.page(request, "sign_in.html", target=target, email="", says=None)

    async def sign_in(self, request: Request) -> Response:
        visit = visit_of(request)
        email, target = await field(request, "email", 254), await field(request, "next", 2000)
        target = local_path(target, "")
        password = (await request.form()).get("password")
        try:
            pair = await self.site.ports.tokens.log_in(
                email=email,
                password=password[:256] if isinstance(password, str) else "",
                address=address(request.scope, self.site.ports.settings.trusted_proxies),
                now=datetime.now(UTC),
            )
        except (WrongCredentials, TooManyRequests) as problem:
            page = self.site.page(
                request,
                "sign_in.html",
                422 if isinstance(problem, WrongCredentials) else 429,
                target=target,
                email=email,
                says=problem,
            )
            if wait := problem.extra.get("retry_after"):
                page.headers["retry-after"] = str(wait)
            return page
        await self.site.sessions.start(visit, pair)
        return go(target or self._home(request))

    def _home(self, request: Request) -> str:
        return "/staff" if visit_of(request).staff else "/my"

    async def sign_out(self, request: Request) -> Response:
        await self.site.sessions.end(request, visit_of(request), datetime.now(UTC))
        return go("/")

    async def joining(self, request: Request) -> Response:
        if visit_of(request).signed_in:
            return go("/my")
        return self.site.page(request, "join.html", given={}, wrong={}, email=asked(request, "e"))

    async def join(self, request: Request) -> Response:
        now, form = datetime.now(UTC), await request.form()
        given = {name: await field(request, name, 254) for name in ("name", "email")}
        password = form.get("password")
        try:
            person = Registration.model_validate({**given, "password": password})
            await self.site.ports.users.register(person=person, now=now)
        except (ValidationError, AlreadyTaken, Invalid) as error:
            return self.site.page(
                request, "join.html", 422, given=given, wrong=_wrong(error), email=""
            )
        pair = await self.site.ports.tokens.log_in(
            email=person.email,
            password=person.password,
            address=address(request.scope, self.site.ports.settings.trusted_proxies),
            now=now,
        )
        await self.site.sessions.start(visit_of(request), pair)
        return go("/my?welcome=1")


def _wrong(error: Exception) -> dict[str, str]:
    """What to write beside each field."""
    if isinstance(error, ValidationError):
        names = [str(each["loc"][0]) for each in error.errors() if each["loc"]]
        return {name: SAYS.get(name, "Please correct this.") for name in names}
    if isinstance(error, AlreadyTaken):
        return {"email": "Somebody has joined with this e-mail address. Sign in instead."}
    listed = error.extra.get("errors", []) if isinstance(error, Invalid) else []
    named = {str(e.get("pointer", "")).removeprefix("#/"): str(e.get("says", "")) for e in listed}
    return {n: s for n, s in named.items() if n in SAYS} or {"name": str(error)}


def routes(site: Site) -> APIRouter:
    pages, router = SignInPages(site), site.router()
    show(router, "/sign-in", pages.form)
    take(router, "/sign-in", pages.sign_in)
    take(router, "/sign-out", pages.sign_out)
    show(router, "/join", pages.joining)
    take(router, "/join", pages.join)
    return router
