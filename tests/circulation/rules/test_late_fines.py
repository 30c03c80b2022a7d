from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lendery.circulation.rules.calendar import Interval, OpeningHours
from lendery.circulation.rules.late_fines import fine_due, late_units
from lendery.circulation.rules.policy import Policy
from lendery.contracts.circulation import Calendar, CalendarException

WEEKDAYS: Any = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "18:00"),))
CHRISTMAS = tuple(CalendarException(on=date(2026, 12, day)) for day in (24, 25, 28, 29, 30, 31))
BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)


def opening(
    weekly: Any = WEEKDAYS,
    zone: str = "UTC",
    exceptions: tuple[CalendarException, ...] = CHRISTMAS,
    valid_until: date | None = None,
) -> OpeningHours:
    calendar = Calendar(
        id=UUID(int=1),
        name="Central",
        weekly=weekly,
        exceptions=exceptions,
        valid_until=valid_until,
        version=1,
    )
    return OpeningHours(calendar, zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def late(due: str, back: str, hours: OpeningHours, **policy: Any) -> int:
    return late_units(due_at=at(due), at=at(back), policy=Policy(**policy), hours=hours)


# in December 2026 the 1st is a Tuesday; closed on weekends and from the 24th to the 31st
CENTRAL = opening()
ALWAYS = OpeningHours(None, "UTC")
TUESDAY = "2026-12-01T23:59:59"


@pytest.mark.parametrize(
    ("back", "open_days", "all_days"),
    [
        pytest.param("2026-11-20T10:00", 0, 0, id="early"),
        pytest.param("2026-12-01T10:00", 0, 0, id="on the due date"),
        pytest.param(TUESDAY, 0, 0, id="in its last second"),
        pytest.param("2026-12-02T00:00", 1, 1, id="a second later"),
        pytest.param("2026-12-02T23:59:59", 1, 1, id="the end of the day after"),
        pytest.param("2026-12-03T00:00", 2, 2, id="two days"),
        pytest.param("2026-12-04T10:00", 3, 3, id="on Friday"),
        pytest.param("2026-12-06T10:00", 3, 5, id="through the book drop on Sunday"),
        pytest.param("2026-12-07T10:00", 4, 6, id="on Monday"),
        pytest.param("2026-12-23T10:00", 16, 22, id="before Christmas"),
        pytest.param("2026-12-31T10:00", 16, 30, id="at Christmas"),
        pytest.param("2027-01-01T10:00", 17, 31, id="after Christmas"),
    ],
)
def test_lateness_in_days(back: str, open_days: int, all_days: int) -> None:
    assert late(TUESDAY, back, CENTRAL) == open_days
    assert late(TUESDAY, back, CENTRAL, fine_closed_days=True) == all_days
    assert late(TUESDAY, back, ALWAYS) == all_days


def test_a_day_is_the_day_on_the_branchs_wall() -> None:
    hours, due = opening(zone=BERLIN), "2026-12-01T22:59:59"
    assert late(due, "2026-12-02T22:59:59", hours) == 1
    assert late(due, "2026-12-02T23:00:00", hours) == 2
    due = "2026-10-23T21:59:59"  # on Monday the clocks have gone back
    assert late(due, "2026-10-26T22:59:59", hours, fine_closed_days=True) == 3
    assert late(due, "2026-10-26T22:59:59", hours) == 1
    assert late(due, "2026-10-26T23:00:00", hours) == 2


def test_an_hourly_loan_fined_by_the_day_is_not_late_on_its_day() -> None:
    assert late("2026-12-01T11:00", "2026-12-01T17:00", CENTRAL) == 0
    assert late("2026-12-01T11:00", "2026-12-02T09:00", CENTRAL) == 1


@pytest.mark.parametrize(
    ("back", "open_hours", "all_hours"),
    [
        pytest.param("2026-12-03T10:00", 0, 0, id="early"),
        pytest.param("2026-12-03T17:00", 0, 0, id="in time"),
        pytest.param("2026-12-03T17:00:00.000001", 1, 1, id="an instant later"),
        pytest.param("2026-12-03T18:00", 1, 1, id="one hour"),
        pytest.param("2026-12-03T18:00:01", 1, 2, id="a second after closing time"),
        pytest.param("2026-12-04T09:00", 1, 16, id="as the doors open"),
        pytest.param("2026-12-04T09:00:01", 2, 17, id="a second after they open"),
        pytest.param("2026-12-04T18:00", 10, 25, id="on Friday"),
        pytest.param("2026-12-07T09:00", 10, 88, id="on Monday morning"),
        pytest.param("2026-12-07T09:30", 11, 89, id="half an hour later"),
        pytest.param("2026-12-23T18:00", 1 + 14 * 9, 481, id="before Christmas"),
        pytest.param("2026-12-31T12:00", 1 + 14 * 9, 667, id="at Christmas"),
    ],
)
def test_lateness_in_hours(back: str, open_hours: int, all_hours: int) -> None:
    due = "2026-12-03T17:00"
    assert late(due, back, CENTRAL, fine_unit="hours") == open_hours
    assert late(due, back, CENTRAL, fine_unit="hours", fine_closed_days=True) == all_hours
    assert late(due, back, ALWAYS, fine_unit="hours") == all_hours


def test_hours_are_real_hours_when_the_clocks_change() -> None:
    sundays = opening({"sun": (("00:00", "12:00"),)}, BERLIN)
    for hours in (sundays, OpeningHours(None, BERLIN)):
        for closed in (True, False):
            policy = Policy(fine_unit="hours", fine_closed_days=closed)
            for day, told in ((date(2026, 3, 29), 11), (date(2026, 10, 25), 13)):
                due = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(BERLIN))
                back = due.replace(hour=12)
                assert late_units(due_at=due, at=back, policy=policy, hours=hours) == told


