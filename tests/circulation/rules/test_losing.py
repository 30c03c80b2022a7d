"""When a loan is given up, what a lost copy costs, and what is given back: both sides of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lendery.circulation.rules import (
    OpeningHours,
    Policy,
    given_back,
    is_lost,
    late_until,
    lost_charges,
)

BERLIN = OpeningHours(None, "Europe/Berlin")
DUE = datetime(2026, 3, 27, 22, 59, 59, tzinfo=UTC)  # Friday in Berlin; the clocks change on Sunday


@pytest.mark.parametrize(
    ("lost_after", "now", "lost"),
    [
        (None, datetime(2036, 1, 1, tzinfo=UTC), False),
        (1, DUE, False),
        (1, DUE + timedelta(seconds=1), True),
        (2, DUE + timedelta(seconds=1), False),
        (2, datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), False),
        (2, datetime(2026, 3, 28, 23, 0, 0, tzinfo=UTC), True),
        (3, datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), False),  # summer time now
        (3, datetime(2026, 3, 29, 22, 0, 0, tzinfo=UTC), True),
        (1, DUE - timedelta(days=400), False),
    ],
)
def test_so_many_dates_late_it_is_lost(lost_after: int | None, now: datetime, lost: bool) -> None:
    policy = Policy(lost_after=lost_after)
    assert is_lost(due_at=DUE, now=now, policy=policy, hours=BERLIN) is lost


@pytest.mark.parametrize(
    ("price", "fee", "charges"),
    [
        (700, 30, [("lost", 700), ("lost-fee", 30)]),
        (700, 0, [("lost", 700)]),
        (None, 30, [("lost-fee", 30)]),
        (0, 30, [("lost-fee", 30)]),
        (None, 0, []),
    ],
)
def test_what_a_lost_copy_costs(price: int | None, fee: int, charges: Any) -> None:
    assert lost_charges(price, Policy(lost_fee=fee)) == charges


@pytest.mark.parametrize(
    ("refund", "back"),
    [("none", set()), ("price", {"lost"}), ("price-and-fee", {"lost", "lost-fee"})],
)
def test_what_is_given_back_when_it_is_found(refund: Any, back: set[str]) -> None:
    assert given_back(Policy(lost_refund=refund)) == back


@pytest.mark.parametrize(("claimed", "until"), [(None, 0), (-60, -60), (0, 0), (60, 0)], ids=str)
def test_no_fine_runs_while_it_is_claimed(claimed: int | None, until: int) -> None:
    claimed_at = None if claimed is None else DUE + timedelta(seconds=claimed)
    assert late_until(DUE, claimed_at) == DUE + timedelta(seconds=until)
