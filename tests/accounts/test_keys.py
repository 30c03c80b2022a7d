import asyncio
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from lendery.accounts.keys import KeyRing, SigningKeyIsSealed
from lendery.accounts.models import key
from lendery.accounts.tokens import SignIn
from lendery.contracts.base import SignInNeeded
from lendery.platform.db import Database
from lendery.platform.http.identity import Identities
from lendery.platform.settings import Settings

from .conftest import PASSWORD, Joins, count

DAY = timedelta(days=1)


async def kids(keys: KeyRing) -> list[str]:
    return [each["kid"] for each in (await keys.jwks())["keys"]]


async def test_there_is_no_key_until_somebody_signs_in(keys: KeyRing, now: datetime) -> None:
    assert await keys.jwks() == {"keys": []}
    signing = await keys.signing(now=now)
    (published,) = (await keys.jwks())["keys"]
    assert published["kid"] == signing.kid
    assert {n: published[n] for n in ("kty", "crv", "alg", "use")} == {
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
    }  # fmt: skip
    assert set(published) == {"kty", "crv", "alg", "use", "kid", "x"}  # no private `d`


async def test_twenty_processes_that_start_at_once_share_one_key(
    db: Database, settings: Settings, now: datetime
) -> None:
    rings = [KeyRing(db, settings) for _ in range(20)]
    signing = await asyncio.gather(*[ring.signing(now=now) for ring in rings])
    assert len({each.kid for each in signing}) == 1
    assert await count(db, "accounts_key") == 1


async def test_a_key_signs_for_thirty_days_and_is_published_while_its_tokens_live(
    keys: KeyRing, now: datetime
) -> None:
    old = (await keys.signing(now=now)).kid
    assert (await keys.signing(now=now + 30 * DAY - timedelta(seconds=1))).kid == old
    then = now + 30 * DAY
    new = (await keys.signing(now=then)).kid
    assert new != old and await kids(keys) == [old, new]
    await keys.signing(now=then + timedelta(minutes=119))
    assert await kids(keys) == [old, new]
    await keys.signing(now=then + timedelta(hours=2))
    assert await kids(keys) == [new]


async def test_twenty_processes_renew_a_key_once(
    db: Database, settings: Settings, keys: KeyRing, now: datetime
) -> None:
    await keys.signing(now=now)
    rings = [KeyRing(db, settings) for _ in range(20)]
    signing = await asyncio.gather(*[ring.signing(now=now + 31 * DAY) for ring in rings])
    assert len({each.kid for each in signing}) == 1
    assert await count(db, "accounts_key") == 2


async def test_a_rotation_keeps_good_tokens_good(
    keys: KeyRing, sign_in: SignIn, settings: Settings, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    old = await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="a", now=now)
    kid = await keys.rotate(now=now)
    new = await sign_in.refresh(refresh_token=old.refresh_token, now=now)
    service = Identities(keys, settings.public_url)
    assert await service.of(old.access_token) == await service.of(new.access_token)
    assert (await keys.signing(now=now)).kid == kid


async def test_a_leaked_key_is_taken_out_at_once(
    keys: KeyRing, sign_in: SignIn, settings: Settings, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    old = await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="a", now=now)
    kid = await keys.rotate(now=now, distrust=True)
    assert await kids(keys) == [kid]
    with pytest.raises(SignInNeeded):
        await Identities(keys, settings.public_url).of(old.access_token)


async def test_the_private_half_is_sealed(keys: KeyRing, db: Database, now: datetime) -> None:
    signing = await keys.signing(now=now)
    async with db.read() as session:
        (row,) = await session.rows(key.select())
    import base64

    raw = signing.private.private_bytes_raw()
    sealed = base64.b64decode(row.sealed)
    assert raw not in sealed and len(sealed) == 12 + 32 + 16


async def test_a_changed_secret_is_said_clearly_and_a_new_key_helps(
    keys: KeyRing, db: Database, now: datetime
) -> None:
    await keys.signing(now=now)
    other = KeyRing(db, Settings(secret=SecretStr("quite another secret of 32 characters")))
    with pytest.raises(SigningKeyIsSealed, match="sealed with another LENDERY_SECRET"):
        await other.signing(now=now)
    assert (await other.signing(now=now + 31 * DAY)).kid  # renewing needs no old private half
    kid = await other.rotate(now=now + 32 * DAY)
    assert (await other.signing(now=now + 32 * DAY)).kid == kid


async def test_a_sealed_key_put_under_another_name_is_not_opened(
    keys: KeyRing, db: Database, settings: Settings, now: datetime
) -> None:
    await keys.signing(now=now)
    async with db.begin() as tx:
        await tx.run(key.update().values(kid="another"))
    with pytest.raises(SigningKeyIsSealed):
        await KeyRing(db, settings).signing(now=now)


async def test_nothing_was_revoked_in_the_future(keys: KeyRing, now: datetime) -> None:
    assert await keys.revoked_since(since=now) == []
