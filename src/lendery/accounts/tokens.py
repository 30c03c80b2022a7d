"""Signing in: log-in sessions, access tokens (RFC 9068) and refresh tokens (RFC 9700, 4.14)."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import jwt
from pydantic import TypeAdapter, ValidationError

from lendery.accounts import passwords, rules
from lendery.accounts.keys import KeyRing, SigningKey
from lendery.accounts.repository import people
from lendery.accounts.repository import sessions as rows
from lendery.accounts.throttle import Throttle
from lendery.contracts.accounts import Email, InvalidGrant, Password, TokenPair, WrongCredentials
from lendery.contracts.base import SignInNeeded, new_id
from lendery.contracts.permissions import GRANTED, Actor, Permission
from lendery.platform.db import Database
from lendery.platform.http.identity import ALGORITHM, AUDIENCE
from lendery.platform.settings import Settings

GRACE = timedelta(seconds=5)
EMAIL: TypeAdapter[str] = TypeAdapter(Email)
PASSWORD: TypeAdapter[str] = TypeAdapter(Password)
WRONG = "The e-mail address or the password is wrong."


@dataclass(frozen=True)
class SignIn:
    """A session is a family of refresh tokens, each good for one use.

    Of many who use one token at once, one gets the next pair. For 5 seconds after that a repeat
    is taken for a double click: refused, and no more. Later it means that somebody has a copy:
    the whole family is revoked, and whoever held it signs in again.
    """

    db: Database
    settings: Settings
    _gate: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(passwords.AT_ONCE), repr=False, compare=False
    )

    @cached_property
    def keys(self) -> KeyRing:
        return KeyRing(self.db, self.settings)

    @cached_property
    def throttle(self) -> Throttle:
        return Throttle(self.db, self.settings)

    async def log_in(self, *, email: str, password: str, address: str, now: datetime) -> TokenPair:
        """Raises WrongCredentials, or TooManyRequests after too many of them.

        An unknown e-mail, a wrong password and an account that is closed are told the same, and
        take the same time: the password is always looked at.
        """
        name = _email(email)
        async with self.db.read() as session:
            known = await people.credentials_of_email(session, email=name) if name else None
        key = await self.keys.signing(now=now)
        async with self._gate:
            attempt = await self.throttle.admit(email=name or email, address=address, now=now)
            kept = known.password_hash if known else None
            right, better = await passwords.matches(password, kept)
            if not right or known is None or not known.active:
                await self.throttle.failed(attempt)
                raise WrongCredentials(WRONG, error="invalid_grant")
            session_id, refresh_token = new_id(), _new_token()
            expires_at = now + timedelta(days=self.settings.refresh_token_days)
            async with self.db.begin() as tx:
                person = await rows.who(tx, user_id=known.id)
                if not person.active or person.password_hash != kept:  # changed meanwhile
                    raise WrongCredentials(WRONG, error="invalid_grant")
                if better:
                    await people.set_password(tx, user_id=known.id, kept=better)
                await self.throttle.succeeded(tx, attempt)
                await rows.open_session(
                    tx,
                    session_id=session_id,
                    user_id=known.id,
                    digest=_digest(refresh_token),
                    expires_at=expires_at,
                    now=now,
                )
        return self._pair(key, person, session_id, refresh_token, expires_at, now)

    async def refresh(self, *, refresh_token: str, now: datetime) -> TokenPair:
        """The next pair of this session. Raises InvalidGrant."""
        digest, next_token = _digest(refresh_token), _new_token()
        async with self.db.read() as session:
            known = await rows.refresh_of(session, digest=digest)
        if known is None:
            raise _refused()
        key = await self.keys.signing(now=now)
        async with self.db.begin() as tx:
            person = await rows.who(tx, user_id=known.user_id)  # locked: one refresh at a time
            token = await rows.refresh_of(tx, digest=digest)
            if token is None:  # forgotten meanwhile
                raise _refused()
            good = _is_good(token, now) and person.active
            if good:
                await rows.continue_session(
                    tx,
                    session_id=token.session_id,
                    used=digest,
                    digest=_digest(next_token),
                    now=now,
                )
            elif token.used_at and now - token.used_at > GRACE:
                await rows.end(tx, session_id=token.session_id, now=now)
        if not good:
            raise _refused()
        return self._pair(key, person, token.session_id, next_token, token.expires_at, now)

    async def revoke(self, *, token: str, now: datetime) -> None:
        """Ends the session of a refresh or access token; an unknown one is fine (RFC 7009)."""
        async with self.db.read() as session:
            known = await rows.refresh_of(session, digest=_digest(token))
        session_id = known.session_id if known else await self._session_of(token)
        if session_id is not None:
            async with self.db.begin() as tx:
                await rows.end(tx, session_id=session_id, now=now)

    async def _session_of(self, token: str) -> UUID | None:
        """The session that an access token of ours names, even one that has expired."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            published = (await self.keys.jwks())["keys"]
            key = next((each for each in published if each["kid"] == kid), None)
            if key is None:
                return None
            claims = jwt.decode(
                token,
                jwt.PyJWK(key),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self.settings.public_url,
                options={"verify_exp": False, "require": ["sid"]},
            )
            return UUID(claims["sid"])
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError):
            return None

    async def change_password(self, *, current: str, new: str, actor: Actor, now: datetime) -> None:
        """Ends all other sessions. Raises WrongCredentials when `current` is not the password."""
        actor.must(Permission.OWN_ACCOUNT)
        if actor.id is None:
            raise SignInNeeded("Sign in first.")
        _must_be_good(new)
        async with self.db.read() as session:
            known = await people.credentials(session, user_id=actor.id)
        async with self._gate:
            whom = f"user {actor.id}"
            attempt = await self.throttle.admit(email=whom, address=whom, now=now)
            kept = known.password_hash if known else None
            right, _ = await passwords.matches(current, kept)
            if not right:
                await self.throttle.failed(attempt)
                raise WrongCredentials("The current password is wrong.", error="invalid_grant")
            hashed = await passwords.hashed(new)
            async with self.db.begin() as tx:
                person = await rows.who(tx, user_id=actor.id)
                if person.password_hash != kept:
                    raise WrongCredentials("The password was changed meanwhile.")
                await people.set_password(tx, user_id=actor.id, kept=hashed)
                await rows.end_others(tx, user_id=actor.id, but=actor.session_id, now=now)
                await self.throttle.succeeded(tx, attempt)

    def _pair(
        self,
        key: SigningKey,
        person: Any,
        session_id: UUID,
        refresh_token: str,
        expires_at: datetime,
        now: datetime,
    ) -> TokenPair:
        issued = int(now.timestamp())
        life = min(self.settings.access_token_minutes * 60, int(expires_at.timestamp()) - issued)
        claims = {
            "iss": self.settings.public_url,
            "aud": AUDIENCE,
            "sub": str(person.id),
            "sid": str(session_id),
            "role": person.role,
            "iat": issued,
            "exp": issued + life,
            "jti": new_id().hex,
        }
        if person.home_branch_id and Permission.LEND in GRANTED[person.role]:
            claims["desk"] = str(person.home_branch_id)
        headers = {"kid": key.kid, "typ": "at+jwt"}
        token = jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)
        return TokenPair(access_token=token, refresh_token=refresh_token, expires_in=life)


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _is_good(token: Any, now: datetime) -> bool:
    return token.used_at is None and token.revoked_at is None and token.expires_at > now


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _refused() -> InvalidGrant:
    return InvalidGrant("This refresh token is not good any more.", error="invalid_grant")


def _email(text: str) -> str | None:
    """The address as accounts keep it; None for what cannot be one."""
    try:
        return EMAIL.validate_python(text)
    except ValidationError:
        return None


def _must_be_good(password: str) -> None:
    try:
        PASSWORD.validate_python(password)
    except ValidationError as error:
        raise rules.refused_field("new", "A password has 10 to 256 characters.") from error
