from datetime import date

import pytest

from lendery.circulation.rules.words import counted, plain_amount, spoken_day


@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [
        (1240, "EUR", "12.40 EUR"),
        (1000, "EUR", "10.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (-50, "EUR", "-0.50 EUR"),
        (500, "JPY", "500 JPY"),
        (0, "JPY", "0 JPY"),
        (1250, "KWD", "1.250 KWD"),
        (7, "KWD", "0.007 KWD"),
        (10**12, "USD", "10000000000.00 USD"),
    ],
)
def test_an_amount_is_said_as_people_write_it(amount: int, currency: str, says: str) -> None:
    assert plain_amount(amount, currency) == says


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2026, 3, 2), "Monday 2 March 2026"),
        (date(2028, 2, 29), "Tuesday 29 February 2028"),
        (date(2026, 12, 31), "Thursday 31 December 2026"),
    ],
)
def test_a_day_is_said_with_its_weekday(day: date, says: str) -> None:
    assert spoken_day(day) == says


@pytest.mark.parametrize(("number", "says"), [(0, "0 loans"), (1, "1 loan"), (2, "2 loans")])
def test_one_is_said_differently_from_many(number: int, says: str) -> None:
    assert counted(number, "loan", "loans") == says
