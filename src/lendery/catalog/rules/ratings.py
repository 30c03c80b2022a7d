"""Where a book stands among others by its stars."""

from collections.abc import Sequence

UNRATED = 0
USUAL, WEIGHT = 3.5, 5  # as if each book had so many readers more who found it as usual


def sort_rating(stars: Sequence[int]) -> int:
    """The stars of a book as a key to sort by, the best first and books without any last.

    A Bayesian average in thousandths, so that one reader's five stars do not outrank a hundred
    readers' four and a half. Below zero, because lists go upwards: -4600 is before -3100.
    """
    count = sum(stars)
    if not count:
        return UNRATED
    total = sum(number * many for number, many in enumerate(stars, 1))
    return -round(1000 * (USUAL * WEIGHT + total) / (WEIGHT + count))
