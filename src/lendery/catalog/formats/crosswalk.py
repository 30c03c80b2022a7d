"""From a MARC 21 record to the catalogue's fields.

Follows the MARC 21 Format for Bibliographic Data; docs/formats.md has the table for librarians.
What a record does not say is left out; what it says wrongly is left out with a warning.
"""

import re
from functools import lru_cache

from lendery.catalog.formats.items import holdings
from lendery.catalog.formats.materials import material
from lendery.catalog.formats.names import from_field
from lendery.catalog.formats.numbers import isbn13, lccn, system_number
from lendery.catalog.formats.record import SUBFIELD, Record, values
from lendery.catalog.formats.text import (
    LONGEST_LINE,
    LONGEST_TEXT,
    clean,
    unpunctuated,
    without_brackets,
)
from lendery.catalog.formats.values import Described, NamedHeading, Profile
from lendery.catalog.rules.languages import language_code

UNTITLED = "[Untitled]"
_NAMES = ("100", "110", "111", "700", "710", "711")
NAMES = frozenset(_NAMES)
SUBJECTS = ("600", "610", "611", "630", "647", "648", "650", "651", "653", "655")
MOST_SUBJECTS = MOST_AUTHORS = 100
FIELDS = frozenset(
    re.findall(
        r"\d{3}",
        "001 003 007 008 010 020 035 041 130 240 245 246 260 264 338 440 490 520 740 "
        "800 810 811 830",
    )
).union(NAMES, SUBJECTS)
By = dict[str, list[str]]

_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_BEFORE_CHRIST = re.compile(r"(\d{1,4})\s*B\.?\s?C", re.IGNORECASE)
_NO_PUBLISHER = re.compile(
    r"\[?\s*(?:s\.?\s?n\.?|publisher not identified|n\.?\s?pub\.?)\s*\]?", re.IGNORECASE
)
_NO_LANGUAGE = {"und", "zxx", "mul", "mis"}


def describe(
    record: Record, profile: Profile, wanted: frozenset[str] | None = None
) -> tuple[Described, tuple[str, ...]]:
    """What the record says in our fields, and what was odd about it.

    `wanted` are the tags that the profile asks for, where they were made out before.
    """
    found: By = {}
    wanted = wanted or tags_of(profile)
    for tag, text in record.fields:
        if tag in wanted:
            if tag in found:
                found[tag].append(text)
            else:
                found[tag] = [text]
    warnings: list[str] = []
    title, subtitle = _title(found, warnings)
    series, number = _series(found)
    fixed = found["008"][0] if "008" in found else ""
    described = Described(
        title,
        subtitle,
        _authors(record, found),
        _isbns(found, warnings) if "020" in found else (),
        _publisher(found) if "260" in found or "264" in found else None,
        _year(found, fixed),
        _language(found, fixed) or profile.language,
        _subjects(found),
        _description(found) if "520" in found else None,
        series,
        number,
        _call_number(found, profile),
        material(record.leader, found, fixed, profile),
        _control_number(found),
        _other_numbers(found),
        holdings(found, profile, warnings),
    )
    return described, tuple(warnings)


def tags_of(profile: Profile) -> frozenset[str]:
    """The fields of a record that are looked at."""
    return FIELDS.union(profile.call_numbers, (each.tag for each in profile.items))


def _line(text: str, what: str, warnings: list[str]) -> str:
    if len(text) > LONGEST_LINE:
        warnings.append(f"The {what} has {len(text)} characters; {LONGEST_LINE} were taken.")
        return text[: LONGEST_LINE - 1].rstrip() + "\u2026"
    return text


def _title(found: By, warnings: list[str]) -> tuple[str, str | None]:
    """245 $a with the parts $n and $p, and $b; what else may stand for it where it is missing."""
    for tag in ("245", "246", "130", "240", "740"):
        for text in found.get(tag, ()):
            parts = text.split(SUBFIELD)
            title = _joined([part[1:] for part in parts[1:] if part[:1] in ("a", "n", "p")])
            subtitle = _joined([part[1:] for part in parts[1:] if part[:1] == "b"])
            if not title and subtitle:
                title, subtitle = subtitle, ""
            if title:
                if "<<" in title:  # so articles are marked that do not count in filing
                    title = title.replace("<<", "").replace(">>", "")
                if tag != "245":
                    warnings.append(f"There is no title in 245; field {tag} was taken.")
                said = _line(title, "title", warnings)
                return said, _line(subtitle, "subtitle", warnings) or None
    if spoilt := [each for text in found.get("245", ()) for each in _uncoded(text)]:
        warnings.append("The title in 245 is in no subfield that is known.")
        return _line(_joined(spoilt), "title", warnings) or UNTITLED, None
    warnings.append("The record has no title.")
    return UNTITLED, None


def _uncoded(text: str) -> list[str]:
    """What a 245 says whose subfields have lost their codes."""
    parts = text.split(SUBFIELD)
    said = [part[1:] for part in parts[1:] if part[:1] not in ("c", "h", "6", "8")]
    return [each for each in [parts[0][2:], *said] if each.strip()]


def _joined(parts: list[str]) -> str:
    if len(parts) == 1:
        return unpunctuated(parts[0])
    return ". ".join([each for part in parts if (each := unpunctuated(part))])


def _authors(record: Record, found: By) -> tuple[NamedHeading, ...]:
    """The main entry, then the added ones in the order of the record."""
    if "710" in found or "711" in found:
        fields = [field for field in record.fields if field[0] in NAMES]
        fields.sort(key=lambda field: field[0][0])
    else:
        fields = [(tag, text) for tag in _NAMES if tag in found for text in found[tag]]
    authors: dict[tuple[str, int | None], NamedHeading] = {}
    for tag, text in fields:
        named = from_field(tag, text)
        if named:
            authors.setdefault((named.sort_name, named.born), named)
    return tuple(authors.values())[:MOST_AUTHORS]


