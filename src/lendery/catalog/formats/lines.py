"""Files with one record a line, each line with a bound."""

from collections.abc import Iterator
from typing import BinaryIO

from lendery.catalog.formats.source import GIVEN_UP, MOST_JUNK, Slice

MOST = 4 << 20
_KEPT = 100_000


def slices(file: BinaryIO) -> Iterator[Slice]:
    """Each line that is not empty, with its place. A line beyond the bound is one rejection."""
    offset = 0
    while line := file.readline(MOST + 1):
        start, size = offset, len(line)
        kept = line
        while not line.endswith(b"\n") and len(line) > MOST:
            line = file.readline(MOST + 1)
            size += len(line)
            if size > MOST_JUNK:
                yield start, kept[:_KEPT], GIVEN_UP
                return
        offset += size
        if size > MOST + 1:
            yield start, kept[:_KEPT], f"The line has {size:,} bytes; {MOST:,} are the most."
        elif kept.strip(b" \t\r\n\x00\x1a\xef\xbb\xbf"):
            yield start, kept, None
