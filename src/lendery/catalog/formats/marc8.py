"""MARC-8, the characters of libraries before Unicode, with every loss counted.

The tables are pymarc's (Library of Congress). The decoding is ours, because pymarc's loses what
it does not know without saying so, does not read Cyrillic and Hebrew from the upper half, and
gives up at a damaged escape.
Source: https://www.loc.gov/marc/specifications/speccharmarc8.html
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

_LATIN, _ANSEL, _EAST_ASIAN = 0x42, 0x45, 0x31
_SINGLE = {0x67, 0x62, 0x70}  # Greek symbols, subscript, superscript
_BACK = 0x73
_ESCAPE = re.compile(rb"\x1b(?:([(,])\$?([\x20-\x7e])|([)-])\$?!?([\x20-\x7e])|(\$)([(),-]?)1)")
_REFERENCE = re.compile(r"&#x([0-9A-Fa-f]{2,6});")
_LOST = "\ufffd"
_JOINED = {0xFE20: 0x0361, 0xFE21: None, 0xFE22: 0x0360, 0xFE23: None}  # halves of one mark


@lru_cache(maxsize=1)
def _codesets() -> dict[int, Any]:
    """By the code in the escape. Half a second of tables, for those who read MARC-8."""
    from pymarc.marc8_mapping import CODESETS

    return CODESETS


@lru_cache(maxsize=1)
def _odd() -> dict[int, int]:
    from pymarc.marc8_mapping import ODD_MAP

    return ODD_MAP


def decode(data: bytes) -> tuple[str, int]:
    """The text of one subfield, NFC, and how many characters of it could not be read."""
    out: list[str] = []
    marks: list[str] = []
    lower, upper = _LATIN, _ANSEL
    at = lost = 0
    while at < len(data):
        code = data[at]
        if code == 0x1B:
            lower, upper, taken = _escaped(data, at, lower, upper)
            lost += not taken
            at += taken or 1
            continue
        size = 3 if lower == _EAST_ASIAN and 0x20 < code < 0x80 else 1
        sign, combines = _sign(data[at : at + size], lower, upper)
        at += size
        lost += sign == _LOST
        if combines:
            marks.append(sign)
        else:
            out += [sign, *marks]
            marks.clear()
    lost += len(marks)
    text = _REFERENCE.sub(_referred, "".join(out).translate(_JOINED))
    return unicodedata.normalize("NFC", text), lost


def _escaped(data: bytes, at: int, lower: int, upper: int) -> tuple[int, int, int]:
    """The sets in use after an escape, and its length: 0 if it is none."""
    following = data[at + 1] if at + 1 < len(data) else 0
    if following in _SINGLE:
        return following, upper, 2
    if following == _BACK:
        return _LATIN, upper, 2
    found = _ESCAPE.match(data, at)
    if not found:
        return lower, upper, 0
    size = found.end() - at
    if found[5]:
        east = _EAST_ASIAN
        return (lower, east, size) if found[6] in (b")", b"-") else (east, upper, size)
    chosen = ord(found[2] or found[4])
    if found[2] == b"!" and data[at + size : at + size + 1] == b"E":  # ESC ( ! E
        chosen, size = _ANSEL, size + 1
    if chosen not in _codesets() or chosen == _EAST_ASIAN:
        return lower, upper, 0
    return (chosen, upper, size) if found[1] else (lower, chosen, size)


def _sign(code: bytes, lower: int, upper: int) -> tuple[str, bool]:
    """One character, and whether it is a mark on the next one."""
    first = code[0]
    if first < 0x20:
        return " " if first in b"\t\n\r" else "", False
    if 0x80 <= first < 0xA0:
        found = _codesets()[_ANSEL].get(first)
        return chr(found[0]) if found else _LOST, False
    if len(code) == 1 and first in (0x20, 0x7F):
        return " ", False
    number = int.from_bytes(code, "big")
    table = _codesets()[lower if first < 0x80 else upper]
    other = number ^ 0x80 if len(code) == 1 else number
    found = table.get(number) or table.get(other)
    if found:
        return chr(found[0]), bool(found[1])
    return (chr(_odd()[number]), False) if number in _odd() else (_LOST, False)


def _referred(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    good = 0xA0 <= number <= 0x10FFFF and not 0xD800 <= number < 0xE000
    return chr(number) if good else found[0]
