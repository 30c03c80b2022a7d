"""Dumps of Open Library: lines of type, key, revision, time and JSON, parted by tabs.

Editions become books. Authors stand in editions as keys only; where a dump names them in words
(`by_statement`, or a live sample with names), those are taken.
Source: https://openlibrary.org/developers/dumps
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lendery.catalog.formats.crosswalk import known_language
from lendery.catalog.formats.names import from_cover
from lendery.catalog.formats.numbers import isbn13, lccn, system_number
from lendery.catalog.formats.text import LONGEST_LINE, LONGEST_TEXT, clean, many_lines
from lendery.catalog.formats.values import Described, NamedHeading, Unreadable

_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")
_BY = re.compile(r"^(?:written\s+)?by\s+", re.IGNORECASE)
_AND = re.compile(r"\s*(?:;|,? and |, (?=[A-Z][\w.]+ [A-Z]))\s*")
_BOOKS = {"/type/edition", "/type/work"}
_DATA = msgspec.json.Decoder(dict[str, Any])


def parse(raw: bytes) -> tuple[Described, tuple[str, ...]]:
    """What the line says, and what was odd. Raises Unreadable, also for what is not a book."""
    kind, _, rest = raw.partition(b"\t")
    if kind.startswith(b"{"):
        data = _decoded(raw)
    else:
        parts = rest.split(b"\t", 3)
        if len(parts) != 4:
            raise Unreadable("The line has not the five parts of a dump line.")
        data = _decoded(parts[3])
    stated = kind.decode("utf-8", "replace") if rest else _key(data.get("type")) or "/type/edition"
    if stated not in _BOOKS:
        raise Unreadable(f"The line is not a book but {stated[:60]}.")
    return describe(data)


def _decoded(raw: bytes) -> dict[str, Any]:
    try:
        return _DATA.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"The line holds no JSON object: {error}.") from None


def describe(data: dict[str, Any]) -> tuple[Described, tuple[str, ...]]:
    """An edition (or a work) as a book. Raises Unreadable if it has no title."""
    warnings: list[str] = []
    title = clean(
        " ".join(filter(None, (_text(data.get("title_prefix")), _text(data.get("title")))))
    )
    if not title:
        raise Unreadable("The book has no title.")
    year = _YEAR.search(_text(data.get("publish_date")) or _text(data.get("first_publish_date")))
    series = next(_texts(data.get("series")), "")
    numbers = [f"(OpenLibrary){key.rpartition('/')[2]}" for key in [_text(data.get("key"))] if key]
    languages = [known_language(key.rpartition("/")[2]) for key in _keys(data.get("languages"))]
    return Described(
        title=title[:LONGEST_LINE],
        subtitle=clean(_text(data.get("subtitle")))[:LONGEST_LINE] or None,
        authors=tuple(_authors(data)),
        isbns=_isbns(data, warnings),
        publisher=next(_texts(data.get("publishers")), None),
        published_year=int(year[0]) if year else None,
        language=next(filter(None, languages), None),
        subjects=tuple(dict.fromkeys(_subjects(data)))[:100],
        description=many_lines(_text(data.get("description")))[:LONGEST_TEXT] or None,
        series=series or None,
        call_number=_call_number(data),
        material="ebook" if "ebook" in _text(data.get("physical_format")).lower() else "book",
        control_number=numbers[0] if numbers else None,
        other_numbers=tuple(dict.fromkeys(_other_numbers(data))),
    ), tuple(warnings)


def _text(given: Any) -> str:
    """A text, or one inside `{"type": "/type/text", "value": ...}`."""
    value = given.get("value") if isinstance(given, dict) else given
    return value if isinstance(value, str) else ""


def _key(given: Any) -> str:
    return str(given.get("key") or "") if isinstance(given, dict) else _text(given)


def _keys(given: Any) -> Iterator[str]:
    for each in given if isinstance(given, list) else ():
        yield _key(each)


def _texts(given: Any) -> Iterator[str]:
    for each in given if isinstance(given, list) else ():
        if text := clean(_text(each))[:LONGEST_LINE]:
            yield text


def _authors(data: dict[str, Any]) -> Iterator[NamedHeading]:
    given = data.get("authors")
    listed = given if isinstance(given, list) else []
    named = [each.get("name") for each in listed if isinstance(each, dict)]
    names = [name for name in named if isinstance(name, str)]
    if not names:
        stated = clean(_text(data.get("by_statement"))).rstrip(".")
        names = _AND.split(_BY.sub("", stated)) if _BY.match(stated) else []
    for name in dict.fromkeys(names):
        if found := from_cover(name):
            yield found


def _isbns(data: dict[str, Any], warnings: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in (*_texts(data.get("isbn_13")), *_texts(data.get("isbn_10"))):
        if number := isbn13(text):
            found[number] = None
        else:
            warnings.append(f"{text[:60]} is not a valid ISBN.")
    return tuple(found)


def _subjects(data: dict[str, Any]) -> Iterator[str]:
    for name in ("subjects", "subject_places", "subject_people", "subject_times", "genres"):
        for text in _texts(data.get(name)):
            yield text.rstrip(" .") or text


def _call_number(data: dict[str, Any]) -> str | None:
    for name in ("dewey_decimal_class", "lc_classifications"):
        for text in _texts(data.get(name)):
            return text.replace("/", "") if name == "dewey_decimal_class" else text
    return None


def _other_numbers(data: dict[str, Any]) -> Iterator[str]:
    for text in _texts(data.get("oclc_numbers")):
        yield system_number(f"(OCoLC){text}") or text
    for text in _texts(data.get("lccn")):
        if number := lccn(text):
            yield f"(DLC){number}"
