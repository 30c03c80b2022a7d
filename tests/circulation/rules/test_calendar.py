from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lendery.circulation.rules.calendar import SEARCH_DAYS, OpeningHours, check_calendar
from lendery.contracts.circulation import (
    Calendar,
    CalendarException,
    CalendarHasRunOut,
    InvalidCalendar,
    NewCalendar,
)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
NINE_TO_SIX = (("09:00", "18:00"),)
SHOP = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), NINE_TO_SIX)
SPLIT = {"sat": (("10:00", "12:00"), ("14:00", "16:00"))}
ROUND_THE_CLOCK = dict.fromkeys(
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), (("00:00", "24:00"),)
)


def calendar(weekly: Any, *exceptions: tuple[str, Any], valid_until: str | None = None) -> Calendar:
    return Calendar(
        id=UUID(int=1),
        name="Central",
        weekly=weekly,
        exceptions=tuple(
            CalendarException(on=date.fromisoformat(on), hours=hours) for on, hours in exceptions
        ),
        valid_until=date.fromisoformat(valid_until) if valid_until else None,
        version=1,
    )


def opening(weekly: Any, *exceptions: tuple[str, Any], zone: str = "UTC") -> OpeningHours:
    return OpeningHours(calendar(weekly, *exceptions), zone)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def spans(hours: OpeningHours, day: str) -> str:
    told = [
        f"{opens:%d %H:%M}-{closes:%d %H:%M}"
        for opens, closes in hours.open_on(date.fromisoformat(day))
    ]
    return ", ".join(told)


CENTRAL = opening(
    SHOP | SPLIT,
    ("2026-12-24", (("09:00", "12:00"),)),
    ("2026-12-25", ()),
    ("2026-12-27", SPLIT["sat"]),
)


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        pytest.param("2026-12-18", "18 09:00-18 18:00", id="a plain Friday"),
        pytest.param("2026-12-19", "19 10:00-19 12:00, 19 14:00-19 16:00", id="a lunch break"),
        pytest.param("2026-12-20", "", id="a weekday left out is closed"),
        pytest.param("2026-12-24", "24 09:00-24 12:00", id="other hours on Christmas Eve"),
        pytest.param("2026-12-25", "", id="closed at Christmas"),
        pytest.param("2026-12-27", "27 10:00-27 12:00, 27 14:00-27 16:00", id="a Sunday opened"),
    ],
)
def test_a_day_has_the_hours_of_its_weekday_unless_it_is_an_exception(day: str, open_: str) -> None:
    assert spans(CENTRAL, day) == open_
    assert CENTRAL.is_open_on(date.fromisoformat(day)) == bool(open_)


NIGHT = {"sun": (("00:00", "24:00"),)}


