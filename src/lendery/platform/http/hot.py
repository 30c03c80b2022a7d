"""The fast path: the most read answers, without the router.

A hot path is a plain GET whose answer depends on its URL alone and on one version number.
Its finished bytes are kept with the version they were made at; a change of the version makes
all of them stale at once, so an answer is never older than the last change that was answered.
Everything unusual (other headers, other methods, errors) goes on to the router.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from lendery.contracts.base import Problem
from lendery.platform.http import problems
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


class Kept(NamedTuple):
    """A finished answer with all its headers: for 200, and for 304."""

    path: HotPath
    finished: Finished
    headers: list[tuple[bytes, bytes]]
    not_modified: list[tuple[bytes, bytes]]

    @classmethod
    def of(cls, path: HotPath, finished: Finished) -> "Kept":
        known = [*finished.headers, (b"etag", finished.etag)]
        length = str(len(finished.body)).encode()
        headers = [*known, (b"content-type", b"application/json"), (b"content-length", length)]
        return cls(path, finished, headers, known)


class HotAnswers:
    """`version()` is cheap and exact: it never lags behind a change that was answered."""

    def __init__(
        self, paths: list[HotPath], version: Callable[[], Awaitable[object]], entries: int
    ) -> None:
        self.paths, self.version, self.entries = paths, version, entries
        self.kept: OrderedDict[tuple[str, bytes], Kept] = OrderedDict()
        self.kept_at: object = None

    async def find(self, path: str, query: bytes) -> Kept | None:
        kept = self.kept.get((path, query))
        hot = kept.path if kept else self._matching(path)
        if hot is None:
            return None
        if not self.entries:
            return await self._made(hot, path, query)
        version = await self.version()
        if version != self.kept_at:
            self.kept.clear()
            self.kept_at = version
        found = self.kept.get((path, query))
        if found is not None:
            CACHE_HIT.inc()
            return found
        made = await self._made(hot, path, query)
        if made is not None and version == self.kept_at:
            self.kept[(path, query)] = made
            if len(self.kept) > self.entries:
                self.kept.popitem(last=False)
        return made

    def _matching(self, path: str) -> HotPath | None:
        for each in self.paths:
            if each.matches(path):
                return each
        return None

    async def _made(self, hot: HotPath, path: str, query: bytes) -> Kept | None:
        made = await hot.make(path, query)
        if made is None:
            return None
        CACHE_MISS.inc()
        return Kept.of(hot, made)


CACHE_HIT, CACHE_MISS = CACHE.labels("hit"), CACHE.labels("miss")


class FastPath:
    def __init__(self, app: ASGIApp, answers: HotAnswers) -> None:
        self.app, self.answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        try:
            found = await self.answers.find(scope["path"], scope["query_string"])
        except Problem as problem:  # no router stands behind this to turn it into an answer
            await problems.answer(problem, scope["path"])(scope, receive, send)
            return
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["route"] = found.path.route
        status, headers, body = 200, found.headers, found.finished.body
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                if value == found.finished.etag:
                    status, headers, body = 304, found.not_modified, b""
                break
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
