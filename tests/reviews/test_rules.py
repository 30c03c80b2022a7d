"""What follows for a review and for the stars of its book."""

from datetime import UTC, datetime, timedelta

import pytest

from lendery.reviews import rules

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "public", "reported"),
    [("shown", True, "reported"), ("reported", True, "reported"), ("hidden", False, "hidden")],
)
def test_a_report_hides_nothing_and_brings_nothing_back(
    state: rules.State, public: bool, reported: str
) -> None:
    assert rules.is_public(state) is public
    assert rules.after_report(state) == reported


def test_staff_hide_or_show() -> None:
    assert (rules.after_decision("hide"), rules.after_decision("approve")) == ("hidden", "shown")


@pytest.mark.parametrize(
    ("before", "after", "stars"),
    [
        (None, 5, (1, 0, 2, 0, 2)),
        (3, None, (1, 0, 1, 0, 1)),
        (3, 1, (2, 0, 1, 0, 1)),
        (3, 3, (1, 0, 2, 0, 1)),
        (None, None, (1, 0, 2, 0, 1)),
    ],
)
def test_the_stars_of_a_book_follow_its_reviews(
    before: int | None, after: int | None, stars: tuple[int, ...]
) -> None:
    assert rules.counted((1, 0, 2, 0, 1), before=before, after=after) == stars


@pytest.mark.parametrize(
    ("age", "wait"), [(0, 1), (1, 1), (2, 2), (30, 30), (90, 90), (91, 90), (4000, 90)]
)
def test_the_older_a_review_the_more_seldom_is_asked(age: int, wait: int) -> None:
    assert rules.ask_again_at(NOW - timedelta(days=age), NOW) == NOW + timedelta(days=wait)
