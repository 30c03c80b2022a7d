"""Numbers of books: ISBNs that are valid and differ, years, how many copies."""

from dataclasses import dataclass
from math import gcd

LAST_YEAR = 2025  # fixed, so that a seed gives the same books next year
ISBNS_SINCE = 1967
POPULARITY = -0.87  # how loans fall with a title's rank in English public libraries
MOST_COPIES = 60

_MASK = (1 << 64) - 1
# The registration groups of the languages, or near them; all other languages share one.
_GROUPS = {
    "en": "1", "fr": "2", "de": "3", "zh": "7", "pt": "85", "it": "88", "es": "84", "nl": "90",
    "sv": "91", "da": "87", "fi": "951", "hu": "963", "el": "960", "cs": "80", "pl": "83",
}  # fmt: skip
_OTHERS = "6"
_STEP = 387_420_489  # 3 ** 18: shares no factor with a power of ten


def mixed(seed: int, number: int) -> int:
    """64 bits that look like chance and are always the same for these two numbers."""
    value = (number * 0x9E3779B97F4A7C15 + seed * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Isbns:
    """ISBN-13s in the group of each language, no number twice; they do not follow each other."""

    def __init__(self, seed: int) -> None:
        self._offset = mixed(seed, 0)
        self._given: dict[str, int] = {}

    def next(self, language: str) -> str:
        """Raises OverflowError when a group has no more."""
        group = _GROUPS.get(language, _OTHERS)
        count = self._given.get(group, 0)
        room = 10 ** (9 - len(group))
        if count >= room:
            raise OverflowError(f"There are no more ISBNs of group {group}.")
        self._given[group] = count + 1
        return _checked(int(f"978{group}") * room + (count * _STEP + self._offset) % room)


# What three digits add to the sum, when the first of them counts once, and when thrice.
_ONCE = [each // 100 + each // 10 % 10 * 3 + each % 10 for each in range(1000)]
_THRICE = [each // 100 * 3 + each // 10 % 10 + each % 10 * 3 for each in range(1000)]


def _checked(twelve: int) -> str:
    high, low = divmod(twelve, 1_000_000)
    total = _ONCE[high // 1000] + _THRICE[high % 1000] + _ONCE[low // 1000] + _THRICE[low % 1000]
    return f"{twelve}{-total % 10}"


def barcode(library: int, serial: int) -> str:
    """An item's barcode as American libraries print it: 3, the library, a number, Luhn's digit."""
    digits = f"3{library:04d}{serial:08d}"
    doubled = sum(sum(divmod(2 * int(each), 10)) for each in digits[::2])
    return f"{digits}{-(doubled + sum(map(int, digits[1::2]))) % 10}"


@dataclass(frozen=True)
class Popularity:
    """How often each of `books` is wanted: a rank for each, in no order, and copies by rank."""

    books: int
    step: int
    offset: int
    scale: float
    per_book: float

    @classmethod
    def of(cls, books: int, seed: int, per_book: float) -> "Popularity":
        step = max(1, int(books * 0.6180339887)) | 1
        while gcd(step, books) != 1:
            step += 2
        scale = _scale(books, max(0.0, per_book - 1))
        return cls(books, step, mixed(seed, 1) % books, scale, per_book)

    def rank(self, number: int) -> int:
        """1 is the most wanted; no two books share a rank."""
        return (number * self.step + self.offset) % self.books + 1

    def copies(self, number: int, chance: float) -> int:
        """`chance`, 0 to 1, decides about the part of a copy that is left."""
        if self.per_book < 1:
            return int(chance < self.per_book)
        more = min(MOST_COPIES - 1, self.scale * self.rank(number) ** POPULARITY)
        return 1 + int(more + chance)


def _scale(books: int, more: float) -> float:
    """What the first rank would get, so that all get `more` on average though none gets all."""
    low, high = 0.0, float(books * MOST_COPIES)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _total(books, middle) < more * books else (low, middle)
    return high


def _total(books: int, scale: float) -> float:
    most = MOST_COPIES - 1
    full: float = min(float(books), (scale / most) ** (-1 / POPULARITY))
    rest = 1 + POPULARITY
    below: float = scale / rest * (books**rest - max(full, 1.0) ** rest)
    return most * full + max(0.0, below)
