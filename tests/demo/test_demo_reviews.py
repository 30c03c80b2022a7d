"""What the readers of the demo library think of its books."""

from collections import Counter
from typing import Any

import pytest
from tests.demo.standing import NOW, Standing

from lendery.demo import critics

pytestmark = pytest.mark.xdist_group("demo library")


def test_most_who_write_are_content_and_some_are_not(town: Standing) -> None:
    stars = Counter(each.rating for each in town.reviews)
    assert len(town.reviews) > 50
    assert set(stars) == {1, 2, 3, 4, 5}
    assert stars[4] + stars[5] > len(town.reviews) / 2 > stars[1] + stars[2]


def test_who_had_the_book_in_hand_has_the_mark_and_the_few_others_have_not(
    town: Standing,
) -> None:
    read = {(each.patron_id, each.book_id) for each in town.loans}
    for each in town.reviews:
        assert each.verified == ((each.patron_id, each.book_id) in read)
    assert 0 < sum(not each.verified for each in town.reviews) < len(town.reviews) / 4


def test_nothing_was_written_before_the_book_came_back_or_in_the_future(town: Standing) -> None:
    back: dict[Any, Any] = {}
    for loan in town.loans:
        if loan.returned_at:
            key = loan.patron_id, loan.book_id
            back[key] = min(loan.returned_at, back.get(key, loan.returned_at))
    for each in town.reviews:
        assert each.created_at <= NOW
        returned_at = back.get((each.patron_id, each.book_id))
        assert returned_at is None or returned_at <= each.created_at


def test_no_reader_is_named(town: Standing) -> None:
    names = {each.display_name for each in town.reviews}
    assert None in names and len(names) > 5
    assert names - {None} <= set(critics._NAMES)


def test_staff_have_something_to_look_at_and_have_hidden_something(town: Standing) -> None:
    assert Counter(each.state for each in town.reviews)["reported"] == 2
    (hidden,) = [each for each in town.reviews if each.state == "hidden"]
    assert hidden.hidden_because


def test_the_catalogue_knows_the_stars_of_all_that_are_shown(town: Standing) -> None:
    shown = [each for each in town.reviews if each.state != "hidden"]
    counted = Counter((each.book_id, each.rating) for each in shown)
    told = {
        (row.book_id, number): many
        for row in town.ratings
        for number, many in enumerate((row.ones, row.twos, row.threes, row.fours, row.fives), 1)
        if many
    }
    assert told == counted
