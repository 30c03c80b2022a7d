"""When a copy is likely to be ready, by what this library has seen."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from tests.circulation.desk import Desk
from tests.circulation.past_holds import DAY, a_copy, past
from tests.circulation.town import NOW, READER, Town

from lendery.circulation import waiting_times
from lendery.circulation.models import copy
from lendery.circulation.repository import waits
from lendery.circulation.waiting_times import WaitingTimes
from lendery.contracts.base import NotAllowed, new_id
from lendery.contracts.circulation import Expected, Hold, Suspension
from lendery.contracts.permissions import Actor


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


async def served_after_1_to(count: int, town: Town) -> None:
    for days in range(1, count + 1):
        await past(town, NOW - 60 * DAY, days)


async def waits_first(desk: Desk, at: datetime = NOW) -> Hold:
    """Ann is the first in line for a book with one copy, which is out."""
    branch = await desk.town.branch()
    await desk.rules(loan_period=21)
    thing = desk.town.copies.add("b1", branch.id)
    await desk.at(at).lend("b1", "BEN")
    return await desk.at(at).wait("ANN", branch.id, book_id=thing.book_id)


async def told(desk: Desk, held: Hold) -> Expected | None:
    """The same by the list and by the one."""
    (found,) = await desk.town.queues.expected(hold_ids=[held.id], **desk.here)
    why = await desk.town.queues.why(hold_id=held.id, **desk.here)
    assert (found.hold_id, found.expected) == (held.id, why.expected)
    return found.expected


def days(first: int, last: int, since: datetime = NOW) -> Expected:
    return Expected(from_=(since + first * DAY).date(), until=(since + last * DAY).date())


async def test_from_the_10th_to_the_90th_of_those_in_such_a_place(desk: Desk) -> None:
    await served_after_1_to(20, desk.town)
    held = await waits_first(desk)
    assert await told(desk, held) == days(2, 19)
    assert days(2, 19).model_dump(mode="json") == {"from": "2026-03-04", "until": "2026-03-21"}


async def test_nineteen_are_not_enough_experience(desk: Desk) -> None:
    await served_after_1_to(19, desk.town)
    await past(desk.town, NOW - 366 * DAY, 3)
    await past(desk.town, NOW - 60 * DAY, 3, state="cancelled", ready_at=None)
    await past(desk.town, NOW - 60 * DAY, 3, copy_id=new_id())
    held = await waits_first(desk)
    assert await told(desk, held) is None


async def test_who_has_waited_long_is_told_of_those_who_waited_longer(desk: Desk) -> None:
    await served_after_1_to(40, desk.town)
    begun = NOW - 10 * DAY
    held = await waits_first(desk, begun)
    # 30 waited for 11 to 40 days: ranks 3 and 28 of them are days 13 and 38
    assert await told(desk, held) == days(13, 38, begun)


async def test_a_reader_who_came_nearer_waits_as_one_placed_there(desk: Desk) -> None:
    await served_after_1_to(20, desk.town)
    branch = await desk.town.branch()
    await desk.rules(loan_period=21)
    thing = desk.town.copies.add("b1", branch.id)
    before = desk.at(NOW - 10 * DAY)
    await before.lend("b1", "BEN")
    first = await before.wait("CLEO", branch.id, book_id=thing.book_id)
    held = await before.wait("ANN", branch.id, book_id=thing.book_id)
    assert await told(desk, held) is None  # nobody was second before
    await desk.cancel(first)
    # Cleo, who gave up on day 10, is one of 21 who waited: 2 of 21 are not yet a tenth
    assert await told(desk, held) == days(3, 20)


async def test_suspended_or_on_one_very_copy_nothing_is_said(desk: Desk) -> None:
    await served_after_1_to(20, desk.town)
    held = await waits_first(desk)
    await desk.town.holds.suspend(hold_id=held.id, suspension=Suspension(), **desk.here)
    assert await told(desk, held) is None
    await desk.town.holds.resume(hold_id=held.id, **desk.here)
    assert await told(desk, held) == days(2, 19)
    await desk.cancel(held)
    thing = next(iter(desk.town.copies.known.values()))
    held = await desk.wait("ANN", thing.branch_id, copy_id=thing.id)
    assert await told(desk, held) is None


async def test_what_does_not_wait_is_not_told_of(desk: Desk) -> None:
    held = await waits_first(desk)
    await desk.cancel(held)
    assert await desk.town.queues.expected(hold_ids=[held.id, new_id()], **desk.here) == []
    assert await desk.town.queues.expected(hold_ids=[], **desk.here) == []


async def test_only_of_ones_own(desk: Desk) -> None:
    held = await waits_first(desk)
    queues = desk.town.queues
    own = Actor(id=held.patron_id, role="reader")
    assert len(await queues.expected(hold_ids=[held.id], actor=own, now=NOW)) == 1
    for hold_ids, actor in (
        ([held.id], READER),
        ([new_id()], READER),
        ([held.id, new_id()], own),
    ):
        with pytest.raises(NotAllowed):
            await queues.expected(hold_ids=hold_ids, actor=actor, now=NOW)


async def test_the_past_is_read_once_an_hour(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read, really = [], waits.past

    async def counted(session: Any, since: datetime) -> list[Any]:
        read.append(since)
        return await really(session, since)

    monkeypatch.setattr(waiting_times.waits, "past", counted)
    held = await waits_first(desk)
    read.clear()
    queues = desk.town.queues
    for minutes, times in (
        (0, 1),
        (-1, 1),
        (0, 1),
        (59, 1),
        (60, 2),
        (100, 2),
        (119, 2),
        (121, 3),
        (0, 4),
    ):
        now = NOW + timedelta(minutes=minutes)
        await queues.expected(hold_ids=[held.id], actor=desk.here["actor"], now=now)
        assert len(read) == times, minutes


async def test_while_one_looks_anew_others_hear_what_was_known(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, looked_at = waits.past, asyncio.Event()

    async def slow(session: Any, since: datetime) -> list[Any]:
        await looked_at.wait()
        return await really(session, since)

    times = WaitingTimes(town.db)
    known = await times.experience(NOW)
    monkeypatch.setattr(waiting_times.waits, "past", slow)
    later = NOW + timedelta(hours=2)
    anew = asyncio.create_task(times.experience(later))
    await asyncio.sleep(0)
    assert await times.experience(later) is known
    looked_at.set()
    assert await anew is not known
    assert await times.experience(later) is await anew


async def test_places_are_counted_as_one_would_count_them(town: Town) -> None:
    """By one statement, and hold by hold."""
    dice = random.Random(7)
    books, branch = [new_id() for _ in range(3)], new_id()
    async with town.db.begin() as tx:
        for number, book_id in enumerate(books):
            for _ in range(number + 1):
                await tx.run(insert(copy).values(**a_copy(book_id, branch)))
            await tx.run(insert(copy).values(**a_copy(book_id, branch, lost=True)))
    since, ids = NOW - 30 * DAY, []
    for _ in range(120):
        placed = NOW - dice.randint(0, 50) * DAY
        waited = dice.choice([None, dice.randint(0, 20)])
        gone = {"state": "cancelled", "ready_at": None} if dice.random() < 0.2 and waited else {}
        ids.append(await past(town, placed, waited, book_id=dice.choice(books), **gone))
    async with town.db.read() as session:
        found = await waits.past(session, since)
        rows = {row.id: row for row in await waits.places(session, ids)}

    def left(row: Any) -> datetime:
        return row.ready_at or row.ended_at or NOW + 99 * DAY

    def ahead(row: Any, at: datetime) -> int:
        return sum(
            other.book_id == row.book_id
            and (other.placed_at, other.id) < (row.placed_at, row.id)
            and left(other) >= at
            for other in rows.values()
        )

    assert len(rows) == 120
    for row in rows.values():
        assert row.ahead_then == ahead(row, row.placed_at)
        assert row.ahead == ahead(row, NOW + 98 * DAY)
        assert row.copies == books.index(row.book_id) + 1
    expected = sorted(
        (r.placed_at, left(r), r.ahead_then, r.copies, r.state == "fulfilled")
        for r in rows.values()
        if r.placed_at >= since
    )
    assert expected == sorted(
        (r.placed_at, r.left_at or NOW + 99 * DAY, r.ahead, r.copies, bool(r.served)) for r in found
    )
