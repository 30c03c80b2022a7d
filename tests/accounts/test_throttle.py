import asyncio
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from lendery.accounts.models import failure
from lendery.accounts.tokens import SignIn
from lendery.contracts.accounts import TokenPair, WrongCredentials
from lendery.contracts.base import TooManyRequests
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database
from lendery.platform.settings import Settings

from .conftest import PASSWORD, SECRET, Joins, count

MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings() -> Settings:
    return Settings(secret=SecretStr(SECRET), failed_logins=3)


async def outcome(
    sign_in: SignIn, now: datetime, password: str = "wrong", email: str = "ann", address: str = "a"
) -> str:
    try:
        await sign_in.log_in(
            email=f"{email}@example.org", password=password, address=address, now=now
        )
    except (WrongCredentials, TooManyRequests) as problem:
        return type(problem).__name__
    return "in"


async def test_the_fourth_wrong_password_is_not_looked_at(
    sign_in: SignIn, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    for _ in range(3):
        assert await outcome(sign_in, now) == "WrongCredentials"
    for password in ("wrong", PASSWORD):
        with pytest.raises(TooManyRequests) as refused:
            await sign_in.log_in(
                email="ANN@example.org ", password=password, address="a", now=now + MINUTE
            )
        assert refused.value.extra["retry_after"] == 14 * 60
    assert await outcome(sign_in, now, PASSWORD, address="b") == "in"  # she is at home
    assert await outcome(sign_in, now + 15 * MINUTE, PASSWORD) == "in"


async def test_unknown_names_are_counted_alike(sign_in: SignIn, now: datetime) -> None:
    said = [await outcome(sign_in, now, email="nobody") for _ in range(4)]
    assert said == ["WrongCredentials"] * 3 + ["TooManyRequests"]


async def test_success_forgets_the_slips(
    sign_in: SignIn, joins: Joins, db: Database, now: datetime
) -> None:
    await joins("Ann")
    for _ in range(3):
        assert await outcome(sign_in, now) == "WrongCredentials"
        assert await outcome(sign_in, now) == "WrongCredentials"
        assert await outcome(sign_in, now, PASSWORD) == "in"
    assert await count(db, "accounts_failure") == 0


async def test_the_window_slides(sign_in: SignIn, joins: Joins, now: datetime) -> None:
    await joins("Ann")
    for minute in (0, 5, 10):
        assert await outcome(sign_in, now + minute * MINUTE) == "WrongCredentials"
    assert await outcome(sign_in, now + 14 * MINUTE) == "TooManyRequests"
    assert await outcome(sign_in, now + 15 * MINUTE) == "WrongCredentials"
    assert await outcome(sign_in, now + 16 * MINUTE) == "TooManyRequests"


async def test_one_address_may_fail_ten_times_as_often_for_all(
    sign_in: SignIn, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    for n in range(30):
        assert await outcome(sign_in, now, email=f"reader{n}") == "WrongCredentials"
    assert await outcome(sign_in, now, email="reader99") == "TooManyRequests"
    assert await outcome(sign_in, now, PASSWORD) == "TooManyRequests"
    assert await outcome(sign_in, now, PASSWORD, address="b") == "in"


async def test_fifty_guesses_at_once_are_no_more_than_three(
    sign_in: SignIn, db: Database, settings: Settings, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    doors = [sign_in, SignIn(db, settings), SignIn(db, settings)]
    said = await asyncio.gather(*[outcome(doors[n % 3], now) for n in range(50)])
    assert said.count("WrongCredentials") == 3
    assert said.count("TooManyRequests") == 47
    assert await count(db, "accounts_failure") == 3


async def test_fifty_right_passwords_at_once_are_all_let_in(
    sign_in: SignIn, db: Database, settings: Settings, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    doors = [sign_in, SignIn(db, settings)]
    said = await asyncio.gather(*[outcome(doors[n % 2], now, PASSWORD) for n in range(50)])
    assert set(said) == {"in"}
    assert await count(db, "accounts_failure") == 0


async def test_an_attempt_cut_off_counts_as_failed(
    sign_in: SignIn, joins: Joins, now: datetime
) -> None:
    await joins("Ann")
    for _ in range(3):  # a process that died while it looked
        await sign_in.throttle.admit(email="ann@example.org", address="a", now=now)
    assert await outcome(sign_in, now + MINUTE, PASSWORD) == "TooManyRequests"
    assert await outcome(sign_in, now + 15 * MINUTE, PASSWORD) == "in"


async def test_neither_e_mail_nor_address_is_kept(
    sign_in: SignIn, db: Database, now: datetime
) -> None:
    await outcome(sign_in, now, email="ann", address="192.0.2.7\x00" + "x" * 500)
    async with db.read() as session:
        (row,) = await session.rows(failure.select())
    assert "ann" not in row.who and "192" not in row.place
    assert len(row.who) == len(row.place) == 64


async def test_old_failures_are_forgotten(sign_in: SignIn, db: Database, now: datetime) -> None:
    for n in range(5):
        await outcome(sign_in, now, email=f"reader{n}")
    await outcome(sign_in, now + 16 * MINUTE)
    assert await count(db, "accounts_failure") == 1


async def test_the_current_password_cannot_be_guessed_either(
    sign_in: SignIn, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann")
    actor = Actor(id=ann.id, role="reader")
    said = []
    for _ in range(4):
        try:
            await sign_in.change_password(
                current="a guess", new="another password", actor=actor, now=now
            )
        except (WrongCredentials, TooManyRequests) as problem:
            said.append(type(problem).__name__)
    assert said == ["WrongCredentials"] * 3 + ["TooManyRequests"]
    assert isinstance(
        await sign_in.log_in(email="ann@example.org", password=PASSWORD, address="a", now=now),
        TokenPair,
    )