@pytest.mark.parametrize("due", ["2026-03-16T12:00", "2026-10-12T12:00"])
@pytest.mark.parametrize("days", range(1, 30))
def test_the_hour_that_the_clocks_jump_over_or_repeat_is_counted_once(due: str, days: int) -> None:
    every_day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    always = opening(dict.fromkeys(every_day, (("00:00", "24:00"),)), BERLIN, exceptions=())
    back = at(due) + days * 24 * HOUR
    for hours in (always, OpeningHours(None, BERLIN)):
        told = late_units(due_at=at(due), at=back, policy=Policy(fine_unit="hours"), hours=hours)
        assert told == days * 24


@pytest.mark.parametrize(
    ("unit", "back", "told"),
    [
        ("days", "2026-12-04T10:00", 3),
        ("days", "2026-12-05T10:00", 4),
        ("days", "2026-12-07T10:00", 6),
        ("days", "2027-01-07T10:00", 37),
        ("hours", "2026-12-04T18:00", 3 * 9),
        ("hours", "2026-12-05T00:00", 3 * 9),
        ("hours", "2026-12-05T01:00", 3 * 9 + 1),
        ("hours", "2026-12-07T10:00", 3 * 9 + 58),
    ],
)
def test_after_the_end_of_its_calendar_a_branch_is_open(unit: Any, back: str, told: int) -> None:
    ends_on_friday = opening(valid_until=date(2026, 12, 4))
    assert late(TUESDAY, back, ends_on_friday, fine_unit=unit) == told


@pytest.mark.parametrize("ended", [date(2026, 12, 1), date(2026, 11, 30), date(2025, 1, 1)])
def test_a_calendar_that_ended_before_it_was_due_stops_no_check_in(ended: date) -> None:
    hours = opening(valid_until=ended)
    assert late(TUESDAY, "2026-12-01T10:00", hours) == 0
    assert late(TUESDAY, "2026-12-07T10:00", hours) == 6
    assert late("2026-12-01T17:00", "2026-12-01T17:30", hours, fine_unit="hours") == 1
    told = 1 + 10 if ended == date(2026, 12, 1) else 17  # it closes at 18 on the last known day
    assert late("2026-12-01T17:00", "2026-12-02T10:00", hours, fine_unit="hours") == told


