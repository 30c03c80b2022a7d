"""Places in a line, names on a slip, amounts of money."""

import pytest

from lendery.contracts.base import Money
from lendery.web import amounts
from lendery.web.words import last_digits, ordinal, short_name


@pytest.mark.parametrize(
    ("number", "said"),
    [
        *((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th")),
        *((11, "11th"), (12, "12th"), (13, "13th"), (14, "14th")),
        *((21, "21st"), (22, "22nd"), (101, "101st"), (111, "111th"), (113, "113th")),
    ],
)
def test_a_place_in_line_is_an_ordinal(number: int, said: str) -> None:
    assert ordinal(number) == said


def test_a_slip_tells_little_of_a_name_and_a_card() -> None:
    assert short_name("Ann Reed") == "A. Reed"
    assert short_name("  Ann van der  Berg ") == "A. Berg"
    assert (short_name("Sukarno"), short_name("")) == ("Sukarno", "")
    assert (last_digits("1000000008"), last_digits("7"), last_digits(None)) == ("0008", "7", "")


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        *((420, "EUR", "4.20 EUR"), (5, "EUR", "0.05 EUR"), (-1240, "EUR", "-12.40 EUR")),
        *((500, "JPY", "500 JPY"), (1250, "KWD", "1.250 KWD"), (0, "EUR", "0.00 EUR")),
    ],
)
def test_an_amount_is_said_in_its_own_decimals(minor: int, currency: str, said: str) -> None:
    assert amounts.said(Money(amount=minor, currency=currency)) == said


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        *(("4", 400), ("4.2", 420), ("4.20", 420), ("4,20", 420), (" 4.20 EUR ", 420)),
        *(("0", 0), ("0.01", 1), ("", None), ("4.205", None), ("-4", None), ("+4", None)),
        *(("4 20", None), ("1e3", None), ("four", None), ("4.", None), (".5", None)),
        *(("٤", None), ("1,234.50", None), ("9999999999", None)),
    ],
)
def test_what_is_typed_is_an_amount_or_nothing(text: str, minor: int | None) -> None:
    found = amounts.typed(text, "EUR")
    assert (found.amount if found else None) == minor


def test_yen_have_no_decimals() -> None:
    assert amounts.typed("500", "JPY") == Money(amount=500, currency="JPY")
    assert amounts.typed("500.5", "JPY") is None
    assert amounts.typed("10000000", "EUR") == Money(amount=10**9)
    assert amounts.typed("10000000.01", "EUR") is None, "more than is taken at once"
