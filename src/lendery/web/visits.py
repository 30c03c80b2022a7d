"""Who looks at a page: the session in its cookies, renewed when it must be, and its form tokens.

The cookies hold the access and the refresh token of accounts and nothing of our own. A refresh
token is good for one use; requests that come with the same one at once share what the first got.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.accounts import InvalidGrant, TokenPair, Tokens
from lendery.contracts.base import Problem, SignInNeeded
from lendery.contracts.permissions import STRANGER, Actor, Permission
from lendery.platform.http.identity import Identities
from lendery.platform.settings import Settings

SHARED_FOR = timedelta(seconds=60)
SHARED_AT_MOST = 1000
CookieName = Literal["access", "refresh", "visitor", "desk"]


class FormExpired(Problem):
    """A form whose token does not belong to this session, or that another site sent."""

    status = 403


@dataclass
class Cookie:
    name: CookieName
    value: str
    lasts: int | None  # seconds; None: until the browser closes; 0: gone


@dataclass
class Visit:
    """One request of one person, or of a stranger."""

    actor: Actor
    signer: "Signer"
    visitor: str | None = None
    trouble: Problem | None = None  # accounts could not be asked who this is
    cookies: list[Cookie] = field(default_factory=list)
    personal: bool = False

    @property
    def signed_in(self) -> bool:
        return self.actor.id is not None

    @property
    def staff(self) -> bool:
        return self.actor.staff

    def must(self, permission: Permission) -> Actor:
        """The actor, who may do this; the page is then nobody else's to keep."""
        self.personal = True
        if self.trouble is not None and not self.signed_in:
            raise self.trouble
        self.actor.must(permission)
        return self.actor

    @property
    def me(self) -> UUID:
        if self.actor.id is None:
            raise SignInNeeded("Sign in first.")
        return self.actor.id

    @property
    def form_token(self) -> str:
        """What each form of this session carries. A stranger gets a cookie to tie it to."""
        self.personal = True
        if self.actor.session_id is None and self.visitor is None:
            self.visitor = secrets.token_urlsafe(18)
            self.cookies.append(Cookie("visitor", self.visitor, None))
        return self.signer.sign("form", self._tie())

    def _tie(self) -> str:
        return str(self.actor.session_id or self.visitor or "")

    def check_form(self, token: str) -> None:
        tie = self._tie()
        if not tie or not hmac.compare_digest(
            token.encode(), self.signer.sign("form", tie).encode()
        ):
            raise FormExpired("This form is no longer good. Nothing was changed.")

    def seal(self, purpose: str, text: str) -> str:
        """Text that comes back in a form, good only in this session."""
        return f"{self.signer.sign(purpose, self._tie() + text)}.{text}"

    def unseal(self, purpose: str, sealed: str) -> str | None:
        signature, _, text = sealed.partition(".")
        right = self.signer.sign(purpose, self._tie() + text)
        return text if hmac.compare_digest(signature.encode(), right.encode()) else None


@dataclass(frozen=True)
class Signer:
    """Signatures of this installation, a different one for each purpose."""

    secret: bytes

    def sign(self, purpose: str, text: str) -> str:
        key = hashlib.blake2b(f"web {purpose}".encode(), key=self.secret[:64]).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:40]


class Sessions:
    """Reads and writes the cookies, and renews what is in them."""

    def __init__(self, tokens: Tokens, identities: Identities, settings: Settings) -> None:
        self._tokens, self._identities = tokens, identities
        self._signer = Signer(hashlib.blake2b(settings.secret.get_secret_value().encode()).digest())
        self._public = urlsplit(settings.public_url)
        self.secure = self._public.scheme == "https"
        self._refresh_for = settings.refresh_token_days * 86_400
        self._renewals: OrderedDict[str, tuple[datetime, asyncio.Future[TokenPair]]] = OrderedDict()

    def cookie(self, name: CookieName) -> str:
        """`__Host-` keeps other hosts of the same domain from setting it (RFC 6265bis)."""
        return f"__Host-lendery_{name}" if self.secure else f"lendery_{name}"

    async def open(self, request: Request, now: datetime) -> Visit:
        visit = Visit(STRANGER, self._signer, request.cookies.get(self.cookie("visitor")))
        access = request.cookies.get(self.cookie("access"))
        refresh = request.cookies.get(self.cookie("refresh"))
        try:
            if access and (actor := await self._actor(access)):
                visit.actor = actor
            elif refresh:
                pair = await self._renewed(refresh, now)
                visit.actor = await self._identities.of(pair.access_token)
                self._keep(visit, pair)
        except (InvalidGrant, SignInNeeded):
            pass  # the session is over: a stranger
        except Problem as problem:
            visit.trouble = problem
        return visit

    async def _actor(self, access: str) -> Actor | None:
        try:
            return self._identities.kept(access) or await self._identities.of(access)
        except SignInNeeded:
            return None

    async def start(self, visit: Visit, pair: TokenPair) -> None:
        visit.actor = await self._identities.of(pair.access_token)
        visit.cookies.clear()
        self._keep(visit, pair)
        visit.cookies.append(Cookie("visitor", "", 0))

    async def end(self, request: Request, visit: Visit, now: datetime) -> None:
        for name in ("refresh", "access"):
            if token := request.cookies.get(self.cookie(name)):
                await self._tokens.revoke(token=token, now=now)
                break
        visit.actor = STRANGER
        visit.cookies = [Cookie("access", "", 0), Cookie("refresh", "", 0)]

    def _keep(self, visit: Visit, pair: TokenPair) -> None:
        visit.cookies.append(Cookie("access", pair.access_token, pair.expires_in))
        visit.cookies.append(Cookie("refresh", pair.refresh_token, self._refresh_for))

    async def _renewed(self, refresh: str, now: datetime) -> TokenPair:
        """Whoever comes with the same token within a minute gets the same pair."""
        digest = hashlib.sha256(refresh.encode()).hexdigest()
        while self._renewals and (
            next(iter(self._renewals.values()))[0] < now - SHARED_FOR
            or len(self._renewals) > SHARED_AT_MOST
        ):
            self._renewals.popitem(last=False)
        if digest in self._renewals:
            return await asyncio.shield(self._renewals[digest][1])
        asked = asyncio.ensure_future(self._tokens.refresh(refresh_token=refresh, now=now))
        self._renewals[digest] = (now, asked)
        try:
            return await asyncio.shield(asked)
        except Problem:
            self._renewals.pop(digest, None)
            raise

    def is_ours(self, request: Request) -> bool:
        """Whether a form was sent from a page of ours, as far as the browser says."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        host = urlsplit(origin).netloc
        return bool(host) and host in (request.headers.get("host"), self._public.netloc)

    def write(self, visit: Visit, response: Response) -> None:
        for each in visit.cookies:
            response.set_cookie(
                self.cookie(each.name),
                each.value,
                max_age=each.lasts,
                path="/",
                secure=self.secure,
                httponly=True,
                samesite="lax",
            )


def local_path(target: str | None, otherwise: str) -> str:
    """A path of ours to go to next; anything that could lead elsewhere is not one."""
    if not target or len(target) > 2000 or not target.startswith("/"):
        return otherwise
    if target.startswith("//") or "\\" in target or " " in target or not target.isprintable():
        return otherwise
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else otherwise
