from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lendery.circulation.rules.waiting_time import (
    BUCKETS,
    ENOUGH,
    Days,
    Experience,
    PastHold,
    Place,
    bucket_of,
    likely,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def hold(
    days: float | None,
    *,
    served: bool = True,
    ahead: int = 0,
    copies: int = 1,
    ago: float = 100,
) -> PastHold:
    """`days` until it was served or given up; None: it still waits. Placed `ago` days ago."""
    placed = NOW - timedelta(days=ago)
    return PastHold(
        placed_at=placed,
        left_at=None if days is None else placed + timedelta(days=days),
        served=served and days is not None,
        ahead=ahead,
        copies=copies,
    )


@pytest.mark.parametrize(
    ("ahead", "copies", "bucket"),
    [
        (0, 2, 0),  # half a turn
        (0, 3, 0),
        (1, 3, 1),
        (0, 1, 1),  # one
        (1, 2, 1),
        (2, 2, 2),
        (1, 1, 2),
        (2, 1, 3),
        (3, 1, 4),
        (4, 1, 4),  # five
        (10, 2, 5),
        (5, 1, 5),
        (500, 1, 5),
        (0, 0, None),
    ],
)
def test_how_many_turns_are_alike(ahead: int, copies: int, bucket: int | None) -> None:
    assert bucket_of(ahead, copies) == bucket


def expected(*holds: PastHold, waited: float = 0.0) -> Days | None:
    return Experience(holds, NOW).expects(ahead=0, copies=1, waited=waited)


def test_of_fewer_than_twenty_alike_nothing_is_said() -> None:
    alike = [hold(day) for day in range(1, 21)]
    assert expected(*alike[:-1]) is None
    assert expected(*alike) == Days(2, 19)
    others = [hold(5, ahead=1), hold(5, copies=2), hold(5, ago=366), hold(None), hold(3, copies=0)]
    assert expected(*alike[:-1], *others) is None
    assert ENOUGH == 20


@pytest.mark.parametrize(
    ("count", "days"),
    [
        (20, Days(2, 19)),  # floor(2.1), ceil(18.9)
        (29, Days(3, 27)),
        (30, Days(3, 28)),
        (99, Days(10, 90)),
        (100, Days(10, 91)),
    ],
)
def test_the_ranks_of_the_10th_and_the_90th(count: int, days: Days) -> None:
    assert expected(*(hold(day, ago=150) for day in range(count, 0, -1))) == days


def test_part_of_a_day_widens_to_whole_days() -> None:
    assert expected(*(hold(day + 0.4) for day in range(1, 21))) == Days(2, 20)
    assert expected(*(hold(0.2) for _ in range(20))) == Days(0, 1)


def test_who_gave_up_or_waits_counts_as_long_as_they_waited() -> None:
    """By hand: 20 served on days 1 to 20; 20 gave up after day 10.

    Ranks 2 and 19 of 20 served: shares of 0.1 and 0.95. 40 begin, so on day 4 a tenth is served:
    the lower end. After day 10 there are 10 left of the 30 that waited, 0.75 of all, and each day
    takes a tenth of that. Day 19 leaves 0.075, day 20 nothing: the upper end. Without those who
    gave up it were days 2 and 19.
    """
    served = [hold(day) for day in range(1, 21)]
    gave_up = [hold(10, served=False) for _ in range(20)]
    assert expected(*served, *gave_up) == Days(4, 20)
    assert expected(*served) == Days(2, 19)
    at_once = [hold(0, served=False) for _ in range(20)]
    assert expected(*served, *at_once) == Days(2, 19)  # they have shown nothing
    waiting = [hold(None, ago=10) for _ in range(20)]
    assert expected(*served, *waiting) == Days(4, 20)


def test_nothing_is_said_where_nobody_saw_the_upper_end() -> None:
    served = [hold(day) for day in range(1, 31)]
    assert expected(*served, *(hold(None, ago=90) for _ in range(1))) == Days(4, 29)
    assert expected(*served, *(hold(None, ago=90) for _ in range(10))) is None


def test_what_happened_after_now_is_not_known() -> None:
    alike = [hold(day, ago=30) for day in range(1, 21)]
    later = [hold(40, ago=30), hold(40, ago=30, served=False), hold(None, ago=-1)]
    assert expected(*alike, *later) == expected(*alike, hold(None, ago=30), hold(None, ago=30))


def test_who_has_waited_is_like_those_who_waited_longer() -> None:
    alike = [hold(day) for day in range(1, 51)]
    assert expected(*alike) == Days(5, 46)
    assert expected(*alike, waited=10) == Days(14, 47)  # of 11 to 50: ranks 4 and 37
    assert expected(*alike, waited=30) == Days(32, 49)  # 20 are left
    assert expected(*alike, waited=31) is None


@given(days=st.lists(st.integers(0, 90), min_size=ENOUGH, max_size=200), waited=st.integers(0, 30))
def test_eight_of_ten_lie_within(days: list[int], waited: int) -> None:
    found = expected(*(hold(each) for each in days), waited=waited)
    left = [each for each in days if each > waited or not waited]
    assert (found is None) == (len(left) < ENOUGH)
    if found is not None:
        assert sum(found.hold(each) for each in left) >= 0.8 * len(left)


def test_every_bucket_has_its_own_experience() -> None:
    holds = [
        hold(10 * turns + day / 10, ahead=turns, copies=2, ago=200)
        for turns in (0, 1, 3, 5, 9, 10)
        for day in range(20)
    ]
    told = [Experience(holds, NOW).expects(ahead=turns, copies=2) for turns in (0, 1, 3, 5, 9, 10)]
    assert len(BUCKETS) + 1 == 6
    assert told == [Days(10 * turns, 10 * turns + 2) for turns in (0, 1, 3, 5, 9, 10)]


PLACED = NOW - timedelta(days=10)
MANY = [
    *(hold(day, ago=200) for day in range(1, 41)),
    *(hold(50 + day, ago=200, ahead=1) for day in range(1, 41)),
]


@pytest.mark.parametrize(
    ("ahead", "ahead_then", "placed_at", "range_"),
    [
        (0, 0, NOW, (4, 37)),  # ranks 4 and 37 of 40, from now
        (0, 0, PLACED, (13, 38)),  # of the 30 who waited longer, from when it was placed
        (0, 1, PLACED, (4, 37)),  # came nearer: as if placed now
        (1, 1, PLACED, (54, 87)),  # all waited longer
        (0, 5, PLACED, (4, 37)),
    ],
)
def test_from_when_the_days_count(
    ahead: int, ahead_then: int, placed_at: datetime, range_: tuple[int, int]
) -> None:
    place = Place(placed_at=placed_at, ahead=ahead, ahead_then=ahead_then, copies=1)
    begins = NOW if ahead != ahead_then else placed_at
    told = likely(Experience(MANY, NOW), place, NOW)
    assert told == tuple(begins + timedelta(days=each) for each in range_)


def test_who_waited_longer_than_all_is_told_nothing() -> None:
    placed = NOW - timedelta(days=60)
    place = Place(placed_at=placed, ahead=0, ahead_then=0, copies=1)
    assert likely(Experience(MANY, NOW), place, NOW) is None
