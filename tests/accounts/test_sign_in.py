import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from pydantic import SecretStr

from lendery.accounts.keys import KeyRing
from lendery.accounts.people import PeopleDesk
from lendery.accounts.tokens import SignIn
from lendery.contracts.accounts import InvalidGrant, TokenPair, WrongCredentials
from lendery.contracts.base import Invalid, NotAllowed, SignInNeeded
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.platform.db import Database
from lendery.platform.http.identity import Identities
from lendery.platform.settings import Settings

from .conftest import PASSWORD, SECRET, Joins, count

SECOND = timedelta(seconds=1)


async def signed_in(sign_in: SignIn, now: datetime, email: str = "ann@example.org") -> TokenPair:
    return await sign_in.log_in(email=email, password=PASSWORD, address="1.2.3.4", now=now)


def claims_of(pair: TokenPair) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(pair.access_token, options={"verify_signature": False})
    return claims


async def ended(keys: KeyRing, now: datetime) -> set[UUID]:
    return {each.id for each in await keys.revoked_since(since=now - 60 * SECOND)}


async def test_a_token_says_who_and_where(
    sign_in: SignIn, keys: KeyRing, settings: Settings, joins: Joins, now: datetime
) -> None:
    branch = uuid4()
    lou = await joins("Lou", "librarian", home_branch_id=branch)
    pair = await sign_in.log_in(
        email=" LOU@example.ORG", password=PASSWORD, address="1.2.3.4", now=now
    )
    actor = await Identities(keys, settings.public_url).of(pair.access_token)
    claims = claims_of(pair)
    assert actor == Actor(
        id=lou.id, role="librarian", session_id=UUID(str(claims["sid"])), desk=branch
    )
    assert claims["iss"] == settings.public_url and claims["aud"] == "lendery"
    assert claims["iat"] == int(now.timestamp())
    assert int(str(claims["exp"])) - int(now.timestamp()) == pair.expires_in == 600
    assert jwt.get_unverified_header(pair.access_token)["typ"] == "at+jwt"
    assert len(pair.refresh_token) >= 43 and pair.token_type == "Bearer"


async def test_a_readers_token_names_no_desk(sign_in: SignIn, joins: Joins, now: datetime) -> None:
    await joins("Ann", home_branch_id=uuid4())
    assert "desk" not in claims_of(await signed_in(sign_in, now))


async def test_the_unknown_the_wrong_and_the_closed_are_told_the_same(
    sign_in: SignIn, desk: PeopleDesk, joins: Joins, db: Database, now: datetime
) -> None:
    await joins("Ann")
    ben, cy = await joins("Ben"), await joins("Cy")
    await joins("Di", password=None)
    await desk.change(user_id=ben.id, changes={"active": False}, actor=SYSTEM, now=now)
    await desk.remove(user_id=cy.id, actor=SYSTEM, now=now)
    said = set()
    for email, password in (
        ("ann@example.org", "something else"),
        ("ann@example.org", ""),
        ("nobody@example.org", PASSWORD),
        ("ben@example.org", PASSWORD),
        ("cy@example.org", PASSWORD),
        ("di@example.org", PASSWORD),
        ("di@example.org", "nobody's password"),
        ("not an address", PASSWORD),
        ("\x00@example.org", PASSWORD),
        ("\ud800@example.org", PASSWORD),
        ("a" * 100_000, PASSWORD),
        ("ann@example.org", PASSWORD + "\x00"),
    ):
        with pytest.raises(WrongCredentials) as refused:
            await sign_in.log_in(email=email, password=password, address="a", now=now)
        said.add((refused.value.detail, refused.value.extra["error"]))
    assert said == {("The e-mail address or the password is wrong.", "invalid_grant")}
    assert await count(db, "accounts_session") == 0


async def test_a_refresh_token_is_good_once_and_gives_the_next(
    sign_in: SignIn, keys: KeyRing, joins: Joins, db: Database, now: datetime
) -> None:
    await joins("Ann")
    first = await signed_in(sign_in, now)
    second = await sign_in.refresh(refresh_token=first.refresh_token, now=now + 60 * SECOND)
    third = await sign_in.refresh(refresh_token=second.refresh_token, now=now + 120 * SECOND)
    assert len({p.refresh_token for p in (first, second, third)}) == 3
    assert len({claims_of(p)["jti"] for p in (first, second, third)}) == 3
    assert len({claims_of(p)["sid"] for p in (first, second, third)}) == 1
    assert await ended(keys, now) == set()
    assert await count(db, "accounts_session") == 1


async def test_no_token_is_kept_as_it_is(
    sign_in: SignIn, joins: Joins, db: Database, now: datetime
) -> None:
    await joins("Ann")
    pair = await signed_in(sign_in, now)
    from lendery.accounts.models import metadata

    async with db.read() as session:
        kept = [await session.rows(table.select()) for table in metadata.tables.values()]
    for secret in (pair.refresh_token, pair.access_token, PASSWORD):
        assert secret not in repr(kept)


