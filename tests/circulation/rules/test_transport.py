from itertools import product
from uuid import UUID

import pytest

from lendery.circulation.rules.filling import Shelf, Waiting, filled, same_branch_first
from lendery.circulation.rules.transport import Way, listed_or_one, no_ways

CENTRAL, NORTH, SOUTH, NOWHERE = (UUID(int=n) for n in range(11, 15))
BRANCHES = (CENTRAL, NORTH, SOUTH)
ANN, BEN = UUID(int=1), UUID(int=2)


def test_what_is_not_listed_costs_one_and_nothing_within_a_branch() -> None:
    cost = listed_or_one({(NORTH, CENTRAL): 0, (SOUTH, CENTRAL): 7})
    assert {way: cost(*way) for way in product(BRANCHES, BRANCHES)} == {
        (CENTRAL, CENTRAL): 0,
        (CENTRAL, NORTH): 1,
        (CENTRAL, SOUTH): 1,
        (NORTH, CENTRAL): 0,  # it says nothing of the way back
        (NORTH, NORTH): 0,
        (NORTH, SOUTH): 1,
        (SOUTH, CENTRAL): 7,
        (SOUTH, NORTH): 1,
        (SOUTH, SOUTH): 0,
    }
    assert listed_or_one({}) is same_branch_first


@pytest.mark.parametrize(
    ("listed", "shelf"),
    [
        ({(NORTH, CENTRAL): 2}, SOUTH),  # 2 against 1
        ({(NORTH, CENTRAL): 0}, NORTH),  # 0 against 1
        ({(NORTH, CENTRAL): 2, (SOUTH, CENTRAL): 3}, NORTH),
        ({(NORTH, CENTRAL): 3, (SOUTH, CENTRAL): 2}, SOUTH),
        ({(CENTRAL, NORTH): 1000, (SOUTH, CENTRAL): 2}, NORTH),  # the way there, not the way back
    ],
)
def test_the_copy_comes_the_cheaper_way(listed: dict[Way, int], shelf: UUID) -> None:
    queue = [Waiting(id=ANN, pickup_branch_id=CENTRAL, takes=frozenset({0, 1}))]
    shelves = [Shelf(branch_id=NORTH), Shelf(branch_id=SOUTH)]
    given = filled(queue, shelves, listed_or_one(listed))
    assert shelves[given[ANN]].branch_id == shelf


def test_no_cost_takes_a_copy_from_who_waited_longer() -> None:
    queue = [
        Waiting(id=ANN, pickup_branch_id=NORTH, takes=frozenset({0})),
        Waiting(id=BEN, pickup_branch_id=CENTRAL, takes=frozenset({0})),
    ]
    shelves = [Shelf(branch_id=CENTRAL)]
    assert filled(queue, shelves, listed_or_one({(CENTRAL, NORTH): 1000})) == {ANN: 0}


NO_BRANCH = "There is no such branch."
STAYS = "What stays in its branch costs nothing: this is no way between two."
CASES: list[tuple[list[Way], list[tuple[int, str, str]]]] = [
    ([], []),
    ([(NORTH, SOUTH), (SOUTH, NORTH)], []),
    ([(NORTH, SOUTH), (NOWHERE, NORTH)], [(1, "from_branch_id", NO_BRANCH)]),
    ([(NORTH, NOWHERE)], [(0, "to_branch_id", NO_BRANCH)]),
    ([(NORTH, NORTH)], [(0, "to_branch_id", STAYS)]),
    (
        [(NORTH, SOUTH), (SOUTH, NORTH), (NORTH, SOUTH)],
        [(2, "to_branch_id", "Row 1 says this way already.")],
    ),
]


@pytest.mark.parametrize(("ways", "found"), CASES)
def test_what_is_no_way(ways: list[Way], found: list[tuple[int, str, str]]) -> None:
    assert no_ways(ways, set(BRANCHES)) == found
