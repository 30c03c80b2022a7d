from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.due import due_at, renewed_due_at
from lendery.circulation.rules.policy import Policy
from lendery.contracts.circulation import (
    Calendar,
    CalendarException,
    CalendarHasRunOut,
    InvalidCalendar,
    InvalidRule,
)

WEEKDAYS: Any = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "18:00"),))
CHRISTMAS = tuple(CalendarException(on=date(2026, 12, day)) for day in (24, 25, 28, 29, 30, 31))
ALWAYS = OpeningHours(None, "UTC")


def opening(
    weekly: Any = WEEKDAYS,
    zone: str = "UTC",
    exceptions: tuple[CalendarException, ...] = CHRISTMAS,
    valid_until: date | None = None,
) -> OpeningHours:
    return OpeningHours(
        Calendar(
            id=UUID(int=1),
            name="Central",
            weekly=weekly,
            exceptions=exceptions,
            valid_until=valid_until,
            version=1,
        ),
        zone,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def due(lent: str, hours: OpeningHours, expires: date | None = None, **policy: Any) -> str:
    found = due_at(
        at(lent),
        Policy(**policy),
        hours,
        card_expires_on=expires,
        cap_at_expiry=expires is not None,
    )
    assert found > at(lent)
    assert found.tzinfo is UTC
    return f"{found:%Y-%m-%d %H:%M:%S}"


# in December 2026 the 1st is a Tuesday; closed on weekends and from the 24th to the 31st
CENTRAL = opening()


@pytest.mark.parametrize(
    ("lent", "period", "closed_due", "day"),
    [
        ("2026-12-01T10:00", 7, "keep", "2026-12-08"),
        ("2026-12-01T10:00", 7, "next-open", "2026-12-08"),
        ("2026-12-01T10:00", 7, "previous-open", "2026-12-08"),
        ("2026-12-01T10:00", 7, "same-weekday", "2026-12-08"),
        ("2026-12-01T10:00", 7, "count-open-days", "2026-12-10"),
        ("2026-12-01T10:00", 4, "keep", "2026-12-05"),
        ("2026-12-01T10:00", 4, "next-open", "2026-12-07"),
        ("2026-12-01T10:00", 5, "next-open", "2026-12-07"),
        ("2026-12-01T10:00", 6, "next-open", "2026-12-07"),
        ("2026-12-01T10:00", 4, "previous-open", "2026-12-04"),
        ("2026-12-01T10:00", 5, "previous-open", "2026-12-04"),
        ("2026-12-01T10:00", 4, "same-weekday", "2026-12-07"),
        ("2026-12-01T10:00", 4, "count-open-days", "2026-12-07"),
        ("2026-12-01T10:00", 21, "same-weekday", "2026-12-22"),
        ("2026-12-01T10:00", 28, "same-weekday", "2027-01-05"),
        ("2026-12-03T10:00", 21, "same-weekday", "2027-01-07"),
        ("2026-12-03T10:00", 21, "next-open", "2027-01-01"),
        ("2026-12-03T10:00", 21, "previous-open", "2026-12-23"),
        ("2026-12-03T10:00", 21, "count-open-days", "2027-01-11"),
        ("2026-12-05T10:00", 7, "same-weekday", "2026-12-14"),
        ("2026-12-05T10:00", 1, "previous-open", "2026-12-07"),
        ("2026-12-05T10:00", 1, "count-open-days", "2026-12-07"),
        ("2026-12-04T10:00", 1, "previous-open", "2026-12-04"),
        ("2026-12-04T23:59:59", 1, "previous-open", "2026-12-07"),
    ],
    ids=[
        "keep, an open day",
        "next-open, an open day",
        "previous-open, an open day",
        "same-weekday, an open day",
        "count-open-days leaves out a weekend",
        "keep, a Saturday",
        "next-open, a Saturday",
        "next-open, a Sunday",
        "next-open, a Monday",
        "previous-open, a Saturday",
        "previous-open, a Sunday",
        "same-weekday, no whole weeks: next open",
        "count-open-days ends over a weekend",
        "same-weekday, open",
        "same-weekday jumps a week",
        "same-weekday jumps two weeks",
        "next-open over the end of the year",
        "previous-open before Christmas",
        "count-open-days over the end of the year",
        "same-weekday, but Saturdays are always closed: next open",
        "previous-open would be before it was lent: next open",
        "count-open-days from a closed day",
        "previous-open today is still later",
        "previous-open in the last second of today: next open",
    ],
)
def test_a_due_day_that_is_closed_moves(lent: str, period: int, closed_due: Any, day: str) -> None:
    assert due(lent, CENTRAL, loan_period=period, closed_due=closed_due) == f"{day} 23:59:59"


@pytest.mark.parametrize(
    ("zone", "lent", "period", "ends"),
    [
        ("UTC", "2028-02-28T10:00", 1, "2028-02-29 23:59:59"),
        ("UTC", "2028-02-28T10:00", 2, "2028-03-01 23:59:59"),
        ("UTC", "2026-02-28T10:00", 1, "2026-03-01 23:59:59"),
        ("UTC", "2026-12-31T23:59:59", 1, "2027-01-01 23:59:59"),
        ("UTC", "2026-12-11T10:00", 21, "2027-01-01 23:59:59"),
        ("Europe/Berlin", "2026-03-28T10:00", 1, "2026-03-29 21:59:59"),
        ("Europe/Berlin", "2026-03-27T10:00", 1, "2026-03-28 22:59:59"),
        ("Europe/Berlin", "2026-10-24T10:00", 1, "2026-10-25 22:59:59"),
        ("Europe/Berlin", "2026-10-23T10:00", 1, "2026-10-24 21:59:59"),
        ("Europe/Berlin", "2026-03-14T22:59:59", 21, "2026-04-04 21:59:59"),
        ("Europe/Berlin", "2026-03-14T23:00:00", 21, "2026-04-05 21:59:59"),
        ("America/New_York", "2026-03-07T15:00", 1, "2026-03-09 03:59:59"),
        ("America/New_York", "2026-03-08T04:59:59", 1, "2026-03-09 03:59:59"),
        ("America/New_York", "2026-03-08T05:00:00", 1, "2026-03-10 03:59:59"),
        ("America/New_York", "2026-10-31T15:00", 1, "2026-11-02 04:59:59"),
    ],
    ids=[
        "on a leap day",
        "over a leap day",
        "no leap day",
        "the last second of a year",
        "over the end of a year",
        "Berlin, due the day the clocks go forward",
        "Berlin, due the day before",
        "Berlin, due the day the clocks go back",
        "Berlin, due the day before that",
        "Berlin, lent in the last second of a day",
        "Berlin, lent in the first second of a day",
        "New York, due the day the clocks go forward",
        "New York, lent in the last second of a day",
        "New York, lent in the first second of a day",
        "New York, due the day the clocks go back",
    ],
)
def test_a_loan_ends_at_the_end_of_its_last_day_on_the_wall(
    zone: str, lent: str, period: int, ends: str
) -> None:
    assert due(lent, OpeningHours(None, zone), loan_period=period) == ends


@pytest.mark.parametrize(
    ("lent", "period", "closed_due", "ends"),
    [
        ("2026-12-01T10:00", 2, "next-open", "2026-12-01 12:00:00"),
        ("2026-12-01T16:00", 2, "next-open", "2026-12-01 18:00:00"),
        ("2026-12-01T16:01", 2, "next-open", "2026-12-02 09:00:00"),
        ("2026-12-04T16:01", 2, "next-open", "2026-12-07 09:00:00"),
        ("2026-12-04T16:01", 2, "same-weekday", "2026-12-07 09:00:00"),
        ("2026-12-04T16:01", 2, "previous-open", "2026-12-04 18:00:00"),
        ("2026-12-04T16:01", 2, "keep", "2026-12-04 18:01:00"),
        ("2026-12-04T17:59", 2, "previous-open", "2026-12-04 18:00:00"),
        ("2026-12-04T18:00", 2, "previous-open", "2026-12-07 09:00:00"),
        ("2026-12-05T10:00", 2, "previous-open", "2026-12-07 09:00:00"),
        ("2026-12-04T10:00", 24, "count-open-days", "2026-12-07 10:00:00"),
        ("2026-12-05T10:00", 10, "count-open-days", "2026-12-07 10:00:00"),
        ("2026-12-01T10:00", 24, "count-open-days", "2026-12-02 10:00:00"),
        ("2026-12-01T10:00", 14, "count-open-days", "2026-12-02 09:00:00"),
        ("2026-12-23T10:00", 24, "count-open-days", "2027-01-01 10:00:00"),
        ("2026-12-04T17:00", 7, "count-open-days", "2026-12-07 09:00:00"),
    ],
    ids=[
        "while open",
        "at closing time",
        "a minute after closing: the next morning",
        "on Friday evening: on Monday",
        "same-weekday speaks of days: next open",
        "previous-open: closing time",
        "keep: at night",
        "previous-open a minute later",
        "previous-open when it has just closed: the next morning",
        "previous-open on a closed day: the next morning",
        "count-open-days skips a weekend",
        "count-open-days from a closed day",
        "count-open-days, nights of open days count",
        "count-open-days ends at midnight: next opening",
        "count-open-days skips Christmas",
        "count-open-days ends at the midnight before a weekend",
    ],
)
def test_an_hourly_loan_is_due_when_it_is_open(
    lent: str, period: int, closed_due: Any, ends: str
) -> None:
    told = due(lent, CENTRAL, loan_period=period, loan_unit="hours", closed_due=closed_due)
    assert told == ends


@pytest.mark.parametrize(
    ("zone", "lent", "ends"),
    [
        ("Europe/Berlin", "2026-03-29T00:00", "2026-03-29 04:00:00"),
        ("Europe/Berlin", "2026-10-24T23:30", "2026-10-25 03:30:00"),
        ("America/New_York", "2026-03-08T06:30", "2026-03-08 10:30:00"),
        ("America/New_York", "2026-11-01T05:30", "2026-11-01 09:30:00"),
    ],
)
@pytest.mark.parametrize("closed_due", ["keep", "next-open", "count-open-days"])
def test_hours_are_real_hours_when_the_clocks_change(
    zone: str, lent: str, ends: str, closed_due: str
) -> None:
    hours = OpeningHours(None, zone)
    told = due(lent, hours, loan_period=4, loan_unit="hours", closed_due=closed_due)
    assert told == ends
    assert due_at(
        at(lent).astimezone(ZoneInfo(zone)),
        Policy(loan_period=4, loan_unit="hours"),
        hours,
        card_expires_on=None,
        cap_at_expiry=False,
    ) == at(ends.replace(" ", "T"))


@pytest.mark.parametrize(
    ("rule", "fixed", "more", "ends"),
    [
        ("latest", date(2026, 12, 16), {}, "2026-12-15 23:59:59"),
        ("latest", date(2026, 12, 15), {}, "2026-12-15 23:59:59"),
        ("latest", date(2026, 12, 14), {}, "2026-12-14 23:59:59"),
        ("latest", date(2026, 12, 13), {}, "2026-12-11 23:59:59"),
        ("latest", date(2026, 12, 13), {"closed_due": "keep"}, "2026-12-13 23:59:59"),
        ("latest", date(2026, 12, 1), {}, "2026-12-01 23:59:59"),
        ("exactly", date(2026, 12, 11), {}, "2026-12-11 23:59:59"),
        ("exactly", date(2027, 1, 14), {}, "2027-01-14 23:59:59"),
        ("exactly", date(2026, 12, 25), {}, "2027-01-01 23:59:59"),
        ("exactly", date(2026, 12, 25), {"closed_due": "previous-open"}, "2026-12-23 23:59:59"),
        ("exactly", date(2026, 12, 25), {"closed_due": "keep"}, "2026-12-25 23:59:59"),
        ("exactly", date(2026, 12, 24), {"closed_due": "same-weekday"}, "2027-01-01 23:59:59"),
        ("exactly", date(2026, 12, 25), {"closed_due": "count-open-days"}, "2027-01-01 23:59:59"),
        ("earliest", date(2026, 12, 14), {}, "2026-12-15 23:59:59"),
        ("earliest", date(2026, 12, 16), {}, "2026-12-16 23:59:59"),
        ("earliest", date(2026, 12, 19), {"closed_due": "previous-open"}, "2026-12-21 23:59:59"),
        ("earliest", date(2026, 1, 1), {}, "2026-12-15 23:59:59"),
        ("earliest", date(2026, 12, 24), {"closed_due": "same-weekday"}, "2027-01-01 23:59:59"),
    ],
    ids=[
        "a ceiling later",
        "a ceiling on the day",
        "a ceiling earlier",
        "a ceiling on a closed day is never passed",
        "a ceiling on a closed day, kept",
        "a ceiling today",
        "exactly, earlier",
        "exactly, later",
        "exactly, a closed day moves",
        "exactly, a closed day moves back",
        "exactly, a closed day kept",
        "exactly, whole weeks say nothing of a fixed date",
        "exactly, nothing was counted",
        "a floor earlier",
        "a floor later",
        "a floor is not passed backwards",
        "a floor that has passed does nothing",
        "a floor, whole weeks say nothing of it",
    ],
)
def test_a_fixed_date(rule: Any, fixed: date, more: Any, ends: str) -> None:
    policy = {"loan_period": 14, "fixed_due_on": fixed, "fixed_due_rule": rule} | more
    assert due("2026-12-01T10:00", CENTRAL, **policy) == ends


@pytest.mark.parametrize(
    ("rule", "fixed", "more", "ends"),
    [
        ("latest", date(2026, 12, 4), {}, "2026-12-04 18:00:00"),
        ("latest", date(2026, 12, 5), {}, "2026-12-04 18:00:00"),
        ("latest", date(2026, 12, 5), {"closed_due": "keep"}, "2026-12-05 23:59:59"),
        ("exactly", date(2026, 12, 3), {}, "2026-12-04 09:00:00"),
        ("exactly", date(2026, 12, 3), {"closed_due": "previous-open"}, "2026-12-03 18:00:00"),
        ("earliest", date(2026, 12, 10), {}, "2026-12-11 09:00:00"),
        ("earliest", date(2026, 12, 12), {"closed_due": "previous-open"}, "2026-12-14 09:00:00"),
    ],
)
def test_a_fixed_date_of_an_hourly_loan(rule: Any, fixed: date, more: Any, ends: str) -> None:
    policy = {
        "loan_period": 96,
        "loan_unit": "hours",
        "fixed_due_on": fixed,
        "fixed_due_rule": rule,
    }
    assert due("2026-12-03T10:00", CENTRAL, **(policy | more)) == ends


@pytest.mark.parametrize("rule", ["latest", "exactly"])
@pytest.mark.parametrize("unit", ["days", "hours"])
def test_a_fixed_date_that_has_passed_is_an_error(rule: Any, unit: Any) -> None:
    policy: Any = {"loan_period": 7, "loan_unit": unit, "fixed_due_rule": rule}
    with pytest.raises(InvalidRule, match="a day that has passed"):
        due("2026-12-01T10:00", CENTRAL, fixed_due_on=date(2026, 11, 30), **policy)


@pytest.mark.parametrize(
    ("lent", "expires", "policy", "ends"),
    [
        ("2026-12-01T10:00", date(2026, 12, 16), {}, "2026-12-15 23:59:59"),
        ("2026-12-01T10:00", date(2026, 12, 14), {}, "2026-12-14 23:59:59"),
        ("2026-12-01T10:00", date(2026, 12, 12), {}, "2026-12-11 23:59:59"),
        ("2026-12-01T10:00", date(2026, 12, 12), {"closed_due": "keep"}, "2026-12-12 23:59:59"),
        ("2026-12-01T10:00", date(2026, 12, 1), {}, "2026-12-01 23:59:59"),
        ("2026-12-05T10:00", date(2026, 12, 6), {}, "2026-12-07 23:59:59"),
        ("2026-12-01T10:00", date(2026, 11, 1), {}, "2026-12-01 23:59:59"),
        ("2026-12-01T10:00", date(9999, 12, 31), {}, "2026-12-15 23:59:59"),
        (
            "2026-12-01T10:00",
            date(2026, 12, 10),
            {"fixed_due_on": date(2026, 12, 18), "fixed_due_rule": "exactly"},
            "2026-12-10 23:59:59",
        ),
        (
            "2026-12-01T10:00",
            date(2026, 12, 10),
            {"fixed_due_on": date(2026, 12, 18), "fixed_due_rule": "earliest"},
            "2026-12-10 23:59:59",
        ),
        (
            "2026-12-01T10:00",
            date(2026, 12, 10),
            {"fixed_due_on": date(2026, 12, 8)},
            "2026-12-08 23:59:59",
        ),
        (
            "2026-12-01T10:00",
            date(2026, 12, 1),
            {"loan_period": 24, "loan_unit": "hours"},
            "2026-12-01 18:00:00",
        ),
        (
            "2026-12-01T10:00",
            date(2026, 11, 30),
            {"loan_period": 2, "loan_unit": "hours"},
            "2026-12-02 09:00:00",
        ),
    ],
    ids=[
        "expires later",
        "expires earlier",
        "expires on a closed day: the open day before",
        "expires on a closed day, kept",
        "expires today",
        "expires over this weekend: the next open day",
        "expired already: the next open day",
        "never expires",
        "an exact date gives way",
        "a floor gives way",
        "the lower of two ceilings counts",
        "an hourly loan ends at closing time",
        "an hourly loan, expired already: the next opening",
    ],
)
def test_a_loan_never_runs_past_the_cards_expiry(
    lent: str, expires: date, policy: Any, ends: str
) -> None:
    assert due(lent, CENTRAL, expires, **({"loan_period": 14} | policy)) == ends


def test_the_cap_is_skipped_when_it_is_off_or_an_expired_card_was_waived() -> None:
    found = due_at(
        at("2026-12-01T10:00"),
        Policy(loan_period=14),
        CENTRAL,
        card_expires_on=date(2026, 12, 2),
        cap_at_expiry=False,
    )
    assert found == at("2026-12-15T23:59:59")


def test_without_a_loan_period_there_is_no_due_date() -> None:
    with pytest.raises(InvalidRule, match="no rule says for how long"):
        due("2026-12-01T10:00", CENTRAL)


@pytest.mark.parametrize("closed_due", ["next-open", "previous-open", "count-open-days"])
@pytest.mark.parametrize("unit", ["days", "hours"])
def test_a_calendar_that_has_run_out_gives_no_due_date(closed_due: Any, unit: Any) -> None:
    short = opening(valid_until=date(2026, 12, 2))
    with pytest.raises(CalendarHasRunOut):
        due("2026-12-01T10:00", short, loan_period=48, loan_unit=unit, closed_due=closed_due)
    assert due("2026-12-01T10:00", short, loan_period=1) == "2026-12-02 23:59:59"


@pytest.mark.parametrize(
    "closed_due", ["next-open", "previous-open", "same-weekday", "count-open-days"]
)
@pytest.mark.parametrize("unit", ["days", "hours"])
def test_a_branch_that_is_always_closed_gives_no_due_date(closed_due: Any, unit: Any) -> None:
    with pytest.raises(InvalidCalendar, match="no open day"):
        due("2026-12-01T10:00", opening({}), loan_period=7, loan_unit=unit, closed_due=closed_due)


def test_a_branch_that_is_always_closed_may_keep_the_day() -> None:
    told = due("2026-12-01T10:00", opening({}), loan_period=7, closed_due="keep")
    assert told == "2026-12-08 23:59:59"


@pytest.mark.parametrize(
    ("now", "current", "policy", "ends"),
    [
        ("2026-12-07T10:00", "2026-12-09T23:59:59", {}, "2026-12-14 23:59:59"),
        ("2026-12-07T10:00", "2026-12-09T23:59:59", {"renewal_period": 3}, "2026-12-10 23:59:59"),
        (
            "2026-12-07T10:00",
            "2026-12-09T23:59:59",
            {"renew_from": "due-date"},
            "2026-12-16 23:59:59",
        ),
        ("2026-12-02T10:00", "2026-12-09T23:59:59", {}, "2026-12-09 23:59:59"),
        ("2026-12-02T10:00", "2026-12-09T23:59:59", {"renewal_period": 1}, "2026-12-03 23:59:59"),
        (
            "2026-12-21T10:00",
            "2026-12-01T23:59:59",
            {"renew_from": "due-date", "renewal_period": 2},
            "2026-12-23 23:59:59",
        ),
        (
            "2026-12-07T10:00",
            "2026-12-09T23:59:59",
            {"fixed_due_on": date(2026, 12, 10)},
            "2026-12-10 23:59:59",
        ),
        (
            "2026-12-07T10:00",
            "2026-12-04T23:59:59",
            {"fixed_due_on": date(2026, 12, 4)},
            "2026-12-04 23:59:59",
        ),
        (
            "2026-12-16T10:00",
            "2026-12-16T23:59:59",
            {"renew_from": "due-date"},
            "2026-12-23 23:59:59",
        ),
        (
            "2026-12-07T10:00",
            "2026-12-07T12:00:00",
            {"loan_unit": "hours", "renew_from": "due-date", "loan_period": 4},
            "2026-12-07 16:00:00",
        ),
    ],
    ids=[
        "from today",
        "with a period of its own",
        "from the due date",
        "as late as it was: the caller refuses",
        "earlier than it was: the caller refuses",
        "long overdue, from the due date: counted from today",
        "up to a ceiling",
        "a ceiling that has passed leaves the due date as it is",
        "before Christmas",
        "hours from the due time",
    ],
)
def test_until_when_a_renewal_goes(now: str, current: str, policy: Any, ends: str) -> None:
    found = renewed_due_at(
        at(current),
        Policy(**({"loan_period": 7} | policy)),
        CENTRAL,
        now=at(now),
        card_expires_on=None,
        cap_at_expiry=True,
    )
    assert f"{found:%Y-%m-%d %H:%M:%S}" == ends


def test_a_renewal_too_ends_with_the_card() -> None:
    found = renewed_due_at(
        at("2026-12-09T23:59:59"),
        Policy(loan_period=7),
        CENTRAL,
        now=at("2026-12-07T10:00"),
        card_expires_on=date(2026, 12, 10),
        cap_at_expiry=True,
    )
    assert found == at("2026-12-10T23:59:59")


minutes = st.integers(0, 24 * 60)
day_hours = st.tuples(minutes, minutes).map(sorted).filter(lambda pair: pair[0] < pair[1])


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@settings(deadline=None)
@given(
    weekly=st.dictionaries(
        st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), day_hours, min_size=1
    ),
    closed=st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=60),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo"]),
    lent_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    period=st.integers(1, 400),
    unit=st.sampled_from(["days", "hours"]),
    closed_due=st.sampled_from(
        ["keep", "next-open", "previous-open", "same-weekday", "count-open-days"]
    ),
    expires=st.none() | st.dates(date(2025, 12, 1), date(2027, 6, 30)),
    fixed=st.none() | st.dates(date(2026, 1, 1), date(2027, 6, 30)),
    fixed_rule=st.sampled_from(["latest", "exactly", "earliest"]),
)
def test_due_is_always_later_than_lent_and_on_an_open_day_unless_it_is_kept(
    weekly: Any,
    closed: set[date],
    zone: str,
    lent_at: datetime,
    period: int,
    unit: Any,
    closed_due: Any,
    expires: date | None,
    fixed: date | None,
    fixed_rule: Any,
) -> None:
    hours = opening(
        {day: ((clock(opens), clock(closes)),) for day, (opens, closes) in weekly.items()},
        zone,
        tuple(CalendarException(on=day) for day in sorted(closed)),
    )
    policy = Policy(
        loan_period=period,
        loan_unit=unit,
        closed_due=closed_due,
        fixed_due_on=fixed,
        fixed_due_rule=fixed_rule,
    )
    try:
        found = due_at(lent_at, policy, hours, card_expires_on=expires, cap_at_expiry=True)
    except InvalidRule:
        assert fixed and fixed < hours.local_date(lent_at) and fixed_rule != "earliest"
        return
    assert found > lent_at
    day = hours.local_date(found)
    if unit == "days":
        assert found == hours.end_of_day(day)
        assert closed_due == "keep" or hours.is_open_on(day)
    else:
        assert closed_due == "keep" or hours.is_open_at(found)
    ceilings = [limit for limit in (expires, fixed if fixed_rule == "latest" else None) if limit]
    if ceilings and day > min(ceilings):  # then only because nothing up to it was open
        opening_day = hours.local_date(hours.next_opening_after(lent_at))
        assert day in (opening_day, hours.next_open_day(hours.local_date(lent_at)))


@given(
    lent_at=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),
    period=st.integers(1, 3650),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"]),
)
def test_where_it_is_always_open_the_period_is_plain_days(
    lent_at: datetime, period: int, zone: str
) -> None:
    hours = OpeningHours(None, zone)
    found = due_at(
        lent_at, Policy(loan_period=period), hours, card_expires_on=None, cap_at_expiry=True
    )
    assert hours.local_date(found) == hours.local_date(lent_at) + timedelta(days=period)
