"""What holds on both databases alike."""

import asyncio
import contextlib
import random
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Boolean, Date, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from lendery.contracts.base import new_id
from lendery.platform.db import Database, Duplicate, Json, Statement, UtcDateTime, any_of

from .toy import COUNT, NOW, WRITE, changed, note, texts, write, written

BERLIN = timezone(timedelta(hours=1))
ALL = Statement(insert(note).values({c.name: bindparam(c.name, type_=c.type) for c in note.c}))
ONE = Statement(select(note).where(note.c.id == bindparam("id")))
EMPTY = dict.fromkeys(note.c.keys())

ROUND_TRIPS = [
    ("at", datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC), None),
    ("at", datetime(2026, 3, 1, 9, 30, tzinfo=UTC), None),
    ("at", datetime(1, 1, 2, tzinfo=UTC), None),
    ("at", datetime(2026, 3, 1, 9, tzinfo=BERLIN), datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ("at", None, None),
    ("on", date(2026, 2, 28), None),
    ("big", 2**63 - 1, None),
    ("big", -(2**63), None),
    ("kept", True, None),
    ("kept", False, None),
    ("text", "Middlemarch — Jürgen's 図書館 'quoted' \"twice\" %s ? $1 :name", None),
    ("text", "", None),
    ("facts", {"a": [1, 2.5, None, True], "ü": "図"}, None),
    ("facts", [], None),
    ("facts", "only words", None),
    ("facts", 0, None),
    ("facts", None, None),
]


async def test_every_value_comes_back_as_it_was(db: Database) -> None:
    for column, value, comes_back in ROUND_TRIPS:
        note_id = new_id()
        async with db.begin() as tx:
            await tx.run(ALL, **{**EMPTY, "id": note_id, column: value})
        async with db.read() as session:
            row = await session.row(ONE, id=note_id)
        expected = value if comes_back is None else comes_back
        assert row is not None
        assert isinstance(row.id, UUID) and row.id == note_id
        assert (getattr(row, column), type(getattr(row, column))) == (expected, type(expected))


