"""Which days a report is about, and in what order its rows stand."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any

from lendery.contracts.base import Invalid
from lendery.contracts.reports import Asked, ReportInfo

USUAL = 29  # days before the last one


@dataclass(frozen=True)
class Period:
    """From day to day, both of them in it."""

    since: date
    until: date


@dataclass(frozen=True)
class Order:
    key: str
    largest_first: bool


def period_of(asked: Asked, today: date) -> Period:
    """Raises Invalid when it ends before it begins."""
    until = asked.until or (max(today, asked.since) if asked.since else today)
    since = asked.since or date.fromordinal(max(1, until.toordinal() - USUAL))
    if since > until:
        raise _invalid("to", "The period ends before it begins.")
    return Period(since, until)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or its last day; never before year 1."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def order_of(asked: Asked, info: ReportInfo) -> Order:
    """Raises Invalid for what is no column of it, or one that cannot be sorted by."""
    wanted = asked.sort or info.sort
    key = wanted.removeprefix("-")
    if key not in {each.key for each in info.columns if each.sortable}:
        known = ", ".join(each.key for each in info.columns if each.sortable)
        raise _invalid("sort", f"Sort by one of: {known}; with - before it, the largest first.")
    return Order(key, wanted.startswith("-"))


def _invalid(parameter: str, says: str) -> Invalid:
    errors: list[dict[str, Any]] = [{"parameter": parameter, "says": says}]
    return Invalid(says, errors=errors)
