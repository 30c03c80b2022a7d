"""In whose count money goes, and what may be counted."""

from uuid import UUID

import pytest

from lendery.circulation.rules.cash import (
    AtTheDesk,
    OpenSession,
    Sum,
    counted_objection,
    drawer_for,
    in_cash,
)

CENTRAL, NORTH, ANN, BEN = (UUID(int=number) for number in range(1, 5))
FRONT = OpenSession(id=UUID(int=11), branch_id=CENTRAL, desk="front", by=ANN)
BACK = OpenSession(id=UUID(int=12), branch_id=CENTRAL, desk="back", by=BEN)
NORTHERN = OpenSession(id=UUID(int=13), branch_id=NORTH, desk="front", by=BEN)
NOBODYS = OpenSession(id=UUID(int=14), branch_id=CENTRAL, desk="stall", by=None)
ALL = (FRONT, BACK, NORTHERN)


def at(**facts: object) -> AtTheDesk:
    return AtTheDesk(**({"by": None} | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("open_", "who", "expected"),
    [
        # named: that one, and no other
        (ALL, at(branch_id=CENTRAL, desk="back", by=ANN), BACK),
        (ALL, at(works_at=CENTRAL, desk="front"), FRONT),
        (ALL, at(works_at=NORTH, desk="front"), NORTHERN),
        (ALL, at(works_at=CENTRAL, branch_id=NORTH, desk="front"), NORTHERN),
        (ALL, at(desk="back"), BACK),
        (ALL, at(desk="front"), "which-desk"),
        (ALL, at(works_at=NORTH, desk="back", by=BEN), "desk-closed"),
        ((), at(works_at=CENTRAL, desk="front"), "desk-closed"),
        # given back where it was taken
        (ALL, at(works_at=CENTRAL, was=(NORTH, "front"), by=ANN), NORTHERN),
        (ALL, at(works_at=CENTRAL, was=(CENTRAL, "front"), by=BEN, desk="back"), BACK),
        ((FRONT,), at(works_at=CENTRAL, was=(NORTH, "front")), FRONT),
        ((), at(works_at=CENTRAL, was=(NORTH, "front")), None),
        # one's own
        (ALL, at(works_at=CENTRAL, by=ANN), FRONT),
        ((FRONT, NORTHERN), at(works_at=CENTRAL, by=BEN), FRONT),
        ((FRONT, NORTHERN), at(branch_id=CENTRAL, by=BEN), FRONT),
        (ALL, at(works_at=CENTRAL, by=BEN), BACK),
        (ALL, at(by=BEN), "which-desk"),
        ((FRONT, NORTHERN), at(by=BEN), NORTHERN),
        (ALL, at(branch_id=NORTH, by=BEN), NORTHERN),
        ((FRONT,), at(by=ANN), FRONT),
        # the only one here
        ((FRONT, NORTHERN), at(works_at=CENTRAL), FRONT),
        (ALL, at(works_at=CENTRAL), "which-desk"),
        ((NORTHERN,), at(works_at=CENTRAL), None),
        ((FRONT, NOBODYS), at(works_at=CENTRAL), "which-desk"),
        (ALL, at(), None),
        ((), at(works_at=CENTRAL, by=ANN), None),
    ],
)
def test_in_whose_count_money_goes(
    open_: tuple[OpenSession, ...], who: AtTheDesk, expected: OpenSession | str | None
) -> None:
    found = drawer_for(open_, who, "cash", refusal="Not paid")
    if isinstance(expected, str):
        assert isinstance(found, tuple) and found[0] == expected
        assert found[1].startswith("Not paid: ")
    else:
        assert found == expected


def test_what_is_no_cash_is_not_refused_where_nobody_says_which_desk() -> None:
    here = at(works_at=CENTRAL)
    for method in ("card", "transfer"):
        assert drawer_for(ALL, here, method, refusal="Not paid") is None  # type: ignore[arg-type]
        closed = drawer_for((), at(desk="front"), method, refusal="Not paid")  # type: ignore[arg-type]
        assert isinstance(closed, tuple) and closed[0] == "desk-closed"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "EUR", None),
        (1, "EUR", None),
        (-1, "EUR", "below-zero"),
        (1, "USD", "wrong-currency"),
        (0, "USD", "wrong-currency"),
    ],
)
def test_what_can_lie_in_a_drawer(amount: int, currency: str, code: str | None) -> None:
    found = counted_objection("No", amount=amount, currency=currency, library_currency="EUR")
    assert (found and found[0]) == code


def test_only_cash_lies_in_a_drawer() -> None:
    sums = (
        Sum(kind="payment", method="cash", count=2, amount=700),
        Sum(kind="payment", method="card", count=1, amount=1_000),
        Sum(kind="refund", method="cash", count=1, amount=-200),
        Sum(kind="reversal", method="cash", count=1, amount=-300),
        Sum(kind="reversal", method="transfer", count=1, amount=-50),
    )
    assert in_cash(sums) == 200
    assert in_cash(()) == 0
