"""When a branch is open, asked by day and by instant.

Days are local dates of the branch; instants are aware and answered in UTC. The closing minute
counts as open: a loan may be due at closing time.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from lendery.circulation.rules import local_time
from lendery.contracts.circulation import (
    Calendar,
    CalendarHasRunOut,
    Hours,
    InvalidCalendar,
    NewCalendar,
    Weekday,
)

Interval = tuple[datetime, datetime]

SEARCH_DAYS = 1100  # three years: a branch closed for longer has no calendar, it has a mistake
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)


class OpeningHours:
    """The calendar of one branch in its time zone. Without a calendar it is always open.

    Every question about a day after the calendar's `valid_until` raises CalendarHasRunOut, and
    a search that finds no open day within three years raises InvalidCalendar.
    """

    __slots__ = ("_calendar", "_exceptions", "_weekly", "_zone")

    def __init__(self, calendar: Calendar | None, time_zone: str) -> None:
        self._calendar = calendar
        self._zone = local_time.time_zone(time_zone)
        weekly = calendar.weekly if calendar else {}
        self._weekly = tuple(_minutes(weekly.get(name, ())) for name in _WEEKDAYS)
        exceptions = calendar.exceptions if calendar else ()
        self._exceptions = {but.on: _minutes(but.hours) for but in exceptions}

    def local_date(self, instant: datetime) -> date:
        """The date on the branch's wall at that instant."""
        return instant.astimezone(self._zone).date()

    def start_of_day(self, day: date) -> datetime:
        return local_time.start_of_day(day, self._zone)

    def end_of_day(self, day: date) -> datetime:
        """23:59:59 on the branch's wall."""
        return local_time.end_of_day(day, self._zone)

    def open_on(self, day: date) -> tuple[Interval, ...]:
        """The times it is open on that date, in order, as (opens, closes) in UTC."""
        if self._calendar is None:
            return ((self.start_of_day(day), self.start_of_day(day + _DAY)),)
        self._refuse_beyond_end(day)
        hours = self._exceptions.get(day)
        if hours is None:
            hours = self._weekly[day.weekday()]
        return _joined(self._interval(day, opens, closes) for opens, closes in hours)

    def is_open_on(self, day: date) -> bool:
        return self._calendar is None or bool(self.open_on(day))

    def weekday_opens(self, day: date) -> bool:
        """Does the weekly table have hours for the weekday of that date?"""
        return self._calendar is None or bool(self._weekly[day.weekday()])

    def next_open_day(self, day: date) -> date:
        """The first open day, that day included."""
        return self._search(day, 1)

    def previous_open_day(self, day: date) -> date:
        """The last open day up to that day, that day included."""
        return self._search(day, -1)

    def next_open_same_weekday(self, day: date) -> date:
        """The first open day in steps of whole weeks, that day included."""
        return self._search(day, 7)

    def nth_open_day(self, after: date, n: int) -> date:
        """The n-th open day after a day: closed days do not count."""
        if self._calendar is None:
            return after + n * _DAY
        for _ in range(n):
            after = self.next_open_day(after + _DAY)
        return after

    def open_days_between(self, after: date, until: date) -> int:
        """How many open days there are after a day, up to and with another; 0 if none."""
        days = max(0, (until - after).days)
        if self._calendar is None:
            return days
        return sum(self.is_open_on(after + n * _DAY) for n in range(1, days + 1))

    @property
    def ends_on(self) -> date | None:
        """The last day it has hours for; None: it does not end."""
        return self._calendar.valid_until if self._calendar else None

    def unusual_days(self, first: date, last: date) -> set[date]:
        """The exceptions from first to last, and the days of weeks in which the clocks change.

        All other days are open as the weekly hours say, to the minute.
        """
        unusual = {day for day in self._exceptions if first <= day <= last}
        days = (last - first).days + 1
        midnights = [
            datetime.combine(first + n * _DAY, time(), self._zone) for n in range(0, days + 7, 7)
        ]
        for start, end in pairwise(midnights):
            if start.utcoffset() != end.utcoffset():
                unusual.update(start.date() + n * _DAY for n in range(7))
        return {day for day in unusual if day <= last}

    def is_open_at(self, instant: datetime) -> bool:
        """Is it open at that instant? The closing time counts, midnight (24:00) too."""
        if self._calendar is None:
            return True
        day = self.local_date(instant)
        near = (*self.open_on(day - _DAY), *self.open_on(day))
        return any(opens <= instant <= closes for opens, closes in near)

    def next_open_at(self, instant: datetime) -> datetime:
        """The instant itself when it is open then, else the next opening."""
        if self.is_open_at(instant):
            return instant.astimezone(UTC)
        return self.next_opening_after(instant)

    def previous_open_at(self, instant: datetime) -> datetime:
        """The instant itself when it is open then, else the last closing time before it."""
        if self.is_open_at(instant):
            return instant.astimezone(UTC)
        day = self.local_date(instant)
        earlier = [closes for _, closes in self.open_on(day) if closes <= instant]
        return earlier[-1] if earlier else self.open_on(self.previous_open_day(day - _DAY))[-1][1]

    def next_opening_after(self, instant: datetime) -> datetime:
        """The next time the doors open, later than that instant even when it is open then."""
        day = self.local_date(instant)
        later = [opens for opens, _ in self.open_on(day) if opens > instant]
        return later[0] if later else self.open_on(self.next_open_day(day + _DAY))[0][0]

    def _search(self, day: date, step: int) -> date:
        for n in range(0, SEARCH_DAYS, abs(step)):
            candidate = day + (n if step > 0 else -n) * _DAY
            if self.is_open_on(candidate):
                return candidate
        name = self._calendar.name if self._calendar else ""
        direction = "after" if step > 0 else "before"
        raise InvalidCalendar(
            f"The calendar {name!r} has no open day within three years {direction} "
            f"{day.isoformat()}. Give it opening hours.",
            day=day.isoformat(),
        )

    def _refuse_beyond_end(self, day: date) -> None:
        calendar = self._calendar
        if calendar and calendar.valid_until and day > calendar.valid_until:
            end = calendar.valid_until.isoformat()
            raise CalendarHasRunOut(
                f"The calendar {calendar.name!r} ends on {end}, and {day.isoformat()} was asked "
                f"for. Extend the calendar, then try again.",
                calendar_id=str(calendar.id),
                valid_until=end,
            )

    def _interval(self, day: date, opens: int, closes: int) -> Interval:
        start = local_time.instant_of(day, opens, self._zone)
        if closes == 24 * 60:  # not the second midnight of the next day, where there are two
            return start, self.start_of_day(day + _DAY)
        return start, local_time.instant_of(day, closes, self._zone, second=True)


