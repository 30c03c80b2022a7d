"""Finished answers, and the paths that have them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from starlette.types import ASGIApp, Message, Scope

from lendery.platform.cache.feed import Feed, clock

LIST = ""
LIFETIME = 300.0  # seconds: a net below the feed, for changes made behind everybody's back
Header = tuple[bytes, bytes]
Slot = tuple[str, bytes]  # path and query


@dataclass(frozen=True, slots=True)
class Finished:
    """An answer ready to be sent."""

    body: bytes
    etag: bytes
    headers: tuple[Header, ...] = ()


def _always(query: bytes) -> float:
    return LIFETIME


@dataclass(frozen=True, eq=False)
class HotPath:
    """`key(path)` names what it shows, None: not this path. `make(path, query)` gives the bytes;
    without it, or where it gives None, the router is asked as a stranger would ask. `lifetime
    (query)` is short (seconds) for what shows what another context told, and follows no change
    here. `shape` names the form of the answer: two programs share answers of one shape only."""

    route: str
    context: str
    key: Callable[[str], str | None]
    make: Callable[[str, bytes], Awaitable[Finished | None]] | None = None
    lifetime: Callable[[bytes], float] = _always
    shape: str = ""
    routed: bool = True  # a copy of the router's answer will do


class Kept:
    """A finished answer with its headers: for 200, and for 304."""

    __slots__ = (
        *("feed", "finished", "headers", "hits", "hot", "lags", "made_at", "not_modified"),
        *("ready", "until"),
    )

    def __init__(self, hot: HotPath, feed: Feed, finished: Finished, life: float) -> None:
        self.hot, self.feed, self.finished, self.hits = hot, feed, finished, 0
        self.made_at = clock()
        self.until = self.made_at + life
        self.lags = life < LIFETIME  # it shows what is only told after a while
        self.ready: Any = None  # as the front door sends it (front.py)
        known = [*finished.headers, (b"etag", finished.etag)]
        length = str(len(finished.body)).encode()
        self.headers = [*known, (b"content-length", length), (b"content-type", b"application/json")]
        self.not_modified = known


def next_link(path: str, query: bytes, next_cursor: str | None) -> tuple[Header, ...]:
    """The Link header (RFC 8288) from a page to the next, if there is one."""
    if next_cursor is None:
        return ()
    there = quote_plus(next_cursor).encode()
    return ((b"link", b'%s%s>; rel="next"' % (_link_to(path, query), there)),)


@lru_cache(maxsize=1024)
def _link_to(path: str, query: bytes) -> bytes:
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    kept = [each for each in given if each[0] not in ("cursor", "offset")]
    return f"<{path}?{urlencode([*kept, ('cursor', '')])}".encode()


async def copied(app: ASGIApp, path: str, query: bytes) -> Finished | None:
    """What the router answers to a stranger; None for anything but a good answer with an ETag."""
    scope: Scope = {
        **{"type": "http", "method": "GET", "http_version": "1.1", "scheme": "http"},
        **{"path": path, "raw_path": path.encode(), "query_string": query, "root_path": ""},
        **{"asgi": {"version": "3.0"}, "headers": [], "client": None, "server": None, "state": {}},
    }
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    headers = dict(told[0]["headers"])
    etag = headers.pop(b"etag", None)
    kind = headers.pop(b"content-type", None), headers.pop(b"content-length", None)
    if told[0]["status"] != 200 or etag is None or kind[0] != b"application/json":
        return None
    body = b"".join(each.get("body", b"") for each in told[1:])
    return Finished(body, etag, tuple(headers.items()))
