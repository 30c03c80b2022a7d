"""When a job's time comes round, and what is to be done about it: tables, no clock."""

from datetime import UTC, datetime, time, timedelta

import pytest

from lendery.platform.timetable import (
    LONGEST_REST,
    MOST_ATTEMPTS,
    TRUST,
    Claim,
    Decision,
    Doubt,
    Slot,
    Times,
    Wait,
    decide,
    rest_after,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
LEASE = timedelta(seconds=30)
HOURLY = Times(HOUR)
BERLIN = Times(DAY, time(2, 30), "Europe/Berlin")
NEW_YORK = Times(DAY, time(1, 30), "America/New_York")
APIA = Times(DAY, time(2, 30), "Pacific/Apia")
EVERY_OTHER = Times(2 * DAY, time(6, 0), "UTC")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NINE = utc("2026-03-01T09:00")

LATEST = [
    (HOURLY, "2026-03-01T09:00", "2026-03-01T09:00"),
    (HOURLY, "2026-03-01T09:59:59.999999", "2026-03-01T09:00"),
    (HOURLY, "2026-03-01T08:59:59.999999", "2026-03-01T08:00"),
    (Times(DAY), "2026-03-01T23:59", "2026-03-01T00:00"),
    (Times(7 * MINUTE), "2026-03-01T09:00", "2026-03-01T08:58"),
    (Times(HOUR), "1969-12-31T23:30", "1969-12-31T23:00"),
    # an ordinary night in Berlin: 02:30 is 01:30 UTC in winter, 00:30 in summer
    (BERLIN, "2026-01-15T01:29:59", "2026-01-14T01:30"),
    (BERLIN, "2026-01-15T01:30", "2026-01-15T01:30"),
    (BERLIN, "2026-07-15T00:30", "2026-07-15T00:30"),
    (BERLIN, "2026-07-15T00:29:59", "2026-07-14T00:30"),
    # 2026-03-29: the clocks go from 02:00 to 03:00, there is no 02:30; it runs at 03:30
    (BERLIN, "2026-03-29T00:30", "2026-03-28T01:30"),
    (BERLIN, "2026-03-29T01:29:59", "2026-03-28T01:30"),
    (BERLIN, "2026-03-29T01:30", "2026-03-29T01:30"),
    (BERLIN, "2026-03-30T00:29:59", "2026-03-29T01:30"),
    (BERLIN, "2026-03-30T00:30", "2026-03-30T00:30"),
    # 2026-10-25: the clocks go from 03:00 back to 02:00, there are two; it runs at the first
    (BERLIN, "2026-10-25T00:29:59", "2026-10-24T00:30"),
    (BERLIN, "2026-10-25T00:30", "2026-10-25T00:30"),
    (BERLIN, "2026-10-25T01:30", "2026-10-25T00:30"),
    (BERLIN, "2026-10-26T01:29:59", "2026-10-25T00:30"),
    (BERLIN, "2026-10-26T01:30", "2026-10-26T01:30"),
    (NEW_YORK, "2026-11-01T05:30", "2026-11-01T05:30"),
    (NEW_YORK, "2026-11-01T06:30", "2026-11-01T05:30"),
    # 2011-12-30 was left out in Samoa: its slot and that of the 31st are the same instant
    (APIA, "2011-12-30T12:29:59", "2011-12-29T12:30"),
    (APIA, "2011-12-30T12:30", "2011-12-30T12:30"),
    (APIA, "2011-12-31T12:29:59", "2011-12-30T12:30"),
    (EVERY_OTHER, "2026-03-02T05:59:59", "2026-02-28T06:00"),
    (EVERY_OTHER, "2026-03-02T06:00", "2026-03-02T06:00"),
    (EVERY_OTHER, "2026-03-03T23:59:59", "2026-03-02T06:00"),
]


@pytest.mark.parametrize(("times", "now", "slot"), LATEST)
def test_the_newest_slot_of_a_moment(times: Times, now: str, slot: str) -> None:
    assert times.latest(utc(now)) == utc(slot)


@pytest.mark.parametrize("times", [HOURLY, BERLIN, NEW_YORK, APIA, EVERY_OTHER, Times(7 * MINUTE)])
@pytest.mark.parametrize("begin", ["2026-03-28T00:00", "2026-10-24T00:00", "2011-12-28T00:00"])
def test_slots_follow_each_other_without_gap_or_repeat(times: Times, begin: str) -> None:
    slot = times.latest(utc(begin))
    for _ in range(12):
        after = times.following(slot)
        assert after > slot
        assert times.latest(after) == after and times.latest(after - TICK) == slot
        assert times.following(after - TICK) == after
        slot = after


@pytest.mark.parametrize("times", [BERLIN, NEW_YORK])
def test_a_year_has_a_slot_for_each_day(times: Times) -> None:
    slot, seen = times.latest(utc("2026-01-01T12:00")), 0
    while (slot := times.following(slot)) < utc("2027-01-01T12:00"):
        seen += 1
    assert seen == 365


@pytest.mark.parametrize(
    ("every", "at"),
    [(timedelta(0), None), (-HOUR, None), (HOUR, time(2, 30)), (36 * HOUR, time(0))],
)
def test_times_that_cannot_be_kept_are_refused(every: timedelta, at: time | None) -> None:
    with pytest.raises(ValueError, match="every so"):
        Times(every, at)


def done(at: datetime) -> Slot:
    return Slot(at, "done")


def running(at: datetime, until: datetime, *, doubted: bool = False) -> Slot:
    return Slot(at, "running", lease_until=until, doubted=doubted)


def failed(at: datetime, again_at: datetime | None) -> Slot:
    return Slot(at, "failed", again_at=again_at)


WAITING = Slot(NINE + 5 * MINUTE, "waiting", 0)
CASES: list[tuple[str, Slot | None, datetime, bool, Decision]] = [
    ("never run", None, NINE + MINUTE, False, Claim(NINE)),
    ("never run, each counts", None, NINE + MINUTE, True, Claim(NINE)),
    ("done", done(NINE), NINE + MINUTE, False, Wait(NINE + HOUR)),
    ("done, just before the next", done(NINE), NINE + HOUR - TICK, False, Wait(NINE + HOUR)),
    ("the next is due", done(NINE), NINE + HOUR, False, Claim(NINE + HOUR)),
    ("down for five hours", done(NINE), NINE + 5 * HOUR + MINUTE, False, Claim(NINE + 5 * HOUR)),
    ("the same, each counts", done(NINE), NINE + 5 * HOUR, True, Claim(NINE + HOUR)),
    (
        "two years away, each counts",
        done(NINE - 730 * DAY),
        NINE,
        True,
        Claim(NINE - 366 * DAY + HOUR),
    ),
    ("set back an hour", done(NINE), NINE - HOUR + MINUTE, False, Wait(NINE + HOUR)),
    ("set back by all that is believed", done(NINE), NINE - TRUST, False, Wait(NINE + HOUR)),
    ("set back, each counts", done(NINE), NINE - 3 * HOUR, True, Wait(NINE + HOUR)),
    ("runs", running(NINE, NINE + LEASE), NINE, False, Wait(NINE + LEASE)),
    (
        "runs into the next",
        running(NINE, NINE + HOUR + LEASE),
        NINE + HOUR,
        False,
        Wait(NINE + HOUR + LEASE),
    ),
    ("silent", running(NINE, NINE + LEASE), NINE + LEASE, False, Doubt(NINE)),
    (
        "silent, a tick before",
        running(NINE, NINE + LEASE),
        NINE + LEASE - TICK,
        False,
        Wait(NINE + LEASE),
    ),
    (
        "clock put on while it runs",
        running(NINE, NINE + LEASE),
        NINE + 3 * HOUR,
        False,
        Doubt(NINE),
    ),
    ("clock set back while it runs", running(NINE, NINE + LEASE), NINE - HOUR, False, Doubt(NINE)),
    (
        "doubted",
        running(NINE, NINE + LEASE, doubted=True),
        NINE + LEASE - TICK,
        False,
        Wait(NINE + LEASE),
    ),
    (
        "given up",
        running(NINE, NINE + LEASE, doubted=True),
        NINE + LEASE,
        False,
        Claim(NINE, again=True),
    ),
    (
        "given up at the next",
        running(NINE, NINE + LEASE, doubted=True),
        NINE + HOUR,
        False,
        Claim(NINE + HOUR),
    ),
    (
        "the same, each counts",
        running(NINE, NINE + LEASE, doubted=True),
        NINE + HOUR,
        True,
        Claim(NINE, again=True),
    ),
    (
        "doubted and set back",
        running(NINE, NINE + LEASE, doubted=True),
        NINE - HOUR,
        False,
        Doubt(NINE),
    ),
    (
        "failed, rests",
        failed(NINE, NINE + 5 * MINUTE),
        NINE + MINUTE,
        False,
        Wait(NINE + 5 * MINUTE),
    ),
    (
        "failed, rested",
        failed(NINE, NINE + 5 * MINUTE),
        NINE + 5 * MINUTE,
        False,
        Claim(NINE, again=True),
    ),
    (
        "failed, and the next is due",
        failed(NINE, NINE + HOUR),
        NINE + HOUR,
        False,
        Claim(NINE + HOUR),
    ),
    (
        "the same, each counts",
        failed(NINE, NINE + HOUR),
        NINE + HOUR,
        True,
        Claim(NINE, again=True),
    ),
    (
        "rests, each counts",
        failed(NINE, NINE + HOUR + MINUTE),
        NINE + HOUR,
        True,
        Wait(NINE + HOUR + MINUTE),
    ),
    (
        "failed, then set back",
        failed(NINE, NINE + 5 * MINUTE),
        NINE - 3 * HOUR,
        False,
        Claim(NINE, again=True),
    ),
    ("failed for good", failed(NINE, None), NINE + MINUTE, False, Wait(NINE + HOUR)),
    ("failed for good, the next", failed(NINE, None), NINE + HOUR, True, Claim(NINE + HOUR)),
    ("asked for by hand", WAITING, NINE + 6 * MINUTE, False, Claim(NINE + 5 * MINUTE, again=True)),
    ("done by hand", done(NINE + 5 * MINUTE), NINE + 6 * MINUTE, False, Wait(NINE + HOUR)),
    ("given back", Slot(NINE, "waiting", 0), NINE + MINUTE, False, Claim(NINE, again=True)),
    (
        "given back before the next",
        Slot(NINE, "waiting", 0),
        NINE + HOUR,
        False,
        Claim(NINE + HOUR),
    ),
]


@pytest.mark.parametrize(
    ("newest", "now", "each", "decision"),
    [pytest.param(*rest, id=name) for name, *rest in CASES],
)
def test_what_is_to_be_done(
    newest: Slot | None, now: datetime, each: bool, decision: Decision
) -> None:
    assert decide(HOURLY, newest, now, lease=LEASE, each=each) == decision


RESTS = [
    (1, DAY, 5 * MINUTE),
    (2, DAY, 10 * MINUTE),
    (4, DAY, 40 * MINUTE),
    (5, DAY, LONGEST_REST),
    (MOST_ATTEMPTS - 1, DAY, LONGEST_REST),
    (MOST_ATTEMPTS, DAY, None),
    (1, MINUTE, MINUTE),
]


@pytest.mark.parametrize(("attempts", "every", "rest"), RESTS)
def test_the_rest_after_a_failure(attempts: int, every: timedelta, rest: timedelta | None) -> None:
    assert rest_after(attempts, every) == rest


def test_a_job_whose_clock_ran_wild_goes_through_each_slot_once() -> None:
    """On, back, on again, by hours: no slot is claimed twice, and it is never behind."""
    claimed: list[datetime] = []
    newest: Slot | None = None
    moves = [0, 1, 1, -2, 1, 5, -3, 1, 1, 1, 1, -1, 2, 24, -23, 23, 1]
    now = NINE
    for hours in moves:
        now += hours * HOUR
        decision = decide(HOURLY, newest, now, lease=LEASE)
        if isinstance(decision, Claim):
            claimed.append(decision.at)
            newest = done(decision.at)
        assert newest is not None and newest.at >= HOURLY.latest(now)
    assert claimed == sorted(set(claimed))
