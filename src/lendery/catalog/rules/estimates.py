"""How many books a question may find, and which way to them is the shortest.

Costs are in books looked at. What is asked by few words is found through the index of words; what
nearly every book has, by walking from the most lent book on; what lies between, through the index
among those that were lent so often that about enough of them match.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lendery.catalog.rules.fold import GAP
from lendery.catalog.rules.popularity import LEVELS, last_place_of, level_word
from lendery.catalog.rules.query import Asked, Term

POSTINGS_AT_A_TIME = 50  # entries of a word that cost as much as one book
SPARE = 2.0  # so many times what is wanted is looked for: words are not spread evenly
GUESSED = 0.2  # the part of all that a filter leaves, which nobody counted
WINDOW = 20_000  # books a walk looks at, at most


@dataclass(frozen=True)
class Way:
    """`level`: only among books lent so often at least; then there may be more beyond."""

    by: Literal["index", "walk"]
    level: int | None = None
    cost: float = 0


def words_of(asked: Asked) -> list[str]:
    """The words whose frequency decides."""
    found = [word for term in asked.terms for word in (*term.words, *term.instead)]
    return list(dict.fromkeys([*found, GAP, *map(level_word, LEVELS)]))


def frequency(term: Term, frequencies: Mapping[str, int]) -> int:
    """In how many books the term is, at most."""
    if term.instead:
        return sum(frequencies.get(word, 0) for word in term.choices)
    known = term.words[:-1] if term.begun else term.words
    counts = [frequencies.get(word, 0) for word in known]
    return min(counts, default=frequencies.get(GAP, 0))


def expected(asked: Asked, frequencies: Mapping[str, int]) -> float:
    """About how many books have all the words, as if they had nothing to do with each other."""
    books = max(1, frequencies.get(GAP, 0))
    counts = sorted(frequency(term, frequencies) for term in asked.terms)
    found = float(counts[0]) if counts else float(books)
    for count in counts[1:]:
        found *= max(min(1.0, count / books), 0.02)  # words of one subject come together
    return found


def ways(
    asked: Asked,
    frequencies: Mapping[str, int],
    *,
    many: int,
    filters: int = 0,
    after: int | None = None,
) -> list[Way]:
    """Which ways to try for the first `many` beyond the place `after`, in turn.

    The last is through the index among all: it finds whatever there is.
    """
    books = max(1, frequencies.get(GAP, 0))
    matching = expected(asked, frequencies)
    kept = GUESSED**filters
    postings = sum(frequency(term, frequencies) for term in asked.terms) / POSTINGS_AT_A_TIME
    found = [Way("index", None, postings + matching)]
    needed = many * SPARE / kept
    if needed / max(matching, 1) * books < WINDOW:
        found.append(Way("walk", None, many * 1.2 / kept / max(matching, 1) * books))
    for level in LEVELS:
        if after is not None and last_place_of(level) <= after:
            continue
        among = matching * frequencies.get(level_word(level), 0) / books
        listed = min(frequencies.get(level_word(level), 0), books) / POSTINGS_AT_A_TIME
        if among >= needed:
            found.append(Way("index", level, postings + listed + among))
    best = min(found, key=lambda way: way.cost)
    return [best] if best == found[0] else [best, found[0]]
