"""Where a hit ranks, and why. The same on every database: nothing here asks one.

Each word counts by where it stands (title, author, subject, elsewhere) and by how rare it is.
What the title is made of besides counts against it; how often a book was lent, and whether it is
in, moves it among near equals. A title that is just what was asked stands above all.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Literal

from lendery.catalog.rules.fold import GAP, fold
from lendery.catalog.rules.query import Asked, Term

WHOLE_TITLE = 100.0
BY_FIELD: Mapping[str, float] = {"title": 10, "author": 8, "subject": 4, "elsewhere": 1}
TITLE_MATCH = 4.0
LENT, MOST_LENT = 0.3, 3.0
AVAILABLE = 0.1
NOT_AS_TYPED = 0.7

What = Literal[
    "whole-title", "title", "author", "subject", "elsewhere", "title-match", "lent", "available"
]
Part = tuple[What, str | None, float]


@dataclass(frozen=True)
class _Word:
    """One term, ready to be looked for."""

    shown: str
    field: str
    weight: float
    in_title: tuple[str, ...]  # with a space on both sides
    typed: str
    in_text: re.Pattern[str]
    length: int


@dataclass(frozen=True)
class Ranking:
    """Ranks hits (rows of matching.TRAITS) for one question."""

    words: tuple[_Word, ...]
    whole_title: str | None

    @classmethod
    def of(cls, asked: Asked, frequencies: Mapping[str, int], whole_title: str | None) -> "Ranking":
        """`whole_title`: the filing form of a title that would be just what was asked."""
        terms = [each for each in asked.terms if not each.words[0].startswith(GAP)]
        rare = [_rarity(each, frequencies) for each in terms]
        whole = sum(rare) or 1
        words = (_word(term, part / whole) for term, part in zip(terms, rare, strict=True))
        return cls(tuple(words), whole_title)

    def rank(self, hit: Any) -> float:
        """Higher is better; in thousandths, so that it can stand in a cursor."""
        return round(sum([adds for _, _, adds in self.parts(hit)]), 3)

    def parts(self, hit: Any) -> list[Part]:
        """What makes up the rank."""
        field: What
        found: list[Part] = []
        title = f" {hit.sort_title} "
        covered = 0
        for word in self.words:
            if word.in_title[0] in title and word.field in ("", "title"):  # as most do
                field, part = "title", BY_FIELD["title"]
            else:
                field, part = _stands_in(word, title, hit)
            if field == "title":
                covered += word.length
            found.append((field, word.shown, word.weight * part))
        if covered:
            share = min(1.0, covered / (title.count(" ") - 1))
            found.append(("title-match", None, TITLE_MATCH * share))
        if self.whole_title and hit.sort_title == self.whole_title:
            found.append(("whole-title", None, WHOLE_TITLE))
        if hit.popularity:
            found.append(("lent", None, min(MOST_LENT, LENT * log2(1 + hit.popularity))))
        if hit.on_the_shelf:
            found.append(("available", None, AVAILABLE))
        return found


def _rarity(term: Term, frequencies: Mapping[str, int]) -> float:
    books = frequencies.get(GAP, 0)
    counts = [frequencies.get(word, 0) for word in term.words]
    return log2(2 + books / (1 + min(counts)))


def _word(term: Term, weight: float) -> _Word:
    choices = [" ".join(term.words), *(each for each in term.choices if each not in term.words)]
    either = "|".join(r"\W+".join(map(re.escape, each.split())) for each in choices)
    end = "" if term.begun and not term.instead else r"(?![^\W_])"
    return _Word(
        shown=choices[0],
        field=term.field,
        weight=weight,
        in_title=tuple(f" {each} " for each in choices),
        typed=choices[0],
        in_text=re.compile(rf"(?<![^\W_])(?:{either}){end}"),
        length=len(term.words),
    )


def _stands_in(word: _Word, title: str, hit: Any) -> tuple[What, float]:
    """The weightiest field it stands in, and what that counts."""
    if word.field in ("", "title"):
        for each in word.in_title:
            if each in title:
                typed = each == word.in_title[0]
                return "title", BY_FIELD["title"] * (1 if typed else NOT_AS_TYPED)
        if hit.subtitle and (part := _in(word, hit.subtitle)):
            return "title", BY_FIELD["author"] * part
    if word.field in ("", "author"):
        if any(each in f" {hit.sort_author} " for each in word.in_title[:1]):
            return "author", BY_FIELD["author"]
        if part := _in(word, hit.authors):
            return "author", BY_FIELD["author"] * part
    if word.field in ("", "subject") and (part := _in(word, hit.subjects)):
        return "subject", BY_FIELD["subject"] * part
    if len(word.typed) > 3 and word.typed in title.replace(" ", ""):
        return "title", BY_FIELD["title"] * NOT_AS_TYPED  # *dont* for *don't*
    return "elsewhere", BY_FIELD["elsewhere"]


def _in(word: _Word, text: str) -> float:
    found = word.in_text.search(fold(text))
    if found is None:
        return 0
    return 1 if len(word.in_title) == 1 or found[0] == word.typed else NOT_AS_TYPED


def best_first(ranking: Ranking, hits: Iterable[Any]) -> list[tuple[float, Any]]:
    """Each with its rank; those that rank alike by their places."""
    ranked = [(ranking.rank(hit), hit) for hit in hits]
    return sorted(ranked, key=lambda each: (-each[0], each[1].place))


def after(ranked: Sequence[tuple[float, Any]], rank: float, place: int) -> list[tuple[float, Any]]:
    """Those that come after a rank and a place."""
    return [each for each in ranked if (-each[0], each[1].place) > (-rank, place)]
