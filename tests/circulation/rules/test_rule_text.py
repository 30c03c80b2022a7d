"""The text form of the rule table: exact both ways, and precise about what is wrong."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lendery.circulation.rules import PARAMETERS, as_json, parse, read_text, write_text
from lendery.contracts.circulation import NewRule

MAIN, NORTH, COLON, GONE = (UUID(int=n) for n in range(1, 5))
CODES = {MAIN: "main", NORTH: "north", COLON: "a:b:"}
BY_CODE = {code: branch_id for branch_id, code in CODES.items()}


def write(*rows: NewRule, currency: str = "EUR") -> str:
    return write_text(rows, branches=CODES, currency=currency)


def rows_of(text: str, currency: str = "EUR") -> list[NewRule]:
    read = read_text(text, branches=BY_CODE, currency=currency)
    assert read.faults == []
    return [each.rule for each in read.rules]


def rule(parameter: str, value: Any, branch: UUID | None = None, **scope: Any) -> NewRule:
    return NewRule(parameter=parameter, value=value, branch_id=branch, **scope)


TEXT = """\
any:
  loan_period = 21 days
  renewals = empty
  auto_renew = yes
  fine = 0.20 EUR

item=dvd:
  loan_period = 1 day

category=child:
  fine = 0.00 EUR

branch="a:b:" category=child item=dvd:
  loan_period = 36
  fixed_due_on = 2026-12-18
  pickup_branches = [main "a:b:" @00000000-0000-0000-0000-000000000004]
  lost_refund = none

branch=main:
  loan_unit = hours
  pickup_branches = home
