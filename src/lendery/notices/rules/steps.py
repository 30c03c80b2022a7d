"""Which step of reminding a loan has reached. The steps that were missed are not made up for."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lendery.contracts.circulation import DueLoan, HeldFor
from lendery.contracts.notices import Kind

LATE: tuple[Kind, Kind, Kind] = ("overdue-1", "overdue-2", "overdue-3")


@dataclass(frozen=True)
class Plan:
    """`soon`: days before the due date; `late`: days after it, one for each step.

    What became so before `not_before` is not written about.
    """

    soon: int
    late: tuple[int, ...]
    not_before: date | None = None


def step_of(loan: DueLoan, plan: Plan, now: datetime) -> Kind | None:
    """The step that this loan stands at now; None: no reminder."""
    today = now.astimezone(ZoneInfo(loan.time_zone)).date()
    days = (today - loan.due_on).days
    if days <= 0:
        if -days > plan.soon or loan.due_at < now:
            return None
        return "due-soon" if _counts(loan.due_on, plan) else None
    for kind, after in reversed(list(zip(LATE, plan.late, strict=False))):
        if days >= after:
            return kind if _counts(loan.due_on + timedelta(days=after), plan) else None
    return None


def is_last_call(held: HeldFor, days: int, plan: Plan, now: datetime) -> bool:
    """Does this hold end within so many days, where it is collected?"""
    if held.expires_on is None or not _counts(held.expires_on, plan):
        return False
    today = now.astimezone(ZoneInfo(held.time_zone)).date()
    return held.expires_on - timedelta(days=days) <= today <= held.expires_on


def _counts(day: date, plan: Plan) -> bool:
    return plan.not_before is None or day >= plan.not_before


def mark(kind: Kind, day: date) -> str:
    """What is noted of a step, so that it is taken once: a renewed loan has steps of its own."""
    return f"{kind} {day.isoformat()}"
