"""What can be undone, and what was built on it since: each rule on both sides."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lendery.circulation.rules import (
    CHECK_IN_UNDO_RULES,
    CHECK_OUT_UNDO_RULES,
    SETTLEMENT_UNDO_RULES,
    ChargeSum,
    SinceCheckIn,
    SinceCheckOut,
    SinceSettled,
    overdrawn,
    undo_objection,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOW: Any = {"at": AT, "now": AT, "minutes": 15}
ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("minutes", "seconds", "code"),
    [
        (15, 0, None),
        (15, 900, None),
        (15, 901, "too-late"),
        (15, -3600, None),  # the clock was set back
        (1, 60, None),
        (1, 61, "too-late"),
        (0, 0, None),
        (0, 1, "too-late"),
        (1440, 86_400, None),
    ],
)
def test_so_long_it_can_be_undone(minutes: int, seconds: int, code: str | None) -> None:
    of: Any = {"at": AT, "now": AT + timedelta(seconds=seconds), "minutes": minutes}
    for found in (
        undo_objection(CHECK_OUT_UNDO_RULES, SinceCheckOut(**of, is_open=True)),
        undo_objection(CHECK_IN_UNDO_RULES, SinceCheckIn(**of)),
        undo_objection(SETTLEMENT_UNDO_RULES, SinceSettled(**of)),
    ):
        assert (found and found[0]) == code
        assert found is None or found[1].startswith("Not undone: ")


@pytest.mark.parametrize(
    ("but", "code"),
    [
        ({}, None),
        ({"is_open": False}, "returned-since"),
        ({"renewals": 1}, "renewed-since"),
        ({"fee_settled": True}, "settled-since"),
        ({"kept_copy_gone": True}, "kept-copy-gone"),
        ({"is_open": False, "renewals": 1}, "returned-since"),
        ({"kept_copy_gone": True, "fee_settled": True}, "settled-since"),
    ],
)
def test_a_check_out(but: dict[str, Any], code: str | None) -> None:
    facts = SinceCheckOut(**NOW | {"is_open": True} | but)
    found = undo_objection(CHECK_OUT_UNDO_RULES, facts)
    assert (found and found[0]) == code


@pytest.mark.parametrize(
    ("but", "code"),
    [
        ({}, None),
        ({"lent": True}, "lent-since"),
        ({"collected": True}, "collected-since"),
        ({"moved": True}, "moved-since"),
        ({"flagged": True}, "flagged-since"),
        ({"charge_settled": True}, "settled-since"),
        ({"lent": True, "collected": True, "moved": True}, "lent-since"),
        ({"flagged": True, "moved": True}, "moved-since"),
    ],
)
def test_a_check_in(but: dict[str, Any], code: str | None) -> None:
    facts = SinceCheckIn(**NOW | but)
    found = undo_objection(CHECK_IN_UNDO_RULES, facts)
    assert (found and found[0]) == code


@pytest.mark.parametrize(
    ("but", "code"),
    [
        ({}, None),
        ({"cancelled": True}, "cancelled-since"),
        ({"paid_out": True}, "paid-out-since"),
    ],
)
def test_a_payment_or_a_waiver(but: dict[str, Any], code: str | None) -> None:
    facts = SinceSettled(**NOW | but)
    found = undo_objection(SETTLEMENT_UNDO_RULES, facts)
    assert (found and found[0]) == code


@pytest.mark.parametrize(
    ("charges", "free", "back", "is_"),
    [
        # paid, and nothing else happened
        ([(ONE, 100, 100)], 0, {ONE: 100}, False),
        ([], 0, {ONE: 100}, False),  # even charges need not be told
        # paid and cancelled: 100 of credit, which stays or was paid out
        ([(ONE, 100, 200)], 0, {ONE: 100}, False),
        ([(ONE, 100, 200)], -99, {ONE: 100}, True),
        ([(ONE, 100, 200)], -100, {ONE: 100}, True),
        ([(ONE, 100, 200)], -100, {ONE: 0}, False),
        # another charge left credit enough
        ([(ONE, 100, 200), (TWO, 100, 200)], -100, {ONE: 100}, False),
        ([(ONE, 100, 200), (TWO, 100, 200)], -101, {ONE: 100}, True),
        # money that names no charge
        ([], 50, {None: 50}, False),
        ([], 49, {None: 50}, True),
    ],
)
def test_nothing_is_paid_out_that_is_taken_back(
    charges: list[tuple[UUID, int, int]], free: int, back: Any, is_: bool
) -> None:
    sums = [ChargeSum(id=each, amount=a, settled=s) for each, a, s in charges]
    assert overdrawn(sums, free, back) is is_
