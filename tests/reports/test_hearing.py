"""What reports makes of what it hears, and of hearing it late, twice or not at all."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from lendery.circulation.models import TABLES as CIRCULATION
from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.authorities import NewMerge
from lendery.contracts.base import Busy, Event, NotFound, PeerUnavailable
from lendery.contracts.circulation import HoldCancelled, HoldPlaced, HoldPutBack, HoldReady
from lendery.contracts.permissions import SYSTEM
from lendery.platform.logbook import Entry
from lendery.reports.models import hold
from lendery.reports.rules.effects import MEANINGS, effects
from lendery.reports.rules.fold import Fold
from tests.reports.town import OPENED, Town

EARLY = {"since": OPENED.date() - timedelta(days=1)}


async def flag(town: Town, copy: UUID, flag: Any, raised: bool = True) -> None:
    await town.wiring.copy_states.flag(
        copy_id=copy, flag=flag, raised=raised, actor=SYSTEM, now=town.now
    )


async def copies_of(town: Town) -> int:
    rows = await town.rows("turnover-by-item-type", "copies", **EARLY)
    return sum(count for (count,) in rows)


@pytest.mark.parametrize("how", ["lost", "withdrawn"])
async def test_a_copy_that_is_gone_does_not_count_until_it_is_back(town: Town, how: Any) -> None:
    await town.settle(copies=2)
    copy, (reader,) = next(iter(town.copies)), town.readers
    await town.lend(copy, reader)
    await flag(town, copy, "damaged")  # that is no loss
    assert await copies_of(town) == 2
    await flag(town, copy, how)
    assert await copies_of(town) == 1
    assert await town.rows("top-titles", "lent", **EARLY) == [(1,)]  # it was lent all the same
    await town.take_back(copy)
    assert await copies_of(town) == (1 if how == "withdrawn" else 2)
    if how == "withdrawn":
        await flag(town, copy, how, raised=False)
        assert await copies_of(town) == 2


async def test_copies_and_books_are_as_the_catalog_has_them_now(town: Town) -> None:
    await town.settle(copies=2)
    (book,), (one, other) = town.books, town.copies
    await town.lend(one, next(iter(town.readers)))
    assert await town.rows("top-titles", "title", "authors", **EARLY) == [("Book 0", "Author 0")]
    changes = {"title": "Bees", "subjects": ["Honey"], "published_year": 1999}
    await town.wiring.books.change(book_id=book, changes=changes, actor=SYSTEM, now=town.now)
    moved = {"branch_id": town.branches[2], "item_type": "magazine"}
    await town.wiring.copies.change(copy_id=one, changes=moved, actor=SYSTEM, now=town.now)
    await town.wiring.copies.remove(copy_id=other, actor=SYSTEM, now=town.now)
    assert await town.rows("top-titles", "title", **EARLY) == [("Bees",)]
    assert await town.rows("loans-by-subject", "subject", "lent", **EARLY) == [("Honey", 1)]
    assert await town.rows("turnover-by-item-type", "item_type", "copies", **EARLY) == [
        ("magazine", 1)
    ]
    assert await town.rows("collection-age", "published", "branch") == [("1990", "Central")]
    assert await town.rows("collection-age", "published", per="year") == [("1999",)]


async def test_loans_and_holds_follow_a_book_that_became_another(town: Town) -> None:
    await town.settle(readers=3, books=2)
    (book, into), (one, other) = town.books, town.copies
    ann, ben, cas = town.readers
    await town.lend(one, ann)
    await town.lend(other, ben)
    await town.hold(book, cas)
    assert await town.rows("hold-ratios", "book_id", threshold=1) == []
    wanted = NewMerge(kind="book", loser_id=book, winner_id=into)
    merge = await town.wiring.merges.merge(wanted=wanted, actor=SYSTEM, now=town.now)
    assert await town.rows("top-titles", "book_id", "lent", **EARLY) == [(str(into), 2)]
    assert await waiting(town) == [(into, True)]
    await town.wiring.merges.undo(merge_id=merge.id, actor=SYSTEM, now=town.now)
    titles = await town.rows("top-titles", "book_id", "lent", **EARLY)
    assert sorted(titles) == sorted((str(each), 1) for each in (book, into))
    assert await waiting(town) == [(book, True)]


async def waiting(town: Town) -> list[tuple[Any, bool]]:
    await town.wiring.relay.drain()
    async with town.wiring.db.read() as session:
        rows = await session.rows(select(hold.c.book_id, hold.c.waiting))
    return [tuple(row) for row in rows]


async def test_a_queue_is_told_of_by_who_waits(town: Town) -> None:
    await town.settle(readers=6, copies=1)
    (book,), (copy,) = town.books, town.copies
    ann, *others = town.readers
    await town.lend(copy, ann)
    holds = [await town.hold(book, each, n % 2) for n, each in enumerate(others)]
    asked = ("waiting", "copies", "ratio", "to_buy")
    assert await town.rows("hold-ratios", *asked, threshold=4) == [(5, 1, 5.0, 1)]
    assert await town.rows("hold-ratios", *asked, threshold=5) == []
    here = {"branch_id": town.branches[0], "threshold": 2}
    assert await town.rows("hold-ratios", *asked, **here) == [(3, 1, 3.0, 1)]
    there = {"branch_id": town.branches[1], "threshold": 2}  # no copy lives there
    assert await town.rows("hold-ratios", *asked, **there) == [(2, 0, None, 1)]
    await town.take_back(copy)  # it is kept for the first
    assert await town.rows("hold-ratios", *asked, threshold=3) == [(4, 1, 4.0, 1)]
    await town.wiring.holds.cancel(hold_id=holds[-1].id, actor=SYSTEM, now=town.now)
    assert await town.rows("hold-ratios", *asked, threshold=3) == []


async def test_while_the_catalog_is_away_what_is_known_is_told(town: Town) -> None:
    await town.settle()
    (copy,), (reader,) = town.copies, town.readers
    await town.lend(copy, reader)
    learner = town.wiring.learner

    class Away:
        async def by_ids(self, *, ids: list[UUID]) -> Any:
            raise PeerUnavailable("No answer from catalog.")

    away: Any = Away()
    object.__setattr__(learner, "copies", away)
    assert await town.rows("top-titles", "title", "lent", **EARLY) == [(None, 1)]
    object.__setattr__(learner, "copies", town.wiring.copies)
    assert await town.rows("top-titles", "title", "lent", **EARLY) == [("Book 0", 1)]


async def test_nothing_about_anybody_is_kept(town: Town) -> None:
    await town.settle(readers=9, books=8, copies=3)
    await town.live(seed=5, steps=100)
    await town.read("top-titles")
    async with town.wiring.db.read() as session:
        log = [row.body for row in await session.rows(select(CIRCULATION.event.c.body))]
    kept = json.dumps(await town.kept(), default=str)
    about = {each[key] for each in log for key in ("borrower", "by", "loan_id") if each.get(key)}
    assert len(about) > 50
    assert [each for each in (*about, *map(str, town.readers)) if each in kept] == []


# -- A rebuild while the library goes on -----------------------------------------------------------


async def lent(town: Town) -> list[Any]:
    return [row[-3] for row in (await town.kept("lending"))["lending"]]


async def test_what_was_not_delivered_yet_counts_when_it_comes(town: Town) -> None:
    await town.settle(copies=2)
    one, other = town.copies
    (reader,) = town.readers
    await town.lend(one, reader)
    await town.wiring.relay.drain()
    await town.lend(other, reader)
    await town.rebuild()
    assert await lent(town) == [1]
    await town.wiring.relay.drain()
    assert await lent(town) == [2]


async def test_what_was_heard_but_is_not_known_as_delivered_counts_once(town: Town) -> None:
    await town.settle(copies=2)
    (reader,) = town.readers
    for copy in town.copies:
        await town.lend(copy, reader)
    names = [each.name for each in MEANINGS]
    log = await town.wiring.logs.entries(context="circulation", names=names, after=0, many=100)
    # As if the relay had died before it could say so.
    await town.wiring.deliveries.send([entry.event() for entry in log])
    assert [entry.delivered for entry in log] == [False] * len(log)
    await town.rebuild()
    assert await lent(town) == [2]
    assert await town.wiring.relay.flush() > 0
    assert await lent(town) == [2]


async def test_what_was_delivered_before_there_were_reports_counts(town: Town) -> None:
    await town.settle()
    (copy,), (reader,) = town.copies, town.readers
    await town.lend(copy, reader)
    while await town.wiring.relay_but("reports").flush():
        pass
    assert await lent(town) == []
    await town.rebuild()
    assert await lent(town) == [1]
    assert await town.rows("top-titles", "title", "lent", **EARLY) == [("Book 0", 1)]


@dataclass
class Behind:
    """A log of which the newest events are seen only when it is read the next time."""

    real: Any
    hidden: int
    blind: int = 1
    reads: int = 0
    heard: list[int] = field(default_factory=list)

    async def size(self, **asked: Any) -> int:
        found: int = await self.real.size(**asked)
        return found

    async def entries(self, **asked: Any) -> list[Entry]:
        found: list[Entry] = await self.real.entries(**asked)
        self.reads += 1
        self.heard.append(asked["after"])
        return found[: len(found) - self.hidden] if self.reads <= self.blind else found


async def test_what_came_while_the_log_was_read_is_not_lost(town: Town) -> None:
    await town.settle(copies=3)
    (reader,) = town.readers
    for copy in town.copies:
        await town.lend(copy, reader)
    await town.wiring.relay.drain()
    log = Behind(town.wiring.logs, hidden=2)
    await town.rebuild({"catalog": town.wiring.logs, "circulation": log})
    assert log.reads == 2
    assert await lent(town) == [3]


async def test_while_it_is_counted_anew_the_desk_goes_on(town: Town) -> None:
    await town.settle(readers=8, copies=40)

    async def desk() -> None:
        for number, copy in enumerate(town.copies):
            await town.lend(copy, list(town.readers)[number % 8])
            await town.wiring.relay.flush()

    async def office() -> None:
        while not working.done():
            await town.rebuild()

    working = asyncio.create_task(desk())
    await asyncio.gather(working, office(), office())
    await town.wiring.relay.drain()
    assert sum(await lent(town)) == 40


async def test_two_who_ask_the_catalog_at_once_learn_the_same(town: Town) -> None:
    await town.settle(books=30)
    await town.wiring.relay.drain()
    learner = town.wiring.learner
    await asyncio.gather(learner.catch_up(), learner.catch_up())
    kept = await town.kept("book", "subject")
    assert len(kept["book"]) == 30
    assert len(kept["subject"]) == sum(len(book.subjects) for book in town.books.values())


async def test_a_log_that_is_elsewhere_is_not_here(town: Town) -> None:
    with pytest.raises(NotFound):
        await town.wiring.logs.entries(context="payments", names=[], after=0, many=1)


async def test_a_library_that_is_never_caught_up_with_keeps_its_numbers(town: Town) -> None:
    await town.settle(copies=2)
    (reader,) = town.readers
    for copy in town.copies:
        await town.lend(copy, reader)
    await town.wiring.relay.drain()
    before = await town.kept()
    log = Behind(town.wiring.logs, hidden=1, blind=1_000)
    with pytest.raises(Busy):
        await town.rebuild({"catalog": town.wiring.logs, "circulation": log})
    assert await town.kept() == before


def test_what_is_decided_late_changes_nothing_that_came_after_it() -> None:
    ids: dict[str, Any] = {"hold_id": uuid4(), "book_id": uuid4()}
    closed: dict[str, Any] = {"hold_id": uuid4(), "book_id": uuid4()}
    copy, here, at = uuid4(), uuid4(), OPENED

    def placed(which: dict[str, Any]) -> Event:
        return HoldPlaced(**which, at=at, copy_id=None, pickup_branch_id=here, borrower=uuid4())

    put_back = HoldPutBack(**ids, at=at, copy_id=copy)
    ready = HoldReady(**ids, at=at, copy_id=copy, branch_id=here, expires_on=None)
    fold = Fold()
    for seq, event in (
        (4, put_back),
        (6, HoldCancelled(**closed, at=at)),
        (3, ready),
        (1, placed(ids)),
        (5, placed(closed)),
    ):
        fold.take(effects(event), seq)
    row = {"id": ids["hold_id"], "book_id": ids["book_id"], "branch_id": here, "waiting": True}
    assert list(fold.holds()) == [row]


def test_each_event_that_reports_hears_has_a_meaning_but_for_an_erasure() -> None:
    from lendery.reports.reactions import REACTIONS

    assert {each.to for each in REACTIONS} == {*MEANINGS, PatronRemoved}
