"""What a process knows of the changes of the catalog, its own and those of others."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from lendery.catalog.models import CHANGES, TABLES, change
from lendery.catalog.repository.changes import book_key, next_turn
from lendery.contracts.permissions import SYSTEM
from lendery.platform.cache.changes import KEPT
from lendery.platform.cache.feed import Feed, clock
from lendery.platform.db import Database, Statement

from .conftest import NOW, Library, version_of

LONG = 2 * KEPT + 50
WROTE = Statement(update(change).values(version=change.c.version + 1))


class Heard:
    """A feed, and what it threw away."""

    def __init__(self, db: Database) -> None:
        self.dropped: list[Any] = []
        self.feed = Feed(db, CHANGES, lambda keys: self.dropped.append(keys and list(keys)))

    async def now(self) -> list[Any]:
        await self.feed.catch_up()
        told, self.dropped = self.dropped, []
        return told


async def test_a_change_tells_what_it_touched_and_nothing_more(db: Database, url: str) -> None:
    here, elsewhere = Heard(db), Database(url, [TABLES])
    there = Library(elsewhere)
    assert await here.now() == [None], "at first nothing is known"
    middlemarch = await there.book("Middlemarch")
    romola = await there.book("Romola", "George Eliot")
    assert [each or [] for each in await here.now()] == [[], []], "only lists"
    await there.change(romola, title="Romola!")
    await there.books.remove(book_id=middlemarch.id, actor=SYSTEM, now=NOW)
    assert await here.now() == [[book_key(romola.id)], [book_key(middlemarch.id)]]
    assert await here.now() == []
    await elsewhere.close()


async def test_a_change_that_notes_nothing_touches_everything(db: Database, url: str) -> None:
    """An import, say, or a program from before this."""
    here, elsewhere = Heard(db), Database(url, [TABLES])
    await here.now()
    async with elsewhere.begin() as tx:
        await next_turn(tx)
    assert await here.now() == [None]
    async with elsewhere.begin() as tx:
        await tx.run(WROTE)
    assert await here.now() == [None]
    async with elsewhere.begin() as tx:
        turn = await next_turn(tx)
        await tx.write(turn.touches("book:x"))
    assert await here.now() == [["book:x"]], "and after it things go on as before"
    await elsewhere.close()


async def test_what_is_noted_in_two_steps_is_all_told(db: Database, url: str) -> None:
    here, elsewhere = Heard(db), Database(url, [TABLES])
    await here.now()
    async with elsewhere.begin() as tx:
        turn = await next_turn(tx)
        await tx.write(turn.touches("book:x"))
        await tx.write(turn.touches("author:y"))
    assert await here.now() == [["book:x", "author:y"]]
    await elsewhere.close()


async def test_a_change_that_was_undone_is_none(db: Database, url: str) -> None:
    here, elsewhere = Heard(db), Database(url, [TABLES])
    await here.now()
    before = await version_of(db)
    with pytest.raises(ZeroDivisionError):
        async with elsewhere.begin() as tx:
            await tx.write((await next_turn(tx)).touches("book:x"))
            raise ZeroDivisionError
    assert await here.now() == [] and await version_of(db) == before
    await elsewhere.close()


async def test_changes_made_here_are_known_without_asking(
    db: Database, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Heard(db)
    await here.now()
    book = await library.book("Middlemarch")
    here.dropped.clear()
    await library.change(book, title="Romola")
    assert here.dropped == [[book_key(book.id)]]
    assert here.feed.version == await version_of(db)


async def test_nothing_kept_is_given_while_the_feed_still_asks(db: Database) -> None:
    """A change made here that noted nothing, and a lease that is renewed the same moment."""
    here = Heard(db)
    await here.now()
    here.feed.good_until = clock() + 60
    async with db.begin() as tx:
        await next_turn(tx)
    here.dropped.clear()
    asking, seen = asyncio.create_task(here.feed.catch_up()), 0
    while not asking.done():
        assert here.dropped or not here.feed.is_current(clock())
        seen += not here.dropped
        await asyncio.sleep(0)
    assert seen, "readers came while it asked"
    assert here.dropped == [None] and here.feed.is_current(clock())


async def test_another_past_is_noticed(db: Database, library: Library) -> None:
    """A backup was restored under our feet: the same number, another state."""
    here = Heard(db)
    await library.book("Middlemarch")
    await here.now()
    version, mark = here.feed.version, here.feed.mark
    for values in ({"mark": 4711}, {"version": version - 1}):
        async with db.begin() as tx:
            await tx.run(Statement(update(change).values(**values)))
        assert await here.now() == [None], values
        assert not here.feed.still_good(None, version, mark)
        assert not here.feed.still_good("book:x", version, mark)


async def test_an_answer_made_before_is_good_while_nothing_touched_it(
    db: Database, library: Library
) -> None:
    here = Heard(db)
    book, other = await library.book("Middlemarch"), await library.book("Romola")
    await here.now()
    feed, made = here.feed, (here.feed.version, here.feed.mark)
    assert feed.still_good(book_key(book.id), *made) and feed.still_good(None, *made)
    await library.change(other, title="Romola!")
    await here.now()
    assert feed.still_good(book_key(book.id), *made)
    assert not feed.still_good(book_key(other.id), *made)
    assert not feed.still_good(None, *made), "a list is of its version only"
    assert not feed.still_good(book_key(book.id), made[0], made[1] + 1), "another library"
    assert not feed.still_good(book_key(book.id), made[0] - 1, made[1]), "too long ago"


async def test_a_feed_far_behind_starts_anew_and_old_changes_are_forgotten(db: Database) -> None:
    here = Heard(db)
    await here.now()
    db.feeds.clear()  # as if another process did this
    async with db.begin() as tx:
        many = [{"version": n, "mark": n, "touched": [f"book:{n}"]} for n in range(1, LONG + 1)]
        await tx.many(CHANGES.note, many)
        await tx.run(Statement(update(change).values(version=LONG, mark=LONG)))
    assert None in await here.now() and here.feed.version == LONG
    assert len(here.feed._window) <= KEPT and len(here.feed._touched) <= 4 * KEPT
    await CHANGES.tidy(db)
    async with db.read() as session:
        left = [row.version for row in await session.rows(CHANGES.since, known=0)]
    assert left[0] == LONG - 2 * KEPT + 1


@pytest.mark.parametrize("url", ["postgres"], indirect=True)  # a file is looked at, not asked
async def test_fifty_readers_without_a_lease_ask_a_few_times(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, asked = Heard(db), 0
    ask = here.feed._ask

    async def counted() -> None:
        nonlocal asked
        asked += 1
        await ask()

    monkeypatch.setattr(here.feed, "_ask", counted)
    await asyncio.gather(*(here.feed.catch_up() for _ in range(50)))
    assert 1 <= asked <= 2


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL has leases
async def test_a_file_that_nobody_touched_needs_no_question(db: Database) -> None:
    here = Heard(db)
    await here.now()
    assert here.feed.is_current(clock())
    async with db.begin() as tx:
        await tx.write((await next_turn(tx)).touches())
    assert not here.feed.is_current(clock())


@pytest.mark.parametrize("url", ["postgres"], indirect=True)  # a file is not away
async def test_when_the_database_is_away_nothing_is_current(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Heard(db)
    lease = asyncio.create_task(here.feed.run())
    while not here.feed.good_until:
        await asyncio.sleep(0.005)
    assert here.feed.is_current(clock())
    assert not here.feed.is_current(clock() + 2), "a lease ends by itself"

    def away(*_: object) -> Any:
        raise ConnectionError

    monkeypatch.setattr(db._driver, "read", away)
    with pytest.raises(ConnectionError):
        await here.feed.catch_up()
    assert not here.feed.is_current(clock())
    monkeypatch.undo()
    lease.cancel()
    await asyncio.gather(lease, return_exceptions=True)
    async with db.read() as session:
        assert await session.row(CHANGES.waited_for, seen=10**9, me=uuid4()) is None, "let go"
