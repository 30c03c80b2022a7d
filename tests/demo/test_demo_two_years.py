"""The demo library as a whole: all that was counted is there, and follows from seed and day."""

from collections import Counter
from pathlib import Path

import pytest
from tests.demo.standing import NOW, Standing, build, outline

from lendery.demo import desk
from lendery.demo.build import SEED

pytestmark = pytest.mark.xdist_group("demo library")


def test_the_same_seed_and_day_build_the_same_library_one_step_after_another(
    town: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "AT_ONCE", 1)

    assert outline(build(tmp_path)) == outline(town)


def test_another_seed_builds_another(town: Standing, tmp_path: Path) -> None:
    assert outline(build(tmp_path, seed=SEED + 1)) != outline(town)


def test_what_was_counted_is_there(town: Standing) -> None:
    states = Counter(each.state for each in town.holds)
    kinds = Counter(each.kind for each in town.lines)
    payments = {each.settlement_id for each in town.lines if each.kind == "payment"}

    assert town.built.loans == len(town.loans)
    assert town.built.returns == sum(each.returned_at is not None for each in town.loans)
    assert town.built.renewals == sum(each.renewals for each in town.loans)
    assert town.built.holds == len(town.holds)
    assert town.built.collected == states["fulfilled"]
    assert town.built.cancelled == states["cancelled"]
    assert town.built.expired == states["expired"]
    assert town.built.fines == kinds["charge"]
    assert town.built.payments == len(payments)
    assert town.built.forgiven == kinds["waiver"] + kinds["cancellation"]
    assert town.built.reviews == len(town.reviews)


def test_every_bar_comes_to_its_end(town: Standing) -> None:
    last = ["Reviews", "Telling the catalogue", "Counting for the reports"]
    assert list(town.parts)[-4:] == ["Two years of lending", *last]
    for total, advanced in town.parts.values():
        assert total == advanced > 0


def test_there_is_something_of_everything_today(town: Standing) -> None:
    for state in ("waiting", "in-transit", "ready", "fulfilled", "cancelled", "expired"):
        assert town.holds_that_are(state), f"no hold is {state}"
    assert any(each.suspended for each in town.holds)
    assert any(each.due_at < NOW for each in town.out.values())
    assert {each.reason for each in town.lines if each.kind == "charge"} >= {"late", "hold"}
    assert {each.method for each in town.lines if each.kind == "payment"} == {"cash", "card"}
    assert any(each.kind == "waiver" for each in town.lines)
    assert any(each.kind == "cancellation" for each in town.lines)


def test_few_planned_loans_fail(town: Standing) -> None:
    built = town.built
    planned = built.loans - built.collected + built.refused + built.missed

    assert built.owing / planned < 0.02
    assert built.refused / planned < 0.02
    assert built.missed / planned < 0.05


def test_the_catalogue_knows_how_often_each_book_was_lent(town: Standing) -> None:
    lent = Counter(each.book_id for each in town.loans)

    assert {book: times for book, times in town.popularity.items() if times} == lent


def test_reports_know_all_loans_from_the_log(town: Standing) -> None:
    assert sum(row.lent for row in town.counted) == len(town.loans)
    assert sum(row.returned for row in town.counted) == len(town.loans) - len(town.out)
    assert {row.category for row in town.counted if row.lent} <= {
        "adult", "child", "student", "staff",
    }  # fmt: skip
