"""When a mail goes out: not in quiet hours, once a day, and again after a failure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

A_DAY = timedelta(days=1)
PAUSES = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60, 120, 240))  # then the last
GIVE_UP = timedelta(days=3)


def clock_time(text: str) -> time:
    """HH:MM as a time of day."""
    return time.fromisoformat(text)


def next_time(now: datetime, at: time, zone: tzinfo) -> datetime:
    """When the wall clock shows `at` next, after `now`. A time that is jumped over comes later."""
    day = now.astimezone(zone).date()
    while True:
        for fold in (0, 1):  # a time that comes twice has two instants
            instant = datetime.combine(day, at.replace(fold=fold), zone).astimezone(UTC)
            if instant > now:
                return instant
        day += A_DAY


def after_quiet(now: datetime, quiet: tuple[str, str] | None, zone: tzinfo) -> datetime:
    """`now`, or the end of the quiet hours that it lies in. They may go over midnight."""
    if quiet is None:
        return now
    begin, end = map(clock_time, quiet)
    wall = now.astimezone(zone).time()
    inside = begin <= wall < end if begin <= end else wall >= begin or wall < end
    return next_time(now, end, zone) if inside else now


def digest_of(now: datetime, at: str, zone: tzinfo) -> tuple[date, datetime]:
    """The day of the next digest and when it goes out."""
    instant = next_time(now, clock_time(at), zone)
    return instant.astimezone(zone).date(), instant


def next_try(tries: int, *, since: datetime, now: datetime) -> datetime | None:
    """When to try again after so many tries, of which the first was at `since` or later.

    None: enough. Mail servers that are away or greylist are back within three days.
    """
    at = now + PAUSES[min(tries, len(PAUSES)) - 1]
    return at if at - since <= GIVE_UP else None
