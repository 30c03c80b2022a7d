"""What the model says at the till. Every refusal is a code, and changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tests.circulation.machine.model import Charge, Model, Patron, Refused

EUR = "EUR"


def _must_be_an_amount(amount: int, currency: str) -> None:
    if amount <= 0:
        raise Refused("not-positive")
    if currency != EUR:
        raise Refused("wrong-currency")


def charge_by_hand(
    model: Model, patron: Patron, amount: int, currency: str, now: datetime
) -> Charge:
    _must_be_an_amount(amount, currency)
    charge = Charge(patron, amount, "other", now)
    model.charges.append(charge)
    model.tell(
        "FineCharged", fine_id=charge, amount=amount, cause="other", loan_id=None, hold_id=None
    )
    return charge


def pay(
    model: Model, patron: Patron, amount: int, currency: str, named: Sequence[UUID]
) -> list[tuple[UUID, int]]:
    """Which charge gets how much: in the order named, or the oldest first."""
    _must_be_an_amount(amount, currency)
    open_ = model.outstanding(patron)
    if any(charge_id not in open_ for charge_id in named):
        raise Refused("unknown-fine")
    wanted = list(dict.fromkeys(named)) or list(open_)
    if amount > sum(open_[charge_id] for charge_id in wanted):
        raise Refused("more-than-owed")
    parts = []
    for charge_id in wanted:
        part = min(amount, open_[charge_id])
        if part:
            _of(model, charge_id).paid += part
            amount -= part
            parts.append((charge_id, part))
            model.tell("FinePaid", fine_id=charge_id, amount=part)
    return parts


def waive(
    model: Model, charge: Charge, amount: int | None, currency: str, *, event: str = "FineWaived"
) -> None:
    """Or write off: the same under another name."""
    if amount is not None:
        _must_be_an_amount(amount, currency)
    assert charge.id is not None
    open_ = model.outstanding(charge.patron).get(charge.id, 0)
    if not open_:
        raise Refused("nothing-owed")
    if amount is not None and amount > open_:
        raise Refused("more-than-owed")
    charge.waived += amount or open_
    model.tell(event, fine_id=charge.id, amount=amount or open_)


def cancel(model: Model, charge: Charge) -> None:
    """It was wrong: what was forgiven of it is not given a second time."""
    if charge.cancelled:
        raise Refused("cancelled-before")
    if charge.waived == charge.amount:
        raise Refused("nothing-owed")
    charge.cancelled = charge.amount - charge.waived
    if charge.reason == "late" and charge.loan is not None:
        charge.loan.late_charges -= charge.amount  # what was wrong counts for no cap
    model.tell("FineCancelled", fine_id=charge.id, amount=charge.cancelled)


def refund(model: Model, patron: Patron, amount: int, currency: str) -> None:
    _must_be_an_amount(amount, currency)
    if amount > -model.balance(patron):
        raise Refused("more-than-credit")
    model.refunds.append((patron, amount))
    model.tell("CreditRefunded", amount=amount)


def _of(model: Model, charge_id: UUID) -> Charge:
    return next(charge for charge in model.charges if charge.id == charge_id)
