"""A small world, so that everything happens to the same few: three branches in two time zones,
four readers, three books with eight copies, and the rules that hold until somebody changes them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.circulation.machine.week import Week

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HOLIDAYS = frozenset(
    (
        date(2026, 3, 12),
        *(date(2026, 4, 3), date(2026, 4, 6)),
        *(date(2026, 10, 26), date(2026, 10, 31), date(2026, 11, 11)),
    )
)
BRANCHES = {
    "central": Week(BERLIN, {day: (9, 18) for day in range(6)}, HOLIDAYS),
    "harbour": Week(BERLIN),
    "island": Week(NEW_YORK, {day: (10, 17) for day in range(1, 6)}),
}
STARTS = (  # each a little before the clocks change, in Berlin or in New York
    datetime(2026, 3, 6, 14, 30, tzinfo=UTC),
    datetime(2026, 3, 27, 22, 15, tzinfo=UTC),
    datetime(2026, 10, 23, 12, tzinfo=UTC),
    datetime(2026, 10, 30, 18, tzinfo=UTC),
)
CLOCKS_CHANGE = (
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
)


@dataclass(frozen=True)
class Reader:
    """`expires_in`: the days from the beginning on which the card is good."""

    name: str
    category: str
    expires_in: int | None
    born_on: date | None


READERS = (
    Reader("Ann", "adult", None, date(1980, 5, 1)),
    Reader("Ben", "adult", 24, date(1955, 1, 31)),
    Reader("Cleo", "child", 400, date(2014, 3, 10)),  # twelve soon after the first beginning
    Reader("Dan", "child", None, None),
)


@dataclass(frozen=True)
class Thing:
    barcode: str
    book: str
    home: str
    item_type: str = "book"
    price: int | None = None


THINGS = (
    Thing("m1", "Middlemarch", "central", price=150),
    Thing("m2", "Middlemarch", "harbour"),
    Thing("m3", "Middlemarch", "island", price=90),
    Thing("e1", "Emma", "central"),
    Thing("e2", "Emma", "harbour", item_type="reference"),
    Thing("e3", "Emma", "central", price=30),
    Thing("s1", "Solaris", "island", item_type="dvd", price=40),
    Thing("s2", "Solaris", "harbour", item_type="dvd"),
)

Scope = tuple[str | None, str | None, str | None]  # branch, category, item type
ANY: Scope = (None, None, None)
CHILD: Scope = (None, "child", None)
DVD: Scope = (None, None, "dvd")
ISLAND: Scope = ("island", None, None)

RULES: dict[tuple[str, Scope], Any] = {
    ("loan_period", ANY): 14,
    ("loan_period", CHILD): 7,
    ("loan_period", DVD): 48,
    ("loan_unit", DVD): "hours",
    ("closed_due", DVD): "next-open",
    ("fine", ANY): 20,
    ("fine", DVD): 15,
    ("fine_unit", DVD): "hours",
    ("fine_interval", DVD): 6,
    ("hold_fee", ANY): 50,
    ("holds_per_book", ANY): 2,
    ("pickup_days", ANY): 3,
}

# What staff may make of the rules while all is going on.
TUNINGS: tuple[tuple[str, Scope, tuple[Any, ...]], ...] = (
    ("loan_period", CHILD, (3, 7, None)),
    ("loan_period", DVD, (1, 26, 48)),
    ("loan_period", ISLAND, (5, 21)),
    (
        "closed_due",
        ANY,
        ("keep", "next-open", "previous-open", "same-weekday", "count-open-days"),
    ),
    ("closed_due", DVD, ("keep", "next-open", "previous-open")),
    ("renewals", ANY, (0, 1, 2, None)),
    ("renew_from", ANY, ("today", "due-date")),
    ("renew_not_before", ANY, (None, 1, 30)),
    ("renewal_period", ANY, (None, 2, 28)),
    ("fine", ANY, (0, 7, 20)),
    ("fine", ("central", "child", "book"), (0, 3)),
    ("fine_interval", ANY, (1, 7)),
    ("fine_closed_days", ANY, (True, False)),
    ("fine_cap", ANY, (None, 0, 30, 60, 200)),
    ("cap_at_price", ANY, (True, False)),
    ("grace", ANY, (0, 1, 2)),
    ("grace_mode", ANY, ("threshold", "deduct")),
    ("max_loans", DVD, (0, 1, None)),
    ("max_loans", ISLAND, (1, 2)),
    ("max_loans_total", CHILD, (1, 2, None)),
    ("owed_limit", ANY, (0, 50, 100, None)),
    ("overdue_block", ANY, (1, 1, 2, None)),
    ("age_from", DVD, (12, None)),
    ("expiry_grace", ANY, (0, 10, None)),
    ("floats", ANY, (True, False)),
    ("hold_fee", CHILD, (0, 25)),
    ("holds", ANY, (1, 2, 3, None)),
    ("holds_per_book", ANY, (0, 1, 1, 2, None)),
    ("holds_on_shelf", ANY, ("always", "any-out", "all-out")),
    ("pickup_branches", ANY, ("any", "home")),
    ("pickup_branches", ISLAND, ("any", "home")),
    ("pickup_days", ANY, (1, 2, 3, None)),
    ("pickup_days", CHILD, (1, 5, None)),
    ("auto_renew", ANY, (False, True)),
    ("suspend_days", ANY, (0, 2, 9)),
    ("lost_after", ANY, (None, 1, 8)),
    ("lost_fee", ANY, (0, 25)),
    ("lost_refund", ANY, ("none", "price", "price-and-fee")),
)

NO_ROW: dict[str, Any] = {  # what holds where nobody said anything
    "loan_period": None,
    "loan_unit": "days",
    "closed_due": "next-open",
    "renewals": 2,
    "renewal_period": None,
    "renew_from": "today",
    "renew_not_before": None,
    "max_loans": None,
    "max_loans_total": None,
    "fine": 0,
    "fine_interval": 1,
    "fine_unit": "days",
    "fine_closed_days": False,
    "grace": 0,
    "grace_mode": "threshold",
    "fine_cap": None,
    "cap_at_price": False,
    "owed_limit": None,
    "overdue_block": None,
    "age_from": None,
    "expiry_grace": 30,
    "floats": False,
    "hold_fee": 0,
    "holds": None,
    "holds_per_book": 1,
    "holds_on_shelf": "always",
    "pickup_branches": "any",
    "pickup_days": 7,
    "auto_renew": False,
    "suspend_days": 0,
    "lost_after": None,
    "lost_fee": 0,
    "lost_refund": "price",
}

HOUR = timedelta(hours=1)
