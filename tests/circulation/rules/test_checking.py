"""What is odd about a whole rule table, told when it is saved."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from lendery.circulation.rules import Known, check_table
from lendery.contracts.circulation import NewRule

MAIN, NORTH, GONE = (UUID(int=n) for n in (1, 2, 9))
KNOWN = Known({MAIN: "main", NORTH: "north"}, frozenset({"adult", "child"}), frozenset({"dvd"}))
NOBODY_YET = Known({MAIN: "main"})
ON = date(2026, 3, 2)


def rule(parameter: str, value: Any, branch: UUID | None = None, **scope: Any) -> NewRule:
    return NewRule(parameter=parameter, value=value, branch_id=branch, **scope)


PERIOD = rule("loan_period", 21)
ALSO_MAIN, ALSO_NORTH = rule("loan_period", 14, MAIN), rule("loan_period", 7, NORTH)
CASES: list[tuple[str, list[NewRule], list[tuple[str, str, int | None]]]] = [
    ("all is well", [PERIOD, rule("fine", 20, category="child")], []),
    ("a wrong type", [PERIOD, rule("fine", "20")], [("error", "wrong-value", 1)]),
    ("out of range", [PERIOD, rule("grace", -1)], [("error", "wrong-value", 1)]),
    ("no such parameter", [PERIOD, rule("fines", 1)], [("error", "wrong-value", 1)]),
    ("twice", [PERIOD, rule("loan_period", 7)], [("error", "said-twice", 1)]),
    ("no such branch", [PERIOD, rule("fine", 1, GONE)], [("error", "no-such-branch", 1)]),
    (
        "collected nowhere",
        [PERIOD, rule("pickup_branches", [str(MAIN), str(GONE)])],
        [("error", "no-such-branch", 1)],
    ),
    ("today", [PERIOD, rule("fixed_due_on", "2026-03-02")], []),
    ("passed", [PERIOD, rule("fixed_due_on", "2026-03-01")], [("error", "due-date-passed", 1)]),
    (
        "an unknown category",
        [PERIOD, rule("fine", 1, category="chidl"), rule("grace", 1, category="chidl")],
        [("warning", "unknown-category", 1)],
    ),
    (
        "an unknown item type",
        [PERIOD, rule("fine", 1, item_type="dvds")],
        [("warning", "unknown-item-type", 1)],
    ),
    ("beaten at one branch", [PERIOD, ALSO_MAIN], []),
    ("beaten at both", [ALSO_MAIN, PERIOD, ALSO_NORTH], [("warning", "never-decides", 1)]),
    (
        "a narrow row beaten by wide ones of branches",
        [ALSO_MAIN, ALSO_NORTH, rule("loan_period", 3, category="child", item_type="dvd")],
        [("warning", "never-decides", 2)],
    ),
    (
        "not beaten for one item type",
        [rule("loan_period", 1, MAIN, item_type="dvd"), ALSO_NORTH, PERIOD],
        [],
    ),
    ("beaten in another parameter", [ALSO_MAIN, ALSO_NORTH, rule("fine", 1)], []),
]


@pytest.mark.parametrize(("rows", "found"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_table_is_looked_over(
    rows: list[NewRule], found: list[tuple[str, str, int | None]]
) -> None:
    told = check_table(rows, KNOWN, on=ON)
    assert [(f.severity, f.code, f.row) for f in told] == found


def test_a_member_of_the_row_is_pointed_at() -> None:
    rows = [PERIOD, rule("fines", 1), rule("fine", "x"), rule("fine", 1, GONE, category="chlid")]
    told = check_table(rows, KNOWN, on=ON)
    assert [(f.row, f.member) for f in told] == [
        (1, "parameter"),
        (2, "value"),
        (3, "branch_id"),
        (3, "category"),
    ]
    assert "Did you mean child?" in told[-1].says


def test_what_stood_before_refuses_nothing_for_what_time_did_to_it() -> None:
    rows = [PERIOD, rule("fixed_due_on", "2026-03-01"), rule("fine", 1, GONE)]
    told = check_table(rows, KNOWN, on=ON, before=rows)
    assert [f.severity for f in told] == ["warning", "warning"]
    moved = [
        rule("fixed_due_on", "2026-02-28") if r.parameter == "fixed_due_on" else r for r in rows
    ]
    told = check_table(moved, KNOWN, on=ON, before=rows)
    assert [f.severity for f in told] == ["error", "warning"]


GAPS: list[tuple[str, Known, list[NewRule], list[str]]] = [
    ("one for all", KNOWN, [PERIOD], []),
    (
        "none at all",
        KNOWN,
        [],
        ["adult, dvd: no loan_period", "child, dvd: no loan_period"],
    ),
    ("for children only", KNOWN, [rule("loan_period", 3, category="child")], ["adult, dvd: no"]),
    (
        "not for loan is an answer",
        KNOWN,
        [rule("loan_period", 3, category="child"), rule("loan_period", None, category="adult")],
        [],
    ),
    (
        "at one branch",
        KNOWN,
        [ALSO_MAIN, rule("loan_period", 1, category="adult")],
        ["child, dvd: no loan_period at north"],
    ),
    ("a word of the rules", KNOWN, [PERIOD, rule("loan_period", 1, item_type="cd")], []),
    (
        "an item type that only the rules know",
        Known({MAIN: "main"}, frozenset({"adult"})),
        [rule("loan_period", 1, item_type="dvd"), rule("fine", 1, item_type="cd")],
        ["adult, cd: no loan_period, so"],
    ),
    ("nobody met yet", NOBODY_YET, [], ["any patron, any item: no loan_period, so"]),
    ("nobody met yet, a rule", NOBODY_YET, [PERIOD], []),
    ("no branch yet", Known({}), [rule("fine", 1)], ["any patron, any item: no loan_period, so"]),
]


@pytest.mark.parametrize(("known", "rows", "says"), [g[1:] for g in GAPS], ids=[g[0] for g in GAPS])
def test_who_is_left_without_a_loan_period_is_named(
    known: Known, rows: list[NewRule], says: list[str]
) -> None:
    told = [f for f in check_table(rows, known, on=ON) if f.code == "no-loan-period"]
    assert len(told) == len(says)
    for finding, expected in zip(told, says, strict=True):
        assert finding.says.startswith(expected) and finding.row is None
