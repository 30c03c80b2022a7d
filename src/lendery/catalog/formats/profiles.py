"""Profiles that come with Lendery: how the files of some suppliers are read.

`gutenberg` and `goodbooks` read two free catalogues with their known defects.
"""

import re

from lendery.catalog.formats.names import from_cover, from_heading
from lendery.catalog.formats.numbers import isbn13
from lendery.catalog.formats.tables import Cells, Read, Told, describe, language_of, year
from lendery.catalog.formats.text import LONGEST_LINE, clean
from lendery.catalog.formats.values import (
    HOLDINGS,
    KOHA,
    SIERRA,
    Described,
    NamedHeading,
    Profile,
    Unreadable,
)

DEFAULT = Profile()

_SUBFIELD = re.compile(r"\$[a-z]\b")
_LINES = re.compile(r"[\r\n]+")
_SERIES = re.compile(r"(?P<title>.+?)\s*\((?P<series>[^()]*#[^()]*)\)\s*", re.DOTALL)
_PLACE = re.compile(
    r"(?P<name>[^#;]+?)[\s,.]*#\s*(?P<number>\d+(?:\.\d+)?(?:\s*[-\u2013]\s*\d+(?:\.\d+)?)?)"
)

PROFILES = {
    profile.name: profile
    for profile in (
        DEFAULT,
        Profile(
            "gutenberg",
            encoding="utf-8",
            delimiter=",",
            separator=" | ",
            columns={
                "control_number": "pg_id",
                "title": "title",
                "authors": "authors",
                "language": "languages",
                "subjects": "lcsh",
                "call_number": "lcc",
            },
            material="ebook",
        ),
        Profile(
            "goodbooks",
            encoding="utf-8",
            delimiter=",",
            separator=", ",
            columns={
                "control_number": "book_id",
                "title": "title",
                "authors": "authors",
                "isbns": "isbn",
                "published_year": "original_publication_year",
                "language": "language_code",
            },
        ),
        Profile("koha", items=(KOHA,)),
        Profile("sierra", items=(SIERRA, HOLDINGS)),
    )
}


def read_row(profile: Profile) -> Read:
    """How a row is read under this profile."""
    return {"gutenberg": _gutenberg, "goodbooks": _goodbooks}.get(profile.name, describe)


def _gutenberg(cells: Cells, profile: Profile, told: Told) -> Described:
    """Titles broken over lines or by a MARC `$b`; inverted headings; classes, not call numbers."""
    title, subtitle = _title(cells["title"])
    if not title:
        raise Unreadable("The row has no title.")
    headings = cells["authors"].split(" | ")
    codes = cells["language"].split()
    if len(codes) > 1:
        told.append(f"Of the languages {', '.join(codes)} the first was taken.")
    subjects = dict.fromkeys(clean(each)[:LONGEST_LINE] for each in cells["subjects"].split(" | "))
    subjects.pop("", None)
    classes = cells["call_number"].split()
    return Described(
        title=title[:LONGEST_LINE],
        subtitle=_shortened(subtitle, told),
        authors=_each_once(map(from_heading, headings)),
        language=language_of(codes[0].lower(), told) if codes else None,
        subjects=tuple(subjects)[:100],
        call_number=classes[0] if classes else None,
        material=profile.material,
        control_number=f"(Gutenberg){clean(cells['control_number'])}",
    )


def _title(text: str) -> tuple[str, str | None]:
    pieces = _LINES.split(_SUBFIELD.sub("\n", text))
    title, *more = [line for piece in pieces if (line := clean(piece).strip(" :;,/"))] or [""]
    return title, " : ".join(more) or None


def _shortened(text: str | None, told: Told) -> str | None:
    if text and len(text) > LONGEST_LINE:
        told.append(f"The subtitle has {len(text)} characters; {LONGEST_LINE} were taken.")
        return text[: LONGEST_LINE - 1].rstrip() + "\u2026"
    return text


def _each_once(found: object) -> tuple[NamedHeading, ...]:
    names = [each for each in found if each]  # type: ignore[attr-defined]
    return tuple({each.sort_name: each for each in names}.values())[:100]


def _goodbooks(cells: Cells, profile: Profile, told: Told) -> Described:
    """ISBNs without their leading zeros, years as floats, the series in the title."""
    title, series, number = _series(cells["title"])
    if not title:
        raise Unreadable("The row has no title.")
    return Described(
        title=title[:LONGEST_LINE],
        authors=_each_once(map(from_cover, cells["authors"].split(", "))),
        isbns=_isbn(cells["isbns"], told),
        published_year=year(cells["published_year"], told),
        language=language_of(cells["language"].strip().lower(), told),
        series=series,
        series_number=number,
        material=profile.material,
        control_number=f"(goodbooks){clean(cells['control_number'])}",
    )


def _isbn(text: str, told: Told) -> tuple[str, ...]:
    digits = text.strip()
    found = isbn13(digits.zfill(10)) if digits.strip("0") else None
    if digits and not found:
        told.append(f"{digits[:60]} is not a valid ISBN.")
    return (found,) if found else ()


def _series(text: str) -> tuple[str, str | None, str | None]:
    """`The Hobbit (Middle-earth, #1)`; the first where a book stands in several."""
    text = clean(text)[: 4 * LONGEST_LINE]
    found = _SERIES.fullmatch(text)
    place = _PLACE.match(found["series"].strip()) if found else None
    if not found or not place:
        return text, None, None
    number = re.sub(r"\s*[-\u2013]\s*", "-", place["number"])
    return clean(found["title"]), clean(place["name"]), number