FIVE_LATE: Any = {"due_at": at("2026-12-02T23:59:59"), "at": at("2026-12-07T10:00")}


@pytest.mark.parametrize(
    ("policy", "fine"),
    [
        pytest.param({}, 100, id="no grace"),
        pytest.param({"grace": 1, "grace_mode": "deduct"}, 80, id="a day deducted"),
        pytest.param({"grace": 1, "grace_mode": "threshold"}, 100, id="past a day of grace"),
        pytest.param({"grace": 4, "grace_mode": "deduct"}, 20, id="a day past the grace, deducted"),
        pytest.param({"grace": 4, "grace_mode": "threshold"}, 100, id="a day past the grace"),
        pytest.param({"grace": 5, "grace_mode": "deduct"}, 0, id="within the grace, deducted"),
        pytest.param({"grace": 5, "grace_mode": "threshold"}, 0, id="within the grace"),
        pytest.param({"fine_cap": 60}, 60, id="up to the cap"),
        pytest.param({"fine_cap": 100}, 100, id="just the cap"),
        pytest.param({"fine_cap": 0}, 0, id="a cap of nothing"),
        pytest.param({"fine_interval": 4}, 40, id="two started intervals"),
        pytest.param({"fine_interval": 5}, 20, id="one whole interval"),
        pytest.param({"fine_interval": 7}, 20, id="one started interval"),
        pytest.param(
            {"fine_interval": 4, "grace": 1, "grace_mode": "deduct"}, 20, id="grace, then interval"
        ),
        pytest.param({"fine": 0, "fine_cap": 60}, 0, id="no fine"),
    ],
)
def test_five_days_late_at_twenty_a_day(policy: Any, fine: int) -> None:
    told = fine_due(**FIVE_LATE, policy=Policy(**({"fine": 20} | policy)), hours=ALWAYS)
    assert told == fine


def test_eight_days_late_are_two_started_weeks() -> None:
    policy, due = Policy(fine=20, fine_interval=7), at(TUESDAY)
    for days, fine in ((7, 20), (8, 40)):
        back = due + timedelta(days=days)
        assert fine_due(due_at=due, at=back, policy=policy, hours=ALWAYS) == fine


@pytest.mark.parametrize(
    ("cap", "at_price", "price", "charged", "fine"),
    [
        pytest.param(None, True, 99, 0, 99, id="the price is lower"),
        pytest.param(None, True, 100, 0, 100, id="the price is the fine"),
        pytest.param(None, True, 101, 0, 100, id="the price is higher"),
        pytest.param(None, True, 0, 0, 0, id="it is worth nothing"),
        pytest.param(None, True, None, 0, 100, id="nobody knows the price"),
        pytest.param(None, False, 10, 0, 100, id="the price is no cap"),
        pytest.param(60, True, 70, 0, 60, id="the lower of both: the cap"),
        pytest.param(70, True, 60, 0, 60, id="the lower of both: the price"),
        pytest.param(60, True, None, 0, 60, id="the cap where nobody knows the price"),
        pytest.param(60, False, None, 59, 1, id="all but one was charged before"),
        pytest.param(60, False, None, 60, 0, id="all was charged before"),
        pytest.param(60, False, None, 500, 0, id="more was charged before"),
        pytest.param(None, True, 130, 40, 90, id="the price less what was charged before"),
        pytest.param(500, False, None, 40, 100, id="far from the cap"),
        pytest.param(None, False, None, 500, 100, id="no cap: what was charged before is settled"),
    ],
)
def test_the_caps_are_for_one_loan_over_all_its_charges(
    cap: int | None, at_price: bool, price: int | None, charged: int, fine: int
) -> None:
    policy = Policy(fine=20, fine_cap=cap, cap_at_price=at_price)
    told = fine_due(**FIVE_LATE, policy=policy, hours=ALWAYS, price=price, charged=charged)
    assert told == fine


