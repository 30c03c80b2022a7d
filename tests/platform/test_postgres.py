"""PostgreSQL: connections that die, are cut off or run out; what goes in one round trip."""

import asyncio
import time
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, func, select

from lendery.contracts.base import Busy
from lendery.platform.db import Database, Statement
from lendery.platform.db import postgres as driver
from lendery.platform.db.postgres import PostgresDriver
from tests.databases import SERVER, on_server

from .toy import COUNT, TABLES, changed, new_id, note, texts, write, written

SLEEP = Statement(select(func.pg_sleep(bindparam("seconds"))))
MINE = Statement(select(func.pg_backend_pid()))
BY_PLACE = Statement(select(note.c.text).where(note.c.place == bindparam("place")))


async def kill(pid: int) -> None:
    other = await asyncpg.connect(f"{SERVER}/postgres")
    await other.execute("SELECT pg_terminate_backend($1)", pid)
    await other.close()


class Counted:
    """An asyncpg connection that notes what it is asked to do."""

    def __init__(self, raw: Any, asked: list[str]) -> None:
        self._raw, self._asked = raw, asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._raw, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval", "executemany", "prepare"):
            return found

        def noted(query: str, *given: Any, **options: Any) -> Any:
            self._asked.append(query)
            return found(query, *given, **options)

        return noted


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that goes to PostgreSQL from now on."""
    found: list[str] = []
    really = asyncpg.connect

    async def connect(*given: Any, **options: Any) -> Any:
        return Counted(await really(*given, **options), found)

    monkeypatch.setattr(asyncpg, "connect", connect)
    return found


async def test_write_is_one_statement_however_many_writes(
    postgres: Database, asked: list[str]
) -> None:
    async with postgres.begin() as tx:
        await tx.write(written("a"), written("b"), tx.announcement(changed(new_id())))
    assert [query.split()[0] for query in asked] == ["BEGIN", "WITH", "COMMIT"]
    assert asked[1].count("INSERT INTO") == 2, "rows of one table go together, in their order"
    assert await texts(postgres) == ["a", "b"]


async def test_a_transaction_costs_its_statements_and_two_more(
    postgres: Database, asked: list[str]
) -> None:
    async with postgres.begin() as tx:
        await write(tx, "one")
        await tx.value(COUNT)
    assert len(asked) == 4
    asked.clear()
    assert await texts(postgres) == ["one"]
    assert len(asked) == 1, "a read is no transaction"


@pytest.mark.parametrize("how", ["read", "write"])
async def test_a_connection_killed_during_a_statement_is_told_as_busy(
    postgres: Database, how: str
) -> None:
    async def long() -> None:
        if how == "read":
            async with postgres.read() as session:
                pid.set_result(await session.value(MINE))
                await session.rows(SLEEP, seconds=20)
        else:
            async with postgres.begin() as tx:
                pid.set_result(await tx.value(MINE))
                await write(tx, "never")
                await tx.rows(SLEEP, seconds=20)

    for _ in range(3):
        pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(long())
        await asyncio.sleep(0.05)
        await kill(await pid)
        with pytest.raises(Busy):
            await asyncio.wait_for(task, 5)
    assert await texts(postgres) == []


async def test_a_connection_killed_between_two_statements_is_told_as_busy(
    postgres: Database,
) -> None:
    with pytest.raises(Busy):
        async with postgres.begin() as tx:
            await write(tx, "never")
            await kill(await tx.value(MINE))
            await asyncio.sleep(0.05)
            await write(tx, "never either")
    with pytest.raises(Busy):
        async with postgres.begin() as tx:
            await write(tx, "never")
            await kill(await tx.value(MINE))
            await asyncio.sleep(0.05)
    assert await texts(postgres) == []


async def test_connections_that_died_in_the_free_list_are_replaced(postgres_url: str) -> None:
    db = Database(postgres_url, TABLES, size=3)

    async def one(name: str) -> None:
        async with db.begin() as tx:
            await write(tx, name)
            await asyncio.sleep(0.02)

    await asyncio.gather(*[one(f"a{n}") for n in range(3)])
    name = postgres_url.rsplit("/", 1)[1]
    other = await asyncpg.connect(f"{SERVER}/postgres")
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await other.close()
    await asyncio.sleep(0.1)
    for n in range(3):
        await one(f"b{n}")
    assert len(await texts(db)) == 6
    await db.close()


async def test_no_place_is_lost_by_whatever_goes_wrong(postgres_url: str) -> None:
    """Forty writers for two places: a third is killed, a third cut off, a third raises."""
    db = Database(postgres_url, TABLES, size=2)

    async def one(number: int) -> None:
        async with db.begin() as tx:
            await write(tx, f"never {number}")
            if number % 3 == 0:
                await kill(await tx.value(MINE))
                await tx.rows(SLEEP, seconds=1)
            if number % 3 == 1:
                await tx.rows(SLEEP, seconds=20)
            raise RuntimeError

    async def cut(number: int) -> None:
        async with asyncio.timeout(0.05):
            await one(number)

    jobs = [cut(number) if number % 3 == 1 else one(number) for number in range(40)]
    results = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), 20)
    assert {type(each) for each in results} == {Busy, TimeoutError, RuntimeError}
    assert await texts(db) == []

    async def both() -> None:
        async with db.begin(), db.begin() as tx:
            await write(tx, "two at once")

    await asyncio.wait_for(both(), 5)
    driver = db._driver
    assert isinstance(driver, PostgresDriver) and len(driver._free) <= 2
    await db.close()


async def test_a_reader_cut_off_leaves_a_connection_that_answers_the_next_question(
    postgres_url: str,
) -> None:
    db = Database(postgres_url, TABLES, size=1)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03), db.read() as session:
                await session.rows(SLEEP, seconds=20)
        async with asyncio.timeout(5), db.read() as session:
            assert await session.value(COUNT) == 0
    await db.close()


async def test_no_more_connections_than_places(postgres_url: str) -> None:
    db, at_once, most = Database(postgres_url, TABLES, size=4), 0, 0

    async def one() -> None:
        nonlocal at_once, most
        async with db.begin() as tx:
            at_once += 1
            most = max(most, at_once)
            await tx.value(COUNT)
            await asyncio.sleep(0.002)
            at_once -= 1

    await asyncio.gather(*[one() for _ in range(40)])
    assert most == 4
    name = postgres_url.rsplit("/", 1)[1]
    other = await asyncpg.connect(f"{SERVER}/postgres")
    held = await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = $1", name)
    await other.close()
    assert held == 4
    await db.close()


async def test_a_deadlock_is_told_as_busy_to_one_of_the_two(postgres: Database) -> None:
    async with postgres.begin() as tx:
        for place in (1, 2):
            await write(tx, f"n{place}", shelf="s", place=place)
    lock = Statement(select(note).where(note.c.place == bindparam("place")).with_for_update())

    async def one(first: int, then: int) -> None:
        async with postgres.begin() as tx:
            await tx.rows(lock, place=first)
            await asyncio.sleep(0.1)
            await tx.rows(lock, place=then)

    results = await asyncio.gather(one(1, 2), one(2, 1), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["Busy", "NoneType"]


async def test_a_server_that_is_not_there_is_busy_and_soon(postgres_url: str) -> None:
    db = Database("postgresql://postgres@127.0.0.1:1/nowhere", TABLES, size=1)
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(Busy):
            async with db.read() as session:
                await session.value(COUNT)
        with pytest.raises(Busy):
            async with db.begin() as tx:
                await write(tx, "never")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "refusal", [asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError, ConnectionError]
)
async def test_a_server_that_takes_nobody_more_is_busy(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, refusal: type[Exception]
) -> None:
    async def refusing(*_: Any, **__: Any) -> None:
        raise refusal("sorry, too many clients already")

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg, "connect", refusing)
        with pytest.raises(Busy):
            async with postgres.read() as session:
                await session.value(COUNT)
    assert await texts(postgres) == []


async def test_a_value_that_does_not_fit_is_a_fault_and_not_busy(postgres: Database) -> None:
    """Trying again would not help, so nobody is asked to."""
    with pytest.raises(Exception) as told:
        async with postgres.read() as session:
            await session.rows(BY_PLACE, place=2**70)
    assert not isinstance(told.value, Busy)
    with pytest.raises(Exception) as told:
        async with postgres.begin() as tx:
            await tx.rows(BY_PLACE, place=2**70)
    assert not isinstance(told.value, Busy)
    assert await texts(postgres) == []


async def test_a_session_sees_what_was_committed_since_its_last_question(
    postgres: Database,
) -> None:
    async with postgres.read() as session:
        assert await session.value(COUNT) == 0
        async with postgres.begin() as tx:
            await write(tx, "meanwhile")
        assert await session.value(COUNT) == 1


async def test_a_schema_changed_under_a_kept_statement_does_not_break_it(
    postgres: Database, postgres_url: str
) -> None:
    """A rolling upgrade adds a column while older processes go on."""
    async with postgres.begin() as tx:
        await write(tx, "before")
    async with postgres.read() as session:
        assert len(await session.rows(select(note))) == 1
    added = "ALTER TABLE toy_note ADD COLUMN colour text"
    await asyncio.to_thread(on_server, added, database=postgres_url.rsplit("/", 1)[1])
    assert await texts(postgres) == ["before"]
    async with postgres.begin() as tx:
        await write(tx, "after")
        assert len(await tx.rows(select(note))) == 2


async def test_there_is_no_change_token(postgres: Database) -> None:
    assert postgres.change_token() is None
    assert postgres.memory is None
    await postgres.tidy()


async def test_tidying_takes_as_long_as_it_takes(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "PATIENCE", 0.001)
    await postgres.tidy()
