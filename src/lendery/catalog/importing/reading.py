"""A file's records, made ready ahead of the database: in another process when there are many.

The other process is this module, run by the same Python: it has no database, no secret and no
network to speak of, a bound on its memory, and low priority, so that the desk goes before it.
What it makes comes through a pipe, each batch with its length before it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from lendery.catalog.formats import PROFILES, Format, Profile, Refused, opened, read, sniff
from lendery.catalog.importing.ready import Batch, batches

IN_HAND = 200_000  # bytes of a plain file that are read here: starting a process costs more
MEMORY = 1 << 30  # bytes of address space the other process may have
HEAD = 64 * 1024
GZIP = b"\x1f\x8b"


class Reading(msgspec.Struct, frozen=True):
    """What is read, and how. `after`: so many records are done already."""

    path: str
    name: str
    dialect: str
    most: int
    format: str | None = None
    after: int = 0
    profile: str = "default"
    columns: dict[str, str] = {}


@dataclass
class _Watched:
    """A file that can say how far it was read."""

    raw: BinaryIO
    size: int

    def at(self) -> float:
        with suppress(ValueError):
            return min(self.raw.tell() / self.size, 1.0) if self.size else 1.0
        return 1.0


def recognised(path: Path, name: str) -> Format:
    """The format of a file. Raises Refused for one that is none of ours."""
    with path.open("rb") as file:
        source = opened(file)
        return sniff(source.read(HEAD), name)


def profile_of(name: str, columns: Mapping[str, str]) -> Profile:
    """A profile by name, with columns of one's own."""
    known = PROFILES[name]
    return replace(known, columns=dict(columns)) if columns else known


def made_ready(asked: Reading) -> Iterator[Batch]:
    """All batches of a file, in order; the last says why, where it went no further."""
    path = Path(asked.path)
    try:
        format = Format(asked.format) if asked.format else recognised(path, asked.name)
        with path.open("rb") as raw:
            watched = _Watched(raw, path.stat().st_size)
            source = opened(raw, asked.most)
            profile = profile_of(asked.profile, asked.columns)
            parsed = read(source, format, profile=profile, start=asked.after)
            yield from batches(parsed, format, asked.dialect, watched.at)
    except Refused as refused:
        yield Batch(1.0, [], str(refused))
    except MemoryError:
        yield Batch(1.0, [], "Reading it takes more memory than an import may have.")


async def read_ahead(asked: Reading) -> AsyncGenerator[Batch, None]:
    """The same, without holding up whoever waits here."""
    path = Path(asked.path)
    with path.open("rb") as file:
        plain = file.read(2) != GZIP
    source = _here(asked) if plain and path.stat().st_size <= IN_HAND else _elsewhere(asked)
    async with aclosing(source) as found:
        async for batch in found:
            yield batch


async def _here(asked: Reading) -> AsyncGenerator[Batch, None]:
    source = made_ready(asked)
    while (batch := await asyncio.to_thread(next, source, None)) is not None:
        yield batch


async def _elsewhere(asked: Reading) -> AsyncGenerator[Batch, None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
        env=_bare_environment(),
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(msgspec.json.encode(asked))
        process.stdin.close()
        decoder = msgspec.msgpack.Decoder(Batch)
        while head := await process.stdout.read(1):
            head += await process.stdout.readexactly(3)
            yield decoder.decode(await process.stdout.readexactly(int.from_bytes(head, "big")))
        if await process.wait():
            yield Batch(1.0, [], "Reading it takes more than an import may have.")
    except asyncio.IncompleteReadError:
        yield Batch(1.0, [], "The file could not be read to its end.")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # with a full pipe, wait() would never return


def _bare_environment() -> dict[str, str]:
    """No settings: the reader needs no address of a database and no secret."""
    kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}


def main() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.nice(5)
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Reading)
    encode, out = msgspec.msgpack.Encoder().encode, sys.stdout.buffer
    for batch in made_ready(asked):
        data = encode(batch)
        out.write(len(data).to_bytes(4, "big") + data)
        out.flush()


if __name__ == "__main__":
    main()
