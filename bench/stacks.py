"""A library of many books for measuring searches: words as frequent as words are.

Titles, names and subjects are put together from words that were made up, with the frequencies of
natural language (Zipf): a few in nearly every title, most in hardly any. The rows are written as
the catalog writes them, in bulk; the indexes are those of the migrations.
"""

import asyncio
import random
from bisect import bisect
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from lendery.catalog.models import change
from lendery.catalog.repository.books import added
from lendery.catalog.repository.search import tidy
from lendery.catalog.repository.words import count_words
from lendery.catalog.rules.popularity import level_words, place
from lendery.contracts.base import new_id
from lendery.contracts.catalog import AuthorRef, Book
from lendery.platform.db import Database

_COMMON = "the of and a history in to life for new world war love story art with american"
COMMON = _COMMON.split(" ")
_ONSETS = "b c d f g h k l m n p r s t v w br st tr"
SYLLABLES = [onset + vowel for onset in _ONSETS.split(" ") for vowel in "aeiou"]
LANGUAGES = ["en"] * 70 + ["de"] * 9 + ["fr"] * 9 + ["es"] * 8 + ["it"] * 3 + ["cy"]
AT_ONCE = 2_000
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Vocabulary:
    """Words, each less frequent than the one before: as 1, 1/2, 1/3 ..."""

    def __init__(self, size: int, chance: random.Random, first: list[str]) -> None:
        self.chance = chance
        made = dict.fromkeys(first)
        while len(made) < size:
            made["".join(chance.choices(SYLLABLES, k=chance.choice((2, 2, 3, 3, 4))))] = None
        self.words = list(made)
        self._upto = list(accumulate(1 / (rank + 2) for rank in range(size)))

    def some(self, many: int) -> list[str]:
        return [self.one() for _ in range(many)]

    def one(self) -> str:
        return self.words[bisect(self._upto, self.chance.random() * self._upto[-1])]


@dataclass
class Stack:
    """Makes books. The same seed makes the same books."""

    size: int
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        vocabulary = max(5_000, int(self.size**0.5 * 200))
        self.words = Vocabulary(vocabulary, self.chance, COMMON)
        self.names = Vocabulary(vocabulary // 4, self.chance, [])
        self.authors = [
            AuthorRef(id=new_id(), name=f"{self.names.one()} {self.names.one()}".title())
            for _ in range(max(100, self.size // 4))
        ]
        topics = Vocabulary(max(200, self.size // 100), self.chance, [])
        self.topics = topics

    def book(self) -> Book:
        chance = self.chance
        title = " ".join(self.words.some(chance.choice((1, 2, 3, 3, 4, 5, 6, 8))))
        return Book(
            id=new_id(),
            title=title.capitalize(),
            subtitle=None,
            authors=(chance.choice(self.authors),),
            isbn=None,
            publisher=self.names.one().title(),
            published_year=2025 - int(chance.expovariate(0.03)),
            language=chance.choice(LANGUAGES),
            subjects=tuple(dict.fromkeys(self.topics.some(chance.choice((1, 2, 3))))),
            description=None,
            series=None,
            call_number=None,
            material="book",
            withdrawn=False,
            version=1,
        )

    def popularity(self) -> int:
        """Half were never lent; one in a thousand a thousand times."""
        return max(0, int(self.chance.paretovariate(1.0)) - 1)


async def fill(db: Database, stack: Stack) -> None:
    """All its books, findable, in the catalog of a fresh database."""
    counted: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    for first in range(1, stack.size + 1, AT_ONCE):
        async with db.begin() as tx:
            kinds: dict[Any, list[dict[str, Any]]] = {}
            for number in range(first, min(first + AT_ONCE, stack.size + 1)):
                made, lent = stack.book(), stack.popularity()
                levels.update(level_words(lent))
                for statement, given in added(
                    tx.dialect, number, made, sort_author=made.authors[0].name, now=NOW
                ):
                    moved = {"popularity": lent, "place": place(number, lent)}
                    kinds.setdefault(statement, []).append({**given, **moved})
                    counted.update(given.get("known", ()))
            for statement, rows in kinds.items():
                await tx.many(statement, rows)
            await asyncio.sleep(0)
    async with db.begin() as tx:
        await count_words(tx, counted)
        if tx.dialect != "sqlite":
            await count_words(tx, levels)
        await tx.run(change.update().values(last_number=stack.size))
        await tidy(tx)
    await db.tidy()
