"""Invented readers, plausible in the mass and different each."""

import re
import unicodedata
from collections import Counter
from datetime import date, timedelta

import pytest

from lendery.demo.people import Reader, readers

TODAY = date(2026, 3, 2)
AGES = {"adult": (18, 90), "student": (16, 27), "staff": (23, 64), "child": (5, 15)}


@pytest.fixture(scope="module")
def town() -> list[Reader]:
    return readers(count=800, seed=7, today=TODAY)


def age(reader: Reader) -> int:
    born = reader.born_on
    return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))


def test_the_same_seed_gives_the_same_town(town: list[Reader]) -> None:
    assert readers(count=800, seed=7, today=TODAY) == town
    assert readers(count=800, seed=8, today=TODAY) != town


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 801])
def test_there_are_as_many_readers_as_asked_for(count: int) -> None:
    assert len(readers(count=count, seed=1, today=TODAY)) == count


def test_categories_have_realistic_shares(town: list[Reader]) -> None:
    assert Counter(reader.category for reader in town) == {
        "adult": 464,
        "child": 192,
        "student": 120,
        "staff": 24,
    }


def test_everybody_has_the_age_of_their_category(town: list[Reader]) -> None:
    for reader in town:
        youngest, oldest = AGES[reader.category]
        assert youngest <= age(reader) <= oldest, reader


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2025, 1, 1), date(2026, 12, 31)])
def test_no_child_has_turned_sixteen_on_any_day(today: date) -> None:
    for reader in readers(count=400, seed=3, today=today):
        if reader.category == "child":
            assert today < reader.born_on.replace(year=reader.born_on.year + 16, day=1)


def test_every_child_and_nobody_else_has_a_grown_up_guarantor(town: list[Reader]) -> None:
    for reader in town:
        assert (reader.guarantor is not None) == (reader.category == "child")
        if reader.guarantor is not None:
            parent = town[reader.guarantor]
            assert parent.category == "adult"
            assert reader.born_on - parent.born_on >= timedelta(days=19 * 365)
            assert parent.home_branch == reader.home_branch


def test_addresses_are_plain_and_of_one_reader_each(town: list[Reader]) -> None:
    assert len({reader.email for reader in town}) == len(town)
    for reader in town:
        assert re.fullmatch(r"[a-z]+\.[a-z]+\d*@example\.org", reader.email)


def test_names_are_in_many_scripts_and_few_are_borne_twice(town: list[Reader]) -> None:
    names = "".join(reader.name for reader in town)
    scripts = {unicodedata.name(sign, "?").split()[0] for sign in names if sign.isalpha()}

    assert {"LATIN", "ARABIC", "CYRILLIC", "GREEK", "CJK", "HEBREW", "DEVANAGARI"} <= scripts
    assert len({reader.name for reader in town}) > 700
    assert all(unicodedata.is_normalized("NFC", reader.name) for reader in town)


def test_a_name_is_in_the_order_its_bearer_writes_it(town: list[Reader]) -> None:
    orders = set()
    for reader in town:
        assert reader.name in {
            f"{reader.given_name} {reader.family_name}",
            f"{reader.family_name} {reader.given_name}",
            f"{reader.family_name}{reader.given_name}",
        }
        orders.add((reader.name.startswith(reader.given_name), " " in reader.name))
    assert orders == {(True, True), (False, True), (False, False)}


def test_most_cards_are_valid_some_ran_out_lately_and_few_long_ago(town: list[Reader]) -> None:
    left = [(reader.expires_on - TODAY).days for reader in town]

    assert sum(days > 0 for days in left) / len(town) == pytest.approx(0.92, abs=0.03)
    assert 10 < sum(-60 <= days < 0 for days in left) < 80
    assert 5 < sum(days < -60 for days in left) < 40
    assert max(left) <= 365


def test_readers_live_around_three_branches(town: list[Reader]) -> None:
    homes = Counter(reader.home_branch for reader in town)

    assert homes[0] > homes[1] > homes[2] > 80
