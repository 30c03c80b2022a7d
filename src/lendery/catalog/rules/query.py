"""What somebody meant who typed this into the search box.

Whatever is typed, only folded words leave this module: letters and digits, nothing that either
database could take for an operator, a quote or a column.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from lendery.catalog.rules import isbn
from lendery.catalog.rules.fold import words

LONGEST = 500
WITHDRAWN = "\u00b7withdrawn"  # a word that nobody can type, on the records that are out of search

Years = tuple[int | None, int | None]

_QUOTES = '"\u201c\u201d\u201e\u00ab\u00bb'
_PIECE = re.compile(
    rf"(?P<minus>(?<![^\s])[-\u2212])?"
    rf"(?:(?P<field>title|author|subject|category|isbn|year):)?"
    rf"(?:[{_QUOTES}](?P<quoted>[^{_QUOTES}]*)[{_QUOTES}]|(?P<plain>[^\s{_QUOTES}]+))",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(-?\d{1,4})?(\.\.)?(-?\d{1,4})?")
_ISBN_IN_PARTS = re.compile(
    r"(?<!\S)(?:isbn(?:-1[03])?:?\s+)?[\dxX](?:[ \-\u2010-\u2013]?[\dxX]){9,12}(?!\S)",
    re.IGNORECASE,
)
_FIELDS = {"": "", "title": "title", "author": "author", "subject": "subject"}
_FIELDS |= {"category": "subject", "isbn": "other"}
_STOP_WORDS = """
    the of and a an in to for on with by at from as is or
    de la le les des du et un une der die das und ein eine den dem von zu
    el los las y del il lo gli di e een het van
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True)
class Term:
    """Words that must follow each other, in a field or ('') anywhere.

    `begun`: the last may be only the beginning. `instead`: single words that would do as well.
    """

    field: str
    words: tuple[str, ...]
    begun: bool = False
    instead: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """So common that it says nothing beside other words."""
        return len(self.words) == 1 and not self.begun and self.words[0] in STOP_WORDS

    @property
    def choices(self) -> tuple[str, ...]:
        """The single words of which one must be there."""
        own = () if self.begun and self.instead else self.words
        return tuple(dict.fromkeys((*own, *self.instead)))


@dataclass(frozen=True)
class Asked:
    """`terms` must all be there, `without` none; `years`: from and to, None is open."""

    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    years: Years | None = None

    def __bool__(self) -> bool:
        return bool(self.terms)

    def and_(self, other: "Asked") -> "Asked":
        return Asked(
            tuple(dict.fromkeys(self.terms + other.terms)),
            tuple(dict.fromkeys(self.without + other.without)),
            self.years or other.years,
        )

    def marked(self, *marks: str) -> "Asked":
        """Only records with these marks (of `marks`)."""
        return replace(self, terms=self.terms + tuple(Term("other", (each,)) for each in marks))

    @property
    def telling(self) -> "Asked":
        """Without the words that say nothing, unless there are no others."""
        kept = tuple(each for each in self.terms if not each.stops)
        return replace(self, terms=kept) if kept else self

    @property
    def words(self) -> list[str]:
        """All single words that must be there."""
        return list(dict.fromkeys(word for term in self.terms for word in term.words))

    def each(self, changed: Callable[[Term], Term]) -> "Asked":
        return replace(self, terms=tuple(map(changed, self.terms)))


def mark(kind: str, value: str) -> str:
    """A word that nobody can type, for a language, a material: what lists filter by."""
    return f"\u00b7{kind}{value.lower()}"


def ask(text: str, field: str = "", *, begun: bool = False) -> Asked:
    """The question in a text; `begun`: its last word is still being typed."""
    number = isbn.thirteen(text)
    if number:
        return Asked((Term(field, (number,)),))
    asked = Asked()
    for hit in _PIECE.finditer(_isbns_joined(text)):
        asked = asked.and_(_piece(hit, field, hit.start() > 0 and hit.end() < len(text)))
    if begun and asked.terms:
        last = replace(asked.terms[-1], begun=True)
        asked = replace(asked, terms=(*asked.terms[:-1], last))
    return asked


def _isbns_joined(text: str) -> str:
    """An ISBN written with spaces becomes one piece."""

    def joined(hit: re.Match[str]) -> str:
        return isbn.thirteen(hit[0]) or hit[0]

    return _ISBN_IN_PARTS.sub(joined, text)


def _piece(hit: re.Match[str], field: str, inner: bool) -> Asked:
    typed = hit["quoted"] if hit["quoted"] is not None else hit["plain"]
    named = (hit["field"] or "").lower()
    if named == "year":
        years = _years(typed)
        if years and not hit["minus"]:
            return Asked(years=years)
        named, typed = "", hit[0]
    if hit["plain"] == "AND" and inner and not hit["minus"]:
        return Asked()
    begins = hit["plain"] is not None and len(typed) > 2 and typed.endswith("*")
    number = isbn.thirteen(typed) if len(typed) > 9 else None
    found = (number,) if number else tuple(words(typed))
    if not found:
        return Asked()
    term = Term(_FIELDS[named] or field, found, begun=begins and not number)
    return Asked(without=(term,)) if hit["minus"] else Asked((term,))


def _years(text: str) -> Years | None:
    """`1990..2000`, `1990..`, `..2000` or `1990`."""
    hit = _YEARS.fullmatch(text)
    if hit is None or not (hit[1] or hit[3]):
        return None
    first, last = (int(each) if each else None for each in (hit[1], hit[3]))
    if not hit[2]:
        return (first, first) if first is not None and last is None else None
    return first, last


def replaced(text: str, instead: dict[str, str]) -> str:
    """The text as typed, with some of its words written otherwise."""

    def one(hit: re.Match[str]) -> str:
        folded = "".join(words(hit[0]))
        return instead.get(folded, hit[0])

    return re.sub(r"[^\W_]+(?:['\u2019][^\W_]+)*", one, text)
