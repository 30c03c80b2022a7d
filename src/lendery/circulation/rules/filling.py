"""Who gets which free copy: fair first, near second.

The queue is served in its order, by augmenting paths: whoever can be served is served beside all
who have a better place, if need be by giving those another copy; nobody loses one to a worse place.
Of all ways to serve just these, the one of least transport is taken.

So it is done: one hold after the other takes the cheapest path over those before it, who change
from one copy to another, to a copy that is free. What is given stays the cheapest way to serve
those served so far (successive shortest paths). Holds alike, with the same pick-up branch and
choice, are one kind, and copies alike one shelf, so a long queue is still a graph of few nodes.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from uuid import UUID

TransportCost = Callable[[UUID, UUID], int]  # from a branch to another; not below zero


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A hold in the queue. `takes`: the indexes of the shelves that may serve it."""

    id: UUID
    pickup_branch_id: UUID
    takes: frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """So many free copies at a branch that are all the same to every hold in the queue."""

    branch_id: UUID
    copies: int = 1


def same_branch_first(from_branch_id: UUID, to_branch_id: UUID) -> int:
    return 0 if from_branch_id == to_branch_id else 1


def filled(
    queue: Sequence[Waiting],
    shelves: Sequence[Shelf],
    cost: TransportCost = same_branch_first,
    prefer: int | None = None,
) -> dict[UUID, int]:
    """Which hold gets a copy from which shelf, by its index. Who is not in it goes on waiting.

    Where it costs the same, a copy from `prefer` (the shelf of the copy in hand) is used rather
    than another. Of holds alike the first gets the nearest.
    """
    kinds = dict.fromkeys((waiting.pickup_branch_id, waiting.takes) for waiting in queue)
    choices = []
    for pickup_branch_id, takes in kinds:
        choice = {}
        for shelf in takes:
            transport = cost(shelves[shelf].branch_id, pickup_branch_id)
            # one exchange of copies takes at most one from `prefer`: a tie weighs half a step
            choice[shelf] = 2 * transport + (shelf != prefer)
        choices.append(choice)
    filling = _Filling([shelf.copies for shelf in shelves], choices)
    numbers = {kind: number for number, kind in enumerate(kinds)}
    served: defaultdict[int, list[UUID]] = defaultdict(list)
    for waiting in queue:
        kind = numbers[waiting.pickup_branch_id, waiting.takes]
        if filling.serve(kind):
            served[kind].append(waiting.id)
    return {
        hold_id: shelf
        for kind, hold_ids in served.items()
        for hold_id, shelf in zip(hold_ids, filling.given_to(kind), strict=True)
    }


def who_loses(queue: Sequence[Waiting], shelves: Sequence[Shelf], keep: int) -> UUID | None:
    """The hold that would be served with one more copy of the shelf `keep`, and is not without.

    For renewals: that shelf is the copy on loan, as if it came back. None: nobody loses by it.
    """
    numbers = {takes: number for number, takes in enumerate({w.takes: None for w in queue})}
    free = [shelf.copies for shelf in shelves]
    free[keep] -= 1
    filling = _Filling(free, [dict.fromkeys(takes, 0) for takes in numbers])
    left_out = [waiting for waiting in queue if not filling.serve(numbers[waiting.takes])]
    filling.add(keep)
    return next((w.id for w in left_out if filling.serve(numbers[w.takes])), None)


class _Filling:
    """What is given so far. `choices`: for each kind of hold its shelves, and what each weighs."""

    def __init__(self, free: list[int], choices: list[dict[int, int]]) -> None:
        self._free = free
        self._choices = [
            dict(sorted(choice.items(), key=lambda item: (item[1], item[0]))) for choice in choices
        ]
        self._takers: list[Counter[int]] = [Counter() for _ in free]  # of each shelf, by kind
        self._hopeless: set[int] = set()

    def serve(self, kind: int) -> bool:
        """Give one hold of this kind a copy, if there is a way that takes none from the others."""
        if kind in self._hopeless:
            return False
        weighs: dict[int, float] = {kind: 0}  # the lightest way to each kind, to each shelf
        reached: dict[int, float] = {}
        leaves: dict[int, int] = {}  # which shelf a kind would give up on that way
        taker: dict[int, int] = {}  # which kind would take from a shelf on that way
        best, end = inf, None
        todo = deque([kind])
        while todo:
            at = todo.popleft()
            for shelf, weight in self._choices[at].items():
                total = weighs[at] + weight
                if total >= best:  # what is given is cheapest: no way on from a shelf gains
                    break
                if total >= reached.get(shelf, inf):
                    continue
                reached[shelf], taker[shelf] = total, at
                if self._free[shelf] > 0:
                    best, end = total, shelf
                    continue
                for other in self._takers[shelf]:
                    back = total - self._choices[other][shelf]
                    if back < weighs.get(other, inf):
                        weighs[other], leaves[other] = back, shelf
                        todo.append(other)
        if end is None:
            self._hopeless.update(weighs)  # a closed circle: no later way leads into or out of it
            return False
        self._hand_over(kind, end, taker, leaves)
        return True

    def add(self, shelf: int) -> None:
        """One more copy is free."""
        self._free[shelf] += 1
        self._hopeless.clear()

    def given_to(self, kind: int) -> list[int]:
        """The shelves of the copies given to holds of this kind, nearest first."""
        return [shelf for shelf in self._choices[kind] for _ in range(self._takers[shelf][kind])]

    def _hand_over(
        self, kind: int, end: int, taker: dict[int, int], leaves: dict[int, int]
    ) -> None:
        """Along the way found, from its end: each takes from the next shelf what it gives up."""
        self._free[end] -= 1
        shelf = end
        while True:
            at = taker[shelf]
            self._takers[shelf][at] += 1
            if at == kind:
                return
            shelf = leaves[at]
            self._takers[shelf][at] -= 1
            if not self._takers[shelf][at]:
                del self._takers[shelf][at]