def test_a_fine_by_the_hour() -> None:
    policy = Policy(fine=50, fine_unit="hours", fine_interval=2, grace=1, grace_mode="deduct")
    due = at("2026-12-03T16:00")
    for back, fine in (
        ("2026-12-03T17:00", 0),
        ("2026-12-03T17:01", 50),
        ("2026-12-04T11:01", 100),
    ):
        assert fine_due(due_at=due, at=at(back), policy=policy, hours=CENTRAL) == fine


def test_what_is_returned_in_time_costs_nothing() -> None:
    due = at(TUESDAY)
    for back in (due, due - timedelta(days=30)):
        assert fine_due(due_at=due, at=back, policy=Policy(fine=20), hours=CENTRAL) == 0


class Asked(OpeningHours):
    """Counts how often it is asked when it is open."""

    times = 0

    def open_on(self, day: date) -> tuple[Interval, ...]:
        self.times += 1
        return super().open_on(day)


@pytest.mark.parametrize("unit", ["days", "hours"])
def test_a_loan_ten_years_late_is_worked_out_without_asking_for_each_day(unit: Any) -> None:
    hours = Asked(CENTRAL._calendar, BERLIN)
    policy, due = Policy(fine_unit=unit), at("2026-11-30T23:00")
    told = late_units(due_at=due, at=at("2036-12-01T12:00"), policy=policy, hours=hours)
    assert told == {"days": 2603, "hours": 23431}[unit]
    assert hours.times <= 9 + len(CHRISTMAS) + 7 * 2 * 11


minutes = st.integers(0, 24 * 60)
day_hours = st.tuples(minutes, minutes).map(sorted).filter(lambda pair: pair[0] < pair[1])
zones = st.sampled_from(["UTC", BERLIN, "America/New_York", "Africa/Cairo", "Australia/Lord_Howe"])


@st.composite
def calendars(draw: st.DrawFn) -> OpeningHours:
    def clock(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    weekly = draw(st.dictionaries(st.sampled_from(week), day_hours))
    own = draw(
        st.dictionaries(st.dates(date(2026, 1, 1), date(2027, 6, 30)), st.none() | day_hours)
    )
    return opening(
        {day: ((clock(opens), clock(closes)),) for day, (opens, closes) in weekly.items()},
        draw(zones),
        tuple(
            CalendarException(on=on, hours=((clock(its[0]), clock(its[1])),) if its else ())
            for on, its in own.items()
        ),
    )


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30), timezones=st.just(UTC))


@settings(deadline=None)
@given(hours=calendars(), due=moments, back=moments)
def test_the_short_way_counts_what_counting_day_by_day_does(
    hours: OpeningHours, due: datetime, back: datetime
) -> None:
    first, last = hours.local_date(due), hours.local_date(back)
    days = late_units(due_at=due, at=back, policy=Policy(), hours=hours)
    assert days == hours.open_days_between(first, last)
    opened = timedelta()
    for n in range((last - first).days + 1):
        for opens, closes in hours.open_on(first + n * timedelta(days=1)):
            opened += max(timedelta(), min(closes, back) - max(opens, due))
    told = late_units(due_at=due, at=back, policy=Policy(fine_unit="hours"), hours=hours)
    assert (told - 1) * HOUR < opened <= told * HOUR or opened == told * HOUR


@settings(deadline=None)
@given(hours=calendars(), due=moments, ends=st.dates(date(2025, 12, 1), date(2027, 8, 1)))
def test_lateness_only_grows_whether_or_not_the_calendar_ends(
    hours: OpeningHours, due: datetime, ends: date
) -> None:
    assert hours._calendar is not None
    short = OpeningHours(hours._calendar.model_copy(update={"valid_until": ends}), hours._zone.key)
    for unit in ("days", "hours"):
        before = 0
        for days in (0, 1, 2, 7, 30, 200):
            back = due + timedelta(days=days)
            told = late_units(due_at=due, at=back, policy=Policy(fine_unit=unit), hours=short)
            known = late_units(due_at=due, at=back, policy=Policy(fine_unit=unit), hours=hours)
            assert told >= before and told >= known
            assert told == known or hours.local_date(back) > ends
            before = told
