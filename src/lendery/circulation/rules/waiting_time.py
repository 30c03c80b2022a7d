"""How long a hold is likely to wait, from how long those like it waited. No model.

Alike are holds with as many turns before them: the readers in line up to this one, for each copy of
the book. A copy makes a turn when it goes to a reader and comes back.

Who gave up, or waits still, is not left out: that would leave the short waits. They waited at least
so long, and are counted until then and no longer (the estimate of Kaplan and Meier, 1958).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

BUCKETS = (0.5, 1.0, 2.0, 3.0, 5.0)  # turns, each up to and with; after the last there are more
ENOUGH = 20  # holds alike that were served; of fewer nothing is said
MEMORY = timedelta(days=365)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class PastHold:
    """`ahead`: who waited for the book before it when it was placed. `copies`: of the book.

    `left_at` is when it was served, or given up if not `served`; None: it waits.
    """

    placed_at: datetime
    left_at: datetime | None
    served: bool
    ahead: int
    copies: int

    @property
    def bucket(self) -> int | None:
        return bucket_of(self.ahead, self.copies)

    def waited(self, now: datetime) -> float:
        """Days until it was served or given up, or until now."""
        left = now if self.left_at is None or self.left_at > now else self.left_at
        return (left - self.placed_at) / DAY

    def was_served(self, now: datetime) -> bool:
        return self.served and self.left_at is not None and self.left_at <= now


@dataclass(frozen=True, slots=True)
class Days:
    """From so many days after to so many days after, both included: whole days."""

    shortest: int
    longest: int

    def hold(self, waited: float) -> bool:
        return self.shortest <= waited <= self.longest


def bucket_of(ahead: int, copies: int) -> int | None:
    """An index of BUCKETS, or one more. None: there is no copy, so nobody's turn ever comes."""
    return bisect_left(BUCKETS, (ahead + 1) / copies) if copies > 0 else None


class Experience:
    """What the holds of the year before `now` have shown by then."""

    def __init__(self, holds: Iterable[PastHold], now: datetime) -> None:
        alike: list[list[tuple[float, bool]]] = [[] for _ in range(len(BUCKETS) + 1)]
        for hold in holds:
            bucket = hold.bucket
            if bucket is not None and now - MEMORY <= hold.placed_at < now:
                alike[bucket].append((hold.waited(now), hold.was_served(now)))
        for waits in alike:
            waits.sort(key=lambda wait: (wait[0], not wait[1]))
        self._alike = alike

    def expects(self, *, ahead: int, copies: int, waited: float = 0.0) -> Days | None:
        """The days from the 10th to the 90th of a hundred like it. None: not enough experience.

        `waited`: days it has waited in this bucket. Only those who waited longer are like it then,
        and the days count from when it began to wait.
        """
        bucket = bucket_of(ahead, copies)
        if bucket is None:
            return None
        waits = self._alike[bucket]
        if waited > 0:
            waits = waits[bisect_right(waits, waited, key=lambda wait: wait[0]) :]
        return _from_10th_to_90th(waits)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Of a hold that waits: who waits before it now, and who did when it was placed."""

    placed_at: datetime
    ahead: int
    ahead_then: int
    copies: int


def likely(experience: Experience, place: Place, now: datetime) -> tuple[datetime, datetime] | None:
    """The first and the last instant of the range. None: not enough experience.

    Who has come nearer waits as one who is placed there now. Who has not is compared with those
    who waited longer than that from the same place, or the range would go on before them for ever.
    """
    of = {"ahead": place.ahead, "copies": place.copies}
    begins = now
    if bucket_of(**of) == bucket_of(place.ahead_then, place.copies) and place.placed_at < now:
        begins = place.placed_at
    days = experience.expects(**of, waited=(now - begins) / DAY)
    if days is None:
        return None
    return begins + days.shortest * DAY, begins + days.longest * DAY


def _from_10th_to_90th(waits: Sequence[tuple[float, bool]]) -> Days | None:
    """`waits`: days, and whether it was served then; shortest first, the served before others.

    Of n served it takes the ranks that eight in ten of those who come after fall between, not of
    the n: a little outside the percentiles, the more so the fewer there are.
    """
    count, served_ones = len(waits), sum(served for _, served in waits)
    if served_ones < ENOUGH:
        return None
    low = floor(0.1 * (served_ones + 1)) / served_ones
    high = min(1.0, ceil(0.9 * (served_ones + 1)) / served_ones)
    shortest, waiting = None, 1.0
    for place, (days, served) in enumerate(waits):
        if not served:
            continue
        waiting *= 1 - 1 / (count - place)
        if shortest is None and 1 - waiting >= low - 1e-9:
            shortest = days
        if shortest is not None and 1 - waiting >= high - 1e-9:
            return Days(floor(shortest), ceil(days))
    return None  # too many gave up or wait: nobody saw the upper end
