"""Passwords, kept as argon2id only. Hashing takes about 70 ms, so it never runs on the event
loop or in a transaction, and only two at a time.
"""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

AT_ONCE = 2
# One of the equivalents of the OWASP Password Storage Cheat Sheet: 46 MiB, one pass, one lane.
HASHER = PasswordHash((Argon2Hasher(memory_cost=47_104, time_cost=1, parallelism=1),))
# What an unknown name is checked against, so that it takes the same time; nobody's password.
NOBODY = (
    "$argon2id$v=19$m=47104,t=1,p=1$"
    "pBF7eF6YnhDWDIYNa+w0nw$KHOlADqGEyS+air3CVtt2Lt9dnq8+ZoLEgYiX8V+Im4"
)
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")


async def hashed(password: str) -> str:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, HASHER.hash, _typed(password))


async def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is the one, and a better hash to keep when the parameters have grown since."""
    loop = asyncio.get_running_loop()
    same, better = await loop.run_in_executor(
        _pool, HASHER.verify_and_update, _typed(password), kept or NOBODY
    )
    return same and kept is not None, better


def _typed(password: str) -> bytes:
    """The same password from every keyboard: composed and decomposed accents are one."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
