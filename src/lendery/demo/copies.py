"""Which copies the demo library owns: of which title, at which branch, as what kind of thing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .people import BRANCH_SHARES
from .titles import Title

ItemType = Literal["book", "reference", "audiobook", "dvd", "magazine"]

# How fast popularity falls with a title's rank, in the figures of seven English library services.
POPULARITY_EXPONENT = -0.87

_MOST_COPIES = 25
# Only titles with several copies also come to be heard or watched; the first copy is a book.
_OTHER_MEDIA: dict[ItemType, float] = {"book": 0.87, "audiobook": 0.08, "dvd": 0.05}
_REFERENCE_SHARE = 0.04  # of factual titles for adults
_PERIODICALS = "AP"  # the Library of Congress class


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCopy:
    """One copy to buy: the place of its title in the list, its home branch, and its type."""

    title_index: int
    branch_index: int
    item_type: ItemType


def copies(titles: Sequence[Title], *, count: int = 45_000, seed: int) -> list[PlannedCopy]:
    """Exactly `count` copies of titles given most popular first, in the order of the titles.

    Every title has one copy at least and 25 at most; popular ones have many, spread over all
    branches. Raises ValueError if the count cannot be divided so.
    """
    rng = random.Random(seed)
    planned: list[PlannedCopy] = []
    for title_index, number in enumerate(_copies_of_each(len(titles), count)):
        types = _item_types(titles[title_index], number, rng)
        for branch_index, item_type in zip(_branches(number, rng), types, strict=True):
            planned.append(
                PlannedCopy(title_index=title_index, branch_index=branch_index, item_type=item_type)
            )
    return planned


def _copies_of_each(titles: int, count: int) -> list[int]:
    """One copy each, and the rest by popularity: the n-th title gets n ** -0.87 of the first's."""
    if not titles <= count <= titles * _MOST_COPIES:
        raise ValueError(f"{count} copies of {titles} titles, with 1 to {_MOST_COPIES} each")
    weights = [rank**POPULARITY_EXPONENT for rank in range(1, titles + 1)]
    low, high = 0.0, _MOST_COPIES / weights[-1] if weights else 0.0
    for _ in range(60):
        middle = (low + high) / 2
        wanted = sum(min(_MOST_COPIES - 1, middle * weight) for weight in weights)
        low, high = (middle, high) if wanted < count - titles else (low, middle)
    numbers: list[int] = []
    due = 0.5
    for weight in weights:
        due += min(_MOST_COPIES - 1, high * weight)  # fractions add up to a copy now and then
        numbers.append(1 + min(_MOST_COPIES - 1, int(due)))
        due -= numbers[-1] - 1
    return _corrected(numbers, count)


def _corrected(numbers: list[int], count: int) -> list[int]:
    """Rounding may leave the sum a little off: give to, or take from, the first who can."""
    missing = count - sum(numbers)
    for place, number in enumerate(numbers):
        step = min(missing, _MOST_COPIES - number) if missing > 0 else max(missing, 1 - number)
        numbers[place] += step
        missing -= step
    return numbers


def _branches(number: int, rng: random.Random) -> list[int]:
    """Homes for the copies of one title: every branch once before any has a second."""
    branches = range(len(BRANCH_SHARES))
    # Sorted so, a branch comes first as often as its share says.
    order = sorted(branches, key=lambda branch: rng.random() ** (1 / BRANCH_SHARES[branch]))[::-1]
    return [*order[:number], *rng.choices(branches, BRANCH_SHARES, k=max(0, number - len(order)))]


def _item_types(title: Title, number: int, rng: random.Random) -> list[ItemType]:
    if title.call_number.partition(" ")[0] == _PERIODICALS:
        return ["magazine"] * number
    if title.fiction:
        others = rng.choices(list(_OTHER_MEDIA), list(_OTHER_MEDIA.values()), k=number - 1)
        return ["book", *others]
    types: list[ItemType] = ["book"] * number
    if title.audience == "adult" and rng.random() < _REFERENCE_SHARE:
        types[0] = "reference"
    return types
