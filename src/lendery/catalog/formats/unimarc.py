"""UNIMARC, the other MARC of southern and eastern Europe: recognised, and read for the essentials.

Source: IFLA, UNIMARC Bibliographic Format.
"""

from lendery.catalog.formats.crosswalk import (
    UNTITLED,
    known_language,
)
from lendery.catalog.formats.items import holdings
from lendery.catalog.formats.names import from_field
from lendery.catalog.formats.numbers import isbn13
from lendery.catalog.formats.record import SUBFIELD, Record, values
from lendery.catalog.formats.text import LONGEST_LINE, LONGEST_TEXT, clean, unpunctuated
from lendery.catalog.formats.values import Described, NamedHeading, Profile

TOLD = "This is UNIMARC; title, names, numbers, publication and subjects were taken."
_NAMES = ("700", "701", "702", "710", "711", "712")
_SUBJECTS = ("600", "601", "605", "606", "607", "608", "610")


def is_unimarc(record: Record) -> bool:
    """A title in 200 and none in 245, and 100 that begins with the day of entry."""
    tags = {tag for tag, _ in record.fields}
    if "200" not in tags or "245" in tags:
        return False
    coded = next(iter(values(record.first("100") or "", "a")), "")
    return "100" not in tags or coded[:8].isdigit()


def describe(record: Record, profile: Profile) -> tuple[Described, tuple[str, ...]]:
    """The essentials of the record in our fields."""
    found: dict[str, list[str]] = {}
    for tag, text in record.fields:
        found.setdefault(tag, []).append(text)
    warnings = [TOLD]
    title = " ".join(_first(found, "200", "a")[:1])
    more = [clean(each) for each in _first(found, "200", "e")]
    number = _own(found.get("001", [""])[0])
    described = Described(
        title=unpunctuated(title)[:LONGEST_LINE] or UNTITLED,
        subtitle=" : ".join(more)[:LONGEST_LINE] or None,
        authors=_authors(found),
        isbns=tuple(dict.fromkeys(n for t in _first(found, "010", "a") if (n := isbn13(t)))),
        publisher=next((clean(each)[:LONGEST_LINE] for each in _first(found, "210", "c")), None),
        published_year=_year(found),
        language=next((known_language(each[:3]) for each in _first(found, "101", "a")), None),
        subjects=_subjects(found),
        description="\n\n".join(map(clean, _first(found, "330", "a")))[:LONGEST_TEXT] or None,
        series=next((clean(each)[:LONGEST_LINE] for each in _first(found, "225", "a")), None),
        series_number=next((clean(each)[:60] for each in _first(found, "225", "v")), None),
        call_number=next((clean(each)[:LONGEST_LINE] for each in _first(found, "676", "a")), None),
        material="periodical" if record.leader[7:8] == "s" else profile.material,
        control_number=number,
        holdings=holdings(found, profile, warnings),
    )
    return described, tuple(warnings)


def _own(text: str) -> str | None:
    return clean(text)[:200] or None


def _first(found: dict[str, list[str]], tag: str, code: str) -> list[str]:
    return [value for text in found.get(tag, ()) for value in values(text, code)]


def _authors(found: dict[str, list[str]]) -> tuple[NamedHeading, ...]:
    """Family name in $a and given names in $b become one heading as MARC 21 writes it."""
    authors: dict[tuple[str, int | None], NamedHeading] = {}
    for tag in _NAMES:
        for text in found.get(tag, ()):
            family = " ".join(values(text, "a")).strip(" ,")
            given = " ".join(values(text, "b")).strip(" ,")
            if tag[1] == "0":
                name = ", ".join(filter(None, (family, given)))
                years = "".join(f"{SUBFIELD}d{each.strip('()')}" for each in values(text, "f"))
                marc = from_field("700", f"1 {SUBFIELD}a{name}{years}")
            else:
                marc = from_field("710", f"2 {SUBFIELD}a{family}")
            if marc:
                authors.setdefault((marc.sort_name, marc.born), marc)
    return tuple(authors.values())[:100]


def _year(found: dict[str, list[str]]) -> int | None:
    coded = next(iter(_first(found, "100", "a")), "")[9:13]
    dates = [coded, *_first(found, "210", "d")]
    digits = ("".join(filter(str.isdecimal, each))[:4] for each in dates)
    return next((int(each) for each in digits if len(each) == 4 and 0 < int(each) <= 2200), None)


def _subjects(found: dict[str, list[str]]) -> tuple[str, ...]:
    subjects: dict[str, None] = {}
    for tag in _SUBJECTS:
        for text in found.get(tag, ()):
            main = ", ".join(values(text, "ab"))
            subjects[" -- ".join(map(clean, [main, *values(text, "jxyz")]))[:LONGEST_LINE]] = None
    subjects.pop("", None)
    return tuple(subjects)[:100]
