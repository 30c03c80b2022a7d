"""How the two source catalogues' titles, numbers and years are made fit for a catalogue.

Each rule answers a defect that is really in the data: titles broken over lines, a literal `$b`
left from MARC, series inside the title's parentheses, ISBNs that lost their leading zeros in a
spreadsheet, years written as floats.
"""

import re
import unicodedata
from collections.abc import Sequence

from stdnum import isbn as stdnum_isbn

LONGEST_SUBJECT = 120
MOST_SUBJECTS = 6

# Persian and several Indian scripts need these two invisible characters to be spelled rightly.
_JOINERS = "\u200c\u200d"
_MARC_SUBFIELD = re.compile(r"\s*:?\s*\$[a-z]\b\s*")
_SERIES = re.compile(r"(?P<title>.+?)\s*\((?P<series>[^()]*#[^()]*)\)\s*", re.DOTALL)
_SERIES_PLACE = re.compile(
    r"(?P<name>[^#]+?)[\s,.]*#\s*(?P<number>\d+(?:\.\d+)?(?:\s*[-\u2013]\s*\d+(?:\.\d+)?)?)"
)
# Letters that Unicode does not take apart into a base letter and a mark; \u0131 is the dotless i.
_PLAIN_LETTERS = str.maketrans("øłđð\u0131", "olddi") | {
    ord("æ"): "ae",
    ord("œ"): "oe",
    ord("þ"): "th",
}
_ARTICLE = re.compile(r"(?:the|an?|le|la|les|l|der|die|das|el|los|las|il|het|de|een)\s+")


def clean(text: str) -> str:
    """One line in Unicode's composed form, without control or invisible characters."""
    spaced = re.sub(r"\s+", " ", text)
    visible = (
        sign
        for sign in spaced
        if sign in _JOINERS or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return re.sub(r" +", " ", unicodedata.normalize("NFC", "".join(visible))).strip()


def plain(text: str) -> str:
    """Lower case without accents, for comparing; other scripts than Latin stay what they are."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN_LETTERS))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def title_and_subtitle(text: str) -> tuple[str, str | None]:
    """The title proper, and the rest if a line break, a MARC mark or a colon sets it apart.

    As in MARC 245 $a and $b. A colon after a number alone does not count: *2001: A Space Odyssey*.
    """
    pieces = re.split(r"[\r\n]+", _MARC_SUBFIELD.sub("\n", text))
    lines = [line for piece in pieces if (line := clean(piece).strip(" :;,/"))]
    if not lines:
        return "", None
    if len(lines) == 1:
        head, colon, tail = lines[0].partition(": ")
        if colon and any(sign.isalpha() for sign in head) and tail.strip():
            lines = [head.rstrip(" :;,/"), tail.strip()]
    return lines[0], " : ".join(lines[1:]) or None


def title_and_series(text: str) -> tuple[str, str | None, str | None]:
    """The title without its `(Series, #1)`, the series, and its number there.

    Where a book stands in several series, the first one named is taken.
    """
    found = _SERIES.fullmatch(text)
    place = _SERIES_PLACE.match(found["series"].strip()) if found else None
    if not found or not place:
        return clean(text), None, None
    number = re.sub(r"\s*[-\u2013]\s*", "-", place["number"])
    return clean(found["title"]), clean(place["name"]), number


def isbn13(text: str) -> str | None:
    """Thirteen digits without hyphens, leading zeros restored; None if the check digit is wrong."""
    digits = stdnum_isbn.compact(text)
    if not digits.strip("0"):
        return None
    number = digits.zfill(10)
    if not stdnum_isbn.is_valid(number):
        return None
    return stdnum_isbn.to_isbn13(number)


def year(text: str) -> int | None:
    """A whole year, negative before the common era: `1997.0` is 1997, `-720.0` is -720."""
    return int(float(text)) or None if text.strip() else None


def subjects(headings: str) -> tuple[str, ...]:
    """Up to six Library of Congress headings, each once; those too long to show are left out."""
    each = dict.fromkeys(clean(heading) for heading in headings.split(" | "))
    return tuple(heading for heading in each if 0 < len(heading) <= LONGEST_SUBJECT)[:MOST_SUBJECTS]


def work_key(title: str, family_names: Sequence[str]) -> str:
    """The same text for two records of one work: the bare main title and the first family name."""
    bare_title = plain(title).lstrip("[(")
    head = re.split(r"[:;(\[]|,? or,? ", bare_title, maxsplit=1)[0]
    words = _ARTICLE.sub("", re.sub(r"[\W_]+", " ", head).strip() + " ", count=1)
    family = re.sub(r"[\W_]+", "", plain(family_names[0])) if family_names else ""
    return f"{words.strip()}/{family}"
