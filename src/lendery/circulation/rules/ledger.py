"""What a patron owes, and which charges a payment settles.

Whole minor units throughout. What names a charge settles that charge; all other money, and what
settled a charge beyond its amount (it was cancelled after it was paid), settles the oldest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lendery.circulation.rules.words import plain_amount

MoneyObjection = tuple[str, str]  # a code, and the sentence for people


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeSum:
    """A charge, and the sum of the payments, waivers, write-offs and cancellations
    that name it.

    `settled` is above `amount` where a charge was cancelled after it was paid.
    """

    id: UUID
    amount: int
    settled: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """`balance` above zero is owed, below zero is credit. `outstanding`: what each charge owes."""

    balance: int
    owed: int
    credit: int
    outstanding: Mapping[UUID, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """So much of a payment settles that charge."""

    charge_id: UUID
    amount: int


def standing(charges: Sequence[ChargeSum], free: int) -> Standing:
    """How an account stands. `charges` oldest first; `free` is money that names no charge.

    Refunds are in `free` with a minus. Where more was paid out than was left over, what had been
    settled is owed again, the newest first: it was settled with money that is gone. What is
    outstanding adds up to what is owed, unless more was paid out than ever came in. No refund may
    do that; the rest is then owed without a charge to name.
    """
    balance = sum(charge.amount - charge.settled for charge in charges) - free
    still = {charge.id: max(0, charge.amount - charge.settled) for charge in charges}
    pool = free + sum(max(0, charge.settled - charge.amount) for charge in charges)
    for charge in charges:
        taken = min(still[charge.id], max(0, pool))
        still[charge.id] -= taken
        pool -= taken
    for charge in reversed(charges):
        again = min(charge.amount - still[charge.id], max(0, -pool))
        still[charge.id] += again
        pool += again
    return Standing(
        balance=balance,
        owed=max(0, balance),
        credit=max(0, -balance),
        outstanding={charge_id: left for charge_id, left in still.items() if left},
    )


def allocate(amount: int, account: Standing, named: Sequence[UUID] = ()) -> tuple[Part, ...]:
    """Which charges that much money settles: the oldest first, or those named in their order.

    Raises ValueError when it is more than they owe; `payment_objection` says so before.
    """
    parts, left = [], amount
    for charge_id in dict.fromkeys(named or account.outstanding):
        part = min(left, account.outstanding.get(charge_id, 0))
        if part > 0:
            parts.append(Part(charge_id=charge_id, amount=part))
            left -= part
    if left:
        raise ValueError(f"{left} of {amount} settles no charge")
    return tuple(parts)


def payment_objection(
    *,
    amount: int,
    currency: str,
    account: Standing,
    library_currency: str,
    named: Sequence[UUID] = (),
) -> MoneyObjection | None:
    """Why this cannot be paid: nobody pays more at the desk than is owed. None: it can."""
    if objection := _no_amount("Not paid", amount, currency, library_currency):
        return objection
    if not set(named) <= account.outstanding.keys():
        says = "Not paid: one of the charges named is not open on this account. Look again."
        return "unknown-fine", says
    owed = sum(account.outstanding[charge_id] for charge_id in set(named or account.outstanding))
    return _too_much("Not paid", amount, owed, library_currency)


def giving_up_objection(
    refusal: str,
    *,
    amount: int | None,
    currency: str | None,
    outstanding: int,
    library_currency: str,
) -> MoneyObjection | None:
    """Why so much of a charge cannot be waived or written off; without an amount all of it is.

    `refusal`: how the sentence begins.
    """
    if objection := _no_amount(refusal, amount, currency, library_currency):
        return objection
    if outstanding <= 0:
        return "nothing-owed", f"{refusal}: nothing of this charge is owed any more."
    return _too_much(refusal, amount or 0, outstanding, library_currency)


def refund_objection(
    *, amount: int, currency: str, account: Standing, library_currency: str
) -> MoneyObjection | None:
    """Why so much cannot be paid out: only credit is."""
    if objection := _no_amount("Not refunded", amount, currency, library_currency):
        return objection
    if amount <= account.credit:
        return None
    wanted = plain_amount(amount, library_currency)
    credit = plain_amount(account.credit, library_currency)
    if not account.credit:
        return "more-than-credit", "Not refunded: there is no credit on this account."
    says = f"Not refunded: {wanted} is more than the credit. Give {credit} or less."
    return "more-than-credit", says


def _no_amount(
    refusal: str, amount: int | None, currency: str | None, library_currency: str
) -> MoneyObjection | None:
    """Is it an amount of the library's money? None means none was said: the whole, the usual."""
    if amount is not None and amount <= 0:
        return "not-positive", f"{refusal}: the amount must be above zero. Type it again."
    if currency not in (None, library_currency):
        says = f"{refusal}: this library's money is {library_currency}. Give the amount in that."
        return "wrong-currency", says
    return None


def _too_much(refusal: str, amount: int, owed: int, currency: str) -> MoneyObjection | None:
    if amount <= owed:
        return None
    if owed <= 0:
        return "more-than-owed", f"{refusal}: nothing is owed."
    wanted, most = plain_amount(amount, currency), plain_amount(owed, currency)
    return "more-than-owed", f"{refusal}: {wanted} is more than what is owed. Give {most} or less."