def _isbns(found: By, warnings: list[str]) -> tuple[str, ...]:
    numbers: dict[str, None] = {}
    for text in found["020"]:
        for value in values(text, "a"):
            number = isbn13(value)
            if number:
                numbers[number] = None
            elif any(map(str.isdigit, value)):
                warnings.append(f"{clean(value)[:60]} is not a valid ISBN.")
    return tuple(numbers)


def _publications(found: By) -> list[str]:
    """Who published it when, best first: 264 of publication, 260, any other 264."""
    return (
        [text for text in found.get("264", ()) if text[1:2] == "1"]
        + found.get("260", [])
        + [text for text in found.get("264", ()) if text[1:2] != "1"]
    )


def _publisher(found: By) -> str | None:
    for text in _publications(found) if "264" in found else found.get("260", ()):
        for value in values(text, "b"):
            name = without_brackets(unpunctuated(value))
            if name and not _NO_PUBLISHER.fullmatch(name):
                return name[:LONGEST_LINE]
    return None


def _year(found: By, fixed: str) -> int | None:
    """Of 008, else the first one in 264 or 260 $c, where years before our era stand too."""
    stated = fixed[7:11]
    if stated.isdecimal() and stated.isascii() and fixed[6:7] != "b" and 0 < int(stated) <= 2200:
        return int(stated)
    for text in _publications(found):
        for value in values(text, "cg"):
            if before := _BEFORE_CHRIST.search(value):
                return -int(before[1]) or None
            if year := next((y for y in map(int, _YEAR.findall(value)) if 0 < y <= 2200), None):
                return year
    return None


def _language(found: By, fixed: str) -> str | None:
    code = fixed[35:38]
    if code not in _NO_LANGUAGE and (known := known_language(code)):
        return known
    for text in found.get("041", ()):
        for value in values(text, "ad"):
            if known := known_language(value[:3]):
                return known
    return None


@lru_cache(maxsize=1_024)
def known_language(code: str) -> str | None:
    """Our code for one of MARC; nothing for unknown, none, several, or what is not a code."""
    code = code.strip().lower()
    if len(code) != 3 or not (code.isascii() and code.isalpha()) or code in _NO_LANGUAGE:
        return None
    return language_code(code)


def _subjects(found: By) -> tuple[str, ...]:
    subjects: dict[str, None] = {}
    for tag in SUBJECTS:
        if tag in found:
            for text in found[tag]:
                for heading in subject_headings(tag, text):
                    subjects[heading] = None
    return tuple(subjects)[:MOST_SUBJECTS]


def subject_headings(tag: str, text: str) -> tuple[str, ...]:
    """What a 6XX field names: one heading, or several free words in 653."""
    if tag == "653":
        return tuple(
            filter(None, (unpunctuated(each)[:LONGEST_LINE] for each in values(text, "a")))
        )
    heading = _heading(tag, text) if tag in SUBJECTS else ""
    return (heading,) if heading else ()


@lru_cache(maxsize=65_536)
def _heading(tag: str, text: str) -> str:
    """A subject with its subdivisions: `Cats -- Fiction`."""
    main: list[str] = []
    divided: list[str] = []
    for part in text.split(SUBFIELD)[1:]:
        code, value = part[:1], part[1:]
        if code in ("v", "x", "y", "z"):
            divided.append(unpunctuated(value))
        elif code.isalpha() and code not in ("e", "i", "u", "w") and value.strip():
            main.append(clean(value))
    joined = [unpunctuated(" ".join(main)), *divided]
    return " -- ".join(each for each in joined if each)[:LONGEST_LINE].strip()


def _description(found: By) -> str | None:
    told = [
        clean(value) for text in found["520"] if text[:1] != "4" for value in values(text, "ab")
    ]
    return "\n\n".join(filter(None, told))[:LONGEST_TEXT] or None


def _series(found: By) -> tuple[str | None, str | None]:
    """490 as it is printed; where it is missing, the series as the authority file has it."""
    for tag in ("490", "440", "830", "800", "810", "811"):
        for text in found.get(tag, ()):
            name = next(iter(values(text, "a" if tag in ("490", "440", "830") else "t")), "")
            if name := unpunctuated(name):
                number = next(iter(values(text, "v")), "")
                return name[:LONGEST_LINE], unpunctuated(number)[:60] or None
    return None, None


def _call_number(found: By, profile: Profile) -> str | None:
    for tag in profile.call_numbers:
        for text in found.get(tag, ()):
            parts = values(text, "a")[:1]
            if tag == "082" and parts:
                parts = [parts[0].replace("/", "").replace("'", "")]
            if number := clean(" ".join(parts + values(text, "b")[:1])):
                return number[:LONGEST_LINE]
    return None


def _control_number(found: By) -> str | None:
    own = clean(found["001"][0]) if "001" in found else ""
    agency = clean(found["003"][0]) if "003" in found and own else ""
    return (f"({agency}){own}" if agency else own)[:200] or None


def _other_numbers(found: By) -> tuple[str, ...]:
    if "035" not in found and "010" not in found:
        return ()
    numbers = {system_number(v): None for text in found.get("035", ()) for v in values(text, "a")}
    for text in found.get("010", ()):
        for value in values(text, "a"):
            if number := lccn(value):
                numbers[f"(DLC){number}"] = None
    return tuple([number for number in numbers if number])
