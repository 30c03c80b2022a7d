from dataclasses import fields
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from lendery.circulation.rules.parameters import PARAMETERS, parse
from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.values import as_json
from lendery.contracts.circulation import InvalidRule

CENTRAL, NORTH = UUID(int=1), UUID(int=2)
MANY = [str(UUID(int=n)) for n in range(501)]


@pytest.mark.parametrize(
    ("parameter", "value", "means"),
    [
        ("loan_period", 1, 1),
        ("loan_period", 3650, 3650),
        ("loan_period", None, None),
        ("loan_unit", "hours", "hours"),
        ("closed_due", "same-weekday", "same-weekday"),
        ("closed_due", "count-open-days", "count-open-days"),
        ("fixed_due_on", "2028-02-29", date(2028, 2, 29)),
        ("fixed_due_on", None, None),
        ("fixed_due_rule", "exactly", "exactly"),
        ("renewals", 0, 0),
        ("renewals", None, None),
        ("renewal_period", None, None),
        ("renew_from", "due-date", "due-date"),
        ("renew_not_before", 0, 0),
        ("auto_renew", True, True),
        ("auto_renew", "yes", True),
        ("auto_renew", "no", False),
        ("max_loans", 0, 0),
        ("max_loans", None, None),
        ("fine", 100_000_000, 100_000_000),
        ("owed_limit", 0, 0),
        ("expiry_grace", None, None),
        ("pickup_branches", "home", "home"),
        ("pickup_branches", [str(CENTRAL), str(NORTH)], (CENTRAL, NORTH)),
        ("pickup_branches", [str(NORTH), str(NORTH).upper()], (NORTH,)),
        ("pickup_branches", MANY[:500], tuple(UUID(each) for each in MANY[:500])),
        ("pickup_days", None, None),
        ("lost_refund", "price-and-fee", "price-and-fee"),
    ],
)
def test_a_value_is_read_as_its_parameter_means_it(parameter: str, value: Any, means: Any) -> None:
    assert parse(parameter, value) == means
    assert type(parse(parameter, value)) is type(means)
    assert parse(parameter, as_json(means)) == means


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("loan_period", 0),
        ("loan_period", 3651),
        ("loan_period", -1),
        ("loan_period", "21"),
        ("loan_period", 21.0),
        ("loan_period", True),
        ("loan_period", [21]),
        ("loan_unit", None),
        ("loan_unit", "weeks"),
        ("loan_unit", 1),
        ("closed_due", "Next-Open"),
        ("closed_due", None),
        ("fixed_due_on", "2026-02-29"),
        ("fixed_due_on", "20261218"),
        ("fixed_due_on", "2026-W51-5"),
        ("fixed_due_on", "1999-12-31"),
        ("fixed_due_on", "2201-01-01"),
        ("fixed_due_on", 20261218),
        ("renewals", -1),
        ("auto_renew", 1),
        ("auto_renew", "YES"),
        ("auto_renew", None),
        ("fine", -1),
        ("fine", 0.5),
        ("fine", 100_000_001),
        ("fine", None),
        ("overdue_block", 0),
        ("age_from", 151),
        ("pickup_branches", []),
        ("pickup_branches", "central"),
        ("pickup_branches", ["central"]),
        ("pickup_branches", [1]),
        ("pickup_branches", MANY),
        ("pickup_branches", {"any": True}),
        ("suspend_days", 366),
    ],
)
def test_a_value_that_its_parameter_does_not_take_is_refused(parameter: str, value: Any) -> None:
    with pytest.raises(InvalidRule, match=f"^{parameter} takes ") as problem:
        parse(parameter, value)
    assert problem.value.extra == {"parameter": parameter}
    assert PARAMETERS[parameter].takes in problem.value.detail


def test_the_refusal_says_what_would_be_taken() -> None:
    with pytest.raises(InvalidRule) as problem:
        parse("loan_period", "three weeks")
    assert problem.value.detail == (
        'loan_period takes a whole number from 1 to 3650, or empty for "not for loan"; '
        "this row says 'three weeks'."
    )
    with pytest.raises(InvalidRule) as problem:
        parse("loan_unit", None)
    assert problem.value.detail == "loan_unit takes one of days, hours; this row says nothing."


def test_the_refusal_repeats_little_of_what_was_sent() -> None:
    with pytest.raises(InvalidRule) as problem:
        parse("loan_unit", "x" * 10_000)
    assert len(problem.value.detail) < 120


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("loan_priod", "Did you mean loan_period?"),
        ("Loan_Period", "Did you mean loan_period?"),
        ("quux", "Choose one of loan_period, loan_unit"),
        ("z" * 10_000, "Choose one of"),
    ],
)
def test_a_parameter_that_does_not_exist_is_refused_with_a_hint(asked: str, hint: str) -> None:
    with pytest.raises(InvalidRule, match="There is no parameter") as problem:
        parse(asked, 1)
    assert hint in problem.value.detail and len(problem.value.detail) < 900


def test_the_policy_has_a_field_for_each_parameter_with_the_same_default() -> None:
    scope = {"max_loans_branch", "max_loans_category", "max_loans_item_type"}
    policy = {field.name: field.default for field in fields(Policy) if field.name not in scope}
    assert policy == {name: parameter.default for name, parameter in PARAMETERS.items()}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_default_is_a_value_its_parameter_takes(name: str) -> None:
    parameter = PARAMETERS[name]
    if parameter.default is None:
        assert parameter.empty
    assert parse(name, as_json(parameter.default)) == parameter.default
    assert parameter.meaning.endswith(".")


def test_the_defaults_are_a_promise_to_loans_that_left_them_out() -> None:
    """Loans keep only what differs. Whoever changes this changes `to_json`'s version too."""
    assert {n: p.default for n, p in PARAMETERS.items() if p.default not in (None, 0)} == {
        "loan_unit": "days",
        "closed_due": "next-open",
        "fixed_due_rule": "latest",
        "renewals": 2,
        "renew_from": "today",
        "fine_interval": 1,
        "fine_unit": "days",
        "grace_mode": "threshold",
        "expiry_grace": 30,
        "holds_per_book": 1,
        "holds_on_shelf": "always",
        "pickup_branches": "any",
        "pickup_days": 7,
        "lost_refund": "price",
        "recall_due_in": 7,
    }
