"""Who asks: from a bearer token to an Actor, without asking anyone about it.

Every service verifies tokens itself: EdDSA only, our issuer and audience, a key id out of the
published set. What was verified once is kept until it expires; the list of ended sessions is
read twice a second, so a log-out is dead everywhere within one second.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import structlog
from fastapi import Request

from lendery.contracts.base import Invalid, PeerUnavailable, SignInNeeded, one_line
from lendery.contracts.identity import Keys
from lendery.contracts.permissions import STRANGER, Actor, Permission

AUDIENCE = "lendery"
ALGORITHM = "EdDSA"
KEPT = 20_000
OVERLAP = timedelta(seconds=60)  # a log-out counts from its request, but is seen from its commit
LONGEST_REASON = 200
LONGEST = 2 * 3600  # seconds an access token may live at most
log = structlog.get_logger("lendery.identity")


class Identities:
    """Verifies access tokens with the keys that accounts publishes."""

    def __init__(self, keys: Keys, issuer: str) -> None:
        self._source = keys
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at = 0.0
        self._verified: OrderedDict[str, tuple[float, Actor]] = OrderedDict()
        self._revoked: dict[UUID, datetime] = {}
        self._revoked_to = datetime.now(UTC) - timedelta(seconds=LONGEST)
        self._watch: asyncio.Task[None] | None = None
        self.changes = 0  # moves when a token that was good may no longer be

    def kept(self, token: str) -> Actor | None:
        """The actor of a token verified before, unless it expired or its session ended."""
        found = self._verified.get(token)
        if found is None or found[0] <= time.time() or found[1].session_id in self._revoked:
            return None
        return found[1]

    def seated(self, token: str) -> tuple[float, Actor] | None:
        """The same, with the time (as time.time() counts) when it expires."""
        return self._verified[token] if self.kept(token) is not None else None

    async def of(self, token: str) -> Actor:
        """Raises SignInNeeded for a token that is not good now."""
        actor = self.kept(token)
        if actor is not None:
            return actor
        claims = await self._verify(token)
        actor = _actor(claims)
        if actor.session_id in self._revoked:
            raise SignInNeeded("You were signed out. Sign in again.")
        self._verified[token] = (float(claims["exp"]), actor)
        if len(self._verified) > KEPT:
            self._verified.popitem(last=False)
        return actor

    async def _verify(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(header)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={"require": ["exp", "iat", "sub", "sid", "role", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise SignInNeeded("This token is not valid here. Sign in again.") from error
        made, ends = claims["iat"], claims["exp"]
        if type(made) is not int or type(ends) is not int or ends - made > LONGEST:
            raise SignInNeeded("This token is not valid here. Sign in again.")
        return claims

    async def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        kid = header.get("kid")
        if header.get("typ") != "at+jwt" or not isinstance(kid, str):
            raise jwt.InvalidTokenError("not an access token")
        age = time.monotonic() - self._keys_at
        if not self._keys or age > 300 or (kid not in self._keys and age > 2):
            await self._read_keys(kid)
        if kid not in self._keys:
            raise jwt.InvalidKeyError("unknown key id")
        return self._keys[kid]

    async def _read_keys(self, wanted: str) -> None:
        try:
            published = await self._source.jwks()
        except PeerUnavailable:
            if wanted in self._keys:
                return  # accounts is away, and this key is known
            raise
        found = {each["kid"]: jwt.PyJWK(each) for each in published["keys"]}
        if self._keys.keys() - found.keys():
            self._verified.clear()  # a key was withdrawn: nothing it signed counts any more
            self.changes += 1
        self._keys, self._keys_at = found, time.monotonic()

    async def look(self) -> None:
        """Reads which sessions ended since the last look."""
        now = datetime.now(UTC)
        for each in await self._source.revoked_since(since=self._revoked_to - OVERLAP):
            if each.id not in self._revoked:
                self.changes += 1
            self._revoked[each.id] = each.at
        self._revoked_to = now
        oldest = now - timedelta(seconds=LONGEST)
        if len(self._revoked) > 1000:
            self._revoked = {key: at for key, at in self._revoked.items() if at > oldest}

    def start(self) -> None:
        self._watch = asyncio.create_task(self._watching())

    async def _watching(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # accounts is away: what we know still counts
                log.debug("revocations not read", why=type(error).__name__)
            await asyncio.sleep(0.4)

    async def stop(self) -> None:
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._watch


def _actor(claims: dict[str, Any]) -> Actor:
    try:
        return Actor(
            id=UUID(claims["sub"]),
            role=claims["role"],
            session_id=UUID(claims["sid"]),
            desk=UUID(claims["desk"]) if claims.get("desk") else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SignInNeeded("This token is not valid here. Sign in again.") from error


class Needs:
    """The permission an endpoint names. `Depends(Needs(...))` gives the Actor."""

    def __init__(self, permission: Permission | None) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Actor:
        actor: Actor = request.scope["state"].get("actor", STRANGER)
        if self.permission is not None:
            actor.must(self.permission)
        said = request.headers.get("lookup-reason")
        return actor.model_copy(update={"why": _reason(said)}) if said else actor


def _reason(said: str) -> str | None:
    """Why staff look at a person, as the header `Lookup-Reason` says it (UTF-8)."""
    with contextlib.suppress(UnicodeError):
        said = said.encode("latin-1").decode()
    try:
        reason = one_line(said)
    except ValueError as error:
        raise Invalid("Lookup-Reason: write one line of text.") from error
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"Lookup-Reason: write {LONGEST_REASON} characters or fewer.")
    return reason or None
