"""What somebody meant who typed this into the search box.

Whatever is typed, only folded words leave this module: letters and digits, nothing that either
database could take for an operator, a quote or a column.
"""

import re
from dataclasses import dataclass, replace

from lendery.catalog.rules import isbn
from lendery.catalog.rules.fold import words

LONGEST = 500
WITHDRAWN = "\u00b7withdrawn"  # a word that nobody can type, on the records that are out of search

Term = tuple[str, ...]  # one word, or several that must follow each other

_QUOTED = re.compile(
    '["\u201c\u201d\u201e\u00ab\u00bb]([^"\u201c\u201d\u201e\u00ab\u00bb]*)'
    '["\u201c\u201d\u201e\u00ab\u00bb]'
)
_WEIGHTS = {"title": "A", "author": "B", "subject": "C", "other": "D", "": ""}


@dataclass(frozen=True)
class Asked:
    """Terms that must all be there, each in its field or ('') anywhere. The last may be begun."""

    terms: tuple[tuple[str, Term], ...]
    begun: bool = False

    def __bool__(self) -> bool:
        return bool(self.terms)

    def and_(self, other: "Asked") -> "Asked":
        return replace(self, terms=tuple(dict.fromkeys(self.terms + other.terms)))

    def fts5(self, *, withdrawn: bool = False) -> str:
        """The question for SQLite. Every word stands in quotes, so none is an operator."""
        *others, last = [
            (f"{field} : " if field else "") + f'"{" ".join(term)}"' for field, term in self.terms
        ]
        found = " AND ".join([*others, last + (" *" if self.begun else "")])
        return f'({found}) {"AND" if withdrawn else "NOT"} "{WITHDRAWN}"'

    def tsquery(self) -> str:
        """The question for PostgreSQL, as a tsquery literal."""
        last = len(self.terms) - 1
        return " & ".join(
            _followed(term, _WEIGHTS[field], begun=self.begun and index == last)
            for index, (field, term) in enumerate(self.terms)
        )


def _followed(term: Term, weight: str, *, begun: bool) -> str:
    ends = [f":{weight}" if weight else ""] * len(term)
    if begun:
        ends[-1] = f":*{weight}"
    quoted = [f"'{word}'{end}" for word, end in zip(term, ends, strict=True)]
    return quoted[0] if len(quoted) == 1 else f"({' <-> '.join(quoted)})"


def ask(text: str, field: str = "", *, begun: bool = False) -> Asked:
    """Words that must all be there; those in quotes, and those joined by a hyphen, in a row."""
    number = isbn.thirteen(text)
    if number:
        return Asked(((field, (number,)),))
    terms: list[Term] = []
    rest = 0
    for quoted in _QUOTED.finditer(text):
        terms += _plain(text[rest : quoted.start()])
        terms.append(tuple(words(quoted[1])))
        rest = quoted.end()
    terms += _plain(text[rest:])
    kept = tuple(dict.fromkeys((field, term) for term in terms if term))
    return Asked(kept, begun=begun)


def _plain(text: str) -> list[Term]:
    chunks = text.split()
    inner = range(1, len(chunks) - 1)
    return [
        _term(chunk) for index, chunk in enumerate(chunks) if chunk != "AND" or index not in inner
    ]


def _term(chunk: str) -> Term:
    number = isbn.thirteen(chunk) if len(chunk) > 9 else None
    return (number,) if number else tuple(words(chunk))
