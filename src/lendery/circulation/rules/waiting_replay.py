"""Would what was said of waiting times have come true? Past holds, each judged by those before."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from itertools import groupby
from statistics import median

from lendery.circulation.rules.waiting_time import BUCKETS, MEMORY, Days, Experience, PastHold


@dataclass
class Judged:
    """One bucket: `holds`, of which so many got a range, of which so many are `decided`.

    Not decided is who gave up, or waits still, before the range was over: nobody knows.
    """

    holds: int = 0
    ranges: int = 0
    decided: int = 0
    held: int = 0
    widths: list[int] = field(default_factory=list)

    @property
    def width(self) -> float | None:
        """The median, in days."""
        return median(self.widths) if self.widths else None

    @property
    def share_held(self) -> float | None:
        return self.held / self.decided if self.decided else None

    def judge(self, told: Days | None, hold: PastHold, now: datetime) -> None:
        self.holds += 1
        if told is None:
            return
        self.ranges += 1
        self.widths.append(told.longest - told.shortest)
        waited, served = hold.waited(now), hold.was_served(now)
        if served or waited > told.longest:
            self.decided += 1
            self.held += served and told.hold(waited)


def replayed(
    holds: Sequence[PastHold], now: datetime, a_day_is_done: Callable[[], None]
) -> list[Judged]:
    """`holds` in the order in which they were placed. One report for each bucket.

    Each is judged by what was known when its day (UTC) began. The rest of that day it would be
    known better, as the program looks anew every hour.
    """
    found = [Judged() for _ in range(len(BUCKETS) + 1)]
    placed = [hold.placed_at for hold in holds]
    for day, those in groupby(holds, key=lambda hold: hold.placed_at.astimezone(UTC).date()):
        begins = datetime.combine(day, time(), UTC)
        known = holds[bisect_left(placed, begins - MEMORY) : bisect_left(placed, begins)]
        experience = Experience(known, begins)
        for hold in those:
            if hold.bucket is not None:
                told = experience.expects(ahead=hold.ahead, copies=hold.copies)
                found[hold.bucket].judge(told, hold, now)
        a_day_is_done()
    return found


def days_of(holds: Sequence[PastHold]) -> int:
    """How many days `replayed` will do."""
    return len({hold.placed_at.astimezone(UTC).date() for hold in holds})