async def test_instants_sort_by_time_whatever_zone_they_were_given_in(db: Database) -> None:
    shuffled = random.Random(1)
    instants = [NOW + timedelta(microseconds=n * 300_001) for n in range(40)]
    instants += [datetime(999, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
    given = [at.astimezone(shuffled.choice([UTC, BERLIN])) for at in instants[:40]] + instants[40:]
    shuffled.shuffle(given)
    async with db.begin() as tx:
        await tx.many(ALL, [{**EMPTY, "id": new_id(), "at": at} for at in given])
    early = Statement(select(note.c.at).where(note.c.at < bindparam("t", type_=UtcDateTime())))
    async with db.read() as session:
        found = [row.at for row in await session.rows(select(note.c.at).order_by(note.c.at))]
        before = await session.rows(early, t=instants[7].astimezone(BERLIN))
    assert found == sorted(instants)
    assert {row.at for row in before} == {*instants[:7], instants[40]}


async def test_a_time_without_a_zone_never_reaches_the_database(db: Database) -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        async with db.begin() as tx:
            await tx.run(ALL, **{**EMPTY, "id": new_id(), "at": datetime(2026, 3, 1)})
    assert await texts(db) == []


async def test_in_takes_a_list_made_on_the_spot(db: Database) -> None:
    ids = [new_id() for _ in range(6)]
    async with db.begin() as tx:
        for number, note_id in enumerate(ids):
            await tx.run(WRITE, id=note_id, shelf=None, place=None, text=f"n{number}")
    by_id = Statement(select(note.c.text).where(note.c.id.in_(bindparam("ids", expanding=True))))
    async with db.read() as session:
        listed = await session.rows(select(note.c.text).where(note.c.id.in_([ids[1], ids[4]])))
        bound = {len(n): await session.rows(by_id, ids=n) for n in ([], ids[:1], ids[2:5])}
        days = await session.rows(select(note.c.text).where(note.c.on.in_([date(2026, 3, 1)])))
    assert {row.text for row in listed} == {"n1", "n4"}
    assert {size: len(rows) for size, rows in bound.items()} == {0: 0, 1: 1, 3: 3}
    assert days == []


async def test_any_of_takes_a_list_of_any_length(db: Database) -> None:
    mine = new_id()
    async with db.begin() as tx:
        await tx.run(WRITE, id=mine, shelf="s'1", place=3, text="mine")
        await write(tx, "others", shelf="s2", place=4)
    of_ids = Statement(select(note.c.text).where(any_of(note.c.id, "ids")))
    of_shelves = Statement(select(note.c.text).where(any_of(note.c.shelf, "shelves")))
    of_places = Statement(select(note.c.text).where(any_of(note.c.place, "places")))
    async with db.read() as session:
        for size in (0, 1, 5000):
            ids = ([mine] + [uuid4() for _ in range(size - 1)])[:size]
            shelves = (["s'1"] + [f'x"{n}' for n in range(size - 1)])[:size]
            found = [
                await session.rows(of_ids, ids=ids),
                await session.rows(of_shelves, shelves=shelves),
                await session.rows(of_places, places=[3, *range(5, 5000)][:size]),
            ]
            expected = ["mine"] if size else []
            assert [[row.text for row in rows] for rows in found] == [expected] * 3


async def test_any_of_can_be_asked_twice_in_one_question(db: Database) -> None:
    async with db.begin() as tx:
        for text in ("a", "b", "c"):
            await write(tx, text, shelf=text, place=1)
    both = Statement(
        select(note.c.text).where(
            any_of(note.c.shelf, "shelves"), ~any_of(note.c.text, "texts"), note.c.place == 1
        )
    )
    async with db.read() as session:
        rows = await session.rows(both, shelves=["a", "b"], texts=["b", "c"])
    assert [row.text for row in rows] == ["a"]


async def test_an_upsert_changes_what_is_there_and_a_condition_may_hold_it_back(
    db: Database,
) -> None:
    made = upsert(note)
    names = ("id", "text", "place")
    newer = Statement(
        made.values({n: bindparam(n, type_=note.c[n].type) for n in names}).on_conflict_do_update(
            index_elements=["id"],
            set_={"text": made.excluded.text, "place": made.excluded.place},
            where=note.c.place < made.excluded.place,
        )
    )
    note_id, said = new_id(), []
    for place, text in ((2, "first"), (3, "newer"), (3, "same"), (1, "older")):
        async with db.begin() as tx:
            said.append(await tx.run(newer, id=note_id, place=place, text=text))
    assert said == [1, 1, 0, 0]
    assert await texts(db) == ["newer"]


async def test_run_says_how_many_rows_it_changed(db: Database) -> None:
    async with db.begin() as tx:
        for number in range(3):
            await write(tx, f"n{number}", shelf="a", place=number)
        changed_rows = await tx.run(update(note).where(note.c.place > 0).values(shelf="b"))
        gone = await tx.run(delete(note).where(note.c.shelf == "b"))
        none = await tx.run(delete(note).where(note.c.shelf == "b"))
    assert (changed_rows, gone, none) == (2, 2, 0)


async def test_row_and_value_answer_none_when_there_is_nothing(db: Database) -> None:
    async with db.read() as session:
        assert await session.row(ONE, id=new_id()) is None
        assert await session.value(ONE, id=new_id()) is None
        assert await session.value(COUNT) == 0


async def test_a_row_with_names_that_are_no_names_can_still_be_read(db: Database) -> None:
    query = select(
        (note.c.place + 1), note.c.text.label("class"), note.c.text.label("two words"), note.c.on
    )
    async with db.begin() as tx:
        await write(tx, "Middlemarch", place=4)
    async with db.read() as session:
        row = await session.row(query)
    assert tuple(row or ()) == (5, "Middlemarch", "Middlemarch", None)


async def test_a_duplicate_names_the_columns_of_its_index(db: Database) -> None:
    first = {"id": new_id(), "shelf": "a", "place": 1, "text": "Ann's"}
    async with db.begin() as tx:
        await tx.run(WRITE, **first)
    for second, columns in (
        ({**first, "id": new_id(), "text": "Ben's"}, {"shelf", "place"}),
        ({**first, "place": 2, "text": "Ben's"}, {"id"}),
    ):
        for how in ("run", "write", "many"):
            with pytest.raises(Duplicate) as told:
                async with db.begin() as tx:
                    if how == "run":
                        await tx.run(WRITE, **second)
                    elif how == "write":
                        await tx.write(written("beside it"), (WRITE, second))
                    else:
                        await tx.many(WRITE, [written("beside it")[1], second])
            assert told.value.columns == frozenset(columns)
            assert all(column in str(told.value) for column in columns)
    assert await texts(db) == ["Ann's"]


async def test_an_exception_undoes_all_of_its_transaction(db: Database) -> None:
    with pytest.raises(RuntimeError, match="changed her mind"):
        async with db.begin() as tx:
            await write(tx, "never")
            raise RuntimeError("Ann changed her mind")
    async with db.begin() as tx:
        await write(tx, "later")
    assert await texts(db) == ["later"]


async def test_a_read_during_a_write_does_not_see_it(db: Database) -> None:
    async with db.begin() as tx:
        await write(tx, "half done")
        assert await tx.value(COUNT) == 1
        assert await texts(db) == []
    assert await texts(db) == ["half done"]


async def test_many_writes_every_row_or_none(db: Database) -> None:
    async with db.begin() as tx:
        await tx.many(WRITE, [written(f"n{n:04}")[1] for n in range(1000)])
        await tx.many(WRITE, [])
    assert len(await texts(db)) == 1000
    with pytest.raises(Duplicate):
        async with db.begin() as tx:
            await tx.many(WRITE, [written("x", shelf="s", place=1)[1] for _ in range(2)])
    assert len(await texts(db)) == 1000


async def test_write_takes_several_writes_and_all_of_them_count(db: Database) -> None:
    named = Statement(update(note).where(note.c.shelf == bindparam("s")).values(text="renamed"))
    day = Statement(
        insert(note).values(
            id=bindparam("id", type_=Uuid()),
            on=bindparam("on", type_=Date()),
            kept=bindparam("kept", type_=Boolean()),
            facts=bindparam("facts", type_=Json()),
        )
    )
    async with db.begin() as tx:
        await write(tx, "old", shelf="a", place=1)
    async with db.begin() as tx:
        given = {"id": new_id(), "on": date(2026, 3, 1), "kept": True, "facts": {"price": "$1 $2"}}
        await tx.write(written("one"), (named, {"s": "a"}), (day, given), written("$1 two"))
    assert sorted(filter(None, await texts(db))) == ["$1 two", "one", "renamed"]
    async with db.read() as session:
        row = await session.row(ONE, id=given["id"])
    assert row is not None and (row.on, row.kept, row.facts) == (
        date(2026, 3, 1),
        True,
        {"price": "$1 $2"},
    )


async def test_whoever_waits_for_news_is_woken_by_a_commit_that_announced(db: Database) -> None:
    async with db.begin() as tx:
        await write(tx, "nothing to tell")
    assert not db.announced.is_set()
    with contextlib.suppress(RuntimeError):
        async with db.begin() as tx:
            await tx.announce(changed(new_id()))
            raise RuntimeError
    assert not db.announced.is_set()
    async with db.begin() as tx:
        await tx.announce(changed(new_id()))
    assert db.announced.is_set()


async def test_a_cancelled_writer_leaves_a_usable_database(db: Database) -> None:
    inside = asyncio.Event()

    async def slow() -> None:
        async with db.begin() as tx:
            await write(tx, "cancelled")
            inside.set()
            await asyncio.sleep(60)

    writer = asyncio.create_task(slow())
    await inside.wait()
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    async with asyncio.timeout(5), db.begin() as tx:
        await write(tx, "after")
    assert await texts(db) == ["after"]


async def test_writers_cancelled_at_any_moment_never_block_the_others(db: Database) -> None:
    """A reader closes the browser while the desk is busy: fifty times, at odd moments."""
    done: list[str] = []

    async def one(name: str) -> None:
        async with db.begin() as tx:
            await write(tx, name)
            await asyncio.sleep(0)
        done.append(name)

    moments = random.Random(7)
    for round_number in range(50):
        names = [f"{round_number:02}-{n}" for n in range(6)]
        writers = [asyncio.create_task(one(name)) for name in names]
        for victim in moments.sample(writers, 3):
            for _ in range(moments.randrange(12)):
                await asyncio.sleep(0)
            victim.cancel()
        results = await asyncio.wait_for(asyncio.gather(*writers, return_exceptions=True), 10)
        assert {type(r) for r in results} <= {type(None), asyncio.CancelledError}, results
    async with asyncio.timeout(5):
        await one("last")
    there = await texts(db)
    assert set(done) <= set(there)
    assert len(set(there)) == len(there)


async def test_many_writers_at_once_all_get_through(db: Database) -> None:
    async def one(number: int) -> None:
        async with db.begin() as tx:
            await write(tx, f"n{number:03}", shelf="s", place=number)

    await asyncio.gather(*[one(number) for number in range(150)])
    assert await texts(db) == [f"n{number:03}" for number in range(150)]


async def test_of_many_who_want_one_place_one_gets_it(db: Database) -> None:
    async def one(name: str) -> bool:
        try:
            async with db.begin() as tx:
                await write(tx, name, shelf="s", place=1)
                await asyncio.sleep(0)
        except Duplicate as told:
            assert told.columns == {"shelf", "place"}
            return False
        return True

    wins = await asyncio.gather(*[one(f"n{n}") for n in range(30)])
    assert sum(wins) == 1
    assert len(await texts(db)) == 1


async def test_a_duplicate_that_was_swallowed_is_never_told_as_done(db: Database) -> None:
    """PostgreSQL gives up a whole transaction for one error; nobody may hear "done" for it."""
    async with db.begin() as tx:
        await write(tx, "Ann's", shelf="a", place=1)
    told_done = False
    with contextlib.suppress(Exception):
        async with db.begin() as tx:
            await write(tx, "before")
            with contextlib.suppress(Duplicate):
                await write(tx, "Ben's", shelf="a", place=1)
        told_done = True
    assert ("before" in await texts(db)) == told_done


def test_an_unknown_kind_of_database_is_named() -> None:
    with pytest.raises(SystemExit, match="'mysql' is not a database Lendery knows"):
        Database("mysql://localhost/lendery")
