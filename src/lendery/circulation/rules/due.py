"""When a loan is due, and until when a renewal takes it.

In this order: the period is counted; a fixed date is ceiling, floor or the date itself; the card's
expiry is a ceiling; `closed_due` moves what falls on a closed day, but never over a ceiling (the
last open day up to it is taken) nor under a floor. A due day ends at 23:59:59 on the branch's
wall; an hourly loan is due at an instant. Hours are real hours, also when the clocks change.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.policy import Policy
from lendery.contracts.circulation import InvalidRule

_DAY = timedelta(days=1)


def due_at(
    lent_at: datetime,
    policy: Policy,
    hours: OpeningHours,
    *,
    card_expires_on: date | None,
    cap_at_expiry: bool,
) -> datetime:
    """When a loan that begins now is due, in UTC; always later than `lent_at`.

    Where previous-open or the card's expiry would make it due at once, the next open time is
    taken. `cap_at_expiry` is false where the library does not cap, or waived an expired card.
    Raises InvalidRule without a loan_period, and for a fixed date that has passed;
    CalendarHasRunOut where the calendar ends too early.
    """
    if _fixed_day_has_passed(policy, hours.local_date(lent_at)):
        raise InvalidRule(
            "Not lent: the rules fix the due date on a day that has passed. "
            "Change fixed_due_on, then scan again.",
            parameter="fixed_due_on",
        )
    expiry = card_expires_on if cap_at_expiry else None
    return _due(lent_at, lent_at, policy.loan_period, _Limits.of(policy, expiry), policy, hours)


def renewed_due_at(
    current_due: datetime,
    policy: Policy,
    hours: OpeningHours,
    *,
    now: datetime,
    card_expires_on: date | None,
    cap_at_expiry: bool,
) -> datetime:
    """When the loan would be due if renewed now; the caller refuses what is not later.

    Counted from the due date, an overdue loan counts from now, else it would be late at once.
    Where a fixed date has passed, the due date stays as it is.
    """
    if _fixed_day_has_passed(policy, hours.local_date(now)):
        return current_due
    start = max(now, current_due) if policy.renew_from == "due-date" else now
    period = policy.renewal_period or policy.loan_period
    expiry = card_expires_on if cap_at_expiry else None
    return _due(start, now, period, _Limits.of(policy, expiry), policy, hours)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Limits:
    first: date | None  # not due before this day
    last: date | None  # not due after this day; where both cannot be, this one counts
    exactly: date | None

    @classmethod
    def of(cls, policy: Policy, expiry: date | None) -> "_Limits":
        fixed = {policy.fixed_due_rule: policy.fixed_due_on}
        ceilings = [day for day in (fixed.get("latest"), expiry) if day]
        return cls(
            first=fixed.get("earliest"),
            last=min(ceilings, default=None),
            exactly=fixed.get("exactly"),
        )


def _fixed_day_has_passed(policy: Policy, today: date) -> bool:
    fixed = policy.fixed_due_on
    return fixed is not None and fixed < today and policy.fixed_due_rule != "earliest"


def _due(
    start: datetime,
    now: datetime,
    period: int | None,
    limits: _Limits,
    policy: Policy,
    hours: OpeningHours,
) -> datetime:
    if period is None:
        raise InvalidRule("Not lent: no rule says for how long.", parameter="loan_period")
    if policy.loan_unit == "hours":
        # in UTC, since Python adds an hour to a local time by the wall, not by the clock
        due = _hourly(start.astimezone(UTC), period, limits, policy, hours)
        return due if due > now else hours.next_opening_after(now)
    today = hours.local_date(now)
    due = hours.end_of_day(_due_day(hours.local_date(start), period, limits, policy, hours))
    if due <= now:
        due = hours.end_of_day(hours.next_open_day(today))
    if due <= now:  # lent in the last second of an open day
        due = hours.end_of_day(hours.next_open_day(today + _DAY))
    return due


def _due_day(
    start: date, period: int, limits: _Limits, policy: Policy, hours: OpeningHours
) -> date:
    if limits.exactly:
        counted = limits.exactly
    elif policy.closed_due == "count-open-days":
        counted = hours.nth_open_day(start, period)
    else:
        counted = start + period * _DAY
    day = counted
    if limits.first:
        day = max(day, limits.first)
    if limits.last:
        day = min(day, limits.last)
    weekly = period % 7 == 0 and day == counted and not limits.exactly
    moved = _moved_day(day, weekly, policy, hours)
    if limits.first and moved < limits.first:
        moved = hours.next_open_day(limits.first)
    if limits.last and moved > limits.last:
        moved = hours.previous_open_day(limits.last)
    return moved


def _moved_day(day: date, weekly: bool, policy: Policy, hours: OpeningHours) -> date:
    if policy.closed_due == "keep":
        return day
    if policy.closed_due == "previous-open":
        return hours.previous_open_day(day)
    if policy.closed_due == "same-weekday" and weekly and hours.weekday_opens(day):
        return hours.next_open_same_weekday(day)
    return hours.next_open_day(day)


def _hourly(
    start: datetime, period: int, limits: _Limits, policy: Policy, hours: OpeningHours
) -> datetime:
    if limits.exactly:
        due = hours.end_of_day(limits.exactly)
    elif policy.closed_due == "count-open-days":
        due = _hours_of_open_days(start, period, hours)
    else:
        due = start + timedelta(hours=period)
    if limits.first and hours.local_date(due) < limits.first:
        due = hours.end_of_day(limits.first)
    if limits.last and hours.local_date(due) > limits.last:
        due = hours.end_of_day(limits.last)
    moved = _moved_instant(due, policy, hours)
    if limits.first and hours.local_date(moved) < limits.first:
        moved = hours.next_open_at(hours.start_of_day(limits.first))
    if limits.last and hours.local_date(moved) > limits.last:
        moved = hours.previous_open_at(hours.end_of_day(limits.last))
    return moved


def _moved_instant(due: datetime, policy: Policy, hours: OpeningHours) -> datetime:
    """same-weekday speaks of days: an hourly loan goes to the next opening."""
    if policy.closed_due == "keep":
        return due
    if policy.closed_due == "previous-open":
        return hours.previous_open_at(due)
    return hours.next_open_at(due)


def _hours_of_open_days(start: datetime, period: int, hours: OpeningHours) -> datetime:
    """So many hours on, the clock standing still on closed days; nights of open days count."""
    left = timedelta(hours=period)
    while True:
        day = hours.local_date(start)
        tomorrow = hours.start_of_day(day + _DAY)
        if not hours.is_open_on(day):
            start = hours.start_of_day(hours.next_open_day(day))
        elif left <= tomorrow - start:
            return start + left
        else:
            left -= tomorrow - start
            start = tomorrow
