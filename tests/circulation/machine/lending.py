"""What the model says to check-outs, renewals and check-ins."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from tests.circulation.machine import losing, queueing
from tests.circulation.machine.model import Charge, Copy, Hold, Loan, Model, Patron, Policy, Refused
from tests.circulation.machine.week import DAY, Week

WAIVABLE = frozenset(
    (
        *(
            "card-expired",
            "suspended",
            "fines-owed",
            "overdue-loans",
            "loan-limit",
            "loan-limit-total",
        ),
        *("reference-only", "damaged", "on-hold", "age", "same-title"),
    )
)


def objections(model: Model, patron: Patron, copy: Copy, now: datetime) -> set[str]:
    """Everything that stands in the way of lending this copy to this reader."""
    policy, today = model.policy(copy, patron), model.week(copy.home).today(now)
    theirs, loan, kept = model.loans_of(patron), model.open_loan(copy), model.kept_for(copy)
    found = patron.card_codes(policy, today)
    late = sum(each.due_at < now for each in theirs)
    branch, _, item_type = policy["max_loans_scope"]
    like_this = sum(
        branch in (None, each.copy.home) and item_type in (None, each.copy.item_type)
        for each in theirs
    )
    age = patron.age(today)
    checks = {
        "suspended": model.is_suspended(patron, now),
        "fines-owed": _above(model.balance(patron), policy["owed_limit"]),
        "overdue-loans": _reaches(late, policy["overdue_block"]),
        "loan-limit": _reaches(like_this, policy["max_loans"]),
        "loan-limit-total": _reaches(len(theirs), policy["max_loans_total"]),
        "on-loan": loan is not None and loan.patron is not patron,
        "already-yours": loan is not None and loan.patron is patron,
        "withdrawn": "withdrawn" in copy.flags,
        "no-rule": policy["loan_period"] is None,
        "reference-only": copy.item_type == "reference",
        "damaged": "damaged" in copy.flags,
        "on-hold": kept is not None and kept.patron is not patron,
        "age": bool(policy["age_from"]) and (age is None or age < policy["age_from"]),
        "same-title": (loan is None or loan.patron is not patron)
        and any(each.copy.book == copy.book for each in theirs),
    }
    return found | {code for code, objects in checks.items() if objects}


def _above(number: int, limit: int | None) -> bool:
    return limit is not None and number > limit


def _reaches(number: int, limit: int | None) -> bool:
    return limit is not None and number >= limit


def check_out(
    model: Model, patron: Patron, copy: Copy, branch: str, waive: frozenset[str], now: datetime
) -> Loan:
    """The loan, without its id yet."""
    found = objections(model, patron, copy, now)
    if standing := found - (waive & WAIVABLE):
        raise Refused(*standing)
    policy = model.policy(copy, patron)
    expiry = None if "card-expired" in found else patron.expires_on
    due_at = due(now, now, policy["loan_period"], policy, model.week(copy.home), expiry)
    loan = Loan(UUID(int=0), copy, patron, now, due_at, policy)
    was = losing.turns_up(model, copy)
    kept, own = model.kept_for(copy), queueing.hold_it_fulfils(model, patron, copy)
    model.loans.append(loan)
    if copy.going_to or was:
        copy.here, copy.going_to, copy.seen = branch, None, True
        copy.flags -= losing.GONE
    model.tell(
        "ItemCheckedOut",
        loan_id=loan,
        copy_id=copy.id,
        branch_id=model.branch_ids[branch],
        due_at=due_at,
        waived=tuple(sorted(found)),
    )
    if kept is not None and kept is not own:
        queueing.put_back(model, kept)
    if own is not None:
        _fulfil(model, own, loan, now)
    losing.tell_of_find(model, copy, was)
    return loan


def _fulfil(model: Model, own: Hold, loan: Loan, now: datetime) -> None:
    spare = own.given if own.given is not loan.copy else None
    own.state, own.given = "fulfilled", None
    model.tell("HoldFulfilled", hold_id=own.id, loan_id=loan)
    if spare is not None:
        model.tell("CopyReleased", copy_id=spare.id, status=model.status(spare))
    if fee := loan.policy["hold_fee"]:
        post(model, Charge(loan.patron, fee, "hold", now, loan, own))


def renew(model: Model, loan: Loan, now: datetime) -> None:
    """The first reason against it counts. What was late until now is charged."""
    if not loan.is_open:
        raise Refused("not-on-loan")
    policy, week, patron = loan.policy, model.week(loan.copy.home), loan.patron
    if loan.claimed_at:
        raise Refused("claimed-returned")
    if _reaches(loan.renewals, policy["renewals"]):
        raise Refused("too-many-renewals")
    if _too_early(loan, week, now):
        raise Refused("too-early")
    if model.is_suspended(patron, now):
        raise Refused("suspended")
    if _above(model.balance(patron), policy["owed_limit"]):
        raise Refused("fines-owed")
    if expired := patron.card_codes(policy, week.today(now)):
        raise Refused(*expired)
    if queueing.somebody_would_lose(model, loan.copy, patron, now):
        raise Refused("on-hold")
    start = max(now, loan.due_at) if policy["renew_from"] == "due-date" else now
    period = policy["renewal_period"] or policy["loan_period"]
    due_at = due(start, now, period, policy, week, patron.expires_on)
    if due_at <= loan.due_at:
        raise Refused("not-later")
    fine = late_fee(loan, week, now)
    loan.due_at, loan.renewals = due_at, loan.renewals + 1
    model.tell("LoanRenewed", loan_id=loan.id, due_at=due_at, renewals=loan.renewals)
    charge_lateness(model, loan, fine, now)


def renew_by_themselves(model: Model, now: datetime) -> int:
    """A day before they are due, hourly ones an hour; where anything objects, nothing is done."""
    renewed = 0
    for loan in sorted(model.loans, key=lambda each: (each.due_at, each.id)):
        hourly = loan.policy["loan_unit"] == "hours"
        ahead = timedelta(hours=1) if hourly else DAY
        if loan.is_open and loan.policy["auto_renew"] and now <= loan.due_at <= now + ahead:
            with suppress(Refused):
                renew(model, loan, now)
                renewed += 1
    return renewed


def _too_early(loan: Loan, week: Week, now: datetime) -> bool:
    before = loan.policy["renew_not_before"]
    if before is None:
        return False
    if loan.policy["loan_unit"] == "hours":
        return now < loan.due_at - timedelta(hours=before)
    return week.today(now) < week.today(loan.due_at) - before * DAY


def due(
    start: datetime,
    now: datetime,
    period: int,
    policy: Policy,
    week: Week,
    expiry: date | None,
) -> datetime:
    """When a loan that counts from `start` is due. Never past the card's expiry."""
    if policy["loan_unit"] == "hours":
        at = _due_hour(start + timedelta(hours=period), policy["closed_due"], week, expiry)
        return at if at > now else week.opening_after(now)
    at = week.last_second(_due_day(week.today(start), period, policy["closed_due"], week, expiry))
    if at <= now:
        at = week.last_second(week.open_day(week.today(now)))
    if at <= now:
        at = week.last_second(week.open_day(week.today(now) + DAY))
    return at


