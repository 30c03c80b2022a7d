"""The demo library owns what a library of its size might."""

from collections import Counter

import pytest

from lendery.demo.copies import PlannedCopy, copies
from lendery.demo.titles import Title, titles

Owned = tuple[list[Title], list[PlannedCopy]]


@pytest.fixture(scope="module")
def owned() -> Owned:
    listed = list(titles())
    return listed, copies(listed, seed=11)


@pytest.mark.parametrize(
    ("books", "count"), [(1, 1), (1, 25), (10, 10), (10, 11), (10, 249), (10, 250), (0, 0)]
)
def test_exactly_the_wanted_number_of_copies_is_bought(books: int, count: int) -> None:
    listed = list(titles(books))
    of_each = Counter(copy.title_index for copy in copies(listed, count=count, seed=1))

    assert sum(of_each.values()) == count
    assert set(of_each) == set(range(books))
    assert all(1 <= number <= 25 for number in of_each.values())


@pytest.mark.parametrize(("books", "count"), [(10, 9), (10, 251), (1, 26), (0, 1)])
def test_a_number_that_cannot_be_divided_is_refused(books: int, count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} copies of {books} titles"):
        copies(list(titles(books)), count=count, seed=1)


def test_popular_titles_have_many_copies_in_all_branches(owned: Owned) -> None:
    listed, bought = owned
    of_each = Counter(copy.title_index for copy in bought)
    branches_of_first = {copy.branch_index for copy in bought if copy.title_index == 0}

    assert len(bought) == 45_000
    assert set(of_each) == set(range(len(listed)))
    assert of_each[0] == 25
    assert of_each[0] >= of_each[100] > of_each[1_000] > of_each[20_000]
    assert branches_of_first == {0, 1, 2}


def test_most_copies_are_books_and_a_few_are_other_things(owned: Owned) -> None:
    listed, bought = owned
    types = Counter(copy.item_type for copy in bought)

    assert types["book"] / len(bought) > 0.9
    assert all(types[other] > 100 for other in ("reference", "audiobook", "dvd", "magazine"))
    for copy in bought:
        periodical = listed[copy.title_index].call_number.startswith("AP ")
        assert (copy.item_type == "magazine") == periodical
