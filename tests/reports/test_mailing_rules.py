"""When a report is mailed and what it covers: tables with a row on both sides of every boundary."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lendery.contracts.base import Invalid
from lendery.contracts.reports import Asked
from lendery.contracts.subscriptions import MailedForm, NewSubscription, Rhythm
from lendery.reports.rules.kinds import BY_NAME
from lendery.reports.rules.mailing import (
    covered,
    following,
    latest,
    must_be_offered,
    must_have_its_day,
)
from lendery.reports.rules.period import Period

TICK = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wish(every: Rhythm = "day", hour: int = 6, **but: Any) -> NewSubscription:
    return NewSubscription(report="overdue", form="csv", every=every, hour=hour, **but)


MONDAYS, SUNDAYS = wish("week", weekday="mon"), wish("week", weekday="sun", hour=0)
FIRSTS, LAST_DAYS = wish("month", day=1), wish("month", day="last", hour=23)


@pytest.mark.parametrize(
    ("when", "zone", "before", "at"),
    [
        (wish(), "UTC", "2026-03-01T06:00", "2026-03-02T06:00"),
        (wish(), "Europe/Berlin", "2026-03-01T05:00", "2026-03-02T05:00"),
        (wish(), "Europe/Berlin", "2026-03-28T05:00", "2026-03-29T04:00"),  # summer time begins
        (wish(), "Europe/Berlin", "2026-10-24T04:00", "2026-10-25T05:00"),  # and ends
        # two o'clock is left out on that day, and comes as three
        (wish(hour=2), "Europe/Berlin", "2026-03-28T01:00", "2026-03-29T01:00"),
        (wish(hour=2), "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:00"),
        # two o'clock comes twice: the first one counts, and the second is none
        (wish(hour=2), "Europe/Berlin", "2026-10-24T00:00", "2026-10-25T00:00"),
        (wish(hour=2), "Europe/Berlin", "2026-10-25T00:00", "2026-10-26T01:00"),
        # midnight itself is left out in Chile
        (wish(hour=0), "America/Santiago", "2026-09-05T04:00", "2026-09-06T04:00"),
        (wish(hour=0), "America/Santiago", "2026-09-06T04:00", "2026-09-07T03:00"),
        (wish(hour=0), "Pacific/Auckland", "2026-03-01T11:00", "2026-03-02T11:00"),
        (MONDAYS, "UTC", "2026-02-23T06:00", "2026-03-02T06:00"),
        (SUNDAYS, "Pacific/Auckland", "2026-02-21T11:00", "2026-02-28T11:00"),  # Sunday there
        (FIRSTS, "UTC", "2026-02-01T06:00", "2026-03-01T06:00"),
        (FIRSTS, "UTC", "2025-12-01T06:00", "2026-01-01T06:00"),
        (wish("month", day=28), "UTC", "2026-01-28T06:00", "2026-02-28T06:00"),
        (LAST_DAYS, "UTC", "2026-01-31T23:00", "2026-02-28T23:00"),
        (LAST_DAYS, "UTC", "2028-01-31T23:00", "2028-02-29T23:00"),
        (LAST_DAYS, "UTC", "2026-03-31T23:00", "2026-04-30T23:00"),
    ],
)
def test_the_times_of_a_subscription(
    when: NewSubscription, zone: str, before: str, at: str
) -> None:
    """`before` and `at` follow each other: between them nothing is mailed."""
    there, one, next_one = ZoneInfo(zone), utc(before), utc(at)
    assert following(when, one - TICK, there) == one
    assert following(when, one, there) == next_one
    assert following(when, next_one - TICK, there) == next_one
    assert latest(when, next_one - TICK, there) == one
    assert latest(when, next_one, there) == next_one


@pytest.mark.parametrize(
    ("every", "day", "since", "until"),
    [
        ("day", "2026-03-01", "2026-02-28", "2026-02-28"),
        ("day", "2028-03-01", "2028-02-29", "2028-02-29"),
        ("day", "2026-01-01", "2025-12-31", "2025-12-31"),
        ("week", "2026-03-01", "2026-02-16", "2026-02-22"),  # a Sunday: its week is not over
        ("week", "2026-03-02", "2026-02-23", "2026-03-01"),  # a Monday
        ("week", "2026-03-08", "2026-02-23", "2026-03-01"),
        ("week", "2026-01-01", "2025-12-22", "2025-12-28"),
        ("month", "2026-03-01", "2026-02-01", "2026-02-28"),
        ("month", "2026-03-31", "2026-02-01", "2026-02-28"),  # a last day: its month is not over
        ("month", "2028-03-15", "2028-02-01", "2028-02-29"),
        ("month", "2026-01-28", "2025-12-01", "2025-12-31"),
    ],
)
def test_what_is_told_of_is_over(every: Rhythm, day: str, since: str, until: str) -> None:
    period = Period(date.fromisoformat(since), date.fromisoformat(until))
    assert covered(every, date.fromisoformat(day)) == period


@pytest.mark.parametrize(
    ("but", "field"),
    [
        ({}, None),
        ({"weekday": "mon"}, "weekday"),
        ({"day": 1}, "day"),
        ({"every": "week"}, "weekday"),
        ({"every": "week", "weekday": "mon"}, None),
        ({"every": "week", "weekday": "mon", "day": "last"}, "day"),
        ({"every": "month"}, "day"),
        ({"every": "month", "day": 28}, None),
        ({"every": "month", "day": "last"}, None),
        ({"every": "month", "day": 1, "weekday": "sun"}, "weekday"),
    ],
)
def test_a_rhythm_has_its_day(but: dict[str, Any], field: str | None) -> None:
    if field is None:
        must_have_its_day(wish(**but))
        return
    with pytest.raises(Invalid) as refused:
        must_have_its_day(wish(**but))
    assert refused.value.extra["errors"][0]["pointer"] == f"#/{field}"


@pytest.mark.parametrize(
    ("report", "form", "sort", "field"),
    [
        ("top-titles", "svg", None, None),
        ("dead-stock", "csv", None, None),
        ("dead-stock", "svg", None, "form"),
        ("money", "svg", None, "form"),
        ("money", "pdf", "-amount", None),
        ("money", "pdf", "-lent", "sort"),
        ("loans-by-branch", "csv", "branch", "sort"),
    ],
)
def test_a_report_has_the_form_and_the_order(
    report: str, form: MailedForm, sort: str | None, field: str | None
) -> None:
    info, asked = BY_NAME[report], Asked(name=report, sort=sort)
    if field is None:
        must_be_offered(info, form, asked)
        return
    with pytest.raises(Invalid) as refused:
        must_be_offered(info, form, asked)
    assert refused.value.extra["errors"][0]["pointer"] == f"#/{field}"
