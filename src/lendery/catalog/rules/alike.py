"""Which two records probably speak of one book, and which two names of one person.

Nothing is decided here: what looks the same goes on a list, and somebody looks at both.
Comparing all with all would never end. Books are compared with those that stand near them by
title, and with the others of the same author; names with those that stand near them. So the work
grows with the library and not with its square.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, Protocol, TypeVar

from rapidfuzz import fuzz

from lendery.catalog.rules.filing import LAST

NEAR = 8  # so many neighbours on either side
MOST_OF_ONE = 60  # of one author all with all; of more only neighbours by title
LIKELY = 88
SAME_TITLE, SAME_NAME = 90, 86
LONGER_TITLE = 92  # one is the beginning of the other
OTHER_YEAR, OTHER_ISBN = 5, 10
SAME_WORD = 84
INITIALS = 91  # of 100: J. K. Rowling and Joanne Rowling

T = TypeVar("T")


class Record(Protocol):
    """What is compared of a book: its filing forms, and what tells editions apart."""

    sort_title: str
    sort_author: str
    published_year: int | None
    isbn: str | None
    language: str | None
    material: str
    series_number: str | None


class Person(Protocol):
    """`filed` is the filing form, family name first; years as far as known."""

    filed: str
    born: int | None
    died: int | None


def neighbours(rows: Iterable[T]) -> Iterator[tuple[T, T]]:
    """Each with the NEAR that stand before it."""
    before: deque[T] = deque(maxlen=NEAR)
    for row in rows:
        for other in before:
            yield other, row
        before.append(row)


def of_one_author(rows: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """The pairs of an author's books that are worth a look."""
    if len(rows) <= MOST_OF_ONE:
        return combinations(rows, 2)
    return neighbours(sorted(rows, key=lambda row: row.sort_title))


def same_book(one: Record, other: Record) -> int:
    """How alike, of 100; 0 if they are surely or probably two.

    Another language, another form or another number in the title is another book. Two ISBNs are
    two editions, unless all else is the same.
    """
    if one.material != other.material or _differ(one.language, other.language):
        return 0
    if _differ(one.series_number, other.series_number):
        return 0
    title = _titles(one.sort_title, other.sort_title)
    if title < SAME_TITLE or _numbers(one.sort_title) != _numbers(other.sort_title):
        return 0
    author = _authors(one.sort_author, other.sort_author)
    if author < SAME_NAME:
        return 0
    score = 0.6 * title + 0.4 * author
    score -= OTHER_YEAR * _differ(one.published_year, other.published_year)
    score -= OTHER_ISBN * _differ(one.isbn, other.isbn)
    return round(score) if score >= LIKELY else 0


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _titles(one: str, other: str) -> float:
    if one == other:
        return 100.0
    short, long = sorted((one, other), key=len)
    if len(short) > 5 and long.startswith(short + " "):
        return LONGER_TITLE
    return fuzz.ratio(one, other, score_cutoff=SAME_TITLE)


def _numbers(title: str) -> list[str]:
    return [word for word in title.split() if any(sign.isdigit() for sign in word)]


def _authors(one: str, other: str) -> float:
    if one == other:
        return 96.0 if one == LAST else 100.0  # two books by nobody: the title says it all
    if LAST in (one, other):
        return 0.0
    return _names(one, other)


def same_person(one: Person, other: Person) -> int:
    """How alike, of 100; 0 if they are surely or probably two."""
    if _differ(one.born, other.born) or _differ(one.died, other.died):
        return 0
    score = _names(one.filed, other.filed)
    if one.filed == other.filed:  # namesakes, if one of them has years
        score = 100.0 if (one.born, one.died) == (other.born, other.died) else 95.0
    return round(score) if score >= LIKELY else 0


def _names(one: str, other: str) -> float:
    """By family name, then by given names, of which initials may be all that is known."""
    mine, theirs = one.split(), other.split()
    if not mine or not theirs:
        return 0.0
    if mine == theirs:
        return 100.0
    if mine[0] == theirs[0] and len(mine) > 1 and len(theirs) > 1 and _shortened(mine, theirs):
        return INITIALS
    if _shortest(mine) == 1 or _shortest(theirs) == 1:
        return 0.0  # J. Smith and K. Smith are near in letters only
    if len(mine) == len(theirs) and any(
        fuzz.ratio(a, b) < SAME_WORD for a, b in zip(mine, theirs, strict=True)
    ):
        return 0.0  # John and Joan
    return fuzz.ratio(one, other, score_cutoff=LIKELY)


def _shortest(words: list[str]) -> int:
    return min(map(len, words))


def _shortened(mine: list[str], theirs: list[str]) -> bool:
    """Given names that agree as far as both are told: each is the other's, or its initial."""
    pairs = list(zip(mine[1:], theirs[1:], strict=False))
    agree = all(a == b or (1 in (len(a), len(b)) and a[0] == b[0]) for a, b in pairs)
    return agree and bool(pairs)