"""
TABLE = [
    rule("loan_unit", "days"),
    rule("loan_period", 21),
    rule("renewals", None),
    rule("auto_renew", True),
    rule("fine", 20),
    rule("loan_unit", "days", item_type="dvd"),
    rule("loan_period", 1, item_type="dvd"),
    rule("fine", 0, category="child"),
    rule("loan_period", 36, COLON, category="child", item_type="dvd"),
    rule("fixed_due_on", "2026-12-18", COLON, category="child", item_type="dvd"),
    rule(
        "pickup_branches",
        [str(MAIN), str(COLON), str(GONE)],
        COLON,
        category="child",
        item_type="dvd",
    ),
    rule("lost_refund", "none", COLON, category="child", item_type="dvd"),
    rule("loan_unit", "hours", MAIN),
    rule("pickup_branches", "home", MAIN),
]


def test_a_table_is_written_and_read_as_people_would() -> None:
    assert rows_of(TEXT) == TABLE
    assert write(*TABLE) == TEXT
    assert write(*reversed(TABLE)) == TEXT, "in one order, however the rows came"
    assert rows_of("") == [] and write() == ""


def test_what_is_not_the_rules_is_passed_over() -> None:
    loose = (
        "\ufeff# of 2026\r\n\r\nitem_type = dvd   branch=main :loan_period=7 day , "
        "fine = 1 EUR # a week\r\n\trenewals=1\r\n"
    )
    assert rows_of(loose) == [
        rule("loan_unit", "days", MAIN, item_type="dvd"),
        rule("loan_period", 7, MAIN, item_type="dvd"),
        rule("fine", 100, MAIN, item_type="dvd"),
        rule("renewals", 1, MAIN, item_type="dvd"),
    ]


WRONG = [
    ("loan_period = 3", 1, 1, "Expected `any`"),
    ("  loan_period = 3", 1, 3, "below no scope"),
    ("any loan_period = 3", 1, 1, "Expected `any`"),
    ("anybody: loan_period = 3", 1, 1, "Expected `any`"),
    ("\nbranch=nort: renewals = 1", 2, 8, "Did you mean north?"),
    ("branch=@12: renewals = 1", 1, 8, "id of a branch"),
    ("branch=main", 1, 12, "Expected `:`"),
    ("branch=main,item=dvd: renewals = 1", 1, 12, "Expected a space or `:`"),
    ("branch=main branch=north: renewals = 1", 1, 13, "said twice"),
    ("category=: renewals = 1", 1, 10, "code of a patron category"),
    ("item=-x: renewals = 1", 1, 6, "code of a item type"),
    ("any: loan_period 3", 1, 18, "Expected `=`"),
    ("any: renewals = 1,", 1, 19, "Expected a parameter"),
    ("any: renewals = 1, = 2", 1, 20, "Expected a parameter"),
    ("any: loan_perod = 3", 1, 6, "Did you mean loan_period?"),
    ("any: loan_period = 3 weeks", 1, 20, "a whole number from 1 to 3650"),
    ("any: loan_period = 0", 1, 20, "a whole number from 1 to 3650"),
    ("any: loan_period = 3651 days", 1, 20, "a whole number from 1 to 3650"),
    ("any: loan_period =", 1, 19, "a whole number from 1 to 3650"),
    ("any: loan_unit = empty", 1, 18, "says nothing"),
    ("any: renewals = -1", 1, 17, "a whole number from 0"),
    ("any: auto_renew = maybe", 1, 19, "yes or no"),
    ("any: fixed_due_on = 2026-02-30", 1, 21, "a date like"),
    ("any: closed_due = nxt", 1, 19, "next-open"),
    ("any: fine = 0.205 EUR", 1, 13, "2 decimals at most"),
    ("any: fine = -0.20 EUR", 1, 13, "0 or more"),
    ("any: fine = 0.20 USD", 1, 13, "not in USD"),
    ("any: fine = 0.20", 1, 13, "like 12.40 EUR"),
    ("any: fine = 20", 1, 13, "like 12.40 EUR"),
    ("any: fine = 1000000.01 EUR", 1, 13, "from 0 to 100000000"),
    ("any: pickup_branches = [main nrth]", 1, 30, "Did you mean north?"),
    ("any: pickup_branches = [main", 1, 29, "or `]`"),
    ("any: pickup_branches = []", 1, 24, "a list of 1 to 500"),
    ("any: renewals = 1\nany:\n  renewals = 2", 3, 3, "in line 1 already"),
    ("any: loan_unit = days, loan_period = 3 days", 1, 24, "in line 1 already"),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), WRONG, ids=[w[0] for w in WRONG])
def test_a_fault_is_told_with_its_line_and_column(
    text: str, line: int, column: int, says: str
) -> None:
    (fault,) = read_text(text, branches=BY_CODE, currency="EUR").faults
    assert (fault.line, fault.column) == (line, column) and says in fault.says, fault


def test_every_fault_is_told_and_what_is_right_between_them_is_read() -> None:
    text = (
        "any: renewals = x, fine = 0.20 EUR\nitem=dvd item=x:\n  renewals = 1\nitem=dvd: holds = y"
    )
    read = read_text(text, branches={}, currency="EUR")
    assert [(f.line, f.column) for f in read.faults] == [(1, 17), (2, 10), (4, 19)]
    assert [each.rule for each in read.rules] == [rule("fine", 20)]
    assert len(read_text("x\n" * 500, branches={}, currency="EUR").faults) == 100


@pytest.mark.parametrize(
    ("currency", "amount", "text"),
    [("EUR", 5, "0.05 EUR"), ("JPY", 500, "500 JPY"), ("KWD", 1250, "1.250 KWD")],
)
def test_money_has_the_decimals_of_its_currency(currency: str, amount: int, text: str) -> None:
    assert f"fine = {text}\n" in write(rule("fine", amount), currency=currency)
    assert rows_of(f"any: fine = {text}", currency) == [rule("fine", amount)]


def _values(name: str) -> st.SearchStrategy[Any]:
    kind = PARAMETERS[name].kind
    some = {
        "number": st.integers(0, 150),
        "amount": st.integers(0, 100_000_000),
        "yes-no": st.booleans(),
        "word": st.sampled_from(kind.takes.removeprefix("one of ").split(", ")),
        "day": st.dates().map(str),
        "branches": st.one_of(
            st.sampled_from(["any", "home"]),
            st.lists(st.sampled_from([MAIN, COLON, GONE]).map(str), min_size=1, unique=True),
        ),
    }[kind.form]
    return st.one_of(some, st.none()) if PARAMETERS[name].empty else some


def _makes_sense(row: NewRule) -> bool:
    try:
        return bool(as_json(parse(row.parameter, row.value)) == row.value)
    except Exception:
        return False


CODE = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,8}", fullmatch=True)
ROWS = st.sampled_from(list(PARAMETERS)).flatmap(
    lambda name: st.builds(
        NewRule,
        branch_id=st.sampled_from([None, MAIN, NORTH, COLON, GONE]),
        category=st.one_of(st.none(), CODE),
        item_type=st.one_of(st.none(), CODE),
        parameter=st.just(name),
        value=_values(name),
    )
)


def key(row: NewRule) -> str:
    return repr((row.branch_id, row.category, row.item_type, row.parameter))


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS.filter(_makes_sense), unique_by=key, max_size=12))
def test_every_table_comes_back_exactly(rows: list[NewRule]) -> None:
    text = write(*rows)
    back = rows_of(text)
    assert sorted(back, key=key) == sorted(rows, key=key)
    assert write(*back) == text
