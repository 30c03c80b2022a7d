"""The model's own idea of opening hours: whole hours, one interval a day, a few closed days.

Written the plain way, day by day, and apart from the program's calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Week:
    """`opens`: of each weekday (Monday is 0) from which hour to which. None: always open."""

    zone: str
    opens: dict[int, tuple[int, int]] | None = None
    closed: frozenset[date] = frozenset()

    def today(self, instant: datetime) -> date:
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def at(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), ZoneInfo(self.zone)).astimezone(UTC)

    def midnight(self, day: date) -> datetime:
        return self.at(day, 0)

    def last_second(self, day: date) -> datetime:
        return self.midnight(day + DAY) - SECOND

    def is_open(self, day: date) -> bool:
        if self.opens is None:
            return True
        return day.weekday() in self.opens and day not in self.closed

    def doors(self, day: date) -> tuple[datetime, datetime] | None:
        """When they open and close on that day."""
        if self.opens is None:
            return self.midnight(day), self.midnight(day + DAY)
        if not self.is_open(day):
            return None
        opens, closes = self.opens[day.weekday()]
        return self.at(day, opens), self.at(day, closes)

    def open_day(self, day: date, step: int = 1) -> date:
        """That day if it is open, else the next one; the one before with `step` -1."""
        while not self.is_open(day):
            day += step * DAY
        return day

    def open_days_later(self, day: date, days: int) -> date:
        for _ in range(days):
            day = self.open_day(day + DAY)
        return day

    def is_open_at(self, instant: datetime) -> bool:
        if self.opens is None:
            return True
        doors = self.doors(self.today(instant))
        return doors is not None and doors[0] <= instant <= doors[1]

    def opening_after(self, instant: datetime) -> datetime:
        day = self.today(instant)
        while (doors := self.doors(day)) is None or doors[0] <= instant:
            day += DAY
        return doors[0]

    def closing_before(self, instant: datetime) -> datetime:
        day = self.today(instant)
        while (doors := self.doors(day)) is None or doors[1] > instant:
            day -= DAY
        return doors[1]

    def days_between(self, after: date, until: date) -> Iterator[date]:
        while after < until:
            after += DAY
            yield after

    def time_open(self, start: datetime, end: datetime) -> timedelta:
        total = timedelta()
        for day in self.days_between(self.today(start) - DAY, self.today(end)):
            if doors := self.doors(day):
                total += max(timedelta(), min(end, doors[1]) - max(start, doors[0]))
        return total
