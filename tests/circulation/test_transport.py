"""Ways between branches that cost something: who is served stays, from where changes."""

import asyncio
from uuid import UUID, uuid4

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, READER, Town

from lendery.contracts.base import Invalid, NotAllowed, NotFound, Problem, new_id
from lendery.contracts.circulation import NewTransportCost, NewTransportCosts, Pull, TransportCost
from lendery.contracts.permissions import Actor

Way = tuple[UUID, UUID, int]


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


async def write(town: Town, *ways: Way, actor: Actor = ADMIN) -> list[TransportCost]:
    rows = tuple(
        NewTransportCost(from_branch_id=away, to_branch_id=to, cost=cost) for away, to, cost in ways
    )
    return await town.transport.replace(costs=NewTransportCosts(rows=rows), actor=actor, now=NOW)


async def listed(town: Town) -> set[Way]:
    found = await town.transport.all()
    return {(each.from_branch_id, each.to_branch_id, each.cost) for each in found}


async def opened(desk: Desk) -> tuple[UUID, UUID, UUID, UUID]:
    """Central, north and south; and a book with a copy in the north and one in the south."""
    central, north, south = [
        (await desk.town.branch(code)).id for code in ("central", "north", "south")
    ]
    await desk.rules(loan_period=21)
    book_id = new_id()
    desk.town.copies.add("north-1", north, book_id=book_id)
    desk.town.copies.add("south-1", south, book_id=book_id)
    return central, north, south, book_id


async def pulls(town: Town) -> list[Pull]:
    return await town.holds.to_pull(branch_id=None, actor=LIBRARIAN, now=NOW)


async def test_a_copy_is_fetched_from_where_it_comes_the_cheaper_way(desk: Desk) -> None:
    central, north, south, book_id = await opened(desk)
    held = await desk.wait("ANN", central, book_id=book_id)
    for ways, from_branch in (
        ([(north, central, 3)], south),
        ([(south, central, 2)], north),
        ([(north, central, 3), (south, central, 2)], south),
        ([(north, central, 0)], north),
        ([(central, north, 9), (south, central, 2)], north),  # the way back is another way
    ):
        await write(desk.town, *ways)
        (pull,) = await pulls(desk.town)
        assert (pull.hold_id, pull.branch_id) == (held.id, from_branch), ways


async def test_a_copy_that_comes_in_stays_where_another_comes_the_cheaper_way(desk: Desk) -> None:
    central, north, south, book_id = await opened(desk)
    await write(desk.town, (north, central, 5))
    held = await desk.wait("ANN", central, book_id=book_id)
    taken = await desk.bring("north-1", branch_id=north)
    assert (taken.next, taken.hold) == ("shelve", None)
    assert [pull.branch_id for pull in await pulls(desk.town)] == [south]
    why = await desk.town.queues.why(hold_id=held.id, **desk.here)
    assert why.code == "on-the-list"

    await write(desk.town, (north, central, 5), (south, central, 6))
    taken = await desk.bring("north-1", branch_id=north)
    assert taken.hold is not None
    assert (taken.next, taken.to_branch, taken.hold.id) == ("transit", central, held.id)


async def test_at_the_same_cost_the_copy_in_hand_goes(desk: Desk) -> None:
    central, north, south, book_id = await opened(desk)
    await write(desk.town, (north, central, 5), (south, central, 5))
    held = await desk.wait("ANN", central, book_id=book_id)
    taken = await desk.bring("north-1", branch_id=north)
    assert taken.hold is not None and taken.hold.id == held.id


async def test_no_cost_changes_who_is_served(desk: Desk) -> None:
    """Two copies for three: the first two, however far off they collect."""
    central, north, south, book_id = await opened(desk)
    first = await desk.wait("ANN", central, book_id=book_id)
    second = await desk.wait("BEN", central, book_id=book_id)
    await desk.wait("CLEO", north, book_id=book_id)
    assert {each.hold_id for each in await pulls(desk.town)} == {first.id, second.id}
    await write(desk.town, (north, central, 1000), (south, central, 1000))
    assert {each.hold_id for each in await pulls(desk.town)} == {first.id, second.id}
    taken = await desk.bring("north-1", branch_id=north)
    assert taken.hold is not None and taken.hold.id in (first.id, second.id)


