"""The layer that counts requests: so many a minute for each person or address."""

import ipaddress
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lendery.contracts.base import TooManyRequests
from lendery.contracts.permissions import STRANGER, Actor
from lendery.platform.http.edge import refuse
from lendery.platform.metrics import LIMITED


class RateLimited:
    """So many requests a minute for a person, else for an address (IPv6: its /64). Staff: none."""

    def __init__(self, app: ASGIApp, per_minute: int, trusted: frozenset[str]) -> None:
        self.app, self.per_minute, self.trusted = app, per_minute, trusted
        self.policy = f'"default";q={per_minute};w=60'.encode()
        self.window = 0
        self.left_of_minute = 60
        self.counts: dict[str, int] = {}
        self._addresses: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"]
        actor: Actor = state.get("actor") or state.get("visitor") or STRANGER
        if actor.staff or state.get("service"):
            await self.app(scope, receive, send)
            return
        who = actor.id.hex if actor.id else self.address(scope)
        used = self.counts[who] = self.used(who) + 1
        if used > self.per_minute:
            reset = self.left_of_minute
            LIMITED.inc()
            says = f"More than {self.per_minute} requests a minute. Wait {reset} seconds."
            await refuse(scope, receive, send, TooManyRequests(says, retry_after=reset))
            return
        told = [(b"ratelimit-policy", self.policy), (b"ratelimit", self.told(used))]

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *told]
            await send(message)

        await self.app(scope, receive, telling)

    def used(self, who: str) -> int:
        """How many requests of theirs were counted in this minute."""
        now = int(time.time())
        if now // 60 != self.window:
            self.window, self.counts = now // 60, {}
        self.left_of_minute = 60 - now % 60
        return self.counts.get(who, 0)

    def told(self, used: int) -> bytes:
        """What is left, as the header says it; behind `used()`."""
        return b'"default";r=%d;t=%d' % (self.per_minute - used, self.left_of_minute)

    def address(self, scope: Scope) -> str:
        """Who is at the other end, remembered where no proxy speaks for them."""
        client = scope.get("client")
        peer = client[0] if client else ""
        known = self._addresses.get(peer)
        if known is None:
            known = address(scope, self.trusted)
            if peer and _plain(peer) not in self.trusted:
                if len(self._addresses) > 10_000:
                    self._addresses.clear()
                self._addresses[peer] = known
        return known


def address(scope: Scope, trusted: frozenset[str]) -> str:
    """Who is at the other end; X-Forwarded-For counts only from a trusted proxy."""
    peer = _plain(scope["client"][0]) if scope.get("client") else "unknown"
    if peer in trusted:
        # a proxy may add a line of its own below one that the client sent: all are one list
        lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = [_plain(each.strip()) for each in b",".join(lines).decode("latin-1").split(",")]
        for hop in reversed([each for each in hops if each]):
            peer = hop
            if hop not in trusted:
                break
    if ":" in peer:
        try:
            return str(ipaddress.ip_network(f"{peer}/64", strict=False))
        except ValueError:
            return "unknown"
    return peer


def _plain(text: str) -> str:
    """Without the clothes that IPv4 wears on a socket for both: ::ffff:192.0.2.1."""
    return text[7:] if text.lower().startswith("::ffff:") and "." in text else text
