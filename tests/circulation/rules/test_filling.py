from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lendery.circulation.rules.filling import (
    Shelf,
    TransportCost,
    Waiting,
    filled,
    same_branch_first,
    who_loses,
)

CENTRAL, NORTH, SOUTH = UUID(int=11), UUID(int=12), UUID(int=13)
BRANCHES = (CENTRAL, NORTH, SOUTH)
ANN, BEN, EMMA, FRED = (UUID(int=n) for n in range(1, 5))
NAMES = {ANN: "Ann", BEN: "Ben", EMMA: "Emma", FRED: "Fred"}


def waits(hold_id: UUID, *takes: int, at: UUID = CENTRAL) -> Waiting:
    return Waiting(id=hold_id, pickup_branch_id=at, takes=frozenset(takes))


def shelf(at: UUID = CENTRAL, copies: int = 1) -> Shelf:
    return Shelf(branch_id=at, copies=copies)


class Case(NamedTuple):
    """`gets`: which shelf each gets. Who is not in it goes on waiting."""

    queue: list[Waiting]
    shelves: list[Shelf]
    gets: dict[str, int]
    prefer: int | None = None


# Ann would take the copy at hand, but Ben can only have that one, and there is another for Ann
STEP_ASIDE = Case([waits(ANN, 0, 1), waits(BEN, 0)], [shelf(), shelf(NORTH)], {"Ann": 1, "Ben": 0})