@pytest.mark.parametrize(
    ("zone", "weekly", "day", "open_"),
    [
        (BERLIN, NIGHT, "2026-03-29", "28 23:00-29 22:00"),
        (BERLIN, NIGHT, "2026-10-25", "24 22:00-25 23:00"),
        (BERLIN, {"sun": (("02:30", "05:00"),)}, "2026-03-29", "29 01:00-29 03:00"),
        (BERLIN, {"sun": (("01:00", "02:30"),)}, "2026-03-29", "29 00:00-29 01:00"),
        (BERLIN, {"sun": (("02:10", "02:50"),)}, "2026-03-29", ""),
        (BERLIN, {"sun": (("02:30", "05:00"),)}, "2026-10-25", "25 00:30-25 04:00"),
        (BERLIN, {"sun": (("01:00", "02:30"),)}, "2026-10-25", "24 23:00-25 01:30"),
        (
            BERLIN,
            {"sun": (("01:00", "02:30"), ("02:30", "04:00"))},
            "2026-10-25",
            "24 23:00-25 03:00",
        ),
        (NEW_YORK, NIGHT, "2026-03-08", "08 05:00-09 04:00"),
        (NEW_YORK, NIGHT, "2026-11-01", "01 04:00-02 05:00"),
        (NEW_YORK, {"sun": (("02:30", "05:00"),)}, "2026-03-08", "08 07:00-08 09:00"),
        (NEW_YORK, {"sun": (("01:30", "05:00"),)}, "2026-11-01", "01 05:30-01 10:00"),
        ("Australia/Lord_Howe", {"sun": (("02:10", "03:00"),)}, "2026-10-04", "03 15:30-03 16:00"),
        ("Africa/Cairo", {"fri": (("00:00", "09:00"),)}, "2026-04-24", "23 22:00-24 06:00"),
        ("America/Havana", {"sat": (("20:00", "24:00"),)}, "2026-10-31", "01 00:00-01 04:00"),
        ("America/Havana", NIGHT, "2026-11-01", "01 04:00-02 05:00"),
        ("Pacific/Apia", {"fri": (("09:00", "18:00"),)}, "2011-12-30", ""),
        ("Asia/Kathmandu", {"sun": NINE_TO_SIX}, "2026-03-29", "29 03:15-29 12:15"),
    ],
    ids=[
        "Berlin, a Sunday of 23 hours",
        "Berlin, a Sunday of 25 hours",
        "Berlin, opens at a time jumped over: with the jump",
        "Berlin, closes at a time jumped over: with the jump",
        "Berlin, hours wholly jumped over are none",
        "Berlin, opens at a time that comes twice: the first",
        "Berlin, closes at a time that comes twice: the second",
        "Berlin, hours that touch at a time that comes twice are one",
        "New York, a Sunday of 23 hours",
        "New York, a Sunday of 25 hours",
        "New York, opens at a time jumped over",
        "New York, opens at a time that comes twice",
        "Lord Howe jumps by half an hour",
        "Cairo jumps over midnight itself",
        "Havana has two midnights: 24:00 is the first",
        "Havana has two midnights: the day begins with the first",
        "Samoa left out a whole Friday",
        "Nepal is off by a quarter of an hour",
    ],
)
def test_hours_are_right_on_the_days_the_clocks_change(
    zone: str, weekly: Any, day: str, open_: str
) -> None:
    hours = opening(weekly, zone=zone)
    assert spans(hours, day) == open_
    assert hours.is_open_on(date.fromisoformat(day)) == bool(open_)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("UTC", "2026-12-31", "2026-12-31T23:59:59"),
        (BERLIN, "2026-03-28", "2026-03-28T22:59:59"),
        (BERLIN, "2026-03-29", "2026-03-29T21:59:59"),
        (BERLIN, "2026-10-25", "2026-10-25T22:59:59"),
        (NEW_YORK, "2026-02-28", "2026-03-01T04:59:59"),
        (NEW_YORK, "2026-11-01", "2026-11-02T04:59:59"),
        ("Africa/Cairo", "2026-04-23", "2026-04-23T21:59:59"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-18T02:59:59"),  # 23:59 came twice
        ("Pacific/Kiritimati", "2026-12-31", "2026-12-31T09:59:59"),
    ],
)
def test_a_day_ends_at_23_59_59_on_the_wall(zone: str, day: str, end: str) -> None:
    hours = OpeningHours(None, zone)
    assert hours.end_of_day(date.fromisoformat(day)) == at(end)
    assert hours.local_date(at(end)) == date.fromisoformat(day)
    assert hours.local_date(at(end) + timedelta(seconds=1)) != date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "following", "preceding"),
    [
        pytest.param("2026-12-18", "2026-12-18", "2026-12-18", id="an open day is its own answer"),
        pytest.param("2026-12-20", "2026-12-21", "2026-12-19", id="a closed Sunday"),
        pytest.param("2026-12-25", "2026-12-26", "2026-12-24", id="Christmas"),
        pytest.param("2027-01-03", "2027-01-04", "2027-01-02", id="the first Sunday of a year"),
        pytest.param("2027-01-01", "2027-01-01", "2027-01-01", id="a new year"),
        pytest.param("2028-02-27", "2028-02-28", "2028-02-26", id="before a leap day"),
    ],
)
def test_the_open_day_after_and_before(day: str, following: str, preceding: str) -> None:
    asked = date.fromisoformat(day)
    assert CENTRAL.next_open_day(asked) == date.fromisoformat(following)
    assert CENTRAL.previous_open_day(asked) == date.fromisoformat(preceding)


@pytest.mark.parametrize(
    ("instant", "is_open", "following", "preceding"),
    [
        ("2026-12-18T08:59:59", False, "2026-12-18T09:00:00", "2026-12-17T18:00:00"),
        ("2026-12-18T09:00:00", True, "2026-12-18T09:00:00", "2026-12-18T09:00:00"),
        ("2026-12-18T18:00:00", True, "2026-12-18T18:00:00", "2026-12-18T18:00:00"),
        ("2026-12-18T18:00:01", False, "2026-12-19T10:00:00", "2026-12-18T18:00:00"),
        ("2026-12-19T13:00:00", False, "2026-12-19T14:00:00", "2026-12-19T12:00:00"),
        ("2026-12-19T16:00:01", False, "2026-12-21T09:00:00", "2026-12-19T16:00:00"),
        ("2026-12-24T12:00:01", False, "2026-12-26T10:00:00", "2026-12-24T12:00:00"),
    ],
    ids=[
        "a second before opening",
        "at opening",
        "at closing it is open",
        "a second after closing",
        "at lunch",
        "Saturday evening",
        "Christmas Eve",
    ],
)
def test_the_open_time_after_and_before(
    instant: str, is_open: bool, following: str, preceding: str
) -> None:
    assert CENTRAL.is_open_at(at(instant)) is is_open
    assert CENTRAL.next_open_at(at(instant)) == at(following)
    assert CENTRAL.previous_open_at(at(instant)) == at(preceding)


