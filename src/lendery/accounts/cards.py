"""Card numbers: ten digits of which the last is a Luhn check digit (ISO/IEC 7812-1, annex B)."""

import re

from stdnum import luhn

from lendery.accounts.repository import people as rows
from lendery.platform.db import Tx

OWN = re.compile(r"[0-9]{10}")
ANY = re.compile(r"[A-Z0-9-]{3,32}")  # as contracts.accounts.CardNumber


def numbered(count: int) -> str:
    """The card number for the counter's value, so that a slip of the scanner is noticed."""
    return f"{count}{luhn.calc_check_digit(str(count))}"


def as_typed(text: str) -> str | None:
    """What a desk typed or scanned, as cards are stored; None if no card can look like that."""
    number = text.strip().upper()
    return number if ANY.fullmatch(number) else None


def is_mistyped(number: str) -> bool:
    """Whether it looks like a number given here, but its check digit is wrong."""
    return bool(OWN.fullmatch(number)) and not luhn.is_valid(number)


async def next_numbers(tx: Tx, *, many: int) -> list[str]:
    """The next numbers that nobody has; a number once typed in by hand is passed over."""
    numbers: list[str] = []
    while len(numbers) < many:
        counts = await rows.next_card_counts(tx, many=many - len(numbers))
        made = [numbered(count) for count in counts]
        taken = await rows.taken_cards(tx, card_numbers=made)
        numbers += [number for number in made if number not in taken]
    return numbers
