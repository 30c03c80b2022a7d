from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lendery.circulation.rules import policy as policies
from lendery.circulation.rules.parameters import PARAMETERS
from lendery.circulation.rules.policy import Policy, RuleTable, explain, resolve
from lendery.contracts.circulation import Explanation, InvalidRule, Rule

CENTRAL, NORTH = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE: Any = {"branch_id": CENTRAL, "category": "child", "item_type": "dvd"}


def row(
    parameter: str,
    value: Any,
    branch_id: UUID | None = None,
    category: str | None = None,
    item_type: str | None = None,
    *,
    n: int = 0,
    changed_at: datetime = NOON,
) -> Rule:
    return Rule(
        id=UUID(int=1000 + n),
        branch_id=branch_id,
        category=category,
        item_type=item_type,
        parameter=parameter,
        value=value,
        changed_at=changed_at,
        changed_by=None,
        version=1,
    )


def of(told: list[Explanation], parameter: str) -> Explanation:
    return next(each for each in told if each.parameter == parameter)


# most specific first; each row's period is its place, so that the winner shows
STEPS = [
    ("branch, category and item type", row("loan_period", 1, CENTRAL, "child", "dvd", n=1)),
    ("branch and category", row("loan_period", 2, CENTRAL, "child", n=2)),
    ("branch and item type", row("loan_period", 3, CENTRAL, None, "dvd", n=3)),
    ("branch", row("loan_period", 4, CENTRAL, n=4)),
    ("category and item type", row("loan_period", 5, None, "child", "dvd", n=5)),
    ("category", row("loan_period", 6, None, "child", n=6)),
    ("item type", row("loan_period", 7, None, None, "dvd", n=7)),
    ("nothing", row("loan_period", 8, n=8)),
]
ROWS = [each for _, each in STEPS]


@pytest.mark.parametrize("place", range(8), ids=[name for name, _ in STEPS])
def test_the_most_specific_row_that_is_left_wins(place: int) -> None:
    left = ROWS[place:]
    assert resolve(left[::-1], **HERE).loan_period == place + 1
    told = of(explain(left[::-1], **HERE), "loan_period")
    assert (told.value, told.winner, told.beaten) == (place + 1, left[0], left[1:])


@pytest.mark.parametrize(
    ("scope", "period"),
    [
        pytest.param((CENTRAL, "child", "dvd"), 1, id="here"),
        pytest.param((CENTRAL, "child", "book"), 2, id="another item type"),
        pytest.param((CENTRAL, "adult", "dvd"), 3, id="another category"),
        pytest.param((CENTRAL, "adult", "book"), 4, id="only the branch fits"),
        pytest.param((NORTH, "child", "dvd"), 5, id="another branch"),
        pytest.param((NORTH, "child", "book"), 6, id="only the category fits"),
        pytest.param((NORTH, "adult", "dvd"), 7, id="only the item type fits"),
        pytest.param((NORTH, "adult", "book"), 8, id="nothing fits"),
        pytest.param((None, None, None), 8, id="asked about any, only open rows match"),
        pytest.param((None, "child", "dvd"), 5, id="asked about any branch"),
        pytest.param((CENTRAL, None, "dvd"), 3, id="asked about any category"),
        pytest.param((CENTRAL, "child", None), 2, id="asked about any item type"),
    ],
)
def test_a_row_matches_only_its_scope(scope: Any, period: int) -> None:
    branch_id, category, item_type = scope
    asked: Any = {"branch_id": branch_id, "category": category, "item_type": item_type}
    assert resolve(ROWS, **asked).loan_period == period
    assert of(explain(ROWS, **asked), "loan_period").value == period


@pytest.mark.parametrize(
    ("rows", "renewals"),
    [
        pytest.param([], 2, id="no row at all: the default"),
        pytest.param([row("renewals", 5)], 5, id="a general row"),
        pytest.param([row("renewals", None)], None, id="an empty value is no limit"),
        pytest.param(
            [row("renewals", 5), row("renewals", None, CENTRAL)],
            None,
            id="an empty value does not fall through",
        ),
        pytest.param(
            [row("renewals", None), row("renewals", 5, CENTRAL)],
            5,
            id="an empty value may be beaten",
        ),
        pytest.param(
            [row("renewals", 5), row("renewals", None, NORTH)],
            5,
            id="an empty value elsewhere does not count",
        ),
        pytest.param([row("renewals", 0, CENTRAL), row("renewals", 5)], 0, id="0 is a value"),
        pytest.param(
            [row("loan_period", 7, CENTRAL), row("renewals", 5)],
            5,
            id="each parameter is resolved on its own",
        ),
    ],
)
def test_no_row_falls_through_and_an_empty_value_is_an_answer(
    rows: list[Rule], renewals: int | None
) -> None:
    assert resolve(rows, **HERE).renewals == renewals


@pytest.mark.parametrize(
    ("rows", "has_rule"),
    [
        pytest.param([], False, id="no row"),
        pytest.param([row("renewals", 5)], False, id="rows of other parameters"),
        pytest.param([row("loan_period", 21, NORTH)], False, id="a row for elsewhere"),
        pytest.param([row("loan_period", 21)], True, id="a row"),
        pytest.param(
            [row("loan_period", 21), row("loan_period", None, None, None, "dvd")],
            False,
            id="an empty period says not for loan",
        ),
    ],
)
def test_without_a_loan_period_there_is_no_rule(rows: list[Rule], has_rule: bool) -> None:
    assert resolve(rows, **HERE).has_rule is has_rule


