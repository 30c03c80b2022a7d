"""Lost copies: when a loan is given up, what that costs, and what comes back when it is found."""

from datetime import datetime

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.policy import Policy
from lendery.contracts.circulation import ChargeReason

_GIVEN_BACK: dict[str, frozenset[ChargeReason]] = {
    "none": frozenset(),
    "price": frozenset({"lost"}),
    "price-and-fee": frozenset({"lost", "lost-fee"}),
}


def is_lost(*, due_at: datetime, now: datetime, policy: Policy, hours: OpeningHours) -> bool:
    """So many dates of the branch after the due date, open or closed. Without limit: never."""
    if policy.lost_after is None or now <= due_at:
        return False
    late = hours.local_date(now) - hours.local_date(due_at)
    return late.days >= policy.lost_after


def lost_charges(price: int | None, policy: Policy) -> list[tuple[ChargeReason, int]]:
    """What a lost copy costs, in minor units: its price where that is known, and the fee."""
    asked: list[tuple[ChargeReason, int]] = [("lost", price or 0), ("lost-fee", policy.lost_fee)]
    return [(reason, amount) for reason, amount in asked if amount]


def given_back(policy: Policy) -> frozenset[ChargeReason]:
    """Which of these charges are taken back when the copy is found."""
    return _GIVEN_BACK[policy.lost_refund]


def late_until(at: datetime, claimed_at: datetime | None) -> datetime:
    """Until when lateness counts: no fine runs while the patron says that it was returned."""
    return at if claimed_at is None else min(at, claimed_at)
