"""How long a hold is likely to wait, from how long those like it waited. No model.

Alike are holds with as many turns before them: the readers in line up to this one, for each copy of
the book. A copy makes a turn when it goes to a reader and comes back.

Who gave up, or waits still, is not left out: that would leave the short waits. They waited at least
so long, and are counted until then and no longer (the estimate of Kaplan and Meier, 1958).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil, floor, inf

BUCKETS = (0.5, 1.0, 2.0, 3.0, 5.0)  # turns, each up to and with; after the last there are more
ENOUGH = 20  # holds alike that were served; of fewer nothing is said
MEMORY = timedelta(days=365)
DAY = timedelta(days=1)
A_DAY = 86_400  # seconds


@dataclass(kw_only=True, slots=True)
class PastHold:
    """`ahead`: who waited for the book before it when it was placed. `copies`: of the book.

    `left_at` is when it was served, or given up if not `served`; None: it waits. `begun` and `left`
    are the same in whole seconds, as a replay looks at each many times.
    """

    placed_at: datetime
    left_at: datetime | None
    served: bool
    ahead: int
    copies: int
    bucket: int | None = field(init=False)
    begun: int = field(init=False)
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = bucket_of(self.ahead, self.copies)
        self.begun = seconds(self.placed_at)
        self.left = inf if self.left_at is None else seconds(self.left_at)

    def waited(self, now: datetime) -> float:
        """Days until it was served or given up, or until now."""
        return (min(self.left, seconds(now)) - self.begun) / A_DAY

    def was_served(self, now: datetime) -> bool:
        return self.served and self.left <= seconds(now)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


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
        at, since = seconds(now), seconds(now - MEMORY)
        self._alike: list[list[tuple[float, bool]]] = [[] for _ in range(len(BUCKETS) + 1)]
        self._curves: dict[int, _Curve] = {}
        for hold in holds:
            if hold.bucket is not None and since <= hold.begun < at:
                over = hold.left <= at
                waited = (hold.left if over else at) - hold.begun
                self._alike[hold.bucket].append((waited, not (over and hold.served)))

    def expects(self, *, ahead: int, copies: int, waited: float = 0.0) -> Days | None:
        """The days from the 10th to the 90th of a hundred like it. None: not enough experience.

        `waited`: days it has waited in this bucket. Only those who waited longer are like it then,
        and the days count from when it began to wait.
        """
        bucket = bucket_of(ahead, copies)
        if bucket is None:
            return None
        if bucket not in self._curves:
            self._curves[bucket] = _Curve(self._alike[bucket])
        return self._curves[bucket].from_10th_to_90th(waited * A_DAY)


class _Curve:
    """Which share still waits after each wait that ended with a copy."""

    def __init__(self, waits: list[tuple[float, bool]]) -> None:
        """`waits`: seconds, and whether it was not served by then."""
        self._served: list[float] = []
        self._waiting: list[float] = []
        share, count = 1.0, len(waits)
        for place, (waited, not_served) in enumerate(sorted(waits)):
            if not not_served:
                share *= 1 - 1 / (count - place)
                self._served.append(waited)
                self._waiting.append(share)

    def from_10th_to_90th(self, waited: float) -> Days | None:
        """Of those who waited longer than so many seconds.

        Of n served it takes the ranks that eight in ten of those who come after fall between, not
        of the n: a little outside the percentiles, the more so the fewer there are.
        """
        first = bisect_right(self._served, waited) if waited > 0 else 0
        count = len(self._served) - first
        if count < ENOUGH:
            return None
        begins = self._waiting[first - 1] if first else 1.0
        shortest = self._when(first, begins, floor(0.1 * (count + 1)) / count)
        longest = self._when(first, begins, min(1.0, ceil(0.9 * (count + 1)) / count))
        if shortest is None or longest is None:
            return None  # too many gave up or wait: nobody saw the upper end
        return Days(floor(shortest / A_DAY), ceil(longest / A_DAY))

    def _when(self, first: int, begins: float, served: float) -> float | None:
        """After how many seconds this share of those who began was served."""
        share = begins * (1 - served + 1e-9)
        found = bisect_left(self._waiting, -share, lo=first, key=lambda waiting: -waiting)
        return self._served[found] if found < len(self._served) else None


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
