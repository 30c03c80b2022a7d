"""Names as authority headings write them (`Eliot, George, 1819-1880`) and as people say them."""

import re
from functools import lru_cache

from lendery.catalog.formats.record import SUBFIELD
from lendery.catalog.formats.text import LONGEST_LINE, clean, unpunctuated
from lendery.catalog.formats.values import NamedHeading
from lendery.catalog.rules.filing import family_first

LONGEST_LIFE = 60  # characters; what is longer says more than two years, or is an attack
_ABOUT = r"(?:ca\.?|c\.|approximately|about|b\.|born)?\s*"
_ERA = r"\s*\??\s*(?:(B\.?\s?C\.?(?:\s?E\.?)?)|A\.?\s?D\.?|C\.?\s?E\.?)?"
_SPAN = re.compile(rf"{_ABOUT}(-?\d{{1,4}})?{_ERA}\s*[-\u2013]\s*{_ABOUT}(-?\d{{1,4}})?{_ERA}\.?")
_BORN = re.compile(rf"(?:b\.|born)\s*(\d{{1,4}}){_ERA}\.?")
_DIED = re.compile(rf"(?:d\.|died)\s*(\d{{1,4}}){_ERA}\.?")
_ACTIVE = re.compile(r"(?:active|fl\.|approximately|\d+(?:st|nd|rd|th)) ?.*")
_FULLER = re.compile(r"\s*\([^()]*\)")
_NUMERAL = re.compile(r"[IVXL]+\.?|[JS]r\.?")
_NOBODY = {"", "anonymous", "anonymus", "unknown", "various", "various authors", "s.n"}
_FIRM = re.compile(
    r"\b(?:Company|Inc|Ltd|Library|Museum|Society|Service|Committee|Council|Commission|Office"
    r"|Department|Division|Association|Institut\w*|University|Board|Bureau|Congress|Corporation"
    r"|Press|Foundation|Government|Army|Navy|Co|United States|Great Britain)\b|\((?:Firm|U\.S\.)\)"
)

# Roles as MARC relator codes; the rest keep their code.
ROLES = {
    "aut": "author", "edt": "editor", "trl": "translator", "ill": "illustrator", "nrt": "narrator",
    "cmp": "composer", "ctb": "contributor", "prf": "performer", "drt": "film director",
    "art": "artist", "pht": "photographer", "aui": "author of introduction", "com": "compiler",
    "cre": "creator", "act": "actor", "sng": "singer", "cnd": "conductor", "ths": "thesis advisor",
    "adp": "adapter", "aft": "author of afterword", "ctg": "cartographer", "lbt": "librettist",
}  # fmt: skip
CODES = {role: code for code, role in ROLES.items()}


@lru_cache(maxsize=1_024)
def years_of_life(text: str) -> tuple[int | None, int | None]:
    """Born and died: `1819-1880`, `1254-1323?`, `b. 1950`, `384-322 B.C.`"""
    text = " ".join(text.split()).strip(" ,.")
    if len(text) > LONGEST_LIFE:
        return None, None
    if found := _SPAN.fullmatch(text):
        # Who died before our era was born before it: "384-322 B.C." names it once.
        return _year(found[1], found[2] or found[4]), _year(found[3], found[4])
    if found := _BORN.fullmatch(text):
        return _year(found[1], found[2]), None
    if found := _DIED.fullmatch(text):
        return None, _year(found[1], found[2])
    return None, None


def _year(digits: str | None, era: str | None) -> int | None:
    if not digits:
        return None
    year = -abs(int(digits)) if era else int(digits)
    return year if year and -3000 <= year <= 2200 else None