def check_calendar(calendar: NewCalendar | Calendar) -> list[str]:
    """What is wrong with a calendar's hours, as sentences; empty when nothing is.

    A calendar that is never open is allowed: a closed store may have one.
    """
    wrong = []
    for weekday, name in zip(_WEEKDAYS, _NAMES, strict=True):
        wrong += _check_hours(name, calendar.weekly.get(weekday, ()))
    seen: set[date] = set()
    for but in calendar.exceptions:
        if but.on in seen:
            wrong.append(f"{but.on.isoformat()} is given twice. Put its hours in one exception.")
        seen.add(but.on)
        wrong += _check_hours(but.on.isoformat(), but.hours)
    return wrong


def _check_hours(when: str, hours: tuple[Hours, ...]) -> list[str]:
    wrong = []
    for opens, closes in hours:
        if opens == closes:
            wrong.append(f"{when}: {opens} to {closes} is no time at all. Leave it out.")
        elif opens > closes:
            wrong.append(
                f"{when}: {opens} to {closes} ends before it begins. For hours past midnight, "
                f"end at 24:00 and begin at 00:00 on the next day."
            )
    for (opens, closes), (begins, ends) in pairwise(sorted(hours)):
        if begins < closes and opens < closes and begins < ends:
            wrong.append(f"{when}: {opens} to {closes} and {begins} to {ends} overlap.")
    return wrong


def _minutes(hours: tuple[Hours, ...]) -> tuple[tuple[int, int], ...]:
    def minute(clock: str) -> int:
        return int(clock[:2]) * 60 + int(clock[3:])

    return tuple((minute(opens), minute(closes)) for opens, closes in sorted(hours))


def _joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Hours that touch become one; what the clocks jumped over is left out."""
    joined: list[Interval] = []
    for opens, closes in intervals:
        if opens >= closes:
            continue
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return tuple(joined)
