"""Those who make books: authors, publishers and series, each always the same for its number.

Nothing is remembered, so there may be any number of them: what a name is made of follows from
its number and the seed alone.
"""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from lendery.demo.cleaning import plain
from lendery.generating.numbers import LAST_YEAR, mixed
from lendery.generating.vocabulary import Pool, Tongue

_PEOPLE, _HOUSES, _SERIES, _RARE = (1 << 40, 2 << 40, 3 << 40, 4 << 40)
_SHORTEST = 5  # a name that can be taken apart
_LIFE = 45  # years at least that an author of the past lived

_FIRMS: dict[str, tuple[str, ...]] = {
    "en": ("{} Press", "{} & {}", "{} Books", "{} House", "{} & Sons", "{} Publishing", "{}"),
    "fr": ("Éditions {}", "Librairie {}", "{} et {}"),
    "de": ("{} Verlag", "Verlag {} & {}", "{}"),
    "es": ("Editorial {}", "Ediciones {}"),
    "pt": ("Editora {}", "Livraria {}"),
    "it": ("{} Editore", "Edizioni {}"),
    "nl": ("Uitgeverij {}", "{} & {}"),
    "sv": ("{} förlag",),
    "fi": ("Kustannus {}",),
    "hu": ("{} Kiadó",),
}
_KINDS = (
    "Chronicles", "Mysteries", "Trilogy", "Library", "Saga", "Stories", "Quartet", "Casebook",
    "Adventures", "Sequence",
)  # fmt: skip


class Person(NamedTuple):
    """`since` is the year of birth, whether the record tells it or not."""

    entry: dict[str, str | int]
    letters: str
    since: int


class Company:
    """The people and firms of one language."""

    def __init__(self, tongue: Tongue, seed: int) -> None:
        self.tongue = tongue
        self.seed = seed * 1009 + tongue.rank
        whole = [each for each in tongue.family if len(each) >= _SHORTEST and each.isalpha()]
        self._heads: Pool = [each[: len(each) // 2 + 1] for each in whole] or tongue.family
        self._tails: Pool = [each[len(each) // 2 :].lower() for each in whole] or [""]
        self.firm = lru_cache(2048)(self._firm)  # a few print most books

    def person(self, number: int) -> Person:
        chance = mixed(self.seed, _PEOPLE + number)
        tongue = self.tongue
        given = tongue.given[chance % len(tongue.given)]
        family = self._family(chance >> 14)
        since = _born(chance >> 40)
        name = f"{family} {given}" if tongue.family_first else f"{given} {family}"
        entry: dict[str, str | int] = {"name": name, "sort_name": f"{family}, {given}"}
        if not chance >> 60 & 1:
            entry["born"] = since
            died = since + _LIFE + (chance >> 50) % 50
            if died <= LAST_YEAR:
                entry["died"] = died
        return Person(entry, letters(family), since)

    def _firm(self, number: int) -> str:
        chance = mixed(self.seed, _HOUSES + number)
        forms = _FIRMS.get(self.tongue.language, ("{}",))
        form = forms[(chance >> 50) % len(forms)]
        return form.format(self._family(chance), self._family(chance >> 20))

    def series(self, author: int, volume: int) -> str:
        """An author's series; each has one."""
        chance = mixed(self.seed, _SERIES + author)
        word = self.tongue.capital[chance % len(self.tongue.capital)]
        if self.tongue.language == "en":
            word = f"The {word} {_KINDS[(chance >> 40) % len(_KINDS)]}"
        return f"{word}, {volume}"

    def rare(self, number: int) -> str:
        """A name that few titles have: of a place, a ship, somebody."""
        return self._made(mixed(self.seed, _RARE + number))

    def _family(self, chance: int) -> str:
        if chance >> 8 & 1:
            return self._made(chance >> 9)
        return self.tongue.family[chance % len(self.tongue.family)]

    def _made(self, chance: int) -> str:
        heads, tails = self._heads, self._tails
        return heads[chance % len(heads)] + tails[(chance >> 16) % len(tails)]


def letters(name: str) -> str:
    """Three for the call number."""
    if (first := name[:3]).isascii() and first.isalpha() and len(first) == 3:
        return first.upper()
    found = "".join(each for each in plain(name) if unicodedata.category(each) in ("Ll", "Lo"))
    return found.upper()[:3] or "ANO"


def _born(chance: int) -> int:
    """Four of five since 1920, the others earlier and earlier."""
    part = (chance & 0x3FF) / 1024
    if chance >> 10 & 0xFF < 205:
        return LAST_YEAR - 105 + int(74 * part**0.8)
    return LAST_YEAR - 105 - int(400 * part**3)
