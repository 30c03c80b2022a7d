"""Which characters the bytes of a MARC record stand for. The leader says; files often differ.

First what the leader says, then what the bytes prove: UTF-8 is hardly ever right by chance.
Whatever is guessed is told in a warning.
"""

import unicodedata
from collections.abc import Callable
from itertools import pairwise

from lendery.catalog.formats import marc8

_BETWEEN = b"\x1e\x1f"
_CYRILLIC = ("cp1251", "cp866", "koi8-r")

Decode = Callable[[bytes], str]


def decoder(data: bytes, *, unicode: bool, given: str | None) -> tuple[Decode, tuple[str, ...]]:
    """How to read the fields of a record, and what to tell about it. `given` is a profile's."""
    if given:
        return _given(data, given)
    if data.isascii():
        return (_ascii, ()) if b"\x1b" not in data or unicode else _marc8(data)
    if unicode:
        return _called_unicode(data)
    if b"\x1b" not in data and _is_utf8(data):
        return _utf8, ("The leader says MARC-8, but the record is UTF-8; it was read as UTF-8.",)
    return _called_marc8(data)


def _ascii(data: bytes) -> str:
    return data.decode("ascii", "replace")


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _given(data: bytes, encoding: str) -> tuple[Decode, tuple[str, ...]]:
    if encoding.lower().replace("-", "") == "marc8":
        return _marc8(data)
    said = data.decode(encoding, "replace").count("\ufffd")
    told = (f"{said} characters are not {encoding}.",) if said else ()
    return (lambda part: part.decode(encoding, "replace")), told


def _called_unicode(data: bytes) -> tuple[Decode, tuple[str, ...]]:
    """The leader says UTF-8. A few wrong bytes among right ones stay few wrong characters."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    if wrong <= 0:
        return _utf8, ()
    right = sum(sign > "\x7f" for sign in text) - text.count("\ufffd")
    if right >= wrong:
        return _utf8, (f"{wrong} bytes are not UTF-8; they were replaced.",)
    read, told = _guessed(data)
    return read, ("The leader says UTF-8, but the record is not.", *told)


def _called_marc8(data: bytes) -> tuple[Decode, tuple[str, ...]]:
    if b"\x1b" in data or _plausible_marc8(data, share=2):
        return _marc8(data)
    read, told = _guessed(data)
    return read, ("The leader says MARC-8, but the record is not.", *told)


def _marc8(data: bytes) -> tuple[Decode, tuple[str, ...]]:
    lost = sum(marc8.decode(part)[1] for part in _parts(data))
    told = (f"{lost} characters could not be read as MARC-8.",) if lost else ()
    return _by_subfield, told


def _by_subfield(data: bytes) -> str:
    """Sets of characters fall back to Latin at the start of each subfield."""
    first, *parts = data.split(b"\x1f")
    coded = [part[:1].decode("ascii", "replace") + marc8.decode(part[1:])[0] for part in parts]
    return "\x1f".join([marc8.decode(first)[0], *coded])


def _parts(data: bytes) -> list[bytes]:
    """What is decoded in one go: fields without subfields, and what follows a code."""
    fields = [field.split(b"\x1f") for field in data.split(b"\x1e")]
    return [part for first, *coded in fields for part in (first, *(each[1:] for each in coded))]


def _plausible_marc8(data: bytes, *, share: int) -> bool:
    """Whether marks stand before letters that bear them: hardly so in any other encoding."""
    marks = wrong = 0
    for part in _parts(data):
        if part.isascii():
            continue
        text, lost = marc8.decode(part)
        wrong += lost
        marks += sum(0xE0 <= byte <= 0xFE for byte in part)
        wrong += sum(bool(unicodedata.combining(sign)) for sign in text)
    return wrong == 0 or wrong * share <= marks


def _guessed(data: bytes) -> tuple[Decode, tuple[str, ...]]:
    if _plausible_marc8(data, share=4):
        read, told = _marc8(data)
        return read, ("It was read as MARC-8.", *told)
    encoding = guess(data)
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
    return (lambda part: part.decode(encoding)), (f"It was read as {encoding}, a guess.",)


def guess(data: bytes) -> str:
    """Windows-1252, or a Cyrillic code page if most letters are beyond ASCII."""
    high = sum(byte > 0x7F for byte in data)
    plain = sum(65 <= byte & 0xDF <= 90 for byte in data)
    if high < 20 or high * 3 < plain:
        return "cp1252"
    return max(_CYRILLIC, key=lambda name: _russian(data.decode(name, "replace")))


def _russian(text: str) -> int:
    """How much a text looks like one: small Cyrillic letters, no frames and no odd signs."""
    small = sum("\u0430" <= sign <= "\u044f" for sign in text)
    mixed = sum(a.islower() and b.isupper() for a, b in pairwise(text))
    return small - 3 * mixed - sum("\u2500" <= sign <= "\u25ff" for sign in text)
