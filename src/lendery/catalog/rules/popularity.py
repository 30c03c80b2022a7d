"""How often a book was lent, and where that puts it among those that are looked at first.

A place is a number: less comes first. Among equals the older record does, and a book that was
never lent has its own number as its place. Places change at steps that grow, so a book that was
lent a thousand times has moved twenty times.
"""

from bisect import bisect_right
from itertools import chain

STEPS = (
    *chain.from_iterable((2**n, 3 * 2 ** (n - 1)) for n in range(1, 11)),
    *(2**n for n in range(11, 21)),
)
BETWEEN = 1 << 40
LEVELS = (1, 4, 16, 64, 256)  # what is lent so often has a word for it
LAST_PLACE = BETWEEN - 1


def step(popularity: int) -> int:
    return bisect_right(STEPS, popularity) + (popularity > 0)


def place(number: int, popularity: int) -> int:
    return number - step(popularity) * BETWEEN


def number_at(place: int) -> int:
    return place & (BETWEEN - 1)


def level_word(level: int) -> str:
    return f"\u00b7lent{level}"


def level_words(popularity: int) -> list[str]:
    """The words for how often at least it was lent."""
    return [level_word(level) for level in LEVELS if popularity >= level]


def last_place_of(level: int) -> int:
    """The last place that a book which was lent so often can have."""
    return LAST_PLACE - step(level) * BETWEEN
