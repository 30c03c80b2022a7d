"""When two spellings are the same words, in the index and in a question alike.

Both databases index what this module makes and nothing else, so they find the same books.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

LONGEST_WORD = 64
MOST_WORDS = 16_000  # of one record; PostgreSQL counts positions up to 16,383
MOST_BYTES = 500_000
GAP = "\u00b7"  # between two names, so that no phrase runs across; nobody can type it as a word

_ASCII_WORDS = re.compile(r"[a-z0-9]+")
_ALPHABET_WORDS = re.compile(r"[^\W_]+")
_ALPHABETS_END = "\u0590"  # Latin, Greek, Cyrillic, Armenian: without marks once folded
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u02b9\u2032`\u00b4\uff07]")
# Letters that Unicode does not take apart, though readers and keyboards do.
_LETTERS = str.maketrans(
    {
        "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
        "\u0131": "i", "ŧ": "t", "ŋ": "n", "ĸ": "k",
    }
)  # fmt: skip
# Accents, Hebrew points and Arabic vowel signs; the vowel signs of Indic scripts are letters.
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u064b-\u065f\u0670]"
)
_UNSPACED = re.compile(  # scripts written without spaces: each character is a word
    "[\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def fold(text: str) -> str:
    """Without case, accents and ligatures; other scripts stay what they are."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text).casefold()
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
    return unicodedata.normalize("NFC", text)


def words(text: str) -> list[str]:
    """The words of a text, folded. `l'Étranger` is two, `Pride & Prejudice` three."""
    folded = fold(text).replace("&", " and ") if "&" in text or "\uff06" in text else fold(text)
    if folded.isascii():
        found = _ASCII_WORDS.findall(folded)
    elif max(folded) < _ALPHABETS_END:
        found = _ALPHABET_WORDS.findall(folded)
    else:
        found = list(_any_words(folded))
    return found if len(folded) <= LONGEST_WORD else [each[:LONGEST_WORD] for each in found]


def _any_words(text: str) -> Iterator[str]:
    spaced = _UNSPACED.sub(lambda hit: f" {hit[0]} ", text)
    in_words = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in spaced)
    return iter(in_words.split())


@lru_cache(maxsize=8_192)
def folded_name(text: str) -> str:
    """What makes two names the same: their words."""
    return (" ".join(words(text)) or fold(text).strip())[:500]


@lru_cache(maxsize=8_192)
def entry_words(text: str) -> tuple[str, ...]:
    """A title, name or subject as it is indexed: also `dont` for *don't*, `jrr` for *J. R. R.*"""
    found = words(text)
    for each in [*_without_apostrophes(text), *_initials(found)]:
        found += [GAP, each]
    return tuple(found)


def _without_apostrophes(text: str) -> list[str]:
    if not _APOSTROPHES.search(text):
        return []
    chunks = [each for each in text.split() if _APOSTROPHES.search(each.strip("'\u2018\u2019`"))]
    return [word for each in chunks for word in words(_APOSTROPHES.sub("", each))]


def _initials(found: list[str]) -> list[str]:
    if min(map(len, found), default=2) > 1:
        return []
    runs, run = [], ""
    for each in [*found, GAP * 2]:
        if len(each) == 1 and not _UNSPACED.match(each):
            run += each
        else:
            if len(run) > 1:
                runs.append(run)
            run = ""
    return runs


def field_words(entries: Iterable[str | None]) -> list[str]:
    """All entries of one field, apart from each other."""
    found: list[str] = []
    for entry in entries:
        if entry:
            if found:
                found.append(GAP)
            found += entry_words(entry)
    return found
