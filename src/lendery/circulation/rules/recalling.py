"""Calling a long loan back: which one, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.policy import Policy
from lendery.contracts.circulation import CalendarHasRunOut


def recalled_due_at(
    *, lent_at: datetime, due_at: datetime, now: datetime, policy: Policy, hours: OpeningHours
) -> datetime | None:
    """When a loan is due that is called back now; None: it cannot be due any sooner.

    `recall_after` days from the day it was lent are safe, and `recall_due_in` days are left from
    today; then the next open day. Without `recall_after` nothing is called back. What is late
    already is not called back either.
    """
    if policy.recall_after is None or now > due_at:
        return None
    safe = hours.local_date(lent_at) + timedelta(days=policy.recall_after)
    left = hours.local_date(now) + timedelta(days=policy.recall_due_in)
    day = max(safe, left)
    try:
        day = hours.next_open_day(day)
    except CalendarHasRunOut:
        return None  # nothing is guessed; the loan stays as it is
    sooner = hours.end_of_day(day)
    return sooner if sooner < due_at else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recallable:
    """A loan that could be called back, and when it would be due."""

    loan_id: UUID
    lent_at: datetime
    due_at: datetime


def called_back(loans: Sequence[Recallable]) -> Recallable | None:
    """The one that comes back soonest; of those alike the one that was lent first."""
    return min(loans, key=lambda each: (each.due_at, each.lent_at, each.loan_id), default=None)
