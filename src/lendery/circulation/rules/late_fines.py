"""How late a loan is, and what its lateness costs.

Lateness is counted in the policy's `fine_unit` and, unless `fine_closed_days`, only while the
branch is open. A check-in never fails because a calendar has run out: where there is none, the
branch is always open, and so it is after the end of one.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.policy import Policy

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def late_units(*, due_at: datetime, at: datetime, policy: Policy, hours: OpeningHours) -> int:
    """Local dates after the due date, or started hours after it is due; 0 in time.

    Without `fine_closed_days` only open days count, or the time it is open. Days after the end
    of the calendar count as open.
    """
    # in UTC, since Python takes local times from each other by the wall, not by the clock
    due_at, at = due_at.astimezone(UTC), at.astimezone(UTC)
    if at <= due_at:
        return 0
    if policy.fine_unit == "days":
        return _late_days(hours.local_date(due_at), hours.local_date(at), policy, hours)
    late = at - due_at if policy.fine_closed_days else _open_time(due_at, at, hours)
    return -(-late // _HOUR)


def fine_due(
    *,
    due_at: datetime,
    at: datetime,
    policy: Policy,
    hours: OpeningHours,
    price: int | None = None,
    charged: int = 0,
) -> int:
    """What the lateness from `due_at` to `at` costs, in minor units.

    The caps are for one loan over all its charges: `charged` was posted for it before, when it
    was renewed late. `price` is what replacing the copy costs, None where nobody knows.
    """
    caps = [policy.fine_cap, price if policy.cap_at_price else None]
    room = [max(0, cap - charged) for cap in caps if cap is not None]
    if policy.fine == 0 or 0 in room:
        return 0
    late = late_units(due_at=due_at, at=at, policy=policy, hours=hours)
    intervals = -(-_past_grace(late, policy) // policy.fine_interval)
    return min([intervals * policy.fine, *room])


def _past_grace(late: int, policy: Policy) -> int:
    if late <= policy.grace:
        return 0
    return late - policy.grace if policy.grace_mode == "deduct" else late


def _late_days(due_on: date, on: date, policy: Policy, hours: OpeningHours) -> int:
    if policy.fine_closed_days:
        return (on - due_on).days
    known = _last_known(on, hours)
    opened = _summed(due_on + _DAY, known, lambda day: _DAY * hours.is_open_on(day), hours)
    return (opened + (on - max(known, due_on))).days


def _open_time(start: datetime, end: datetime, hours: OpeningHours) -> timedelta:
    """How long it is open from one instant to another."""
    first, last = hours.local_date(start), hours.local_date(end)
    known = _last_known(last, hours)

    def open_within(day: date) -> timedelta:
        spans = (min(end, closes) - max(start, opens) for opens, closes in hours.open_on(day))
        return sum((span for span in spans if span > timedelta()), timedelta())

    opened = sum((open_within(day) for day in {first, last} if day <= known), timedelta())
    opened += _summed(first + _DAY, min(known, last - _DAY), open_within, hours)
    if known < last:
        opened += end - max(start, hours.start_of_day(known + _DAY))
    return opened


def _last_known(day: date, hours: OpeningHours) -> date:
    """That day, or the last one of a calendar that ends before."""
    return min(day, hours.ends_on or day)


def _summed(
    first: date, last: date, of: Callable[[date], timedelta], hours: OpeningHours
) -> timedelta:
    """The sum over the days from first to last. Of days alike only one is measured.

    What a loan late for years costs is worked out whenever somebody looks at it.
    """
    unusual = hours.unusual_days(first, last)
    total = sum((of(day) for day in unusual), timedelta())
    days = (last - first).days + 1
    for weekday in range(7):
        alike = [first + n * _DAY for n in range(weekday, days, 7)]
        usual = [day for day in alike if day not in unusual]
        if usual:
            total += len(usual) * of(usual[0])
    return total
