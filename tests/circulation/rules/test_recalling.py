"""Which loan is called back, and until when: both sides of each boundary."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.circulation.town import ALL_WEEK

from lendery.circulation.rules import (
    OpeningHours,
    Policy,
    Recallable,
    called_back,
    recalled_due_at,
)
from lendery.contracts.circulation import Calendar

LENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # a Monday
WEEK = {day: hours for day, hours in ALL_WEEK.items() if day != "sun"}


def hours(valid_until: str | None = None) -> OpeningHours:
    told = {"id": str(UUID(int=1)), "name": "Central", "weekly": WEEK, "version": 1}
    return OpeningHours(Calendar.model_validate(told | {"valid_until": valid_until}), "UTC")


def ends(day: int) -> datetime:
    return datetime(2026, 3, day, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "left", "today", "due", "until"),
    [
        (None, 7, 10, 30, None),  # never called back
        (14, 7, 3, 30, 16),  # the safe days first
        (14, 7, 9, 30, 16),
        (14, 7, 10, 30, 17),  # now the days that are left
        (0, 1, 3, 30, 4),
        (14, 5, 10, 30, 16),
        (0, 5, 3, 30, 9),  # Sunday the 8th is closed
        (14, 7, 10, 18, 17),
        (14, 7, 10, 17, None),  # no sooner than it is
        (14, 7, 10, 16, None),
        (0, 1, 11, 10, None),  # late already
    ],
)
def test_until_when(after: int | None, left: int, today: int, due: int, until: int | None) -> None:
    found = recalled_due_at(
        lent_at=LENT,
        due_at=ends(due),
        now=datetime(2026, 3, today, 12, tzinfo=UTC),
        policy=Policy(recall_after=after, recall_due_in=left),
        hours=hours(),
    )
    assert found == (None if until is None else ends(until))


def test_where_a_calendar_ends_nothing_is_guessed() -> None:
    policy = Policy(recall_after=14)
    of = {"lent_at": LENT, "due_at": ends(30), "now": LENT}
    assert recalled_due_at(**of, policy=policy, hours=hours("2026-03-16")) == ends(16)
    assert recalled_due_at(**of, policy=policy, hours=hours("2026-03-15")) is None


def test_the_one_that_comes_back_soonest() -> None:
    def one(number: int, due: int, lent: int = 0) -> Recallable:
        lent_at = LENT + timedelta(hours=lent)
        return Recallable(loan_id=UUID(int=number), lent_at=lent_at, due_at=ends(due))

    assert called_back([]) is None
    assert called_back([one(1, 17), one(2, 16), one(3, 18)]) == one(2, 16)
    assert called_back([one(1, 16, lent=1), one(2, 16)]) == one(2, 16), "lent first"
    assert called_back([one(2, 16), one(1, 16)]) == one(1, 16)
