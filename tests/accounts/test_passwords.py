import asyncio
import threading
import time

import pytest

from lendery.accounts import passwords


async def test_a_password_is_kept_as_argon2id_and_recognised() -> None:
    kept = await passwords.hashed("a sound password")
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert await passwords.matches("a sound password", kept) == (True, None)
    assert (await passwords.matches("A sound password", kept))[0] is False
    assert kept != await passwords.hashed("a sound password")


async def test_accents_are_the_same_from_every_keyboard() -> None:
    kept = await passwords.hashed("Zo\u00eb's password")
    assert (await passwords.matches("Zoe\u0308's password", kept))[0]


@pytest.mark.parametrize("odd", ["", "\x00" * 10, "\ud800 lone", "long" * 50_000, "👩\u200d🚀"])
async def test_odd_passwords_are_only_wrong(odd: str) -> None:
    assert (await passwords.matches(odd, None))[0] is False
    kept = await passwords.hashed("something else")
    assert (await passwords.matches(odd, kept))[0] is False


async def test_nobody_is_checked_with_the_parameters_of_today() -> None:
    assert passwords.HASHER.current_hasher.check_needs_rehash(passwords.NOBODY) is False
    assert (await passwords.matches("nobody's password", None))[0] is False


async def test_a_weaker_hash_of_old_is_replaced() -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    old = PasswordHash((Argon2Hasher(memory_cost=64, time_cost=1, parallelism=1),)).hash("old one")
    right, better = await passwords.matches("old one", old)
    assert right and better and better.startswith("$argon2id$v=19$m=47104")


async def test_two_are_hashed_at_once_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Slow:
        def hash(self, password: bytes) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return "hash"

    monkeypatch.setattr(passwords, "HASHER", Slow())
    work = asyncio.gather(*[passwords.hashed("x") for _ in range(8)])
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert most == 2
    assert turns > 10