@lru_cache(maxsize=32_768)
def from_field(tag: str, text: str) -> NamedHeading | None:
    """The name that a 1XX or 7XX field holds; nothing for a work that it names, or for nobody."""
    parts: dict[str, str] = {}
    role = None
    for part in text.split(SUBFIELD)[1:]:
        code = part[:1]
        if code == "t":
            return None
        if code == "4" or code == "e":
            role = role or _role(part[1:])
        elif code in parts:
            parts[code] += f" {part[1:]}"
        else:
            parts[code] = part[1:]
    heading = unpunctuated(parts.get("a", ""))
    if heading.lower() in _NOBODY:
        return None
    if tag[1:] == "00":
        return _person(heading, parts, role or ("author" if tag == "100" else None), text[:1])
    rest = [unpunctuated(parts[code]) for code in "bnc" if code in parts]
    return _named(". ".join([heading.rstrip("."), *filter(None, rest)]), None, (None, None), role)


def _role(text: str) -> str | None:
    role = text.strip().rstrip("/").rpartition("/")[2].strip(" .,").lower()
    return ROLES.get(role, role)[:60] or None


def _person(heading: str, parts: dict[str, str], role: str | None, form: str) -> NamedHeading:
    dates = parts.get("d")
    years = years_of_life(dates) if dates else (None, None)
    if (dates is None and heading[-1:].isdigit()) or heading.endswith("-"):
        heading, years = _apart(heading)
    numeral = clean(parts.get("b", "")).strip(" ,")
    titles = unpunctuated(parts.get("c", ""))
    if form == "0" or form == "3" or ", " not in heading:
        whole = " ".join(filter(None, (heading, numeral)))
        return _named(f"{whole}, {titles}" if titles else whole, None, years, role)
    after = titles if _NUMERAL.fullmatch(titles) else ""
    sort_name = ", ".join(filter(None, (heading, after)))
    return _named(_direct(_FULLER.sub("", sort_name)), sort_name, years, role)


def _apart(heading: str) -> tuple[str, tuple[int | None, int | None]]:
    """Name and years of a heading that keeps both in one place."""
    rest, _, last = heading.rpartition(", ")
    years = years_of_life(last) if rest else (None, None)
    return (rest, years) if years != (None, None) or _ACTIVE.fullmatch(last) else (heading, years)


def _direct(sort_name: str) -> str:
    """`Eliot, George` is George Eliot; `King, Martin Luther, Jr.` keeps its end."""
    family, _, rest = sort_name.partition(", ")
    given, _, after = rest.partition(", ")
    first = f"{given}{family}" if given.endswith(("'", "\u2019")) else f"{given} {family}"
    return f"{first} {after}" if _NUMERAL.fullmatch(after) else first.strip()


def _named(
    name: str, sort_name: str | None, years: tuple[int | None, int | None], role: str | None
) -> NamedHeading:
    name = name[:LONGEST_LINE].strip()
    return NamedHeading(name, (sort_name or name)[:LONGEST_LINE].strip(), *years, role)


def is_firm(name: str) -> bool:
    """Whether a name without a comma looks like that of a body rather than a person."""
    return bool(_FIRM.search(name))


@lru_cache(maxsize=8_192)
def from_heading(text: str, role: str | None = "author") -> NamedHeading | None:
    """A heading in one piece: `Kennedy, John F. (John Fitzgerald), 1917-1963`."""
    name, years = _apart(clean(text).strip(" ,"))
    if name.lower().strip(".") in _NOBODY:
        return None
    if ", " not in name or (years == (None, None) and _FIRM.search(name)):
        return _named(name, None, years, role)
    bare = _FULLER.sub("", name).replace(" ,", ",")
    return _named(_direct(bare), bare, years, role)


@lru_cache(maxsize=8_192)
def from_cover(text: str, role: str | None = "author") -> NamedHeading | None:
    """A name as it is printed on a book, `Ursula K. Le Guin`; one with a comma is a heading."""
    name = clean(text).strip(" ,;")
    if ", " in name:
        return from_heading(name, role)
    if name.lower() in _NOBODY:
        return None
    return _named(name, family_first(name), (None, None), role)