def test_the_next_opening_is_later_even_when_it_is_open_now() -> None:
    assert CENTRAL.next_opening_after(at("2026-12-18T09:00:00")) == at("2026-12-19T10:00:00")
    assert CENTRAL.next_opening_after(at("2026-12-19T11:00:00")) == at("2026-12-19T14:00:00")


def test_midnight_belongs_to_the_evening_that_closes_then() -> None:
    late = opening({"fri": (("20:00", "24:00"),)})
    assert late.is_open_at(at("2026-12-19T00:00:00"))
    assert not late.is_open_at(at("2026-12-19T00:00:01"))
    assert late.previous_open_at(at("2026-12-20T10:00:00")) == at("2026-12-19T00:00:00")


def test_open_round_the_clock_never_closes_at_midnight() -> None:
    always = opening(ROUND_THE_CLOCK, zone=BERLIN)
    for hour in range(0, 24 * 8):
        instant = at("2026-10-22T00:00:00") + timedelta(hours=hour)
        assert always.next_open_at(instant) == always.previous_open_at(instant) == instant


def test_without_a_calendar_it_is_always_open() -> None:
    always, sunday = OpeningHours(None, NEW_YORK), date(2026, 12, 20)
    assert spans(always, "2026-12-20") == "20 05:00-21 05:00"
    assert always.is_open_on(sunday) and always.is_open_at(at("2026-12-20T03:00:00"))
    assert always.next_open_day(sunday) == always.previous_open_day(sunday) == sunday
    assert always.nth_open_day(sunday, 10) == date(2026, 12, 30)
    assert always.open_days_between(sunday, date(2027, 1, 20)) == 31
    assert always.next_opening_after(at("2026-12-20T15:00:00")) == at("2026-12-21T05:00:00")


def test_answers_are_in_utc_whatever_zone_is_asked_in() -> None:
    asked = datetime.fromisoformat("2026-12-18T11:00:00+01:00")
    assert CENTRAL.next_open_at(asked).tzinfo is CENTRAL.previous_open_at(asked).tzinfo is UTC


@pytest.mark.parametrize(
    ("after", "until", "days"),
    [
        pytest.param("2026-12-18", "2026-12-18", 0, id="the same day"),
        pytest.param("2026-12-18", "2026-12-17", 0, id="backwards"),
        pytest.param("2026-12-18", "2026-12-19", 1, id="the first day is not counted"),
        pytest.param("2026-12-19", "2026-12-20", 0, id="a closed day is not counted"),
        pytest.param("2026-12-18", "2026-12-28", 8, id="over Christmas"),
        pytest.param("2028-02-25", "2028-03-03", 6, id="over a leap day"),
    ],
)
def test_open_days_between_two_days(after: str, until: str, days: int) -> None:
    assert CENTRAL.open_days_between(date.fromisoformat(after), date.fromisoformat(until)) == days


@pytest.mark.parametrize(
    ("n", "day"),
    [(0, "2026-12-18"), (1, "2026-12-19"), (2, "2026-12-21"), (6, "2026-12-26"), (7, "2026-12-27")],
)
def test_the_nth_open_day_leaves_out_closed_days(n: int, day: str) -> None:
    assert CENTRAL.nth_open_day(date(2026, 12, 18), n) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "ask",
    [
        lambda hours: hours.open_on(date(2027, 1, 1)),
        lambda hours: hours.is_open_on(date(2027, 1, 1)),
        lambda hours: hours.next_open_day(date(2027, 1, 2)),
        lambda hours: hours.previous_open_day(date(2027, 1, 2)),
        lambda hours: hours.nth_open_day(date(2026, 12, 30), 2),
        lambda hours: hours.open_days_between(date(2026, 12, 30), date(2027, 1, 2)),
        lambda hours: hours.is_open_at(at("2027-01-01T10:00:00")),
        lambda hours: hours.next_open_at(at("2026-12-31T18:00:01")),
    ],
    ids=[
        "hours of a day",
        "is it open on a day",
        "the next open day",
        "the previous open day",
        "the nth open day",
        "open days between",
        "is it open at an instant",
        "the next open time",
    ],
)
def test_a_calendar_that_has_run_out_is_an_error_not_a_guess(ask: Any) -> None:
    hours = OpeningHours(calendar(SHOP, valid_until="2026-12-31"), "UTC")
    assert spans(hours, "2026-12-31") == "31 09:00-31 18:00"
    with pytest.raises(CalendarHasRunOut, match="ends on 2026-12-31") as problem:
        ask(hours)
    assert problem.value.extra == {
        "calendar_id": str(UUID(int=1)),
        "valid_until": "2026-12-31",
    }