def _due_hour(at: datetime, closed_due: str, week: Week, expiry: date | None) -> datetime:
    if expiry and week.today(at) > expiry:
        at = week.last_second(expiry)
    if closed_due == "keep" or week.is_open_at(at):
        return at
    opens = week.opening_after(at)
    if closed_due == "previous-open" or (expiry and week.today(opens) > expiry):
        return week.closing_before(at)
    return opens


def _due_day(start: date, period: int, closed_due: str, week: Week, expiry: date | None) -> date:
    day = start + period * DAY
    if closed_due == "count-open-days":
        day = week.open_days_later(start, period)
    capped = expiry is not None and day > expiry
    if expiry and capped:
        day = expiry
    if closed_due == "keep":
        return day
    if closed_due == "previous-open":
        return week.open_day(day, -1)
    moved = week.open_day(day)
    usual = week.opens is None or day.weekday() in week.opens
    if closed_due == "same-weekday" and period % 7 == 0 and usual and not capped:
        moved = day
        while not week.is_open(moved):
            moved += 7 * DAY
    return week.open_day(expiry, -1) if expiry and moved > expiry else moved


def late_fee(loan: Loan, week: Week, until: datetime) -> int:
    """What coming back at `until` costs, beside what was charged before."""
    policy, late = loan.policy, _late_past_grace(loan, week, until)
    amount = int(_rounded_up(late / policy["fine_interval"]) * policy["fine"])
    caps = [policy["fine_cap"], loan.copy.price if policy["cap_at_price"] else None]
    for cap in caps:
        if cap is not None:
            amount = min(amount, max(0, cap - loan.late_charges))
    return amount


def _late_past_grace(loan: Loan, week: Week, until: datetime) -> int:
    """Late days, or hours, that count."""
    policy = loan.policy
    if loan.claimed_at:
        until = min(until, loan.claimed_at)
    if until <= loan.due_at:
        return 0
    if policy["fine_unit"] == "days":
        late = _late_days(loan, week, until)
    else:
        closed_too = policy["fine_closed_days"]
        span = until - loan.due_at if closed_too else week.time_open(loan.due_at, until)
        late = _rounded_up(span / timedelta(hours=1))
    if late <= policy["grace"]:
        return 0
    return late - policy["grace"] if policy["grace_mode"] == "deduct" else late


def _late_days(loan: Loan, week: Week, until: datetime) -> int:
    days = week.days_between(week.today(loan.due_at), week.today(until))
    return sum(loan.policy["fine_closed_days"] or week.is_open(day) for day in days)


def suspend(model: Model, loan: Loan, at: datetime, now: datetime) -> datetime | None:
    """Until when nothing is lent because this came back late."""
    week, policy = model.week(loan.copy.home), loan.policy
    late = _late_past_grace(loan, week, at)
    if not late or not policy["suspend_days"]:
        return None
    at = min(at, loan.claimed_at or at)
    days = late if policy["fine_unit"] == "days" else max(1, _late_days(loan, week, at))
    until = week.last_second(week.today(at) + days * policy["suspend_days"] * DAY)
    if until <= now:
        return None
    model.suspensions.append((loan.patron, until))
    model.tell("PatronSuspended", loan_id=loan.id, until=until)
    return until


def _rounded_up(number: float) -> int:
    return int(number) + (number > int(number))


def charge_lateness(model: Model, loan: Loan, amount: int, now: datetime) -> None:
    if amount:
        loan.late_charges += amount
        post(model, Charge(loan.patron, amount, "late", now, loan))


def post(model: Model, charge: Charge) -> None:
    model.charges.append(charge)
    model.tell(
        "FineCharged",
        fine_id=charge,
        amount=charge.amount,
        cause=charge.reason,
        loan_id=charge.loan,
        hold_id=charge.hold,
    )
