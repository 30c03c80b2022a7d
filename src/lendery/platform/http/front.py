"""The front door: the most read answers in one step, with everything the layers behind it do.

A GET of a hot path by a stranger or by somebody whose token is known goes through here: request
id, token, rate limit, counting, conditions. Whatever is unusual about a request goes on to the
layers, which answer it byte for byte the same (a test compares them). Six layers and a router
take three times as long as the answer itself.
"""

import time
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from lendery.contracts.base import Problem
from lendery.contracts.permissions import Actor
from lendery.platform.cache.feed import clock
from lendery.platform.http import edge, wire
from lendery.platform.http.answers import matches
from lendery.platform.http.edge import PAGE_SESSION, REQUEST_ID, SAFE_HEADERS, log
from lendery.platform.http.hot import HotAnswers
from lendery.platform.http.identity import Identities
from lendery.platform.http.kept import Kept
from lendery.platform.http.limits import RateLimited
from lendery.platform.metrics import REQUESTS

SEATS = 20_000


class Seat:
    """Somebody whose token was verified: whom to count for, until when, and as of which list
    of ended sessions."""

    __slots__ = ("checked_at", "staff", "until", "who")

    def __init__(self, actor: Actor, until: float, checked_at: int) -> None:
        self.who, self.staff = actor.id.hex if actor.id else "", actor.staff
        self.until, self.checked_at = until, checked_at


class Form:
    """One way a kept answer goes out: its headers, and the same as bytes around what differs
    each time (what is left of the limit, the request id)."""

    __slots__ = ("body", "counted", "headers", "limited", "start", "status", "then")

    def __init__(self, kept: Kept, policy: bytes | None, *, known: bool) -> None:
        self.status, self.body = (304, b"") if known else (200, kept.finished.body)
        self.headers = [*(kept.not_modified if known else kept.headers)]
        self.counted = REQUESTS.of("GET", kept.hot.route, self.status)
        self.limited = policy is not None
        if policy is not None:
            self.headers += [(b"ratelimit-policy", policy), (b"ratelimit", b"")]
        self.start = wire.lines(self.headers)
        if policy is None:
            self.start += b"\r\n"
        self.then = LIMITED_ENDING if self.limited else ENDING

    async def send(self, send: Send, limit: bytes, request_id: bytes) -> None:
        cycle = wire.open_cycle(send)
        if cycle is not None:
            parts = (self.start, limit, self.then, request_id, wire.END, self.body)
            wire.write(cycle, self.status, *parts)
            return
        headers = self.headers.copy()
        if self.limited:
            headers[-1] = (b"ratelimit", limit)
        headers += [*SAFE_HEADERS, (b"x-request-id", request_id)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


ENDING = wire.lines([*SAFE_HEADERS, (b"x-request-id", b"")])
LIMITED_ENDING = b"\r\n" + ENDING


class Ready:
    """A kept answer in the four forms it goes out in, each made when it is wanted."""

    __slots__ = ("etag", "forms", "kept", "policy")

    def __init__(self, kept: Kept, policy: bytes) -> None:
        self.etag, self.kept, self.policy = kept.finished.etag, kept, policy
        self.forms: list[Form | None] = [None, None, None, None]

    def make(self, which: int) -> Form:
        policy = self.policy if which & LIMITED else None
        form = self.forms[which] = Form(self.kept, policy, known=bool(which & KNOWN))
        return form


LIMITED, KNOWN = 1, 2


class FrontDoor:
    """`limits` is the layer behind that counts too: both count in one book."""

    def __init__(
        self, app: ASGIApp, answers: HotAnswers, identities: Identities, limits: RateLimited
    ) -> None:
        self.app, self.answers = app, answers
        self.identities, self.limits = identities, limits
        self.seats: dict[bytes, Seat] = {}
        self.quiet = not log.is_enabled_for(10)  # the layers tell each request to the log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not self.quiet:
            await self.app(scope, receive, send)
            return
        now = clock()
        slot = (scope["path"], scope["query_string"])
        kept = self.answers.kept.get(slot)
        if kept is None and self.answers.matching(*slot) is None:
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"])
        who = self._who(scope, given)
        used = self._used(who)
        if used < 0 or len(given) != len(scope["headers"]):  # a header that came twice
            await self.app(scope, receive, send)
            return
        if used:
            self.limits.counts[who] = used
        if kept is None or kept.until <= now or not kept.feed.is_current(now):
            try:
                kept = await self.answers.find(*slot)
            except Problem:
                kept = None  # the layers will meet it again, and tell it
            if kept is None:
                if used:  # the layers count it
                    self.limits.counts[who] = self.limits.used(who) - 1
                await self.app(scope, receive, send)
                return
        else:
            self.answers.count(kept, now)
        await self._answer(kept, given, used, now, send)

    def _who(self, scope: Scope, given: dict[bytes, bytes]) -> Any:
        """Whom to count this for. "" for staff, None for somebody the layers must look at."""
        sent = given.get(b"authorization")
        if sent is None:
            cookie = given.get(b"cookie")
            if cookie is not None and (page := PAGE_SESSION.search(cookie)):
                visitor = self.identities.kept(page[1].decode())
                if visitor is not None and visitor.id is not None:
                    return "" if visitor.staff else visitor.id.hex
            return self.limits.address(scope)
        seat = self.seats.get(sent)
        if seat is None or seat.checked_at != self.identities.changes:
            seat = self._seat(sent)
        if seat is None or seat.until <= time.time():
            return None
        return "" if seat.staff else seat.who

    def _seat(self, sent: bytes) -> Seat | None:
        if sent[:7].lower() != b"bearer ":
            return None
        changes = self.identities.changes
        found = self.identities.seated(edge.bearer(sent))
        if found is None:
            self.seats.pop(sent, None)
            return None
        if len(self.seats) >= SEATS:
            self.seats.clear()
        seat = self.seats[sent] = Seat(found[1], found[0], changes)
        return seat

    def _used(self, who: Any) -> int:
        """How many requests that makes in this minute; 0: not counted; -1: not for us."""
        if who is None:
            return -1
        if who == "":
            return 0
        used = self.limits.used(who) + 1
        return used if used <= self.limits.per_minute else -1

    async def _answer(
        self, kept: Kept, given: dict[bytes, bytes], used: int, began: float, send: Send
    ) -> None:
        ready = kept.ready
        if ready is None:
            ready = kept.ready = Ready(kept, self.limits.policy)
        known = given.get(b"if-none-match")
        if known is not None and (
            known == ready.etag or matches(known.decode("latin-1"), ready.etag.decode())
        ):
            which = KNOWN | LIMITED if used else KNOWN
        else:
            which = LIMITED if used else 0
        form = ready.forms[which] or ready.make(which)
        named = given.get(b"x-request-id")
        if named is None or not REQUEST_ID.match(named):
            named = edge.next_request_id()
        await form.send(send, self.limits.told(used) if used else b"", named)
        form.counted.add(clock() - began)
