"""The demo library's branches, hours and rules."""

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from stdnum import luhn

from lendery.circulation.rules import OpeningHours
from lendery.contracts.circulation import Calendar, NewBranch, NewCalendar, NewRule
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring

ZONE = "Europe/Berlin"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
CHRISTMAS = ("12-24", "12-25", "12-26", "12-31", "01-01", "05-01", "10-03")
BRANCHES: tuple[dict[str, Any], ...] = (
    {"code": "CENTRAL", "name": "Central", "address": "1 Market Square"},
    {"code": "NORTH", "name": "North", "address": "27 Mill Lane"},
    {"code": "HARBOUR", "name": "Harbour", "address": "8 Quay Street"},
)
WEEKLY: tuple[dict[str, Any], ...] = (
    {day: [("09:00", "19:00")] for day in WEEKDAYS}
    | {"sat": [("10:00", "16:00")], "sun": [("13:00", "17:00")]},
    {day: [("10:00", "13:00"), ("14:00", "18:00")] for day in WEEKDAYS}
    | {"sat": [("10:00", "14:00")]},
    {day: [("12:00", "19:00")] for day in ("tue", "wed", "thu", "fri")}
    | {"sat": [("10:00", "15:00")]},
)
PERIODS = {"book": 21, "audiobook": 21, "dvd": 7, "magazine": 7}
HOLD_FEES = {"dvd": 50}
RULES: tuple[dict[str, Any], ...] = (
    *({"item_type": kind, "parameter": "loan_period", "value": n} for kind, n in PERIODS.items()),
    {"item_type": "reference", "parameter": "loan_period", "value": 1},
    {"category": "staff", "item_type": "book", "parameter": "loan_period", "value": 42},
    {"category": "child", "item_type": "dvd", "parameter": "loan_period", "value": 3},
    {"parameter": "renewals", "value": 3},
    {"item_type": "dvd", "parameter": "renewals", "value": 1},
    {"parameter": "max_loans_total", "value": 30},
    {"item_type": "dvd", "parameter": "max_loans", "value": 5},
    {"category": "child", "parameter": "max_loans_total", "value": 15},
    {"parameter": "owed_limit", "value": 1000},
    {"parameter": "overdue_block", "value": 10},
    {"parameter": "fine", "value": 20},
    {"item_type": "dvd", "parameter": "fine", "value": 50},
    {"category": "child", "parameter": "fine", "value": 5},
    {"parameter": "fine_cap", "value": 1000},
    {"parameter": "cap_at_price", "value": True},
    {"parameter": "grace", "value": 1},
    {"parameter": "holds", "value": 10},
    {"category": "child", "parameter": "holds", "value": 5},
    {"parameter": "pickup_days", "value": 7},
    *({"item_type": kind, "parameter": "hold_fee", "value": n} for kind, n in HOLD_FEES.items()),
    {"parameter": "closed_due", "value": "next-open"},
    {"parameter": "lost_after", "value": 60},
)


async def open_branches(wiring: Wiring, now: datetime) -> list[UUID]:
    """Makes calendars, branches and rules; returns the branches' ids in their order."""
    ids = []
    for branch, weekly in zip(BRANCHES, WEEKLY, strict=True):
        calendar = await wiring.calendars.add(
            calendar=_calendar(branch["name"], weekly, now.year), actor=SYSTEM, now=now
        )
        made = await wiring.branches.add(
            branch=NewBranch(**branch, time_zone=ZONE, calendar_id=calendar.id, self_service=True),
            actor=SYSTEM,
            now=now,
        )
        ids.append(made.id)
    for rule in RULES:
        await wiring.rules.add(rule=NewRule(**rule), actor=SYSTEM, now=now)
    return ids


def _calendar(name: str, weekly: dict[str, Any], first_year: int) -> NewCalendar:
    closed = [
        {"on": f"{year}-{day}", "note": "Public holiday"}
        for year in range(first_year - 1, first_year + 8)
        for day in CHRISTMAS
    ]
    return NewCalendar.model_validate(
        {"name": f"{name} hours", "weekly": weekly, "exceptions": closed}
    )


@cache
def _hours(branch: int, year: int) -> OpeningHours:
    planned = _calendar(BRANCHES[branch]["name"], WEEKLY[branch], year)
    calendar = Calendar(id=UUID(int=0), version=1, **planned.model_dump())
    return OpeningHours(calendar, ZONE)


def opening(branch: int, day: date) -> tuple[datetime, datetime] | None:
    """When a branch opens first and closes last on a day; None when it is closed."""
    open_on = _hours(branch, day.year).open_on(day)
    return (open_on[0][0], open_on[-1][1]) if open_on else None


def loan_days(category: str, item_type: str) -> int | None:
    if item_type == "reference":
        return None
    if category == "staff" and item_type == "book":
        return 42
    if category == "child" and item_type == "dvd":
        return 3
    return PERIODS[item_type]


def hold_fee(item_type: str) -> int:
    return HOLD_FEES.get(item_type, 0)


def day_begins(day: date) -> datetime:
    """Five past midnight, when what was for the day before is over."""
    return OpeningHours(None, ZONE).start_of_day(day) + timedelta(minutes=5)


def barcode(number: int) -> str:
    """Eleven digits, the last one a check digit: 30000000017."""
    digits = f"3{number:09d}"
    return digits + luhn.calc_check_digit(digits)