async def test_every_process_decides_by_it_at_once(desk: Desk) -> None:
    central, north, south, book_id = await opened(desk)
    await desk.wait("ANN", central, book_id=book_id)
    here, there = desk.town, Town(desk.town.db)  # each keeps the house in its own memory
    await write(here, (north, central, 4))
    assert [each.branch_id for each in await pulls(there)] == [south]
    await write(here, (south, central, 4))
    assert [each.branch_id for each in await pulls(there)] == [north]


async def test_the_whole_matrix_is_replaced_and_read_by_everybody(desk: Desk) -> None:
    central, north, south, _ = await opened(desk)
    assert await desk.town.transport.all() == []
    told = await write(desk.town, (north, central, 0), (central, north, 1000))
    assert told == await desk.town.transport.all()
    assert await listed(desk.town) == {(north, central, 0), (central, north, 1000)}
    await write(desk.town, (south, central, 2))
    assert await listed(desk.town) == {(south, central, 2)}
    await write(desk.town)
    assert await listed(desk.town) == set()


async def test_a_wrong_row_is_named_and_nothing_is_written(desk: Desk) -> None:
    central, north, south, _ = await opened(desk)
    await write(desk.town, (north, central, 2))
    nowhere = uuid4()
    good = (south, central, 3)
    for wrong, pointer, says in (
        ((nowhere, north, 1), "#/rows/1/from_branch_id", "There is no such branch."),
        ((north, nowhere, 1), "#/rows/1/to_branch_id", "There is no such branch."),
        ((north, north, 1), "#/rows/1/to_branch_id", "What stays in its branch costs nothing"),
        ((south, central, 4), "#/rows/1/to_branch_id", "Row 1 says this way already."),
    ):
        with pytest.raises(Invalid) as told:
            await write(desk.town, good, wrong)
        (error,) = told.value.extra["errors"]
        assert error["pointer"] == pointer and error["says"].startswith(says)
        assert told.value.detail.startswith(f"Row 2: {says}")
        assert await listed(desk.town) == {(north, central, 2)}


async def test_only_who_writes_rules_says_what_ways_cost(desk: Desk) -> None:
    central, north, _, _ = await opened(desk)
    for actor in (LIBRARIAN, READER):
        with pytest.raises(NotAllowed):
            await write(desk.town, (north, central, 2), actor=actor)
    assert await listed(desk.town) == set()


async def test_with_a_branch_its_ways_go(desk: Desk) -> None:
    town = desk.town
    one, two, three = [(await town.branch(code)).id for code in ("one", "two", "three")]
    await write(town, (one, two, 2), (two, one, 3), (two, three, 4))
    await town.branches.remove(branch_id=one, actor=ADMIN, now=NOW)
    assert await listed(town) == {(two, three, 4)}


@pytest.mark.parametrize("turn", range(4))
async def test_no_way_leads_to_a_branch_that_is_removed_meanwhile(desk: Desk, turn: int) -> None:
    town = desk.town
    one, two = [(await town.branch(code)).id for code in ("one", "two")]
    work = [
        town.branches.remove(branch_id=one, actor=ADMIN, now=NOW),
        write(town, (one, two, 2)),
        write(town, (two, one, 3)),
    ]
    done = await asyncio.gather(*(work[turn % 2 :] + work[: turn % 2]), return_exceptions=True)
    assert all(not isinstance(each, BaseException) or isinstance(each, Problem) for each in done)
    with pytest.raises(NotFound):
        await town.branches.get(branch_id=one)
    assert await listed(town) == set()


async def test_of_two_who_write_at_once_one_matrix_stands(desk: Desk) -> None:
    town = desk.town
    one, two, three = [(await town.branch(code)).id for code in ("one", "two", "three")]
    mine, yours = {(one, two, 2), (two, one, 2)}, {(one, two, 7), (two, three, 7)}
    await asyncio.gather(write(town, *mine), write(town, *yours))
    assert await listed(town) in (mine, yours)
