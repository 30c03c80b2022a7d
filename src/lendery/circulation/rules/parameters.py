"""Every parameter of the rule table: what it takes, what it means, what holds without a row.

Only this table knows them; the reference of the rules is generated from it. A default that
changes would change running loans too, which leave out of their copy what is default: give
`Policy.to_json` a new version then.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lendery.circulation.rules import values
from lendery.circulation.rules.values import Kind
from lendery.contracts.circulation import InvalidRule


@dataclass(frozen=True, slots=True)
class Parameter:
    """`empty` says what an empty value (null) means; None: the value may not be empty."""

    name: str
    kind: Kind
    meaning: str
    default: Any = None
    empty: str | None = None

    @property
    def takes(self) -> str:
        empty = f', or empty for "{self.empty}"' if self.empty else ""
        return f"{self.kind.takes}{empty}"


_UNITS = values.one_of("days", "hours")
_PERIOD = values.whole(1, 3650)
_COUNT = values.whole(0, 100_000)
_DAYS = values.whole(0, 36_500)

_TABLE = (
    Parameter(
        "loan_period", _PERIOD, "How long a copy is lent, in loan_unit.", None, "not for loan"
    ),
    Parameter("loan_unit", _UNITS, "What loan and renewal periods count.", "days"),
    Parameter(
        "closed_due",
        values.one_of("keep", "next-open", "previous-open", "same-weekday", "count-open-days"),
        "Where a due date goes that falls on a closed day. same-weekday goes on by weeks when "
        "the period is a multiple of 7 days and that weekday is not always closed; "
        "count-open-days does not count closed days at all.",
        "next-open",
    ),
    Parameter("fixed_due_on", values.day(), "A date such as the end of term.", None, "none"),
    Parameter(
        "fixed_due_rule",
        values.one_of("latest", "exactly", "earliest"),
        "What fixed_due_on is to the due date: ceiling, the date itself, floor.",
        "latest",
    ),
    Parameter("renewals", _COUNT, "How many times a loan may be renewed.", 2, "no limit"),
    Parameter(
        "renewal_period", _PERIOD, "How long a renewal lasts, in loan_unit.", None, "as loan_period"
    ),
    Parameter(
        "renew_from",
        values.one_of("today", "due-date"),
        "Where a renewal starts to count; a due date that has passed counts as today.",
        "today",
    ),
    Parameter(
        "renew_not_before",
        values.whole(0, 3650),
        "How long before the due date renewing begins, in loan_unit.",
        None,
        "at any time",
    ),
    Parameter("auto_renew", values.yes_no(), "Renewed by itself until something objects.", False),
    Parameter(
        "max_loans", _COUNT, "Most loans at a time within this row's scope.", None, "no limit"
    ),
    Parameter(
        "max_loans_total", _COUNT, "Most loans of a patron over all item types.", None, "no limit"
    ),
    Parameter("fine", values.amount(), "Fine for each started fine_interval.", 0),
    Parameter("fine_interval", _PERIOD, "How long an interval is, in fine_unit.", 1),
    Parameter("fine_unit", _UNITS, "What lateness, fine_interval and grace count.", "days"),
    Parameter(
        "fine_closed_days", values.yes_no(), "Days the branch is closed count as late too.", False
    ),
    Parameter("grace", values.whole(0, 3650), "Lateness without a fine, in fine_unit.", 0),
    Parameter(
        "grace_mode",
        values.one_of("threshold", "deduct"),
        "Past the grace the whole lateness counts (threshold), or what goes beyond it (deduct).",
        "threshold",
    ),
    Parameter("fine_cap", values.amount(), "The highest fine for one loan.", None, "no limit"),
    Parameter(
        "cap_at_price", values.yes_no(), "A fine is never above the replacement price.", False
    ),
    Parameter("suspend_days", values.whole(0, 365), "Days without borrowing for each late day.", 0),
    Parameter(
        "owed_limit",
        values.amount(),
        "Who owes more than this borrows nothing; owing exactly this is allowed.",
        None,
        "no limit",
    ),
    Parameter(
        "overdue_block",
        values.whole(1, 100_000),
        "With this many overdue loans or more nothing is lent.",
        None,
        "no limit",
    ),
    Parameter("age_from", values.whole(0, 150), "Least age in years.", None, "any age"),
    Parameter(
        "expiry_grace",
        _DAYS,
        "Days after a card's expiry during which staff may waive it; later nobody may.",
        30,
        "may always be waived",
    ),
    Parameter("floats", values.yes_no(), "A copy stays where it was returned.", False),
    Parameter("hold_fee", values.amount(), "Fee when a hold is fulfilled.", 0),
    Parameter("holds", _COUNT, "Most holds of a patron at a time.", None, "no limit"),
    Parameter("holds_per_book", _COUNT, "Most holds of a patron on one book.", 1, "no limit"),
    Parameter(
        "holds_on_shelf",
        values.one_of("always", "any-out", "all-out"),
        "A hold may be placed always, when a copy is out, or when all copies are out.",
        "always",
    ),
    Parameter(
        "pickup_branches",
        values.branches("any", "home"),
        "Where holds may be collected: anywhere, where the copy lives, or at these branches.",
        "any",
    ),
    Parameter(
        "pickup_days",
        values.whole(1, 3650),
        "Open days a copy waits on the hold shelf.",
        7,
        "until it is collected",
    ),
    Parameter("lost_after", values.whole(1, 3650), "Days late until declared lost.", None, "never"),
    Parameter("lost_fee", values.amount(), "Fee for a lost copy beside its price.", 0),
    Parameter(
        "lost_refund",
        values.one_of("none", "price", "price-and-fee"),
        "What is given back when a lost copy returns.",
        "price",
    ),
    Parameter(
        "recall_after",
        values.whole(0, 3650),
        "Days a loan is safe before a recall may shorten it.",
        None,
        "never recalled",
    ),
    Parameter("recall_due_in", _PERIOD, "Days left to return a recalled copy.", 7),
)

PARAMETERS: dict[str, Parameter] = {parameter.name: parameter for parameter in _TABLE}


def parse(parameter: str, value: Any) -> Any:
    """The value of a rule row as its parameter means it: 21, "next-open", a date, True.

    Raises InvalidRule with a sentence that says what the parameter takes.
    """
    known = PARAMETERS.get(parameter)
    if known is None:
        raise _no_such(parameter)
    if value is None and known.empty:
        return None
    try:
        return known.kind.read(value)
    except values.NotThat:
        got = "nothing" if value is None else f"{value!r:.40}"
        says = f"{parameter} takes {known.takes}; this row says {got}."
        raise InvalidRule(says, parameter=parameter) from None


def _no_such(parameter: str) -> InvalidRule:
    asked = parameter[:64]
    near = get_close_matches(asked, PARAMETERS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(PARAMETERS)}."
    return InvalidRule(f"There is no parameter {asked!r}. {hint}", parameter=asked)
