"""MARC-in-JSON: a list of records, or one record after the other (a line each, or over lines)."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from lendery.catalog.formats.record import SUBFIELD, Field, Record, is_control, is_tag, tag_of
from lendery.catalog.formats.source import MOST_JUNK, Slice
from lendery.catalog.formats.values import Unreadable

CHUNK = 1 << 18
_MOST = 4 << 20  # bytes of one record
_KEPT = 100_000
_MOST_NESTED = 64
_SIGNS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[{}]', re.DOTALL)  # a string without end is met once
_BEGIN = re.compile(rb'\{\s*"(?:leader|fields)"')
_BETWEEN = re.compile("[\x1d-\x1f]")
_BLANKS = b" \t\r\n,[]\xef\xbb\xbf"


def slices(file: BinaryIO) -> Iterator[Slice]:
    """Each object at the top of the file or of its list."""
    kept, offset, ended, junk = b"", 0, False, 0
    while junk < MOST_JUNK >> 2:
        bare = kept.lstrip(_BLANKS)
        offset += len(kept) - len(bare)
        kept = bare
        end = _end(kept) if kept else 0
        if end:
            junk = 0
            yield offset, kept[:end], None
        elif ended or len(kept) > _MOST:
            if not kept:
                return
            end, why = _resumed(kept)
            if not junk:
                yield offset, kept[: min(end, _KEPT)], why
            junk += end if end == len(kept) else -junk
        else:
            chunk = file.read(max(CHUNK, len(kept)))
            ended = not chunk
            kept += chunk
        kept, offset = kept[end:], offset + end


def _end(kept: bytes) -> int:
    """Where the object ends that begins here; 0 if that is not to be seen yet."""
    if not kept.startswith(b"{"):
        found = re.search(rb"[{\n]", kept)
        return found.start() if found else 0
    depth = 0
    for found in _SIGNS.finditer(kept):
        sign = kept[found.start()]
        if sign == 0x7B:
            depth += 1
            if depth > _MOST_NESTED:
                return 0
        elif sign == 0x7D:
            depth -= 1
            if depth == 0:
                return found.end()
    return 0


def _resumed(kept: bytes) -> tuple[int, str]:
    """Where the next record seems to begin after one that has no end."""
    found = _BEGIN.search(kept, 1)
    where = found.start() if found else len(kept)
    return where, f"The record has no end within {where:,} bytes."


def parse(raw: bytes) -> tuple[Record, tuple[str, ...]]:
    """A record and what was odd about it. Raises Unreadable."""
    warnings: dict[str, None] = {}
    said = _decoded(raw, warnings)
    if not isinstance(said, dict) or not isinstance(said.get("fields"), list):
        raise Unreadable("This is no MARC-in-JSON: there is no list of fields.")
    leader = said.get("leader")
    if not isinstance(leader, str) or len(leader) != 24:
        warnings["The leader is missing or has not 24 characters."] = None
        leader = str(leader or "").ljust(24)[:24]
    fields = [field for each in said["fields"] for field in _fields(each, warnings)]
    if not fields:
        raise Unreadable("The record has no fields.")
    return Record(_plain(leader), fields), tuple(warnings)


def _decoded(raw: bytes, warnings: dict[str, None]) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = f"This is not JSON: {error}."
    try:
        said = json.loads(raw.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise Unreadable(why) from None
    warnings["The JSON has line breaks inside texts, or characters that are not UTF-8."] = None
    return said


def _fields(given: Any, warnings: dict[str, None]) -> Iterator[Field]:
    if not isinstance(given, dict):
        warnings["A field is not an object."] = None
        return
    for tag, value in given.items():
        if not is_tag(tag):
            warnings[f"A field has the tag {tag[:20]!r}."] = None
            tag = tag_of(tag)
        if isinstance(value, str):
            yield tag, _plain(value)
        elif isinstance(value, dict) and isinstance(value.get("subfields"), list):
            marks = "".join(_mark(value.get(name)) for name in ("ind1", "ind2"))
            yield tag, marks + "".join(_subfields(tag, value["subfields"], warnings))
        else:
            warnings[f"Field {tag} has no subfields; it was left out."] = None


def _mark(given: Any) -> str:
    return given if isinstance(given, str) and len(given) == 1 and " " <= given <= "~" else " "


def _subfields(tag: str, given: list[Any], warnings: dict[str, None]) -> Iterator[str]:
    for each in given:
        for code, value in each.items() if isinstance(each, dict) else ():
            if len(code) == 1 and isinstance(value, str):
                yield f"{SUBFIELD}{_plain(code)}{_plain(value)}"
            else:
                warnings[f"A subfield of {tag} was left out: {code[:20]!r}."] = None


def _plain(text: str) -> str:
    """Without the signs that part fields and records in MARC."""
    return _BETWEEN.sub(" ", text)


def build(record: Record) -> bytes:
    """One record, on one line."""
    fields: list[dict[str, Any]] = []
    for tag, text in record.fields:
        if is_control(tag) or SUBFIELD not in text:
            fields.append({tag: text})
            continue
        marks, *parts = text.split(SUBFIELD)
        marks = marks.ljust(2)
        subfields = [{part[:1]: part[1:]} for part in parts]
        fields.append({tag: {"ind1": marks[0], "ind2": marks[1], "subfields": subfields}})
    return msgspec.json.encode({"leader": record.leader, "fields": fields}) + b"\n"
