"""Forged and bent access tokens, as every service meets them: through `Identities`."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lendery.accounts.keys import KeyRing, SigningKey
from lendery.accounts.tokens import SignIn
from lendery.contracts.base import SignInNeeded
from lendery.platform.http.identity import Identities
from lendery.platform.settings import Settings

from .conftest import PASSWORD, Joins

# What a token is worth does not depend on the database it came from.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
Parts = tuple[dict[str, Any], dict[str, Any], SigningKey]


def url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(head: dict[str, Any], claims: dict[str, Any], key: SigningKey) -> str:
    """Signed with our own private key, whatever the header says."""
    text = f"{url64(json.dumps(head).encode())}.{url64(json.dumps(claims).encode())}"
    return f"{text}.{url64(key.private.sign(text.encode()))}"


def hs256(secret: bytes) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    def forge(head: dict[str, Any], claims: dict[str, Any]) -> str:
        head = {**head, "alg": "HS256"}
        text = f"{url64(json.dumps(head).encode())}.{url64(json.dumps(claims).encode())}"
        return f"{text}.{url64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    return forge


def public(key: SigningKey, form: str) -> bytes:
    half = key.private.public_key()
    if form == "raw":
        return half.public_bytes_raw()
    if form == "x":
        return url64(half.public_bytes_raw()).encode()
    return half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


HEADS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "alg nOnE": {"alg": "nOnE"},
    "no alg": {"alg": None},
    "alg HS256": {"alg": "HS256"},
    "alg RS256": {"alg": "RS256"},
    "alg ES256": {"alg": "ES256"},
    "alg a list": {"alg": ["EdDSA"]},
    "kid unknown": {"kid": "unknown"},
    "kid missing": {"kid": None},
    "kid a path": {"kid": "../../../../dev/null"},
    "kid SQL": {"kid": "x' UNION SELECT 'key"},
    "kid a number": {"kid": 1},
    "kid a list": {"kid": ["x"]},
    "kid NUL": {"kid": "\x00"},
    "typ JWT": {"typ": "JWT"},
    "typ missing": {"typ": None},
    "typ service": {"typ": "service"},
    "b64 false": {"b64": False, "crit": ["b64"]},
}
CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "issuers": {"iss": ["http://127.0.0.1:8000"]},
    "another audience": {"aud": "service:accounts"},
    "no audience": {"aud": None},
    "expired": {"exp": int(time.time()) - 1},
    "no end": {"exp": None},
    "a huge end": {"exp": 10**12},
    "an end as text": {"exp": "tomorrow"},
    "an end beyond all": {"exp": 1e308},
    "issued tomorrow": {"iat": int(time.time()) + 86_400},
    "issued never": {"iat": None},
    "not yet": {"nbf": int(time.time()) + 600},
    "no session": {"sid": None},
    "a session that is none": {"sid": "x"},
    "nobody": {"sub": None},
    "a number": {"sub": 7},
    "another role": {"role": "root"},
    "no role": {"role": None},
    "roles": {"role": ["admin"]},
    "a desk that is none": {"desk": "x"},
}


@pytest.fixture
async def good(sign_in: SignIn, keys: KeyRing, joins: Joins, now: datetime) -> Parts:
    """Header, claims and key of a good token of Ann."""
    await joins("Ann")
    pair = await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="a", now=now)
    token = pair.access_token
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.get_unverified_header(token), claims, await keys.signing(now=now)


@pytest.fixture
def service(keys: KeyRing, settings: Settings) -> Identities:
    return Identities(keys, settings.public_url)


def bent(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in {**old, **new}.items() if v is not None}


async def refused(service: Identities, token: str) -> None:
    with pytest.raises(SignInNeeded):
        await service.of(token)
    assert service.kept(token) is None


async def test_the_good_one_is_good(service: Identities, good: Parts) -> None:
    assert (await service.of(signed(*good))).role == "reader"


@pytest.mark.parametrize("what", HEADS)
async def test_a_bent_header_is_refused(service: Identities, good: Parts, what: str) -> None:
    head, claims, key = good
    await refused(service, signed(bent(head, HEADS[what]), claims, key))
    unsigned = signed(bent(head, HEADS[what]), claims, key).rpartition(".")[0]
    await refused(service, f"{unsigned}.")


@pytest.mark.parametrize("what", CLAIMS)
async def test_bent_claims_are_refused_even_when_signed(
    service: Identities, good: Parts, what: str
) -> None:
    head, claims, key = good
    await refused(service, signed(head, bent(claims, CLAIMS[what]), key))


@pytest.mark.parametrize("form", ["pem", "raw", "x"])
async def test_the_public_key_is_no_secret_to_sign_with(
    service: Identities, good: Parts, form: str
) -> None:
    head, claims, key = good
    await refused(service, hs256(public(key, form))(head, claims))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
async def test_a_key_in_the_token_is_not_used(service: Identities, good: Parts, name: str) -> None:
    head, claims, _ = good
    thief = SigningKey("thief", Ed25519PrivateKey.generate())
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": public(thief, "x").decode(), "kid": "thief"}
    given = {"jwk": jwk, "jku": "http://127.0.0.1:9/keys", "x5u": "file:///k", "x5c": ["x"]}[name]
    for kid in (head["kid"], "thief"):
        await refused(service, signed({**head, name: given, "kid": kid}, claims, thief))


async def test_every_changed_character_is_noticed(service: Identities, good: Parts) -> None:
    token = signed(*good)
    for at in range(0, len(token) - 1, 7):
        other = "A" if token[at] != "A" else "B"
        await refused(service, token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize(
    "odd",
    ["", ".", "..", "a.b.c", "\x00", "é.é.é", "e30.e30.", "[" * 50_000, "null", "x" * 200_000,
     url64(b"[" * 20_000) + ".e30.e30"],
)  # fmt: skip
async def test_what_is_no_token_is_refused(service: Identities, good: Parts, odd: str) -> None:
    await refused(service, odd)


async def test_trailing_bytes_are_refused(service: Identities, good: Parts) -> None:
    token = signed(*good)
    for tail in (".", ".x", "x", "\n", "=", "\x00"):
        with pytest.raises(SignInNeeded):
            await service.of(token + tail)


async def test_claims_exchanged_between_two_good_tokens_are_refused(
    service: Identities, good: Parts
) -> None:
    head, claims, key = good
    mine = signed(head, claims, key).split(".")
    admins = signed(head, {**claims, "role": "admin", "sub": str(uuid4())}, key).split(".")
    await refused(service, f"{mine[0]}.{admins[1]}.{mine[2]}")
