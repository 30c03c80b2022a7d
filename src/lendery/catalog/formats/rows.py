"""Rows of a delimited text file, cut out of it without losing their bytes.

A row may run over lines inside quotes. A quote that is never closed spoils its own row only.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lendery.catalog.formats.source import GIVEN_UP, MOST_JUNK, Slice
from lendery.catalog.formats.values import Profile

SAMPLE = 1 << 16
_MOST_LINES, _MOST_BYTES, _LONGEST_LINE = 500, 1 << 18, 1 << 20
_KEPT = 100_000
_DELIMITERS = ",;\t|"
_SIMPLE = {"ascii": "utf-8", "utf_8": "utf-8", "cp1252": "cp1252", "latin_1": "cp1252"}
_ENOUGH = 50
_LIKE_CP1252 = frozenset(
    re.findall(
        r"\S+",
        "cp1250 cp1254 cp1257 cp1258 cp437 cp850 cp852 cp858 cp775 mac_roman mac_latin2 hp_roman8 "
        "iso8859_2 iso8859_9 iso8859_15 iso8859_16",
    )
)
csv.field_size_limit(1 << 20)


@dataclass(frozen=True, slots=True)
class Layout:
    encoding: str
    delimiter: str
    columns: int


def layout(sample: bytes, profile: Profile) -> Layout:
    """The encoding and delimiter of a file by its beginning, unless the profile says them."""
    encoding = profile.encoding or sniffed_encoding(sample)
    text = sample.decode(encoding, "replace")
    best = Layout(encoding, profile.delimiter or ",", 1)
    for delimiter in profile.delimiter or _DELIMITERS:
        widths = [len(row) for row in _rows(text, delimiter)][:50]
        if len(widths) > 2 and len(sample) >= SAMPLE:
            widths = widths[:-1]  # the last one is cut off
        if widths and widths[0] > best.columns and widths.count(widths[0]) * 2 >= len(widths):
            best = Layout(encoding, delimiter, widths[0])
    return best


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                yield row
    except csv.Error:
        return


def sniffed_encoding(sample: bytes) -> str:
    """By its mark, by being UTF-8, else by what its letters make likely."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if sample.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes  # slow to load, and rarely needed

        best = from_bytes(sample[:SAMPLE]).best()
    found = best.encoding if best else "cp1252"
    if found in _LIKE_CP1252 and sum(byte > 0x7F for byte in sample) < _ENOUGH:
        return "cp1252"  # too few accents to tell western from central European
    return _SIMPLE.get(found, found) if _parts_lines_by_bytes(found) else "cp1252"


def _parts_lines_by_bytes(encoding: str) -> bool:
    """Whether line breaks and quotes are the bytes that they are in ASCII."""
    try:
        return '\n\r",;\t'.encode(encoding) == b'\n\r",;\t'
    except LookupError:
        return False


def utf8(file: BinaryIO, encoding: str) -> BinaryIO:
    """The file, in UTF-8 if its own encoding has no lines that can be seen in bytes."""
    if _parts_lines_by_bytes(encoding):
        return file
    return codecs.EncodedFile(file, "utf-8", encoding, "replace")


def slices(file: BinaryIO, layout: Layout, offset: int = 0) -> Iterator[Slice]:
    """Each row that is not empty."""
    waiting: deque[bytes] = deque()
    while True:
        line = waiting.popleft() if waiting else file.readline(_LONGEST_LINE)
        if not line:
            return
        size = len(line)
        if len(line) >= _LONGEST_LINE and not line.endswith(b"\n"):
            kept = line[:_KEPT]
            while line and not line.endswith(b"\n") and size < MOST_JUNK:
                line = file.readline(_LONGEST_LINE)
                size += len(line)
            if size >= MOST_JUNK:
                yield offset, kept, GIVEN_UP
                return
            yield offset, kept, f"The row has {size:,} bytes; {_LONGEST_LINE:,} are the most."
        elif line.count(b'"') % 2 and _is_open(line, layout):
            row, why = _over_lines(line, file, waiting, layout)
            size = len(row)
            yield offset, row, why
        elif line.strip(b" \t\r\n\x00\x1a\xef\xbb\xbf"):
            yield offset, line, None
        offset += size


def _is_open(row: bytes, layout: Layout) -> bool:
    """Whether the last cell of the row is quoted and goes on in the next line."""
    text = row.decode(layout.encoding, "replace")
    try:
        list(csv.reader([text], delimiter=layout.delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _over_lines(
    line: bytes, file: BinaryIO, waiting: deque[bytes], layout: Layout
) -> tuple[bytes, str | None]:
    """A row with line breaks in it; if that does not work out, its first line and the reason."""
    taken, size, odd = [line], len(line), True
    while odd and size < _MOST_BYTES and len(taken) < _MOST_LINES:
        more = waiting.popleft() if waiting else file.readline(_LONGEST_LINE)
        if not more:
            break
        taken.append(more)
        size += len(more)
        odd = odd != bool(more.count(b'"') % 2)
    row = b"".join(taken)
    if not odd and (layout.columns == 1 or len(cells(row, layout)[0]) == layout.columns):
        return row, None
    waiting.extendleft(reversed(taken[1:]))
    return line, "A quoted cell of this row is never closed."


def cells(row: bytes, layout: Layout) -> tuple[list[str], str | None]:
    """The cells of one row, and what was odd about its characters."""
    told = None
    try:
        text = row.decode(layout.encoding)
    except UnicodeDecodeError:
        text = row.decode("cp1252", "replace")
        told = f"The row is not {layout.encoding}; it was read as cp1252."
    text = text.replace("\x00", "").lstrip("\ufeff")
    try:
        found = next(csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter), [])
    except csv.Error as error:
        return [], f"The row cannot be read: {error}."
    return found, told