async def test_of_thirty_two_refreshes_at_once_one_wins(
    sign_in: SignIn, db: Database, settings: Settings, keys: KeyRing, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    pair = await signed_in(sign_in, now)
    doors = [sign_in, SignIn(db, settings)]  # two processes, as it were
    tries = [
        doors[n % 2].refresh(refresh_token=pair.refresh_token, now=now + SECOND) for n in range(32)
    ]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    won = [each for each in outcomes if isinstance(each, TokenPair)]
    assert len(won) == 1
    assert sum(isinstance(each, InvalidGrant) for each in outcomes) == 31
    assert await ended(keys, now) == set()  # a double click is no theft
    await sign_in.refresh(refresh_token=won[0].refresh_token, now=now + 2 * SECOND)


@pytest.mark.parametrize(("after", "revoked"), [(0, False), (5, False), (5.001, True), (600, True)])
async def test_reuse_after_five_seconds_ends_the_family(
    sign_in: SignIn, keys: KeyRing, joins: Joins, now: datetime, after: float, revoked: bool
) -> None:
    await joins("Ann")
    first = await signed_in(sign_in, now)
    other = await signed_in(sign_in, now)
    second = await sign_in.refresh(refresh_token=first.refresh_token, now=now)
    with pytest.raises(InvalidGrant) as refused:
        later = now + timedelta(seconds=after)
        await sign_in.refresh(refresh_token=first.refresh_token, now=later)
    assert refused.value.extra["error"] == "invalid_grant"
    family = UUID(str(claims_of(first)["sid"]))
    assert await ended(keys, now) == ({family} if revoked else set())
    going_on = sign_in.refresh(refresh_token=second.refresh_token, now=now + 601 * SECOND)
    if revoked:
        with pytest.raises(InvalidGrant):
            await going_on
    else:
        await going_on
    await sign_in.refresh(refresh_token=other.refresh_token, now=now)  # her other device goes on


@pytest.mark.parametrize("odd", ["", "unknown", "\x00", "\ud800", "x" * 100_000, "' OR 1=1"])
async def test_an_unknown_refresh_token_is_refused(
    sign_in: SignIn, now: datetime, odd: str
) -> None:
    with pytest.raises(InvalidGrant):
        await sign_in.refresh(refresh_token=odd, now=now)


async def test_a_session_has_an_end(sign_in: SignIn, joins: Joins, now: datetime) -> None:
    await joins("Ann")
    pair = await signed_in(sign_in, now)
    last = now + timedelta(days=30) - 60 * SECOND
    pair = await sign_in.refresh(refresh_token=pair.refresh_token, now=last)
    assert pair.expires_in == 60  # the access token does not outlive it
    with pytest.raises(InvalidGrant):
        await sign_in.refresh(refresh_token=pair.refresh_token, now=now + timedelta(days=30))


async def test_bygone_sessions_are_forgotten_at_the_next_log_in(
    sign_in: SignIn, joins: Joins, db: Database, now: datetime
) -> None:
    await joins("Ann")
    pair = await signed_in(sign_in, now)
    await sign_in.refresh(refresh_token=pair.refresh_token, now=now)
    await signed_in(sign_in, now + timedelta(days=31))
    assert await count(db, "accounts_session") == 1
    assert await count(db, "accounts_refresh") == 1


async def test_a_closed_account_does_not_go_on(
    sign_in: SignIn, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    pair = await signed_in(sign_in, now)
    await desk.change(user_id=ann.id, changes={"active": False}, actor=SYSTEM, now=now)
    await desk.change(user_id=ann.id, changes={"active": True}, actor=SYSTEM, now=now)
    with pytest.raises(InvalidGrant):
        await sign_in.refresh(refresh_token=pair.refresh_token, now=now)


@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
async def test_signing_out_ends_the_session_everywhere_within_a_look(
    sign_in: SignIn,
    keys: KeyRing,
    settings: Settings,
    joins: Joins,
    now: datetime,
    which: str,
) -> None:
    await joins("Ann")
    pair, other = await signed_in(sign_in, now), await signed_in(sign_in, now)
    service = Identities(keys, settings.public_url)
    await service.of(pair.access_token)
    await sign_in.revoke(token=getattr(pair, which), now=now)
    await sign_in.revoke(token=getattr(pair, which), now=now + 9 * SECOND)  # the first one counts
    await service.look()
    with pytest.raises(SignInNeeded):
        await service.of(pair.access_token)
    with pytest.raises(InvalidGrant):
        await sign_in.refresh(refresh_token=pair.refresh_token, now=now)
    await service.of(other.access_token)
    (one,) = await keys.revoked_since(since=now - SECOND)
    assert one.at == now


async def test_an_unknown_token_signs_nobody_out(
    sign_in: SignIn, keys: KeyRing, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    pair = await signed_in(sign_in, now)
    head, body, mark = pair.access_token.split(".")
    forged = jwt.encode({"sid": claims_of(pair)["sid"]}, SECRET, headers={"kid": "x"})
    odd = [f"{head}.{body}.{mark[::-1]}", forged, "", "a.b.c", "\x00", "\ud800", "." * 10_000]
    for token in odd:
        await sign_in.revoke(token=token, now=now)
    assert await ended(keys, now) == set()


async def test_a_new_password_signs_out_everywhere_else(
    sign_in: SignIn, keys: KeyRing, settings: Settings, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    here, there = await signed_in(sign_in, now), await signed_in(sign_in, now)
    actor = await Identities(keys, settings.public_url).of(here.access_token)
    for wrong in ("not hers, surely", "", "\x00"):
        with pytest.raises(WrongCredentials):
            await sign_in.change_password(
                current=wrong, new="another password", actor=actor, now=now
            )
    assert await ended(keys, now) == set()
    await sign_in.change_password(current=PASSWORD, new="another password", actor=actor, now=now)
    assert await ended(keys, now) == {UUID(str(claims_of(there)["sid"]))}
    await sign_in.refresh(refresh_token=here.refresh_token, now=now)
    with pytest.raises(InvalidGrant):
        await sign_in.refresh(refresh_token=there.refresh_token, now=now)
    with pytest.raises(WrongCredentials):
        await signed_in(sign_in, now)
    await sign_in.log_in(email="ann@example.org", password="another password", address="a", now=now)


async def test_a_new_password_is_long_enough_and_ones_own(
    sign_in: SignIn, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    actor = Actor(id=ann.id, role="reader")
    for bad in ("too short", "x" * 257):
        with pytest.raises(Invalid) as refused:
            await sign_in.change_password(current=PASSWORD, new=bad, actor=actor, now=now)
        assert refused.value.extra["errors"][0]["pointer"] == "#/new"
    for nobody in (STRANGER, SYSTEM):
        with pytest.raises(SignInNeeded):
            await sign_in.change_password(
                current=PASSWORD, new="another password", actor=nobody, now=now
            )
    with pytest.raises(WrongCredentials):
        await sign_in.change_password(
            current=PASSWORD,
            new="another password",
            actor=Actor(id=uuid4(), role="reader"),
            now=now,
        )


async def test_a_log_in_with_the_old_password_loses_to_the_change(
    sign_in: SignIn, joins: Joins, keys: KeyRing, now: datetime
) -> None:
    ann = await joins("Ann")
    actor = Actor(id=ann.id, role="reader")
    tries = [signed_in(sign_in, now) for _ in range(5)]
    change = sign_in.change_password(current=PASSWORD, new="another password", actor=actor, now=now)
    outcomes = await asyncio.gather(*tries, change, return_exceptions=True)
    open_ones = {UUID(str(claims_of(p)["sid"])) for p in outcomes if isinstance(p, TokenPair)}
    assert open_ones <= await ended(keys, now)


async def test_an_old_hash_is_replaced_at_the_log_in(
    sign_in: SignIn, joins: Joins, db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    from lendery.accounts import passwords
    from lendery.accounts.repository import people

    await joins("Ann")
    today = PasswordHash((Argon2Hasher(memory_cost=128, time_cost=1, parallelism=1),))
    monkeypatch.setattr(passwords, "HASHER", today)
    await signed_in(sign_in, now)
    async with db.read() as session:
        kept = await people.credentials_of_email(session, email="ann@example.org")
    assert kept and "m=128" in kept.password_hash
    await signed_in(sign_in, now)


async def test_two_installations_do_not_take_each_others_tokens(
    sign_in: SignIn, keys: KeyRing, db: Database, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    pair = await signed_in(sign_in, now)
    with pytest.raises(SignInNeeded):
        await Identities(keys, "https://library.example").of(pair.access_token)
    other = Settings(secret=SecretStr(SECRET), public_url="https://library.example")
    theirs = await signed_in(SignIn(db, other), now)
    await Identities(keys, "https://library.example").of(theirs.access_token)


async def test_a_reader_may_not_be_what_the_token_does_not_say(
    sign_in: SignIn,
    keys: KeyRing,
    settings: Settings,
    desk: PeopleDesk,
    joins: Joins,
    now: datetime,
) -> None:
    ann, ben = await joins("Ann"), await joins("Ben")
    actor = await Identities(keys, settings.public_url).of(
        (await signed_in(sign_in, now)).access_token
    )
    assert (await desk.get(user_id=ann.id, actor=actor)).name == "Ann"
    with pytest.raises(NotAllowed):
        await desk.get(user_id=ben.id, actor=actor)
