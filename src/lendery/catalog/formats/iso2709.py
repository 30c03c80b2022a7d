"""MARC 21 in ISO 2709: cut out of a file, read, and written.

The terminators are trusted over the lengths, and the file is never given up for one record.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from typing import BinaryIO

from lendery.catalog.formats.characters import decoder
from lendery.catalog.formats.record import Record
from lendery.catalog.formats.source import GIVEN_UP, MOST_JUNK, Slice
from lendery.catalog.formats.values import Unreadable, Unwritable

CHUNK = 1 << 20
LONGEST_RECORD, LONGEST_FIELD = 99_999, 9_999
_MOST = 1 << 20  # without a terminator: more is no record
_KEPT = 100_000  # bytes of what is no record that are shown to whoever repairs it
_JUNK = b"\r\n\x1a\x00 \t\xef\xbb\xbf"
# A leader is hardly found by chance: length, types, two counts, base address, map of the entries.
_LEADER = re.compile(
    rb"[0-9]{5}[a-z #|][a-z ]{2}[a-z0-9 #|][a #]22[0-9]{5}[ -~]{3}4[ -~]{3}"
    rb"(?=[0-9A-Za-z]{3}[0-9]{9})"
)
# A subfield code that is no visible ASCII sign; a field with less than two indicators.
_BAD_CODE = re.compile("\x1f(?![!-~])")
_BAD_MARKS = re.compile("\x1e[^\x1e\x1f]?\x1f")


def slices(file: BinaryIO) -> Iterator[Slice]:
    """The records of a file, each with its place, and the reason if it is plainly none."""
    rest, offset = b"", 0
    while chunk := file.read(CHUNK):
        *pieces, rest = (rest + chunk).split(b"\x1d")
        for piece in pieces:
            yield from _ended(piece, offset)
            offset += len(piece) + 1
        if len(rest) > _MOST:
            kept = rest[:_KEPT]
            size, rest, why = _skipped(file, rest)
            if why:
                yield offset, kept, why
            if why is GIVEN_UP:
                return
            offset += size
    *pieces, rest = rest.split(b"\x1d")
    for piece in pieces:
        yield from _ended(piece, offset)
        offset += len(piece) + 1
    if rest.strip(_JUNK):
        yield from _cut(rest, offset)


def _ended(piece: bytes, offset: int) -> Iterator[Slice]:
    """What stood before a terminator: nearly always one record of the length that it states."""
    if _is_whole(piece):
        yield offset, piece + b"\x1d", None
    else:
        yield from _cut(piece + b"\x1d", offset)


def _is_whole(piece: bytes) -> bool:
    stated = piece[:5]
    return stated.isdigit() and int(stated) == len(piece) + 1


def _skipped(file: BinaryIO, rest: bytes) -> tuple[int, bytes, str | None]:
    """Reads on to the next terminator, keeping nothing: bytes skipped, what follows, why."""
    size, only_junk = len(rest), not rest.strip(_JUNK)
    while chunk := file.read(CHUNK):
        end = chunk.find(b"\x1d") + 1
        only_junk = only_junk and not chunk[: end or None].strip(_JUNK)
        size += end or len(chunk)
        if end:
            return size, chunk[end:], f"{size:,} bytes without the end of a record."
        if size > MOST_JUNK:
            return size, b"", GIVEN_UP
    return size, b"", None if only_junk else f"{size:,} bytes without the end of a record."


def _cut(piece: bytes, offset: int) -> Iterator[Slice]:
    """What stands before one terminator: perhaps junk, a record that broke off, and a record."""
    bare = piece.lstrip(_JUNK)
    offset += len(piece) - len(bare)
    if bare == b"\x1d":
        return
    starts = [0] + [found.start() for found in _LEADER.finditer(bare, 24)]
    stated = int(bare[:5]) if bare[:5].isdigit() else 0
    if len(starts) > 1 and stated != len(bare):
        for start, end in zip(starts, [*starts[1:], len(bare)], strict=True):
            yield from _judged(bare[start:end], offset + start)
    else:
        yield from _judged(bare, offset)


def _judged(raw: bytes, offset: int) -> Iterator[Slice]:
    if not raw.endswith(b"\x1d"):
        stated = int(raw[:5]) if raw[:5].isdigit() else 0
        why = f"The record breaks off after {len(raw):,} bytes"
        more = f" of {stated:,}." if stated > len(raw) else "; it has no end."
        yield offset, raw[:_KEPT], why + more if _LEADER.match(raw) else "This is no MARC record."
    elif len(raw) > _MOST:
        yield offset, raw[:_KEPT], f"The record has {len(raw):,} bytes; MARC allows 99,999."
    else:
        yield offset, raw, None


def parse(raw: bytes, encoding: str | None = None) -> tuple[Record, tuple[str, ...]]:
    """A record and what was odd about it. Raises Unreadable."""
    data = raw[:-1] if raw.endswith(b"\x1d") else raw
    base = int(raw[12:17]) if raw[12:17].isdigit() else 0
    if encoding is None and data[base - 1 : base] == b"\x1e" and data.endswith(b"\x1e"):
        try:
            text = data.decode("utf-8" if raw[9] == 0x61 else "ascii")
        except UnicodeDecodeError:
            pass
        else:
            if (record := _sound(text, data, base)) and "\x1b" not in text:
                return record, _odd(text, raw)
    return _tolerant(raw, data, base, encoding)


def _sound(text: str, data: bytes, base: int) -> Record | None:
    """The record, if its directory agrees with its terminators: the rule, and so the fast way."""
    bodies = text[base:-1].split("\x1e")
    count = len(bodies)
    if base - 25 != 12 * count or not (text.isascii() or data[24:base].isascii()):
        return None
    starts = _starts(count).unpack_from(data, 24)
    last = data[base - 10 : base - 1]
    if starts[0] != b"00000" or not last.isdigit() or list(starts) != sorted(starts):
        return None
    if int(last[:4]) + int(last[4:]) != len(data) - base:
        return None
    tags = [text[at : at + 3] for at in range(24, base - 1, 12)]
    return Record(text[:24], list(zip(tags, bodies, strict=True)))


@lru_cache(maxsize=512)
def _starts(count: int) -> Struct:
    """Where the fields begin, of a directory with so many entries."""
    return Struct("7x5s" * count)


def _odd(text: str, raw: bytes) -> tuple[str, ...]:
    told = []
    if not raw[:5].isdigit() or int(raw[:5]) != len(raw):
        told.append(_other_length(raw))
    if _BAD_CODE.search(text):
        told.append("A subfield has no code, or one that is not allowed.")
    if _BAD_MARKS.search(text):
        told.append("A field has not two indicators.")
    return tuple(told)


def _other_length(raw: bytes) -> str:
    stated = raw[:5].decode("ascii", "replace")
    return f"The leader says {stated} bytes, the record has {len(raw)}."


def _tolerant(
    raw: bytes, data: bytes, base: int, encoding: str | None
) -> tuple[Record, tuple[str, ...]]:
    """A record of which something is wrong, or that is not UTF-8."""
    warnings: list[str] = []
    end = data.find(b"\x1e", 24)
    if end < 0:
        raise Unreadable("The directory has no end.")
    if base != end + 1:
        warnings.append("The leader is wrong about where the fields begin.")
        base = end + 1
    if (end - 24) % 12:
        warnings.append("The directory does not end with a whole entry.")
    entries = [data[at : at + 12] for at in range(24, end - 11, 12)]
    if not entries:
        raise Unreadable("The record has no fields.")
    bodies = _bodies(data, base, entries, warnings)
    content = b"\x1e".join(bodies)
    read, told = decoder(content, unicode=raw[9:10] == b"a", given=encoding)
    tags = [entry[:3].decode("ascii", "replace") for entry in entries]
    leader = data[:24].decode("ascii", "replace")
    texts = [read(body) for body in bodies]
    warnings += [*told, *_odd("\x1e".join(["", *texts]), raw)]
    return Record(leader, list(zip(tags, texts, strict=True))), tuple(warnings)


def _bodies(data: bytes, base: int, entries: list[bytes], warnings: list[str]) -> list[bytes]:
    """The fields as the directory has them, if it is right; else as the terminators part them."""
    found = [_body(data, base, entry) for entry in entries]
    whole = [body for body in found if body is not None]
    if len(whole) == len(found):
        if (missed := data.count(b"\x1e", base) - len(found)) > 0:
            warnings.append(f"{missed} fields are not in the directory and were left out.")
        return whole
    parted = data[base:].removesuffix(b"\x1e").split(b"\x1e")
    wrong = f"{len(found) - len(whole)} of {len(found)} entries of the directory are wrong"
    if len(parted) == len(entries) and all(entry[:3].isalnum() for entry in entries):
        warnings.append(f"{wrong}; the field terminators were trusted.")
        return parted
    raise Unreadable(f"{wrong}, and there are {len(parted)} fields.")


def _body(data: bytes, base: int, entry: bytes) -> bytes | None:
    """The field that an entry points to; nothing if no field begins and ends there."""
    if len(entry) != 12 or not entry[3:].isdigit() or not entry[:3].isalnum():
        return None
    start = base + int(entry[7:])
    end = start + int(entry[3:7])
    if end > len(data) or data[start - 1 : start] != b"\x1e" or data[end - 1 : end] != b"\x1e":
        return None
    body = data[start : end - 1]
    return None if b"\x1e" in body else body


def build(record: Record) -> bytes:
    """The record as ISO 2709 in UTF-8. Raises Unwritable if it is too long for that form."""
    directory, bodies, start = [], [], 0
    for tag, text in record.fields:
        body = text.encode("utf-8", "replace") + b"\x1e"
        name = tag.encode("ascii", "replace")
        if len(body) > LONGEST_FIELD or len(name) != 3:
            why = f"Field {tag} has {len(body):,} bytes; ISO 2709 allows {LONGEST_FIELD:,}."
            raise Unwritable(why if len(name) == 3 else f"{tag!r} is no tag of three characters.")
        directory.append(b"%s%04d%05d" % (name, len(body), start))
        bodies.append(body)
        start += len(body)
    base = 24 + 12 * len(directory) + 1
    size = base + start + 1
    if size > LONGEST_RECORD:
        raise Unwritable(f"The record has {size:,} bytes; ISO 2709 allows {LONGEST_RECORD:,}.")
    kept = record.leader.encode("ascii", "replace").ljust(24)[:24]
    leader = b"%05d%sa22%05d%s4500" % (size, kept[5:9], base, kept[17:20])
    return b"".join([leader, *directory, b"\x1e", *bodies, b"\x1d"])