CASES = {
    "nobody waits": Case([], [shelf()], {}),
    "there is nothing": Case([waits(ANN)], [], {}),
    "one for one": Case([waits(ANN, 0)], [shelf()], {"Ann": 0}),
    "she cannot have that one": Case([waits(ANN, 1)], [shelf(), shelf(copies=0)], {}),
    "the first in the queue": Case([waits(BEN, 0), waits(ANN, 0)], [shelf()], {"Ben": 0}),
    "a group of two": Case(
        [waits(ANN, 0), waits(BEN, 0), waits(EMMA, 0)], [shelf(copies=2)], {"Ann": 0, "Ben": 0}
    ),
    "the nearest": Case([waits(ANN, 0, 1)], [shelf(NORTH), shelf()], {"Ann": 1}),
    "fair before near": Case(
        [waits(ANN, 0, at=CENTRAL), waits(BEN, 0, at=NORTH)], [shelf(NORTH)], {"Ann": 0}
    ),
    "the one before steps aside": STEP_ASIDE,
    "two before step aside": Case(
        [waits(ANN, 0, 1), waits(BEN, 1, 2), waits(EMMA, 0)],
        [shelf(), shelf(), shelf(NORTH)],
        {"Ann": 1, "Ben": 2, "Emma": 0},
    ),
    "who has stepped aside cannot do so again": Case(
        [waits(ANN, 0, 1, 2), waits(BEN, 0), waits(EMMA, 0)],
        [shelf(), shelf(), shelf()],
        {"Ann": 1, "Ben": 0},
    ),
    "a named copy does not jump the queue": Case(
        [waits(ANN, 0, 1), waits(BEN, 0, 1), waits(EMMA, 0)],
        [shelf(), shelf()],
        {"Ann": 0, "Ben": 1},
    ),
    "who cannot be served holds up nobody": Case(
        [waits(ANN), waits(BEN, 0)], [shelf()], {"Ben": 0}
    ),
    "each at home": Case(
        [waits(ANN, 0, 1, at=NORTH), waits(BEN, 0, 1)],
        [shelf(), shelf(NORTH)],
        {"Ann": 1, "Ben": 0},
    ),
    "of two alike the first gets the near one": Case(
        [waits(ANN, 0, 1), waits(BEN, 0, 1)], [shelf(NORTH), shelf()], {"Ann": 1, "Ben": 0}
    ),
    "the copy in hand": Case([waits(ANN, 0, 1)], [shelf(), shelf()], {"Ann": 1}, prefer=1),
    "the copy in hand, the first of them": Case(
        [waits(ANN, 0, 1)], [shelf(), shelf()], {"Ann": 0}, prefer=0
    ),
    "not the copy in hand, when another is nearer": Case(
        [waits(ANN, 0, 1)], [shelf(NORTH), shelf()], {"Ann": 1}, prefer=0
    ),
    "the copy in hand, as far as the others": Case(
        [waits(ANN, 0, 1, 2)], [shelf(NORTH), shelf(SOUTH), shelf(NORTH)], {"Ann": 2}, prefer=2
    ),
    "the copy in hand, handed on": Case(
        [waits(ANN, 0, 1), waits(BEN, 0, 2)],
        [shelf(), shelf(), shelf()],
        {"Ann": 1, "Ben": 0},
        prefer=1,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_who_gets_which_copy(case: Case) -> None:
    told = filled(case.queue, case.shelves, prefer=case.prefer)
    assert {NAMES[hold_id]: shelf for hold_id, shelf in told.items()} == case.gets


def test_the_transport_of_all_together_is_the_least() -> None:
    costs = {
        (NORTH, CENTRAL): 3,
        (NORTH, SOUTH): 9,
        (SOUTH, CENTRAL): 4,
        (SOUTH, SOUTH): 0,
    }
    queue = [waits(ANN, 0, 1, at=SOUTH), waits(BEN, 0, 1, at=CENTRAL)]
    shelves = [shelf(NORTH), shelf(SOUTH)]
    assert filled(queue, shelves, lambda *way: costs[way]) == {ANN: 1, BEN: 0}
    costs[NORTH, SOUTH] = 0
    assert filled(queue, shelves, lambda *way: costs[way]) == {ANN: 1, BEN: 0}  # 3, not 4
    costs[SOUTH, CENTRAL] = 2
    assert filled(queue, shelves, lambda *way: costs[way]) == {ANN: 0, BEN: 1}  # 2, not 3


def test_many_ties_never_outweigh_one_step_of_transport() -> None:
    queue = [waits(UUID(int=n), 0, 1) for n in range(1, 41)]
    assert set(filled(queue, [shelf(NORTH, 40), shelf(CENTRAL, 40)], prefer=0).values()) == {1}
    assert set(filled(queue, [shelf(CENTRAL, 40), shelf(CENTRAL, 40)], prefer=1).values()) == {1}


def test_a_renewal_is_refused_only_where_somebody_would_lose() -> None:
    on_loan, other = shelf(), shelf(NORTH)
    assert who_loses([waits(ANN, 0)], [on_loan], keep=0) == ANN
    assert who_loses([], [on_loan], keep=0) is None
    assert who_loses([waits(ANN, 1)], [on_loan, other], keep=0) is None
    assert who_loses([waits(ANN)], [on_loan], keep=0) is None
    assert who_loses([waits(ANN, 0, 1)], [on_loan, other], keep=0) is None
    assert who_loses([waits(ANN, 0, 1), waits(BEN, 1)], [on_loan, other], keep=0) == BEN
    assert who_loses([waits(BEN, 1), waits(ANN, 0, 1)], [on_loan, other], keep=0) == ANN
    assert who_loses([waits(ANN, 1, 0), waits(BEN, 1)], [on_loan, shelf(NORTH, 2)], keep=0) is None


def test_a_renewal_is_not_refused_where_others_can_change_copies() -> None:
    """In a greedy pass Ann would take the copy that Ben needs, and Ben would seem to lose."""
    queue, shelves = [waits(ANN, 1, 2), waits(BEN, 0, 1)], [shelf(), shelf(), shelf(NORTH)]
    assert who_loses(queue, shelves, keep=0) is None
    assert greedy(queue, [shelf(copies=0), *shelves[1:]]) == {ANN: 1}
    assert who_loses([waits(ANN, 1), waits(BEN, 0, 1)], shelves, keep=0) == BEN


def greedy(
    queue: Sequence[Waiting],
    shelves: Sequence[Shelf],
    cost: TransportCost = same_branch_first,
    prefer: int | None = None,
) -> dict[UUID, int]:
    """What this must not be: each takes the nearest that is left."""
    left, told = [each.copies for each in shelves], {}
    for waiting in queue:
        free = [each for each in sorted(waiting.takes) if left[each]]
        if free:
            at = waiting.pickup_branch_id
            told[waiting.id] = min(
                free, key=lambda each: (cost(shelves[each].branch_id, at), each != prefer)
            )
            left[told[waiting.id]] -= 1
    return told


Worth = tuple[list[bool], int, int]


def worth(
    queue: Sequence[Waiting],
    shelves: Sequence[Shelf],
    given: Sequence[int | None],
    cost: TransportCost,
    prefer: int | None,
) -> Worth:
    """Who is served, the transport (less is more), how many of the preferred. More is better.

    To be served with a better place counts more than all that comes after.
    """
    ways = [
        cost(shelves[each].branch_id, waiting.pickup_branch_id)
        for waiting, each in zip(queue, given, strict=True)
        if each is not None
    ]
    preferred = sum(each == prefer for each in given if each is not None)
    return [each is not None for each in given], -sum(ways), preferred


def possible(way: Sequence[int | None], queue: Sequence[Waiting], shelves: Sequence[Shelf]) -> bool:
    """Nobody gets what they do not take, and no shelf gives more than it has."""
    used = Counter(each for each in way if each is not None)
    return all(
        each is None or each in waiting.takes for waiting, each in zip(queue, way, strict=True)
    ) and all(number <= shelves[each].copies for each, number in used.items())


def all_ways(queue: Sequence[Waiting], shelves: Sequence[Shelf]) -> Iterator[list[int | None]]:
    for way in product(*([None, *sorted(waiting.takes)] for waiting in queue)):
        if possible(way, queue, shelves):
            yield list(way)


def best(
    queue: Sequence[Waiting],
    shelves: Sequence[Shelf],
    cost: TransportCost = same_branch_first,
    prefer: int | None = None,
) -> Worth:
    return max(worth(queue, shelves, way, cost, prefer) for way in all_ways(queue, shelves))


def worth_of(
    told: dict[UUID, int],
    queue: Sequence[Waiting],
    shelves: Sequence[Shelf],
    cost: TransportCost = same_branch_first,
    prefer: int | None = None,
) -> Worth:
    """The same of an answer, once it is seen to be one of the ways there are."""
    given = [told.get(waiting.id) for waiting in queue]
    assert set(told) <= {waiting.id for waiting in queue}
    assert possible(given, queue, shelves)
    return worth(queue, shelves, given, cost, prefer)


def most(queue: Sequence[Waiting], shelves: Sequence[Shelf]) -> int:
    """How many can be served at all."""
    return max(len(way) - way.count(None) for way in all_ways(queue, shelves))


@st.composite
def halls(draw: st.DrawFn) -> tuple[list[Waiting], list[Shelf]]:
    shelves = draw(
        st.lists(
            st.builds(
                Shelf, branch_id=st.sampled_from(BRANCHES), copies=st.sampled_from((1, 1, 1, 2, 0))
            ),
            min_size=1,
            max_size=4,
        )
    )
    takes = st.frozensets(st.integers(0, len(shelves) - 1))
    told = draw(st.lists(st.tuples(st.sampled_from(BRANCHES), takes), max_size=5))
    queue = [
        Waiting(id=UUID(int=n), pickup_branch_id=at, takes=its) for n, (at, its) in enumerate(told)
    ]
    return queue, shelves


cost_tables = st.fixed_dictionaries({way: st.integers(0, 5) for way in product(BRANCHES, BRANCHES)})


@settings(deadline=None, max_examples=400)
@given(hall=halls(), costs=cost_tables, prefer=st.none() | st.integers(0, 3))
def test_no_way_of_all_is_fairer_or_nearer(
    hall: tuple[list[Waiting], list[Shelf]],
    costs: dict[tuple[UUID, UUID], int],
    prefer: int | None,
) -> None:
    queue, shelves = hall
    for cost in (same_branch_first, lambda *way: costs[way]):
        told = filled(queue, shelves, cost, prefer)
        assert worth_of(told, queue, shelves, cost, prefer) == best(queue, shelves, cost, prefer)
        assert len(told) == most(queue, shelves)  # to be fair costs nobody a copy


@settings(deadline=None)
@given(hall=halls())
def test_who_comes_later_takes_no_copy_from_who_was_before(
    hall: tuple[list[Waiting], list[Shelf]],
) -> None:
    queue, shelves = hall
    before: set[UUID] = set()
    for length in range(1, len(queue) + 1):
        served = set(filled(queue[:length], shelves))
        assert before <= served <= before | {queue[length - 1].id}
        before = served


@settings(deadline=None, max_examples=200)
@given(hall=halls(), data=st.data())
def test_a_renewal_costs_somebody_a_copy_just_where_fewer_can_be_served(
    hall: tuple[list[Waiting], list[Shelf]], data: st.DataObject
) -> None:
    queue, shelves = hall
    keep = data.draw(st.integers(0, len(shelves) - 1))
    shelves[keep] = Shelf(branch_id=shelves[keep].branch_id, copies=1)
    without = [*shelves]
    without[keep] = Shelf(branch_id=shelves[keep].branch_id, copies=0)
    loses = most(queue, without) < most(queue, shelves)
    assert (who_loses(queue, shelves, keep) is not None) is loses


def test_the_oracle_sees_what_a_greedy_pass_does_wrong() -> None:
    queue, shelves = STEP_ASIDE.queue, STEP_ASIDE.shelves
    assert greedy(queue, shelves) == {ANN: 0}
    assert worth_of(greedy(queue, shelves), queue, shelves) < best(queue, shelves)
    queue = [waits(ANN, 0, 1, at=CENTRAL), waits(BEN, 0, 1, at=SOUTH)]
    shelves = [shelf(CENTRAL), shelf(NORTH)]

    def cost(from_branch_id: UUID, to_branch_id: UUID) -> int:
        if from_branch_id == CENTRAL:
            return 0
        return 1 if to_branch_id == CENTRAL else 5

    # here it serves both, and drives further than it must
    assert greedy(queue, shelves, cost) == {ANN: 0, BEN: 1}
    assert worth_of(greedy(queue, shelves, cost), queue, shelves, cost) == ([True, True], -5, 0)
    assert best(queue, shelves, cost) == ([True, True], -1, 0)
    assert filled(queue, shelves, cost) == {ANN: 1, BEN: 0}


def test_the_oracle_refuses_a_copy_too_many_and_a_copy_not_taken() -> None:
    for told in ({ANN: 0, BEN: 0}, {ANN: 1}):
        with pytest.raises(AssertionError):
            worth_of(told, [waits(ANN, 0), waits(BEN, 0)], [shelf(), shelf()])


def test_a_long_queue_is_a_graph_of_few_nodes() -> None:
    """500 copies at five branches and 300 holds: asks for each way once, not for each hold."""
    asked: list[tuple[UUID, UUID]] = []

    def cost(from_branch_id: UUID, to_branch_id: UUID) -> int:
        asked.append((from_branch_id, to_branch_id))
        return same_branch_first(from_branch_id, to_branch_id)

    five = [UUID(int=100 + n) for n in range(5)]
    shelves = [shelf(branch, 100) for branch in five]
    queue = [
        waits(UUID(int=1000 + n), *range(5), at=five[0 if n < 150 else n % 5]) for n in range(300)
    ]
    told = filled(queue, shelves, cost)
    assert len(told) == 300
    assert len(asked) == 25
    collected = Counter(waiting.pickup_branch_id for waiting in queue)
    assert collected[five[0]] == 180
    carried = sum(
        shelves[told[waiting.id]].branch_id != waiting.pickup_branch_id for waiting in queue
    )
    assert carried == 180 - 100
