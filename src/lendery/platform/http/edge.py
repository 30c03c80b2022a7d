"""The pure-ASGI layers in front of the router. Each does one thing and is read in a minute.

`BaseHTTPMiddleware` would cost five times the request; these cost a hundredth.
"""

import asyncio
import contextlib
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lendery.contracts.base import Problem, TooLarge
from lendery.platform.http import problems
from lendery.platform.http.identity import Identities
from lendery.platform.metrics import REQUESTS
from lendery.platform.services import ServiceTokens

log = structlog.get_logger("lendery.access")
REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{8,64}$")
SAFE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]


BORN = secrets.token_hex(6).encode()  # names this process; with a number behind it, one request
_numbers = itertools.count(1)


def next_request_id() -> bytes:
    return b"%s-%x" % (BORN, next(_numbers))


def header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


async def refuse(scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
    await problems.answer(problem, scope["path"])(scope, receive, send)


class Observed:
    """Gives each request an id, counts and times it, logs it without its query or body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        request_id = given if given and REQUEST_ID.match(given) else next_request_id()
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        started, status = time.perf_counter(), 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    *SAFE_HEADERS,
                    (b"x-request-id", request_id),
                ]
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            self._record(scope, status, time.perf_counter() - started, request_id)

    def _record(self, scope: Scope, status: int, seconds: float, request_id: bytes) -> None:
        template = _template(scope)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        REQUESTS.of(method, template, status).add(seconds)
        if status >= 500 or log.is_enabled_for(10):
            log.log(
                40 if status >= 500 else 10,
                "request",
                method=method,
                route=template,
                status=status,
                ms=round(seconds * 1000, 2),
                request_id=request_id.decode(),
            )


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _template(scope: Scope) -> str:
    """The route's path with its parameters' names: what may label a metric."""
    if "route" not in scope:
        found: str = scope["state"].get("route", "unmatched")
        return found
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(str(value), f"{{{name}}}")
    return path


class HeadAsGet:
    """HEAD is answered as GET would be; the server leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)


class BodyLimit:
    """Refuses bodies over the limit: at once when announced, else as soon as they pass it."""

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self.app, self.limit, self.larger = app, limit, larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        limit = self.larger.get(scope["path"], self.limit)
        announced = header(scope, b"content-length")
        if announced and (not announced.isdigit() or int(announced) > limit):
            if header(scope, b"expect") is None:
                await self._let_finish(receive)
            await self._refuse(scope, receive, send, limit)
            return
        taken, more, started = 0, True, False

        async def limited() -> Message:
            nonlocal taken, more
            message = await receive()
            taken += len(message.get("body", b""))
            more = message.get("more_body", False)
            if taken > limit:
                raise TooLarge
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if taken > limit and not started:
                return  # whatever was made of half a body
            started = True
            await send(message)

        try:
            await self.app(scope, limited, sending)
        except TooLarge:
            if started:
                raise
        if taken > limit and not started:
            if more:
                await self._let_finish(receive)
            await self._refuse(scope, receive, send, limit)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        says = f"A request may have {limit} bytes at most."
        await refuse(scope, receive, send, TooLarge(says))

    async def _let_finish(self, receive: Receive) -> None:
        """Throws away what still comes, within reason: who is sending does not hear an answer."""
        left = LINGER * self.limit
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body"):
                        return


LINGER = 8  # times the limit


class Identified:
    """Puts the Actor into the request's state. A bad token is refused, even on a public path."""

    def __init__(
        self,
        app: ASGIApp,
        identities: Identities,
        services: ServiceTokens,
        audiences: frozenset[str],
    ) -> None:
        self.app, self.identities = app, identities
        self.services, self.audiences = services, audiences

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        sent = header(scope, b"authorization")
        try:
            if scope["path"].startswith("/internal/"):
                self.services.check(bearer(sent or b""), self.audiences)
                state["service"] = True
            elif sent is not None and sent[:7].lower() == b"bearer ":
                token = bearer(sent)
                state["actor"] = self.identities.kept(token) or await self.identities.of(token)
            elif page := PAGE_SESSION.search(header(scope, b"cookie") or b""):
                state["visitor"] = self.identities.kept(page[1].decode())
        except Problem as problem:
            await refuse(scope, receive, send, problem)
            return
        await self.app(scope, receive, send)


# The session of the pages: says whom to count requests for, and allows nothing by itself.
PAGE_SESSION = re.compile(rb"(?:^|; )(?:__Host-)?lendery_access=([A-Za-z0-9_.-]+)")


def bearer(value: bytes) -> str:
    """The token of an Authorization header."""
    return value[7:].decode("latin-1").strip()


NEVER_HELD = ("/internal/", "/api/v1/loans/")


class AnsweredWhenTold:
    """Holds the answer to a rare change back until its events are delivered (0.25 s at most).

    A courtesy to whoever changes a card and lends with it in the next breath; the two shapes
    give it alike. Lending itself never waits for it.
    """

    def __init__(
        self, app: ASGIApp, caught_up: Callable[[float], Awaitable[bool]], hot: frozenset[str]
    ) -> None:
        self.app, self.caught_up, self.hot = app, caught_up, hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changes = scope["type"] == "http" and scope["method"] in ("POST", "PATCH", "DELETE", "PUT")
        if not changes or scope["path"] in self.hot or scope["path"].startswith(NEVER_HELD):
            await self.app(scope, receive, send)
            return

        async def waiting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                with contextlib.suppress(Exception):  # the change is made; only the wait failed
                    await asyncio.shield(self.caught_up(0.25))
            await send(message)

        await self.app(scope, receive, waiting)
