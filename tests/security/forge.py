"""Tokens that were never issued, and a few that only a thief of the key could make."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lendery.main import wire
from lendery.platform.settings import Settings
from tests.system import System

Signer = Callable[[bytes], bytes]


def url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def part(value: Any) -> str:
    return url64(value if isinstance(value, bytes) else json.dumps(value).encode())


def unpart(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@dataclass(frozen=True)
class Forge:
    """A real token taken apart, the published key, and the private one for the worst case."""

    token: str
    private: Ed25519PrivateKey
    jwk: dict[str, Any]

    @classmethod
    def of(cls, system: System, token: str) -> "Forge":
        unit = next(name for name, parts in system.units.items() if "accounts" in parts)
        secret = system.environments[unit]["LENDERY_SECRET"]
        contexts = frozenset({"accounts"})
        settings = Settings(database_url=system.databases[unit], secret=secret, contexts=contexts)
        jwks = httpx2.get(f"{system.urls['accounts']}/api/v1/auth/jwks.json").json()
        return cls(token, asyncio.run(_private_key(settings)), jwks["keys"][0])

    @property
    def header(self) -> dict[str, Any]:
        found: dict[str, Any] = unpart(self.token.split(".")[0])
        return found

    @property
    def claims(self) -> dict[str, Any]:
        found: dict[str, Any] = unpart(self.token.split(".")[1])
        return found

    def made(self, header: dict[str, Any], claims: Any, sign: Signer | None = None) -> str:
        """A token with exactly these parts; without `sign`, signed by the library's own key."""
        body = f"{part(header)}.{part(claims)}"
        return f"{body}.{url64((sign or self.private.sign)(body.encode()))}"

    def tampered(self) -> Iterator[tuple[str, str]]:
        """What somebody can make who has one good token and the published key."""
        head, body, signature = self.token.split(".")
        header, claims = self.header, self.claims
        for alg in ("none", "None", "nOnE", "NONE", ""):
            yield f"alg {alg!r}, unsigned", self.made({**header, "alg": alg}, claims, lambda _: b"")
            yield f"alg {alg!r}, signed", f"{part({**header, 'alg': alg})}.{body}.{signature}"
        yield "no alg", f"{part({'kid': header['kid'], 'typ': header['typ']})}.{body}.{signature}"
        yield "empty signature", f"{head}.{body}."
        yield "no signature", f"{head}.{body}"
        for name, key in self._public_forms().items():
            for alg, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
                yield (
                    f"{alg} with the public key as {name}",
                    self.made({**header, "alg": alg}, claims, _hmac(key, digest)),
                )
        admin = {**claims, "role": "admin"}
        yield "another role, the old signature", f"{head}.{part(admin)}.{signature}"
        yield "signed twice over", f"{self.token}.{signature}"
        yield "bytes after it", f"{self.token}AAAA"
        yield "a letter after it", f"{self.token}A"
        yield "padding after it", f"{self.token}="
        yield "rubbish in the signature", f"{head}.{body}.!{signature}"
        yield "rubbish in the claims", f"{head}.{body}!.{signature}"
        yield "nothing but dots", ".."
        yield "letters", "token"
        yield "a deep header", f"{part(b'[' * 100_000)}.{body}.{signature}"
        yield "deep claims", f"{head}.{part(b'[' * 100_000)}.{signature}"
        yield "a header that is a list", f"{part([])}.{body}.{signature}"

    def _public_forms(self) -> dict[str, bytes]:
        public = self.private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "pem": pem,
            "pem without its last line break": pem.strip(),
            "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "raw": public.public_bytes_raw(),
            "x": self.jwk["x"].encode(),
            "nothing": b"",
        }

    def strange_keys(self) -> Iterator[tuple[str, str]]:
        """Signed by a key of one's own, pointing the library at it."""
        own = Ed25519PrivateKey.generate()
        x = url64(own.public_key().public_bytes_raw())
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "own", "alg": "EdDSA"}
        header, claims = self.header, {**self.claims, "role": "admin"}
        yield "the right id", self.made(header, claims, own.sign)
        for kid in (
            "own",
            "",
            "../../../../dev/null",
            "/dev/null",
            "' OR '1'='1",
            "x' UNION SELECT 'AAAA",
            "\x00",
            "a" * 100_000,
            None,
            0,
            [header["kid"]],
            {"kid": header["kid"]},
        ):
            yield f"kid {kid!r:.40}", self.made({**header, "kid": kid}, claims, own.sign)
        for extra in (
            {"jwk": jwk},
            {"jku": "http://127.0.0.1:1/jwks.json"},
            {"x5u": "http://127.0.0.1:1/cert"},
            {"x5c": ["AAAA"]},
        ):
            yield (
                f"{next(iter(extra))} in the header",
                self.made({**header, **extra}, claims, own.sign),
            )

    def misissued(self) -> Iterator[tuple[str, str]]:
        """Rightly signed, and yet wrong: for others, out of time, of another kind."""
        now, claims = int(time.time()), self.claims
        wrong: dict[str, dict[str, Any]] = {
            "expired": {"iat": now - 600, "exp": now - 60},
            "issued in the future": {"iat": now + 600, "exp": now + 1200},
            "not good before later": {"nbf": now + 600},
            "good for ten years": {"exp": now + 315_360_000},
            "another issuer": {"iss": "https://elsewhere.example"},
            "another audience": {"aud": "elsewhere"},
            "a service's audience": {"aud": "service:accounts"},
            "a role nobody has": {"role": "superuser"},
            "a subject that is no id": {"sub": "admin"},
            "a session that is no id": {"sid": "' OR '1'='1"},
        }
        for name in ("exp", "iat", "iss", "aud", "sub", "sid", "role"):
            wrong[f"{name} null"] = {name: None}
            without = {key: value for key, value in claims.items() if key != name}
            yield f"{name} missing", self.made(self.header, without)
        for value in (str(now + 300), "tomorrow", 1e308, float("inf"), float("nan"), [now], 10**40):
            wrong[f"exp {value!r:.30}"] = {"exp": value}
            wrong[f"iat {value!r:.30}"] = {"iat": value}
        for name, change in wrong.items():
            yield name, self.made(self.header, {**claims, **change})
        for typ in ("JWT", "service", "", None, 7):
            yield f"typ {typ!r}", self.made({**self.header, "typ": typ}, claims)
        yield "claims that are a list", self.made(self.header, [claims])

    def of_a_service(self, system: System) -> str:
        """A token by which one service speaks to another."""
        secret = next(iter(system.environments.values()))["LENDERY_SECRET"]
        return service_token(secret, "accounts")


def service_token(secret: str, audience: str, **but: Any) -> str:
    now = int(time.time())
    claims = {"iss": "test", "aud": f"service:{audience}", "iat": now, "exp": now + 60, **but}
    key = f"lendery-service-token:{secret}"
    body = f"{part({'alg': 'HS256', 'typ': 'service'})}.{part(claims)}"
    return f"{body}.{url64(_hmac(key.encode(), hashlib.sha256)(body.encode()))}"


def _hmac(key: bytes, digest: Any) -> Signer:
    return lambda body: hmac.new(key, body, digest).digest()


async def _private_key(settings: Settings) -> Ed25519PrivateKey:
    wiring = wire(settings)
    try:
        return (await wiring.keys.signing(now=datetime.now(UTC))).private  # type: ignore[attr-defined]
    finally:
        await wiring.close()
