"""How long a late return keeps a patron from borrowing."""

from dataclasses import replace
from datetime import datetime, timedelta

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.late_fines import late_units
from lendery.circulation.rules.policy import Policy


def suspended_until(
    *, due_at: datetime, at: datetime, policy: Policy, hours: OpeningHours
) -> datetime | None:
    """`suspend_days` for each late day, to the end of the last of them; None: not suspended.

    Late days are local dates after the due date, closed ones by `fine_closed_days`; an hourly
    loan that is late on one date is a day late. Within the grace nobody is suspended. The days
    follow the date of the return, whatever the calendar says, and run beside those of other
    loans: they are not added up.
    """
    if policy.suspend_days == 0 or at <= due_at:
        return None
    late = late_units(due_at=due_at, at=at, policy=policy, hours=hours)
    if late <= policy.grace:
        return None
    if policy.fine_unit == "days":
        days = late - policy.grace if policy.grace_mode == "deduct" else late
    else:
        by_date = replace(policy, fine_unit="days")
        days = max(1, late_units(due_at=due_at, at=at, policy=by_date, hours=hours))
    last = hours.local_date(at) + timedelta(days=days * policy.suspend_days)
    return hours.end_of_day(last)
