"""When a report is mailed, and which days it is about. By the wall clock of a place.

A time that is left out when the clocks are put on comes as much later; of one that comes twice
the first counts.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol, get_args

from lendery.contracts.base import Invalid
from lendery.contracts.reports import Asked, ReportInfo
from lendery.contracts.subscriptions import DayOfMonth, MailedForm, Rhythm, Weekday
from lendery.reports.rules.period import Period, order_of

A_DAY = timedelta(days=1)
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class Timed(Protocol):
    """What a subscription says of when."""

    @property
    def every(self) -> Rhythm: ...
    @property
    def weekday(self) -> Weekday | None: ...
    @property
    def day(self) -> DayOfMonth | None: ...
    @property
    def hour(self) -> int: ...


def must_have_its_day(when: Timed) -> None:
    """Raises Invalid unless a weekday goes with weeks, a day with months, and neither with days."""
    for field, given, rhythm in (
        ("weekday", when.weekday, "week"),
        ("day", when.day, "month"),
    ):
        if given is None and when.every == rhythm:
            raise _invalid(field, f"Say on which {field} of the {rhythm}.")
        if given is not None and when.every != rhythm:
            raise _invalid(field, f"Only what comes every {rhythm} has a {field}.")


def must_be_offered(info: ReportInfo, form: MailedForm, asked: Asked) -> None:
    """Raises Invalid for a form or an order that the report does not have."""
    if form == "svg" and not info.chart:
        raise _invalid("form", "There is no chart of this report. Take another form.")
    try:
        order_of(asked, info)
    except Invalid as refused:
        raise _invalid("sort", refused.detail) from None


def following(when: Timed, after: datetime, zone: tzinfo) -> datetime:
    """The first time that is later."""
    day = after.astimezone(zone).date() - A_DAY
    while (at := _on(when, day, zone)) is None or at <= after:
        day += A_DAY
    return at


def latest(when: Timed, now: datetime, zone: tzinfo) -> datetime:
    """The last time that is not later than now."""
    day = now.astimezone(zone).date() + A_DAY
    while (at := _on(when, day, zone)) is None or at > now:
        day -= A_DAY
    return at


def covered(every: Rhythm, day: date) -> Period:
    """Which days are told of on this one: yesterday, the last whole week, the last whole month."""
    if every == "day":
        return Period(day - A_DAY, day - A_DAY)
    if every == "week":
        monday = day - timedelta(days=day.weekday() + 7)
        return Period(monday, monday + timedelta(days=6))
    until = day.replace(day=1) - A_DAY
    return Period(until.replace(day=1), until)


def _on(when: Timed, day: date, zone: tzinfo) -> datetime | None:
    return _at(day, when.hour, zone) if _falls_on(when, day) else None


def _falls_on(when: Timed, day: date) -> bool:
    if when.every == "week":
        return WEEKDAYS[day.weekday()] == when.weekday
    if when.every == "month":
        return (day + A_DAY).day == 1 if when.day == "last" else day.day == when.day
    return True


def _at(day: date, hour: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def _invalid(field: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": f"#/{field}", "says": says}])
