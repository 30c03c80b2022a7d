"""Signing keys: made on first need, changed every 30 days, published until nothing needs them.

The private half is kept sealed (AES-256-GCM) under a key derived from the installation's
secret, so a copy of the database alone signs nothing.
"""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lendery.accounts.repository import keys as rows
from lendery.accounts.repository import sessions
from lendery.contracts.identity import RevokedSession
from lendery.platform.db import Database, Duplicate
from lendery.platform.http.identity import ALGORITHM, LONGEST
from lendery.platform.settings import Settings

SIGNS_FOR = timedelta(days=30)
PUBLISHED_FOR = timedelta(seconds=LONGEST)  # after retiring: longer than any token lives


class SigningKeyIsSealed(RuntimeError):
    """The private key cannot be opened: it was sealed with another LENDERY_SECRET."""


@dataclass(frozen=True)
class SigningKey:
    kid: str
    private: Ed25519PrivateKey


@dataclass(frozen=True)
class KeyRing:
    """The keys of one installation. Any number of processes agree through the database."""

    db: Database
    settings: Settings
    _opened: dict[str, SigningKey] = field(default_factory=dict, repr=False, compare=False)

    async def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517). Empty until somebody signs in for the first time."""
        async with self.db.read() as session:
            return {"keys": await rows.published(session)}

    async def revoked_since(self, *, since: datetime) -> list[RevokedSession]:
        """Sessions that ended after `since`, in that order."""
        async with self.db.read() as session:
            return await sessions.ended_since(session, since=since)

    async def signing(self, *, now: datetime) -> SigningKey:
        """The key that signs now, made or renewed where needed. Raises SigningKeyIsSealed."""
        while True:
            async with self.db.read() as session:
                known = await rows.all_keys(session)
            current = next((row for row in known if row.retired_at is None), None)
            if current is not None and now - current.created_at < SIGNS_FOR:
                break
            await self._replace(current.kid if current else None, now)
        if any(row.retired_at and row.retired_at <= now - PUBLISHED_FOR for row in known):
            async with self.db.begin() as tx:
                await rows.forget_retired(tx, before=now - PUBLISHED_FOR)
        return self._open(current.kid, current.sealed)

    async def rotate(self, *, now: datetime, distrust: bool = False) -> str:
        """A new key signs from now on; returns its id.

        The old one is published until its tokens have expired. With `distrust` (it leaked) it
        is not: its tokens die wherever the keys are read again, within five minutes.
        """
        async with self.db.read() as session:
            known = await rows.all_keys(session)
        current = next((row.kid for row in known if row.retired_at is None), None)
        await self._replace(current, now, distrust=distrust)
        async with self.db.read() as session:
            newest = await rows.all_keys(session)
        return next(str(row.kid) for row in newest if row.retired_at is None)

    async def _replace(self, current: str | None, now: datetime, *, distrust: bool = False) -> None:
        """Does nothing when another process was faster."""
        private = Ed25519PrivateKey.generate()
        jwk = _published(private)
        try:
            async with self.db.begin() as tx:
                if current is not None and not await rows.retire(tx, kid=current, now=now):
                    return
                if distrust:
                    await rows.forget_retired(tx, before=now)
                await rows.add(
                    tx,
                    kid=jwk["kid"],
                    algorithm=ALGORITHM,
                    sealed=self._seal(jwk["kid"], private),
                    public_jwk=jwk,
                    now=now,
                )
        except Duplicate:
            return

    def _seal(self, kid: str, private: Ed25519PrivateKey) -> str:
        nonce = os.urandom(12)
        sealed = self._box().encrypt(nonce, private.private_bytes_raw(), kid.encode())
        return base64.b64encode(nonce + sealed).decode()

    def _open(self, kid: str, sealed: str) -> SigningKey:
        if kid not in self._opened:
            raw = base64.b64decode(sealed)
            try:
                private = self._box().decrypt(raw[:12], raw[12:], kid.encode())
            except InvalidTag as error:
                raise SigningKeyIsSealed(
                    "The signing key in the database was sealed with another LENDERY_SECRET. "
                    "Give every process the secret it was made with. If the secret was changed "
                    "on purpose, rotate the signing keys; everybody signs in again."
                ) from error
            self._opened.clear()
            self._opened[kid] = SigningKey(kid, Ed25519PrivateKey.from_private_bytes(private))
        return self._opened[kid]

    def _box(self) -> AESGCM:
        secret = self.settings.secret.get_secret_value().encode()
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"lendery signing keys")
        return AESGCM(derive.derive(secret))


def _published(private: Ed25519PrivateKey) -> dict[str, Any]:
    """The public half as RFC 8037 writes it; its id is its thumbprint (RFC 7638)."""
    public = _url64(private.public_key().public_bytes_raw())
    shape = {"crv": "Ed25519", "kty": "OKP", "x": public}
    thumbprint = hashlib.sha256(json.dumps(shape, separators=(",", ":")).encode()).digest()
    return {**shape, "kid": _url64(thumbprint), "alg": ALGORITHM, "use": "sig"}


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
