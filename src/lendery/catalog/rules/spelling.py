"""Which known word somebody meant who typed another.

A word is kept under what its beginning becomes when one letter is left out, so that a word with
a letter too many, too few, wrong or in the wrong place meets the right one under the same key.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import log2
from zlib import crc32

from rapidfuzz.distance import OSA

from lendery.catalog.rules.fold import fold

BEGINNING = 6
SHORTEST, LONGEST = 3, 40
_WORD = re.compile(r"[^\W_]+")


def is_spelled(word: str) -> bool:
    """Made of letters only: numbers have no spelling."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def spelling_keys(word: str) -> set[int]:
    """Under these keys a word is kept and looked for."""
    return _keys_of(word[:BEGINNING])


@lru_cache(maxsize=16_384)
def _keys_of(head: str) -> set[int]:
    without_one = {head[:at] + head[at + 1 :] for at in range(len(head))}
    return {crc32(each.encode()) - 2**31 for each in {head, *without_one} if len(each) > 1}


def mistakes_allowed(word: str) -> int:
    return 1 if len(word) < 6 else 2


def corrections(
    typed: str, known: Mapping[str, int], *, least: int = 0, many: int = 3
) -> list[str]:
    """The likeliest of some known words (with how many books have each), best first.

    A word must be in more than `least` books.
    """
    allowed = mistakes_allowed(typed)
    found = []
    for word, books in known.items():
        if word == typed or books <= least:
            continue
        distance = OSA.distance(typed, word, score_cutoff=allowed)
        if distance <= allowed:
            found.append((distance * 6 - log2(books + 1) + (word[:1] != typed[:1]) * 3, word))
    return [word for _, word in sorted(found)[:many]]


def as_written(text: str, written: Iterable[str]) -> str:
    """A text of folded words with the accents that they have where they are written."""
    known = {fold(word): word.lower() for each in written for word in _WORD.findall(each)}
    return _WORD.sub(lambda hit: known.get(hit[0], hit[0]), text)


def near(typed: str, known: Iterable[str], similarity: float) -> list[str]:
    """The known words that differ by so much at most: 1 lets two letters of five be others."""
    least = 1 - 0.4 * similarity
    found = [
        (-likeness, word)
        for word in known
        if word != typed and (likeness := OSA.normalized_similarity(typed, word)) >= least
    ]
    return [word for _, word in sorted(found)[:8]]


def halves(word: str) -> list[tuple[str, str]]:
    """The ways to read it as two words written as one."""
    return [(word[:at], word[at:]) for at in range(2, len(word) - 1)] if len(word) < 30 else []
