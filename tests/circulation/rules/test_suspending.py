"""How long a late return suspends: each rule on both sides, and over a change of the clocks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.circulation.town import ALL_WEEK

from lendery.circulation.rules import OpeningHours, Policy, suspended_until
from lendery.contracts.circulation import Calendar

BERLIN = OpeningHours(None, "Europe/Berlin")
DUE = datetime(2026, 3, 24, 22, 59, 59, tzinfo=UTC)  # Tuesday; on Sunday the clocks change
SECOND = timedelta(seconds=1)
NO_SUNDAYS = OpeningHours(
    Calendar.model_validate(
        {
            "id": "00000000-0000-0000-0000-000000000001",
            "name": "Central",
            "weekly": {day: hours for day, hours in ALL_WEEK.items() if day != "sun"},
            "version": 1,
        }
    ),
    "Europe/Berlin",
)


def ends(day: int, month: int = 3) -> datetime:
    """The last second of a day in Berlin."""
    summer = (month, day) >= (3, 29)
    return datetime(2026, month, day, 21 if summer else 22, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "days_late", "until"),
    [
        ({"suspend_days": 0}, 9, None),
        ({"suspend_days": 1}, 0, None),
        ({"suspend_days": 1}, 1, ends(26)),
        ({"suspend_days": 1}, 2, ends(28)),
        ({"suspend_days": 2}, 2, ends(30)),  # the clocks change in between
        ({"suspend_days": 3}, 3, ends(5, 4)),
        ({"suspend_days": 1, "grace": 2}, 2, None),
        ({"suspend_days": 1, "grace": 2}, 3, ends(30)),
        ({"suspend_days": 1, "grace": 2, "grace_mode": "deduct"}, 3, ends(28)),
        ({"suspend_days": 1, "fine": 20}, 1, ends(26)),  # beside money
        ({"suspend_days": 1, "fine_interval": 7}, 2, ends(28)),  # intervals are of money
    ],
)
def test_days_without_borrowing(rules: Any, days_late: int, until: datetime | None) -> None:
    at = DUE + timedelta(days=days_late)
    assert suspended_until(due_at=DUE, at=at, policy=Policy(**rules), hours=BERLIN) == until


@pytest.mark.parametrize(
    ("closed_too", "at", "until"),
    [
        (False, ends(28) - SECOND, ends(1, 4)),  # Saturday: 4 days late
        (False, ends(29) - SECOND, ends(2, 4)),  # Sunday does not count, and is when it came
        (True, ends(29) - SECOND, ends(3, 4)),
    ],
)
def test_closed_days(closed_too: bool, at: datetime, until: datetime) -> None:
    policy = Policy(suspend_days=1, fine_closed_days=closed_too)
    assert suspended_until(due_at=DUE, at=at, policy=policy, hours=NO_SUNDAYS) == until


@pytest.mark.parametrize(
    ("grace", "hours_late", "until"),
    [
        (0, 1, ends(25)),  # on the day it was due: a day all the same
        (1, 1, None),
        (1, 2, ends(25)),
        (0, 14, ends(26)),  # past midnight
    ],
)
def test_an_hourly_loan(grace: int, hours_late: int, until: datetime | None) -> None:
    policy = Policy(suspend_days=1, fine_unit="hours", grace=grace)
    due = datetime(2026, 3, 24, 10, tzinfo=UTC)
    at = due + timedelta(hours=hours_late)
    assert suspended_until(due_at=due, at=at, policy=policy, hours=BERLIN) == until


def test_the_dates_of_the_branch_count() -> None:
    """Noon in London is midnight in Auckland."""
    due = datetime(2026, 5, 4, 11, tzinfo=UTC)
    auckland = OpeningHours(None, "Pacific/Auckland")
    until = suspended_until(
        due_at=due,
        at=due + timedelta(hours=12),
        policy=Policy(suspend_days=1),
        hours=auckland,
    )
    assert until is not None and auckland.local_date(until) == date(2026, 5, 6)