@pytest.mark.parametrize(
    "ask",
    [
        lambda hours: hours.next_open_day(date(2026, 1, 1)),
        lambda hours: hours.previous_open_day(date(2026, 1, 1)),
        lambda hours: hours.next_open_same_weekday(date(2026, 1, 1)),
        lambda hours: hours.nth_open_day(date(2026, 1, 1), 3),
        lambda hours: hours.next_open_at(at("2026-01-01T10:00:00")),
        lambda hours: hours.previous_open_at(at("2026-01-01T10:00:00")),
        lambda hours: hours.next_opening_after(at("2026-01-01T10:00:00")),
    ],
)
def test_a_calendar_that_is_always_closed_is_told_instead_of_searched_for_ever(ask: Any) -> None:
    with pytest.raises(InvalidCalendar, match="no open day within three years"):
        ask(opening({}))


def test_a_long_closure_is_searched_through_up_to_the_limit() -> None:
    start = date(2026, 1, 1)
    last_found = start + timedelta(days=SEARCH_DAYS - 1)
    assert opening({}, (last_found.isoformat(), NINE_TO_SIX)).next_open_day(start) == last_found
    beyond = (last_found + timedelta(days=1)).isoformat()
    with pytest.raises(InvalidCalendar):
        opening({}, (beyond, NINE_TO_SIX)).next_open_day(start)


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "Europe", "x" * 300, "\0"])
def test_a_time_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidCalendar, match="There is no time zone"):
        OpeningHours(None, name)


@pytest.mark.parametrize(
    ("weekly", "exceptions", "wrong"),
    [
        pytest.param(SHOP | SPLIT, [], [], id="plain hours"),
        pytest.param({}, [], [], id="never open is allowed"),
        pytest.param(ROUND_THE_CLOCK, [], [], id="24:00 may be an end"),
        pytest.param({"mon": [("09:00", "12:00"), ("12:00", "18:00")]}, [], [], id="touching"),
        pytest.param({"mon": [("14:00", "18:00"), ("09:00", "12:00")]}, [], [], id="in any order"),
        pytest.param(
            {"tue": [("18:00", "09:00")]},
            [],
            [
                "Tuesday: 18:00 to 09:00 ends before it begins. For hours past midnight, "
                "end at 24:00 and begin at 00:00 on the next day."
            ],
            id="inverted",
        ),
        pytest.param(
            {"wed": [("09:00", "09:00")]},
            [],
            ["Wednesday: 09:00 to 09:00 is no time at all. Leave it out."],
            id="empty",
        ),
        pytest.param(
            {"thu": [("24:00", "24:00")]},
            [],
            ["Thursday: 24:00 to 24:00 is no time at all. Leave it out."],
            id="24:00 is no beginning",
        ),
        pytest.param(
            {"fri": [("09:00", "12:01"), ("12:00", "18:00")]},
            [],
            ["Friday: 09:00 to 12:01 and 12:00 to 18:00 overlap."],
            id="overlapping by a minute",
        ),
        pytest.param(
            {"sat": [("10:00", "12:00"), ("10:00", "12:00")]},
            [],
            ["Saturday: 10:00 to 12:00 and 10:00 to 12:00 overlap."],
            id="the same twice",
        ),
        pytest.param(
            SHOP,
            [("2026-12-24", ()), ("2026-12-24", NINE_TO_SIX)],
            ["2026-12-24 is given twice. Put its hours in one exception."],
            id="an exception given twice",
        ),
        pytest.param(
            SHOP,
            [("2026-12-24", [("12:00", "09:00")])],
            [
                "2026-12-24: 12:00 to 09:00 ends before it begins. For hours past midnight, "
                "end at 24:00 and begin at 00:00 on the next day."
            ],
            id="an exception inverted",
        ),
    ],
)
def test_check_calendar_says_what_is_wrong(
    weekly: Any, exceptions: list[tuple[str, Any]], wrong: list[str]
) -> None:
    given = tuple(CalendarException(on=date.fromisoformat(on), hours=h) for on, h in exceptions)
    asked = NewCalendar(name="Central", weekly=weekly, exceptions=given)
    assert check_calendar(asked) == wrong


def test_hours_that_touch_are_one() -> None:
    split = opening({"mon": (("09:00", "12:00"), ("12:00", "18:00"))})
    assert spans(split, "2026-12-21") == "21 09:00-21 18:00"
    assert split.next_opening_after(at("2026-12-21T10:00:00")) == at("2026-12-28T09:00:00")


def test_hours_that_were_never_checked_do_no_harm() -> None:
    messy = opening({"mon": (("18:00", "09:00"), ("10:00", "12:00"), ("11:00", "13:00"))})
    assert spans(messy, "2026-12-21") == "21 10:00-21 13:00"
