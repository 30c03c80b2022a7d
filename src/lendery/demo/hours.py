"""The days of a lending plan, and when the branches are open on them."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache

# When a branch is open on a day of its own calendar, as instants in UTC; None if it is closed.
Opening = Callable[[int, date], tuple[datetime, datetime] | None]

WEEKDAY_SHARES = (0.17, 0.18, 0.18, 0.15, 0.17, 0.13, 0.02)  # of loans, Monday to Sunday


class Hours:
    """Opening hours from a first day up to, but without, today."""

    def __init__(self, opening: Opening, *, days: int, today: date) -> None:
        self.days = [today - timedelta(days=back) for back in range(days, 0, -1)]
        self.of = cache(opening)
        self._today = today

    def instant(self, branch: int, day: date, part: float) -> datetime:
        """When that part of an open day's hours is over, to the second."""
        hours = self.of(branch, day)
        if hours is None:
            raise ValueError(f"branch {branch} is closed on {day}")
        opens, closes = hours
        return (opens + (closes - opens) * part).replace(microsecond=0)

    def open_on(self, branch: int, day: date) -> bool:
        """Whether the branch opens on a day of the plan."""
        return day < self._today and self.of(branch, day) is not None

    def open_day(self, branch: int, wanted: date, *, after: date) -> date | None:
        """The last open day up to the wanted one, but later than `after`; else the next one.

        None if that is not before today.
        """
        if wanted >= self._today:
            return None
        for back in range((wanted - after).days):
            if self.open_on(branch, day := wanted - timedelta(days=back)):
                return day
        for ahead in range(1, (self._today - wanted).days):
            if self.open_on(branch, day := wanted + timedelta(days=ahead)):
                return day
        return None

    def loans_each_day(self, loans: int, branches: range) -> list[float]:
        """How the loans fall on the days, so that every weekday gets its share of them."""
        opens = [any(self.of(branch, day) for branch in branches) for day in self.days]
        weekdays = Counter(
            day.weekday() for day, is_open in zip(self.days, opens, strict=True) if is_open
        )
        all_shares = sum(WEEKDAY_SHARES[weekday] for weekday in weekdays)
        return [
            loans * WEEKDAY_SHARES[weekday] / all_shares / weekdays[weekday] if is_open else 0.0
            for weekday, is_open in zip((day.weekday() for day in self.days), opens, strict=True)
        ]
