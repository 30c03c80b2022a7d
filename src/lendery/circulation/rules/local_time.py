"""What a local wall clock means in UTC, on the days the clocks change too.

Two times are not what they seem. A time that the clocks jump over (02:30 in Berlin at the end
of March) means the moment of the jump. A time that comes twice (02:30 at the end of October)
means the first when something opens and the second when it closes, so that a branch is never
open for less than its sign says.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lendery.contracts.circulation import InvalidCalendar

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises InvalidCalendar when there is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        says = f"There is no time zone {name[:64]!r}. Give one like Europe/Berlin or UTC."
        raise InvalidCalendar(says, time_zone=name[:64]) from None


def instant_of(day: date, minutes: int, zone: ZoneInfo, *, second: bool = False) -> datetime:
    """The instant at which the wall clock shows so many minutes after midnight of `day`.

    `second` chooses the later one of a time that comes twice.
    """
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minutes)
    first, last = wall.utcoffset(), wall.replace(fold=1).utcoffset()
    assert first is not None and last is not None
    if first < last:
        return _jump(wall, first, last)
    plain = wall.replace(tzinfo=UTC)
    return plain - (last if second else first)


def _jump(wall: datetime, before: timedelta, after: timedelta) -> datetime:
    """The moment the clocks jump over `wall`, found by halving: the offset changes there."""
    zone, plain = wall.tzinfo, wall.replace(tzinfo=UTC)
    early, late = plain - after, plain - before
    while late - early > _SECOND:
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local date, which is not midnight where midnight is jumped over."""
    return instant_of(day, 0, zone)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """23:59:59 on the wall, the last whole second of a local date."""
    return start_of_day(day + _DAY, zone) - _SECOND
