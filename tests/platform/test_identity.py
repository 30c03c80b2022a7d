"""Who asks: what is kept of a token, and how long."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lendery.contracts.base import NotAllowed, PeerUnavailable, SignInNeeded, new_id
from lendery.contracts.identity import RevokedSession
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http import identity
from lendery.platform.http.identity import Identities, Needs

ISSUER = "http://library.test"


class Accounts:
    """The published keys and the ended sessions; away while it is told to be."""

    def __init__(self) -> None:
        self.keys = {"k1": Ed25519PrivateKey.generate()}
        self.ended: list[RevokedSession] = []
        self.fails: Exception | None = None
        self.asked = {"jwks": 0, "revoked": 0}

    async def jwks(self) -> dict[str, Any]:
        self.asked["jwks"] += 1
        if self.fails:
            raise self.fails
        listed = []
        for kid, key in self.keys.items():
            public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
            listed.append({**public, "kid": kid, "alg": "EdDSA", "use": "sig"})
        return {"keys": listed}

    async def revoked_since(self, *, since: datetime) -> list[RevokedSession]:
        self.asked["revoked"] += 1
        if self.fails:
            raise self.fails
        return [each for each in self.ended if each.at >= since]

    def token(self, kid: str = "k1", **but: Any) -> str:
        now = int(datetime.now(UTC).timestamp())  # PyJWT's clock: not moved by these tests
        claims = {
            "iss": ISSUER,
            "aud": "lendery",
            "sub": str(new_id()),
            "sid": str(new_id()),
            "role": "reader",
            "iat": now,
            "exp": now + 600,
            **but,
        }
        headers = {"kid": kid, "typ": "at+jwt"}
        return jwt.encode(claims, self.keys[kid], algorithm="EdDSA", headers=headers)


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def identities(accounts: Accounts) -> Identities:
    return Identities(accounts, ISSUER)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Both clocks go on."""
    later, wall, steady = [0.0], time.time, time.monotonic
    monkeypatch.setattr(identity.time, "time", lambda: wall() + later[0])
    monkeypatch.setattr(identity.time, "monotonic", lambda: steady() + later[0])

    def forward(seconds: float) -> None:
        later[0] += seconds

    return forward


async def test_a_token_says_who_it_is(accounts: Accounts, identities: Identities) -> None:
    ann, session, desk = new_id(), new_id(), new_id()
    token = accounts.token(sub=str(ann), sid=str(session), role="librarian", desk=str(desk))
    assert identities.kept(token) is None
    actor = await identities.of(token)
    assert actor == Actor(id=ann, role="librarian", session_id=session, desk=desk)
    assert identities.kept(token) == actor


async def test_keys_are_asked_for_once(accounts: Accounts, identities: Identities) -> None:
    for _ in range(20):
        await identities.of(accounts.token())
    assert accounts.asked["jwks"] == 1


async def test_a_kept_token_ends_when_it_says(
    accounts: Accounts, identities: Identities, wait: Callable[[float], None]
) -> None:
    token = accounts.token(exp=int(time.time()) + 30)
    await identities.of(token)
    wait(29)
    assert identities.kept(token) is not None
    wait(2)
    assert identities.kept(token) is None


async def test_an_expired_token_is_refused(accounts: Accounts, identities: Identities) -> None:
    now = int(time.time())
    with pytest.raises(SignInNeeded):
        await identities.of(accounts.token(iat=now - 700, exp=now - 1))


async def test_a_session_that_ended_is_dead_at_the_next_look(
    accounts: Accounts, identities: Identities
) -> None:
    session = new_id()
    tokens = [accounts.token(sid=str(session)) for _ in range(3)]
    other = accounts.token()
    for token in (*tokens[:2], other):
        await identities.of(token)
    accounts.ended.append(RevokedSession(id=session, at=datetime.now(UTC)))
    await identities.look()
    assert [identities.kept(token) for token in tokens] == [None] * 3
    for token in tokens:
        with pytest.raises(SignInNeeded):
            await identities.of(token)
    assert identities.kept(other) is not None


async def test_a_session_that_ended_long_before_we_started_stays_dead(
    accounts: Accounts, identities: Identities
) -> None:
    session = new_id()
    accounts.ended.append(RevokedSession(id=session, at=datetime.now(UTC) - timedelta(minutes=50)))
    await identities.look()
    with pytest.raises(SignInNeeded):
        await identities.of(accounts.token(sid=str(session)))


