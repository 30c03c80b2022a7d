"""The lines of a file of records, packed or not, one at a time and none without end."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lendery.seeding.library import Stopped

LONGEST = 1_000_000  # bytes; the API takes no more either
AT_ONCE = 1 << 20


@contextmanager
def opened(source: Path) -> Iterator[IO[bytes]]:
    """Raises Stopped for what cannot be read."""
    try:
        file: IO[bytes] = (
            gzip.open(source, "rb")  # type: ignore[assignment]  # noqa: SIM115
            if source.suffix == ".gz"
            else source.open("rb")
        )
    except OSError as error:
        raise Stopped(f"{source} cannot be read: {error.strerror or error}.") from error
    with file:
        try:
            yield file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Stopped(f"{source} is damaged: {error}.") from error


def how_many(source: Path) -> int:
    with opened(source) as file:
        count, last = 0, b"\n"
        while part := file.read(AT_ONCE):
            count += part.count(b"\n")
            last = part[-1:]
        return count + (last != b"\n")


def numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """From 0. None for a line that is too long: it is passed over, not kept."""
    number = 0
    while line := file.readline(LONGEST + 1):
        long = len(line) > LONGEST
        while long and not line.endswith(b"\n") and line:
            line = file.readline(LONGEST + 1)
        yield number, None if long else line
        number += 1
