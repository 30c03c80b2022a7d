"""The fast path: the most read answers, without the router.

A hot path is a plain GET whose answer depends on its URL alone and on one version number.
Its finished bytes are kept with the version they were made at; a change of the version makes
all of them stale at once, so an answer is never older than the last change that was answered.
Everything unusual (other headers, other methods, errors) goes on to the router.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from lendery.platform.metrics import CACHE


@dataclass(frozen=True, slots=True)
class Finished:
    """An answer ready to be sent."""

    body: bytes
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True)
class HotPath:
    """`matches(path)`; `make(path, query)` gives the bytes, or None to leave it to the router."""

    route: str
    matches: Callable[[str], bool]
    make: Callable[[str, bytes], Awaitable[Finished | None]]


class HotAnswers:
    """`version()` is cheap and exact: it never lags behind a change that was answered."""

    def __init__(
        self, paths: list[HotPath], version: Callable[[], Awaitable[object]], entries: int
    ) -> None:
        self.paths, self.version, self.entries = paths, version, entries
        self.kept: OrderedDict[tuple[str, bytes], Finished] = OrderedDict()
        self.kept_at: object = None

    async def find(self, path: str, query: bytes) -> tuple[str, Finished] | None:
        hot = next((each for each in self.paths if each.matches(path)), None)
        if hot is None:
            return None
        version = await self.version()
        if version != self.kept_at:
            self.kept.clear()
            self.kept_at = version
        found = self.kept.get((path, query)) if self.entries else None
        if found is not None:
            CACHE_HIT.inc()
            return hot.route, found
        made = await hot.make(path, query)
        if made is None:
            return None
        CACHE_MISS.inc()
        if self.entries and version == self.kept_at:
            self.kept[(path, query)] = made
            if len(self.kept) > self.entries:
                self.kept.popitem(last=False)
        return hot.route, made


CACHE_HIT, CACHE_MISS = CACHE.labels("hit"), CACHE.labels("miss")


class FastPath:
    def __init__(self, app: ASGIApp, answers: HotAnswers) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        found = await self.answers.find(scope["path"], scope["query_string"])
        if found is None:
            await self.app(scope, receive, send)
            return
        route, finished = found
        scope["state"]["route"] = route
        known = next((v for k, v in scope["headers"] if k == b"if-none-match"), None)
        headers = [*finished.headers, (b"etag", finished.etag)]
        if known is not None and known == finished.etag:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(finished.body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": finished.body})
