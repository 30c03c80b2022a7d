"""What the ways between branches cost, and which of them make no sense.

Costs are compared and added up, so they are all in one unit: whoever lists a way for three times
the unit says that it is as good as three that are not listed.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from lendery.circulation.rules.filling import TransportCost, same_branch_first

Way = tuple[UUID, UUID]  # from a branch to another


def listed_or_one(listed: Mapping[Way, int]) -> TransportCost:
    """What is listed, else 0 within a branch and 1 between two."""
    if not listed:
        return same_branch_first

    def cost(from_branch_id: UUID, to_branch_id: UUID) -> int:
        found = listed.get((from_branch_id, to_branch_id))
        return same_branch_first(from_branch_id, to_branch_id) if found is None else found

    return cost


def no_ways(ways: Sequence[Way], branches: Collection[UUID]) -> list[tuple[int, str, str]]:
    """The row, the field and what is wrong with it."""
    found: list[tuple[int, str, str]] = []
    seen: dict[Way, int] = {}
    for row, (from_branch_id, to_branch_id) in enumerate(ways):
        way = from_branch_id, to_branch_id
        first = seen.setdefault(way, row)
        for name, branch_id in zip(("from_branch_id", "to_branch_id"), way, strict=True):
            if branch_id not in branches:
                found.append((row, name, "There is no such branch."))
        if from_branch_id == to_branch_id:
            says = "What stays in its branch costs nothing: this is no way between two."
            found.append((row, "to_branch_id", says))
        elif first != row:
            found.append((row, "to_branch_id", f"Row {first + 1} says this way already."))
    return found