def test_max_loans_remembers_the_scope_of_its_row() -> None:
    rows = [
        row("max_loans", 20),
        row("max_loans", 5, CENTRAL, None, "dvd"),
        row("max_loans", 9, n=1),
    ]
    policy = resolve(rows, **HERE)
    assert policy.max_loans == 5
    scope = (policy.max_loans_branch, policy.max_loans_category, policy.max_loans_item_type)
    assert scope == (CENTRAL, None, "dvd")


def test_of_two_rows_for_the_same_scope_the_one_changed_last_counts() -> None:
    old, new = row("fine", 10, n=2), row("fine", 20, n=1, changed_at=NOON + timedelta(seconds=1))
    for rows in ([old, new], [new, old]):
        assert resolve(rows, **HERE).fine == 20
        assert of(explain(rows, **HERE), "fine").beaten == [old]


def test_rows_of_a_newer_version_are_passed_over() -> None:
    assert resolve([row("loan_by_drone", True), row("fine", 20)], **HERE) == Policy(fine=20)


def test_a_row_that_makes_no_sense_is_told_when_it_wins_and_only_then() -> None:
    rows = [row("fine", "much"), row("fine", 20, CENTRAL)]
    assert resolve(rows, **HERE).fine == 20
    with pytest.raises(InvalidRule, match="fine takes"):
        resolve(rows, branch_id=NORTH, category="child", item_type="dvd")


def test_explain_tells_every_parameter_in_the_order_of_the_table() -> None:
    told = explain([row("fixed_due_on", "2026-12-18")], **HERE)
    assert [each.parameter for each in told] == list(PARAMETERS)
    assert of(told, "fixed_due_on").value == "2026-12-18"
    assert of(told, "renewals") == Explanation(
        parameter="renewals", value=2, winner=None, beaten=[]
    )


def test_a_second_question_is_answered_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    table = RuleTable(ROWS)
    first = table.resolve(**HERE)
    monkeypatch.setattr(policies, "parse", None)  # deciding again would fail
    assert table.resolve(**HERE) is first


RICH = Policy(
    loan_period=7,
    loan_unit="hours",
    fixed_due_on=date(2026, 12, 18),
    renewals=None,
    auto_renew=True,
    max_loans=0,
    max_loans_branch=CENTRAL,
    max_loans_item_type="dvd",
    pickup_branches=(CENTRAL, NORTH),
    expiry_grace=None,
)


@pytest.mark.parametrize("policy", [Policy(), RICH, replace(RICH, pickup_branches="home")])
def test_a_policy_comes_back_from_json_as_it_was(policy: Policy) -> None:
    assert Policy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize(
    ("told", "policy"),
    [
        pytest.param({}, Policy(), id="nothing"),
        pytest.param({"v": 1, "loan_period": 21}, Policy(loan_period=21), id="one value"),
        pytest.param({"renewals": None}, Policy(renewals=None), id="empty is not missing"),
        pytest.param({"v": 2, "drone": True}, Policy(), id="a key of a newer version"),
        pytest.param({"loan_period": 9999}, Policy(loan_period=9999), id="bounds of other days"),
    ],
)
def test_a_policy_is_read_from_what_any_version_wrote(told: Any, policy: Policy) -> None:
    assert Policy.from_json(told) == policy


def test_json_holds_only_what_differs_from_the_defaults() -> None:
    assert Policy().to_json() == {"v": 1}
    assert RICH.to_json() == {
        "v": 1,
        "loan_period": 7,
        "loan_unit": "hours",
        "fixed_due_on": "2026-12-18",
        "renewals": None,
        "auto_renew": True,
        "max_loans": 0,
        "pickup_branches": [str(CENTRAL), str(NORTH)],
        "expiry_grace": None,
        "max_loans_branch": str(CENTRAL),
        "max_loans_item_type": "dvd",
    }


BRANCHES, CATEGORIES, ITEM_TYPES = (None, CENTRAL, NORTH), (None, "adult", "child"), (None, "dvd")
KEYS = [
    (parameter, *scope)
    for parameter in ("renewals", "max_loans")
    for scope in product(BRANCHES, CATEGORIES, ITEM_TYPES)
]


def naive(rows: list[Rule], parameter: str, scope: tuple[Any, Any, Any]) -> Rule | None:
    """Scores each row that matches: a branch outweighs all else, a category an item type."""
    best, best_score = None, -1
    for each in rows:
        named = (each.branch_id, each.category, each.item_type)
        matches = all(n is None or n == s for n, s in zip(named, scope, strict=True))
        score = 4 * bool(named[0]) + 2 * bool(named[1]) + bool(named[2])
        if each.parameter == parameter and matches and score > best_score:
            best, best_score = each, score
    return best


@given(
    table=st.dictionaries(st.sampled_from(KEYS), st.none() | st.integers(0, 100)),
    scope=st.tuples(*(st.sampled_from(each) for each in (BRANCHES, CATEGORIES, ITEM_TYPES))),
)
def test_resolving_equals_a_naive_reference_and_its_explanation(
    table: dict[Any, int | None], scope: tuple[Any, Any, Any]
) -> None:
    rows = [row(key[0], value, *key[1:], n=n) for n, (key, value) in enumerate(table.items())]
    asked: Any = dict(zip(("branch_id", "category", "item_type"), scope, strict=True))
    policy, told = resolve(rows, **asked), explain(rows, **asked)
    for parameter in ("renewals", "max_loans"):
        expected = naive(rows, parameter, scope)
        default = PARAMETERS[parameter].default
        assert getattr(policy, parameter) == (expected.value if expected else default)
        explained = of(told, parameter)
        assert explained.winner == expected
        assert explained.value == getattr(policy, parameter)
        assert expected not in explained.beaten
