"""Amounts of money as people write and type them."""

import re

from lendery.contracts.base import MOST_TYPED, Money

# ISO 4217: how many digits after the point, where it is not two.
PLACES = dict.fromkeys(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    ),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
TYPED = re.compile(r"^(\d{1,9})(?:[.,](\d{1,3}))?$", re.ASCII)


def places(currency: str) -> int:
    return PLACES.get(currency, 2)


def digits(money: Money) -> str:
    """4.20, as it stands in a field; 500 in yen."""
    after = places(money.currency)
    sign, text = "-" if money.amount < 0 else "", str(abs(money.amount)).zfill(after + 1)
    return f"{sign}{text[:-after]}.{text[-after:]}" if after else f"{sign}{text}"


def said(money: Money) -> str:
    """4.20 EUR."""
    return f"{digits(money)} {money.currency}"


def typed(text: str, currency: str) -> Money | None:
    """What somebody wrote in a field: 4, 4.2, 4,20, with the currency or without.

    None when it is no amount, finer than the currency is, or more than is taken at once.
    """
    found = TYPED.match(text.strip().removesuffix(currency).strip())
    if found is None:
        return None
    after, cents = places(currency), found[2] or ""
    if len(cents) > after:
        return None
    amount = int(found[1] + cents.ljust(after, "0"))
    return Money(amount=amount, currency=currency) if amount <= MOST_TYPED else None


def total(parts: list[Money], currency: str) -> Money:
    return Money(amount=sum(part.amount for part in parts), currency=currency)
