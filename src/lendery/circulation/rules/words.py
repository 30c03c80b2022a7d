"""How the rules say a day, an amount and a number of things in their sentences."""

import re
from datetime import date

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NO_DECIMALS = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    )
)
_AMOUNT = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,15}))? ?([A-Z]{3})")
_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def spoken_day(day: date) -> str:
    """Monday 2 March 2026. Not strftime, whose words follow the machine's locale."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


class NotAnAmount(ValueError):
    """Its text says what is wrong with it."""


def read_amount(text: str, currency: str) -> int:
    """Minor units from what people write: 12.40 EUR. Raises NotAnAmount."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise NotAnAmount(f"an amount like {plain_amount(1240, currency)}")
    sign, units, decimals, said = found.groups()
    if said != currency:
        raise NotAnAmount(f"an amount in {currency}, the library's money, and not in {said}")
    if sign:
        raise NotAnAmount("an amount of 0 or more")
    places = decimal_places(currency)
    if len(decimals or "") > places:
        raise NotAnAmount(f"an amount with {counted(places, 'decimal', 'decimals')} at most")
    return int(units + (decimals or "").ljust(places, "0"))


def plain_amount(amount: int, currency: str) -> str:
    """Minor units as people write them: 12.40 EUR, 500 JPY, 1.250 KWD (ISO 4217 exponents)."""
    places = decimal_places(currency)
    sign, digits = "-" if amount < 0 else "", str(abs(amount)).zfill(places + 1)
    if not places:
        return f"{sign}{digits} {currency}"
    return f"{sign}{digits[:-places]}.{digits[-places:]} {currency}"


def decimal_places(currency: str) -> int:
    return 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2


def counted(number: int, one: str, many: str) -> str:
    """1 loan, 2 loans."""
    return f"{number} {one if number == 1 else many}"