async def test_the_watch_looks_by_itself_and_survives_any_failure(
    accounts: Accounts, identities: Identities
) -> None:
    session = new_id()
    token = accounts.token(sid=str(session))
    await identities.of(token)
    accounts.fails = RuntimeError("the database went away")
    identities.start()
    await asyncio.sleep(0.05)
    accounts.fails = PeerUnavailable("away")
    await asyncio.sleep(0.45)
    assert identities.kept(token) is not None
    accounts.fails = None
    accounts.ended.append(RevokedSession(id=session, at=datetime.now(UTC)))
    async with asyncio.timeout(1):
        while identities.kept(token) is not None:
            await asyncio.sleep(0.02)
    await identities.stop()


async def test_while_accounts_is_away_what_is_known_still_counts(
    accounts: Accounts, identities: Identities, wait: Callable[[float], None]
) -> None:
    known, ended = accounts.token(exp=int(time.time()) + 5000), new_id()
    await identities.of(known)
    accounts.ended.append(RevokedSession(id=ended, at=datetime.now(UTC)))
    await identities.look()
    accounts.fails = PeerUnavailable("accounts does not answer")
    wait(1000)  # the keys would be asked for anew
    assert await identities.of(known)
    assert await identities.of(accounts.token())
    with pytest.raises(SignInNeeded):
        await identities.of(accounts.token(sid=str(ended)))


async def test_while_accounts_is_away_an_unknown_key_is_no_refusal_but_unknown(
    accounts: Accounts, identities: Identities
) -> None:
    accounts.fails = PeerUnavailable("accounts does not answer")
    with pytest.raises(PeerUnavailable):
        await identities.of(accounts.token())


async def test_a_new_key_is_found_soon_and_strange_ones_do_not_flood_accounts(
    accounts: Accounts, identities: Identities, wait: Callable[[float], None]
) -> None:
    await identities.of(accounts.token())
    accounts.keys["k2"] = Ed25519PrivateKey.generate()
    wait(3)
    assert await identities.of(accounts.token("k2"))
    strange = Accounts()
    for _ in range(30):
        with pytest.raises(SignInNeeded):
            await identities.of(strange.token())
    strange.keys["k9"] = Ed25519PrivateKey.generate()
    before = accounts.asked["jwks"]
    for _ in range(30):
        with pytest.raises(SignInNeeded):
            await identities.of(strange.token("k9"))
    assert accounts.asked["jwks"] - before <= 1


async def test_a_withdrawn_key_counts_no_more(
    accounts: Accounts, identities: Identities, wait: Callable[[float], None]
) -> None:
    token = accounts.token(exp=int(time.time()) + 5000)
    await identities.of(token)
    accounts.keys["k2"] = Ed25519PrivateKey.generate()
    second = accounts.token("k2")
    del accounts.keys["k1"]
    wait(301)
    assert await identities.of(second)
    assert identities.kept(token) is None


async def test_only_so_many_tokens_are_kept(
    accounts: Accounts, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "KEPT", 3)
    tokens = [accounts.token() for _ in range(5)]
    for token in tokens:
        await identities.of(token)
    kept = [identities.kept(token) is not None for token in tokens]
    assert kept == [False, False, True, True, True]


@pytest.mark.parametrize(
    "but",
    [
        {"iss": "http://elsewhere.test"},
        {"aud": "service:accounts"},
        {"sub": "no id"},
        {"sid": "no id"},
        {"role": "root"},
        {"role": None},
        {"desk": "no id"},
        {"exp": int(time.time()) + 10**6},
    ],
)
async def test_claims_that_make_no_sense_are_refused(
    accounts: Accounts, identities: Identities, but: dict[str, Any]
) -> None:
    token = accounts.token(**but)
    with pytest.raises(SignInNeeded):
        await identities.of(token)
    assert identities.kept(token) is None


async def test_an_endpoint_gets_the_actor_or_refuses() -> None:
    from starlette.requests import Request

    def request(**state: Any) -> Request:
        return Request({"type": "http", "headers": [], "state": state})

    ann = Actor(id=UUID(int=7), role="reader")
    assert await Needs(Permission.BORROW)(request(actor=ann)) == ann
    assert (await Needs(None)(request())).id is None
    with pytest.raises(SignInNeeded):
        await Needs(Permission.BORROW)(request())
    with pytest.raises(NotAllowed):
        await Needs(Permission.LEND)(request(actor=ann))
    with pytest.raises(SignInNeeded):
        await Needs(Permission.BORROW)(request(visitor=ann))
