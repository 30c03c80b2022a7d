"""How readers of a library tend to behave: how often they come, how long they keep things."""

import random
from bisect import bisect
from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from .copies import ItemType
from .people import Reader
from .titles import Audience

# Parts of all loans; together 0.64 renewals for each loan.
_RENEWED_ONCE, _RENEWED_TWICE = 0.28, 0.18
# Things taken in one visit, and how often so many.
_ARMFULS = ((1, 2, 3, 4, 5, 6, 8), (34, 26, 17, 11, 6, 4, 2))
# The chance of bringing something back late: most people are careful, a few are not.
_LATENESS = ((0.06, 0.22, 0.5), (70, 25, 5))
_LOST_OF_LATE = 0.06
_EARLY_DAYS, _LATE_DAYS = 6, 9  # on average, before and after the day it is due
_ELSEWHERE = 0.08  # returns to another branch than the one lent from
_AWAY_FROM_HOME = 0.1  # visits to another branch than one's own
_MOST_TRIES = 50
_CHILDRENS_BOOKS = {"adult": 0.24, "staff": 0.24, "student": 0.08, "child": 1.0}


class Habits:
    """The readers' habits, drawn once for each of them and then for each occasion."""

    def __init__(self, readers: Sequence[Reader], rng: random.Random) -> None:
        self._readers = readers
        self._rng = rng
        # A few come every week, many now and then: some months pass without a visit.
        self._visits = list(accumulate(rng.gammavariate(2.5, 1.0) for _ in readers))
        self._lateness = rng.choices(*_LATENESS, k=len(readers))

    def visitor(self, day: date) -> int | None:
        """Who comes in on that day with a valid card; None if hardly anybody has one."""
        for _ in range(_MOST_TRIES if self._visits else 0):
            reader = bisect(self._visits, self._rng.random() * self._visits[-1])
            if day <= self._readers[reader].expires_on:
                return reader
        return None

    def visits_elsewhere(self) -> bool:
        """Whether a reader goes to another branch than usual, though the own one is open."""
        return self._rng.random() < _AWAY_FROM_HOME

    def armful(self) -> int:
        """How many things somebody takes home from one visit."""
        return self._rng.choices(*_ARMFULS)[0]

    def part_of_day(self) -> float:
        """When in the opening hours something happens: most often in the afternoon."""
        return 0.97 * self._rng.triangular(0, 1, 0.6)

    def looks_for(self, reader: int) -> Audience:
        """Grown-ups take children's books home too, for their children."""
        chance = _CHILDRENS_BOOKS[self._readers[reader].category]
        return "child" if self._rng.random() < chance else "adult"

    def renewals(self, item_type: ItemType) -> int:
        """How often a loan is made longer: films, which others wait for, once at most."""
        chance = self._rng.random()
        if chance < _RENEWED_TWICE:
            return 1 if item_type == "dvd" else 2
        return 1 if chance < _RENEWED_TWICE + _RENEWED_ONCE else 0

    def days_before_renewal(self) -> int:
        """How many days before the last day a loan is renewed."""
        return self._rng.randint(0, 3)

    def days_kept(self, reader: int, allowed: int) -> int | None:
        """After how many days something comes back that may be kept so long; None for never."""
        chance, late = self._rng.random(), self._lateness[reader]
        if chance < late * _LOST_OF_LATE:
            return None
        if chance < late:
            return allowed + 1 + int(self._rng.expovariate(1 / _LATE_DAYS))
        kept = allowed - int(self._rng.expovariate(1 / _EARLY_DAYS))
        return kept if kept > 0 else self._rng.randint(1, allowed)

    def returns_elsewhere(self) -> bool:
        """Whether a copy is given back at another branch than the one it was taken from."""
        return self._rng.random() < _ELSEWHERE
