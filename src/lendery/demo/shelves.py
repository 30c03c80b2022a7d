"""What stands on the branches' shelves while a lending plan is drawn, and what is asked for."""

import random
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from .copies import POPULARITY_EXPONENT, PlannedCopy
from .people import BRANCH_SHARES
from .titles import Audience, Title

# After so many titles that are all out, somebody goes home with less.
_MOST_TRIES = 40


@dataclass
class _Demand:
    """Titles a branch owns for one audience, with how much they are asked for, added up."""

    titles: list[int] = field(default_factory=list)
    up_to: list[float] = field(default_factory=list)

    def add(self, title: int, weight: float) -> None:
        self.titles.append(title)
        self.up_to.append(weight + (self.up_to[-1] if self.up_to else 0.0))


class Shelves:
    """The copies at home. `titles` come most popular first, as demand falls with their rank."""

    def __init__(self, titles: Sequence[Title], copies: Sequence[PlannedCopy]) -> None:
        self._copies = copies
        self._standing: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        self._demand: defaultdict[tuple[int, Audience], _Demand] = defaultdict(_Demand)
        for place, copy in enumerate(copies):
            self._standing[copy.branch_index, copy.title_index].append(place)
        held_by: defaultdict[int, list[int]] = defaultdict(list)
        for branch, title in self._standing:
            held_by[title].append(branch)
        for title, branches in held_by.items():
            # A title of one branch only would else be asked for by that part of the town alone.
            reach = sum(BRANCH_SHARES[branch] for branch in branches)
            for branch in branches:
                weight = (title + 1) ** POPULARITY_EXPONENT / reach
                self._demand[branch, titles[title].audience].add(title, weight)

    def take(
        self,
        branch: int,
        audience: Audience,
        *,
        but_not: Collection[int],
        may_have: Callable[[PlannedCopy], bool],
        rng: random.Random,
    ) -> int | None:
        """The place of a copy taken from the shelf, of a title asked for; None if all are out."""
        demand = self._demand[branch, audience]
        for _ in range(_MOST_TRIES if demand.titles else 0):
            title = demand.titles[bisect(demand.up_to, rng.random() * demand.up_to[-1])]
            if title in but_not:
                continue
            standing = self._standing[branch, title]
            for position, place in enumerate(standing):
                if may_have(self._copies[place]):
                    return standing.pop(position)
        return None

    def put_back(self, place: int) -> None:
        """The copy stands on its own branch's shelf again."""
        copy = self._copies[place]
        self._standing[copy.branch_index, copy.title_index].append(place)
