"""How a page is answered: the visit opened, forms checked, problems said in a page, headers set."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import category
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from lendery.contracts.base import Invalid, NotFound, Problem, SignInNeeded
from lendery.platform.http.identity import Identities
from lendery.web.ports import Ports
from lendery.web.rendering import Look, look
from lendery.web.visits import FormExpired, Sessions, Visit, local_path

Endpoint = Callable[..., Awaitable[Response]]
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
NOT_PAGES = ("/api/", "/internal/", "/static/", "/docs", "/redoc", "/openapi.json", "/graphql")
NOT_TEXT = ("Cc", "Cs", "Cn")  # as the contracts refuse them
FORM = "application/x-www-form-urlencoded"
WITH_FILE = "multipart/form-data"
TAKE_FILES = ("/staff/imports",)
log = structlog.get_logger("lendery.web")


@dataclass(frozen=True)
class Site:
    """What every page stands on."""

    ports: Ports
    sessions: Sessions
    look: Look

    @classmethod
    def of(cls, ports: Ports, identities: Identities) -> "Site":
        return cls(ports, Sessions(ports.tokens, identities, ports.settings), look())

    def router(self) -> APIRouter:
        return APIRouter(include_in_schema=False, route_class=_page_route(self))

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        html = self.look.render(template, visit=visit_of(request), request=request, **values)
        return Response(html, status, media_type="text/html")


def visit_of(request: Request) -> Visit:
    found: Visit = request.state.visit
    return found


def show(router: APIRouter, path: str, endpoint: Endpoint) -> None:
    router.add_api_route(path, endpoint, methods=["GET", "HEAD"], response_model=None)


def take(router: APIRouter, path: str, endpoint: Endpoint) -> None:
    router.add_api_route(path, endpoint, methods=["POST"], response_model=None)


def go(path: str) -> Response:
    """After a form: look at another page. 303, so that a reload does not send the form again."""
    return RedirectResponse(path, 303)


def by_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def identity(text: str | None) -> UUID | None:
    """An id that came as text, if it is one."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


async def field(request: Request, name: str, most: int = 500) -> str:
    """What was typed in a field, without control characters; empty when it was not sent."""
    value = (await request.form()).get(name)
    return cleaned(value, most) if isinstance(value, str) else ""


def cleaned(text: str, most: int = 500) -> str:
    spaced = (" " if c in "\t\r\n" else c for c in text[:most])
    return "".join(c for c in spaced if category(c) not in NOT_TEXT).strip()


def asked(request: Request, name: str, most: int = 500) -> str:
    """A value of the query string, as `field` gives those of a form."""
    return cleaned(request.query_params.get(name, ""), most)


def _page_route(site: Site) -> type[APIRoute]:
    class PageRoute(APIRoute):
        """A route whose every answer is a page, errors too."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def answered(request: Request) -> Response:
                return await answer(site, request, handler)

            return answered

    return PageRoute


async def answer(site: Site, request: Request, handler: Endpoint) -> Response:
    visit = request.state.visit = await site.sessions.open(request, datetime.now(UTC))
    try:
        if request.method == "POST":
            await _check(site, request, visit)
        response = await handler(request)
    except Exception as error:
        response = say(site, request, _as_problem(error))
    site.sessions.write(visit, response)
    _protect(visit, response)
    return response


async def _check(site: Site, request: Request, visit: Visit) -> None:
    """Raises FormExpired for a form that is not one of ours, SignInNeeded for one too late."""
    kind = request.headers.get("content-type", FORM).split(";")[0].strip()
    with_file = kind == WITH_FILE and request.url.path in TAKE_FILES
    if kind != FORM and not with_file:
        raise HTTPException(415, "Send the form as it is on the page.")
    if with_file and not visit.staff:  # before the file is received
        raise visit.trouble or SignInNeeded("Sign in first.")
    form: FormData = await request.form(max_fields=200)
    token = form.get("token")
    if not site.sessions.is_ours(request):
        raise FormExpired("This form came from another site. Nothing was changed.")
    try:
        visit.check_form(token if isinstance(token, str) else "")
    except FormExpired:
        if not visit.signed_in and not request.url.path.startswith(("/sign-in", "/join")):
            raise visit.trouble or SignInNeeded("You were signed out.") from None
        raise


def _protect(visit: Visit, response: Response) -> None:
    response.headers["content-security-policy"] = POLICY
    response.headers["cross-origin-opener-policy"] = "same-origin"
    personal = visit.personal or visit.signed_in or visit.cookies
    response.headers["cache-control"] = "private, no-store" if personal else "no-cache"
    response.headers["vary"] = "cookie, hx-request"


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):  # only paths are validated: not an id
        return NotFound("There is no such page.")
    if isinstance(error, ValidationError):
        return Invalid("; ".join(str(each["msg"]) for each in error.errors()[:3]))
    if isinstance(error, HTTPException):
        return NotFound("") if error.status_code == 404 else Invalid(str(error.detail))
    log.error("unexpected", error=type(error).__name__, exc_info=error)
    return Unexpected("Something went wrong here. Nothing was changed; it is in the log.")


class Unexpected(Problem):
    """A fault of ours."""

    status = 500


def say(site: Site, request: Request, problem: Problem) -> Response:
    """A problem as a page: what happened, what to do. Who must sign in is sent to do so."""
    if isinstance(problem, SignInNeeded) and not by_htmx(request):
        return go("/sign-in?next=" + quote(_here(request), safe=""))
    template = "error_row.html" if by_htmx(request) else "error.html"
    response = site.page(request, template, problem.status, problem=problem)
    if problem.status in (429, 503):
        response.headers["retry-after"] = str(problem.extra.get("retry_after") or 5)
    return response


def _here(request: Request) -> str:
    if request.method != "GET" and not request.url.path.startswith("/books/"):
        return "/staff" if request.url.path.startswith("/staff") else "/my"
    query = request.url.query
    return local_path(request.url.path + (f"?{query}" if query else ""), "/")


class Unknown(Route):
    """Whatever a browser asks for that is nowhere else: a page that says so."""

    def __init__(self, site: Site) -> None:
        async def missing(request: Request) -> Response:
            async def raising(_: Request) -> Response:
                raise NotFound("There is no such page.")

            return await answer(site, request, raising)

        super().__init__("/{path:path}", missing, methods=["GET"], include_in_schema=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return Match.NONE, {}
        accepts = next((v for k, v in scope["headers"] if k == b"accept"), b"")
        if b"text/html" not in accepts or scope["path"].startswith(NOT_PAGES):
            return Match.NONE, {}
        return super().matches(scope)
