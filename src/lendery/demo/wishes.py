"""What readers of the demo library ask for when it does not stand on their shelf."""

import random
from bisect import bisect
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import accumulate

from .copies import POPULARITY_EXPONENT
from .stock import Stock
from .titles import Audience, Title

_IN_TALK = 0.55  # of the wishes: for what the town talks about just then
_WEEKS_OF_TALK = 4
_FEW_COPIES = range(1, 5)
_READERS_FOR_EACH = {"adult": 100, "child": 200}  # so many for every title in talk
_DAYS = 7 * _WEEKS_OF_TALK


class Wishes:
    """Most want what is popular, or what the town talks about: a film, a prize, a class at school.

    The latter makes the queues, since the library has few copies of it.
    """

    def __init__(
        self, titles: Sequence[Title], stock: Stock, *, readers: int, seed: int, rng: random.Random
    ) -> None:
        self._readers, self._seed, self._rng = readers, seed, rng
        self._of: dict[Audience, list[int]] = {"adult": [], "child": []}
        for place, title in enumerate(titles):
            if stock.lent_of(place):
                self._of[title.audience].append(place)
        self._asked_for = {
            audience: list(accumulate((place + 1) ** POPULARITY_EXPONENT for place in places))
            for audience, places in self._of.items()
        }
        self._few: dict[Audience, list[int]] = {}
        for audience, places in self._of.items():
            known = places[: 1 + len(places) // 3]
            few = [place for place in known if stock.lent_of(place) in _FEW_COPIES]
            self._few[audience] = few or known
        self._in_talk = cache(self._talk)

    def one(self, audience: Audience, day: date) -> int | None:
        """A title that somebody might ask for on that day; None: there is none of the kind."""
        talk = self._in_talk(audience, day.toordinal() // _DAYS)
        if talk and self._rng.random() < _IN_TALK:
            return self._rng.choice(talk)
        up_to = self._asked_for[audience]
        if not up_to:
            return None
        return self._of[audience][bisect(up_to, self._rng.random() * up_to[-1])]

    def _talk(self, audience: Audience, weeks: int) -> list[int]:
        """What the town talks about in those weeks."""
        few = self._few[audience]
        wanted = 1 + self._readers // _READERS_FOR_EACH[audience]
        return random.Random(f"{self._seed} {audience} {weeks}").sample(few, min(wanted, len(few)))
