"""Reads a file of records, one after the other, in constant memory.

Whatever a file holds, reading it ends, and tells of each record what it says or why it was
rejected. One bad record never loses the good ones around it.
"""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from lendery.catalog.formats import (
    crosswalk,
    iso2709,
    lines,
    marcjson,
    native,
    openlibrary,
    tables,
    unimarc,
    xmlstream,
)
from lendery.catalog.formats.profiles import DEFAULT, read_row
from lendery.catalog.formats.record import Record
from lendery.catalog.formats.source import Slice
from lendery.catalog.formats.values import (
    Described,
    Format,
    Parsed,
    Profile,
    Refused,
    Unreadable,
)

UNFORESEEN = "Lendery failed to read this record ({})."
Said = tuple[Described, tuple[str, ...]]


def read(
    file: BinaryIO, format: Format, *, profile: Profile = DEFAULT, start: int = 0
) -> Iterator[Parsed]:
    """Each record of the file, from number `start` + 1. Never raises for what a file holds."""
    number = start
    try:
        for parsed in _read(file, format, profile, start):
            number = parsed.number
            yield parsed
    except Refused as refused:
        yield Parsed(number + 1, -1, b"", None, str(refused))


def _read(file: BinaryIO, format: Format, profile: Profile, start: int) -> Iterator[Parsed]:
    if format is Format.csv:
        buffered = file if hasattr(file, "peek") else io.BufferedReader(file, 1 << 20)  # type: ignore[type-var]
        return tables.records(buffered, profile, read_row(profile), start)
    if format is Format.marcxml:
        return _from_xml(file, profile, start)
    if format is Format.marc:
        return _from_slices(iso2709.slices(file), _marc(profile), start)
    if format is Format.marcjson:
        return _from_slices(marcjson.slices(file), _marcjson(profile), start)
    parse = openlibrary.parse if format is Format.openlibrary else _native
    return _from_slices(lines.slices(file), parse, start)


def _from_slices(
    slices: Iterator[Slice], parse: Callable[[bytes], Said], start: int
) -> Iterator[Parsed]:
    for number, (offset, raw, why) in enumerate(slices, 1):
        if number <= start:
            continue
        if why is not None:
            yield Parsed(number, offset, raw, None, why)
            continue
        try:
            described, warnings = parse(raw)
        except Unreadable as unreadable:
            yield Parsed(number, offset, raw, None, str(unreadable))
        except Exception as error:  # a fault of ours costs this record, not the whole file
            yield Parsed(number, offset, raw, None, UNFORESEEN.format(type(error).__name__))
        else:
            yield Parsed(number, offset, raw, described, None, warnings)


def _marc(profile: Profile) -> Callable[[bytes], Said]:
    describe = _describing(profile)

    def parse(raw: bytes) -> Said:
        record, told = iso2709.parse(raw, profile.encoding)
        described, more = describe(record)
        return described, told + more if told else more

    return parse


def _marcjson(profile: Profile) -> Callable[[bytes], Said]:
    describe = _describing(profile)

    def parse(raw: bytes) -> Said:
        record, told = marcjson.parse(raw)
        described, more = describe(record)
        return described, told + more

    return parse


def _native(raw: bytes) -> Said:
    return native.parse(raw)[0], ()


def _describing(profile: Profile) -> Callable[[Record], Said]:
    """What becomes of a record under this profile. UNIMARC is known by what is odd in it."""
    wanted = crosswalk.tags_of(profile)

    def describe(record: Record) -> Said:
        said = crosswalk.describe(record, profile, wanted)
        if said[1] and unimarc.is_unimarc(record):
            return unimarc.describe(record, profile)
        return said

    return describe


def _from_xml(file: BinaryIO, profile: Profile, start: int) -> Iterator[Parsed]:
    describe = _describing(profile)
    for number, (offset, raw, record, why, told) in enumerate(xmlstream.records(file), 1):
        if number <= start:
            continue
        if record is None:
            yield Parsed(number, offset, raw, None, why, told)
        else:
            described, more = describe(record)
            yield Parsed(number, offset, raw, described, None, told + more)


def marc_of(parsed: Parsed, format: Format) -> bytes | None:
    """The MARC to keep beside a book, as it came; nothing where the source has none."""
    if format is Format.lendery:
        return native.parse(parsed.raw)[2]
    return parsed.raw if format.is_marc else None


def record_of(marc: bytes) -> Record:
    """The record of MARC that was kept, in whichever form. Raises Unreadable."""
    bare = marc.lstrip()
    if bare.startswith(b"<"):
        for found in xmlstream.records(io.BytesIO(bare)):
            if found[2] is not None:
                return found[2]
        raise Unreadable("The MARCXML that was kept cannot be read.")
    return marcjson.parse(bare)[0] if bare.startswith(b"{") else iso2709.parse(marc)[0]


def sniff(head: bytes, name: str = "") -> Format:
    """The format of a file by its first bytes (unpacked), and by its name where they leave doubt.

    Raises Refused if it is none of ours.
    """
    bare = head.lstrip(b"\xef\xbb\xbf \t\r\n\x00\x1a")
    if bare.startswith((b"PK\x03\x04", b"%PDF", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"\x89PNG")):
        raise Refused("This is a packed file, a spreadsheet, a document or a picture: no records.")
    if bare.startswith(b"<"):
        return Format.marcxml
    if bare.startswith((b"{", b"[")):
        begins = bare[:4_000]
        if b'"leader"' in begins or b'"fields"' in begins:
            return Format.marcjson
        return Format.lendery if b'"book"' in begins else Format.openlibrary
    if (
        b"\x1e" in head[:100_000]
        or b"\x1d" in head[:100_000]
        or (
            bare[:5].isdigit()
            and (bare[20:22] == b"45" or name.lower().endswith((".mrc", ".marc", ".dat", ".iso")))
        )
    ):
        return Format.marc
    if bare.startswith(b"/type/"):
        return Format.openlibrary
    if not bare and name.lower().endswith((".mrc", ".marc")):
        return Format.marc
    return Format.csv
