"""SQLite: one writer, commits in groups, several processes on one file."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lendery.contracts.base import Busy, new_id
from lendery.platform.db import Database, Duplicate, database
from lendery.platform.db import sqlite as driver
from lendery.platform.db.sqlite import SqliteDriver

from .toy import COUNT, TABLES, changed, metadata, texts, write

Commit = Callable[[SqliteDriver], None]


def driver_of(db: Database) -> SqliteDriver:
    assert isinstance(db._driver, SqliteDriver)
    return db._driver


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each real commit began."""
    begun: list[float] = []
    really: Commit = SqliteDriver._commit

    def counted(self: SqliteDriver) -> None:
        begun.append(time.monotonic())
        time.sleep(0.01)  # a disk takes its time
        really(self)

    monkeypatch.setattr(SqliteDriver, "_commit", counted)
    return begun


async def in_memory() -> Database:
    db = Database("sqlite://", TABLES)
    assert db.memory is not None
    for table in metadata.sorted_tables:
        columns = ", ".join(f'"{c.name}"' for c in table.c)
        db.memory.execute(f"CREATE TABLE {table.name} ({columns})")
    return db


async def test_writers_at_once_share_commits_and_one_alone_has_its_own(
    sqlite: Database, commits: list[float]
) -> None:
    async def one(number: int) -> None:
        async with sqlite.begin() as tx:
            await write(tx, f"n{number}")

    await asyncio.gather(*[one(number) for number in range(100)])
    assert len(await texts(sqlite)) == 100
    assert len(commits) <= 100 / driver.GROUP_LIMIT + 2
    commits.clear()
    for number in range(100, 103):
        await one(number)
    assert len(commits) == 3


async def test_one_that_fails_takes_nobody_of_its_group_with_it(
    sqlite: Database, commits: list[float]
) -> None:
    async def one(name: str, *, fails: bool) -> None:
        async with sqlite.begin() as tx:
            await write(tx, name)
            await asyncio.sleep(0)
            if fails:
                raise RuntimeError(name)

    jobs = [one(f"n{n:02}", fails=n % 3 == 1) for n in range(30)]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert len(commits) == 1, "they were to share one group"
    failed = [str(each) for each in results if isinstance(each, RuntimeError)]
    assert failed == [f"n{n:02}" for n in range(30) if n % 3 == 1]
    assert await texts(sqlite) == [f"n{n:02}" for n in range(30) if n % 3 != 1]


async def test_a_duplicate_in_a_group_is_told_to_its_own_writer_only(sqlite: Database) -> None:
    async def one(name: str, place: int) -> None:
        async with sqlite.begin() as tx:
            await write(tx, name, shelf="s", place=place)

    results = await asyncio.gather(
        one("Ann", 1), one("Ben", 1), one("Cleo", 2), return_exceptions=True
    )
    assert [type(each) for each in results] == [type(None), Duplicate, type(None)]
    assert await texts(sqlite) == ["Ann", "Cleo"]


async def test_nobody_is_told_done_before_the_commit(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    may, committing, told = threading.Event(), asyncio.Event(), []
    loop, really = asyncio.get_running_loop(), SqliteDriver._commit

    def held(self: SqliteDriver) -> None:
        loop.call_soon_threadsafe(committing.set)
        assert may.wait(10)
        really(self)

    monkeypatch.setattr(SqliteDriver, "_commit", held)

    async def one(name: str) -> None:
        async with sqlite.begin() as tx:
            await write(tx, name)
        told.append(name)

    writers = [asyncio.create_task(one(name)) for name in ("Ann", "Ben", "Cleo")]
    await committing.wait()
    await asyncio.sleep(0.05)
    assert told == []
    assert await texts(sqlite) == []
    may.set()
    await asyncio.gather(*writers)
    assert sorted(told) == ["Ann", "Ben", "Cleo"]


@pytest.mark.parametrize("memory", [False, True], ids=["file", "memory"])
async def test_a_commit_that_fails_fails_its_whole_group_and_the_next_goes_on(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, memory: bool
) -> None:
    db = await in_memory() if memory else sqlite
    really, failures = SqliteDriver._commit, [sqlite3.OperationalError("disk I/O error")]

    def failing(self: SqliteDriver) -> None:
        if failures:
            self.writer.raw.execute("ROLLBACK")
            raise failures.pop()
        really(self)

    monkeypatch.setattr(SqliteDriver, "_commit", failing)

    async def one(name: str) -> None:
        async with db.begin() as tx:
            await write(tx, name)
            await asyncio.sleep(0)  # the others come meanwhile
            if not memory:
                await tx.announce(changed(new_id()))

    jobs = asyncio.gather(*[one(f"n{n}") for n in range(20)], return_exceptions=True)
    results = await asyncio.wait_for(jobs, 5)
    assert {type(each) for each in results} == {sqlite3.OperationalError}
    assert await texts(db) == []
    assert not db.announced.is_set(), "nothing happened, so there is nothing to tell"
    await asyncio.wait_for(one("after"), 5)
    assert await texts(db) == ["after"]
    if memory:
        await db.close()


async def test_a_group_that_sqlite_gives_up_is_told_to_all_who_shared_it(sqlite: Database) -> None:
    """A full disk rolls back everything at once; those who thought they were in are told."""
    entered = asyncio.Event()

    async def first() -> None:
        async with sqlite.begin() as tx:
            await write(tx, "first")
            entered.set()
            await asyncio.sleep(0.01)

    async def second() -> None:
        await entered.wait()
        async with sqlite.begin() as tx:
            await write(tx, "second")
            driver_of(sqlite).writer.raw.execute("ROLLBACK")  # as SQLITE_FULL does
            raise sqlite3.OperationalError("database or disk is full")

    jobs = asyncio.gather(first(), second(), return_exceptions=True)
    results = await asyncio.wait_for(jobs, 5)
    assert [str(each) for each in results] == ["database or disk is full"] * 2
    async with asyncio.timeout(5), sqlite.begin() as tx:
        await write(tx, "after")
    assert await texts(sqlite) == ["after"]


async def test_one_who_leaves_while_waiting_for_the_disk_spoils_nothing(
    sqlite: Database, commits: list[float]
) -> None:
    """The first of a group is cancelled after its part, before the group's commit."""
    parts = 0

    async def one(name: str) -> None:
        nonlocal parts
        async with sqlite.begin() as tx:
            await write(tx, name)
            await asyncio.sleep(0.005)
            parts += 1

    writers = [asyncio.create_task(one(f"n{n}")) for n in range(4)]
    while parts < 2:
        await asyncio.sleep(0)
    writers[0].cancel()
    results = await asyncio.wait_for(asyncio.gather(*writers, return_exceptions=True), 5)
    assert [type(each) for each in results] == [asyncio.CancelledError, *[type(None)] * 3]
    assert set(await texts(sqlite)) >= {"n1", "n2", "n3"}


async def test_a_group_left_open_for_one_who_leaves_is_committed_all_the_same(
    sqlite: Database,
) -> None:
    async def one(name: str, leaving: asyncio.Task[None] | None = None) -> None:
        async with sqlite.begin() as tx:
            await write(tx, name)
            await asyncio.sleep(0)
            if leaving:
                leaving.cancel()  # still in the queue when this group looks who comes

    second: asyncio.Task[None]

    async def first() -> None:
        async with sqlite.begin() as tx:
            await write(tx, "first")
            for _ in range(3):
                await asyncio.sleep(0)
            second.cancel()

    task = asyncio.create_task(first())
    second = asyncio.create_task(one("second"))
    await asyncio.wait_for(task, 3)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await texts(sqlite) == ["first"]
    await asyncio.wait_for(one("after"), 3)


async def test_a_writer_cancelled_twice_during_its_commit_leaves_a_usable_database(
    sqlite: Database, commits: list[float]
) -> None:
    async def one(name: str) -> None:
        async with sqlite.begin() as tx:
            await write(tx, name)

    for _ in range(5):
        commits.clear()
        writers = [asyncio.create_task(one("x")) for _ in range(2)]
        while not commits:
            await asyncio.sleep(0)
        for writer in writers:
            writer.cancel()
        await asyncio.sleep(0)
        for writer in writers:
            writer.cancel()
        await asyncio.wait_for(asyncio.gather(*writers, return_exceptions=True), 5)
        await asyncio.wait_for(one("y"), 5)
    assert (await texts(sqlite)).count("y") == 5


async def test_two_programs_on_one_file_take_turns(sqlite_url: str) -> None:
    desks = [Database(sqlite_url, TABLES) for _ in range(2)]

    async def one(db: Database, name: str) -> None:
        async with db.begin() as tx:
            await write(tx, name)

    await asyncio.gather(
        *[one(db, f"{desk}-{n:03}") for n in range(200) for desk, db in enumerate(desks)]
    )
    assert await texts(desks[0]) == [f"{desk}-{n:03}" for desk in range(2) for n in range(200)]
    for db in desks:
        await db.close()


async def test_a_file_kept_busy_by_others_is_given_up_after_a_while(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "PATIENCE", 0.2)
    other = sqlite3.connect(driver_of(sqlite).path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def one() -> None:
        async with sqlite.begin() as tx:
            await write(tx, "never")

    started = time.monotonic()
    results = await asyncio.gather(*[one() for _ in range(6)], return_exceptions=True)
    took = time.monotonic() - started
    assert {type(each) for each in results} == {Busy}
    assert 0.2 <= took < 1.0, "they wait together, not one after the other"
    assert await texts(sqlite) == [], "reading goes on"
    other.execute("ROLLBACK")
    other.close()
    async with sqlite.begin() as tx:
        await write(tx, "after")
    assert await texts(sqlite) == ["after"]


async def test_a_file_is_opened_while_another_program_gives_it_its_log(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.05, lambda: other.execute("COMMIT")).start()
    db = Database(sqlite_url, TABLES)
    assert await texts(db) == [] and not other.in_transaction
    await db.close()
    other.close()


async def test_the_change_token_moves_with_every_commit_and_only_then(sqlite_url: str) -> None:
    here, there = Database(sqlite_url, TABLES), Database(sqlite_url, TABLES)
    seen = {here.change_token()}
    for writer in (here, there, here):
        assert here.change_token() in seen
        async with writer.begin() as tx:
            await write(tx, "x")
            assert here.change_token() in seen, "nothing is committed yet"
        assert here.change_token() not in seen
        seen.add(here.change_token())
    await texts(here)
    assert here.change_token() in seen
    await here.close()
    await there.close()


async def test_a_database_in_memory_is_private_and_keeps_the_same_promises() -> None:
    db, other = await in_memory(), Database("sqlite://:memory:", TABLES)
    assert db.change_token() is None
    assert other.memory is not None and other.memory is not db.memory

    async def reader() -> int:
        async with db.read() as session:
            found: int = await session.value(COUNT)
            return found

    async with db.begin() as tx:
        await write(tx, "one")
        waiting = asyncio.create_task(reader())
        await asyncio.sleep(0.01)
        assert not waiting.done(), "nobody reads a transaction in progress"
    assert await waiting == 1
    with pytest.raises(RuntimeError):
        async with db.begin() as tx:
            await write(tx, "undone")
            raise RuntimeError
    assert await texts(db) == ["one"]
    await db.close()
    await other.close()


async def test_a_file_is_durable_unless_it_is_only_being_built(sqlite_url: str) -> None:
    for durable, expected in ((True, 2), (False, 0)):
        db = Database(sqlite_url, TABLES, durable=durable)
        raw = driver_of(db).writer.raw
        assert raw.execute("PRAGMA synchronous").fetchone()[0] == expected
        assert raw.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert raw.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        async with db.begin() as tx:
            await write(tx, "kept")
        await db.tidy()
        assert raw.execute("PRAGMA synchronous").fetchone()[0] == 2
        await db.close()


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_a_network_file_system_is_refused_and_the_reason_told(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "file_system_of", lambda folder: kind)
    path = tmp_path / "shared" / "lendery.db"
    with pytest.raises(SystemExit) as told:
        Database(f"sqlite:///{path}")
    says = str(told.value)
    assert kind in says and str(path.parent) in says
    assert "file locks" in says and "PostgreSQL" in says
    assert not path.exists()
    monkeypatch.setattr(database, "file_system_of", lambda folder: "ext4")
    assert database.local_file(f"sqlite:///{path}") == str(path)


def test_the_mount_point_nearest_to_a_folder_says_what_it_is_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "far away"
    (inner / "deep").mkdir(parents=True)
    (tmp_path / "far away too").mkdir()
    point = str(inner).replace(" ", "\\040")
    table = f"rootfs / ext4 rw 0 0\nserver:/x {point} nfs4 rw 0 0\nother {tmp_path} xfs rw 0 0\n"
    mounts = tmp_path / "mounts"
    mounts.write_text(table)
    monkeypatch.setattr(
        database, "Path", lambda text: mounts if str(text) == "/proc/self/mounts" else Path(text)
    )
    asked = [inner / "deep", inner, tmp_path / "far away too", tmp_path, Path("/")]
    found = [database.file_system_of(folder) for folder in asked]
    assert found == ["nfs4", "nfs4", "xfs", "xfs", "ext4"]


@pytest.mark.parametrize(
    ("url", "memory"),
    [("sqlite://", True), ("sqlite:///:memory:", True), ("sqlite:///{}/new/a.db", False)],
)
def test_which_urls_mean_a_file(url: str, memory: bool, tmp_path: Path) -> None:
    found = database.local_file(url.format(tmp_path))
    assert found == (":memory:" if memory else f"{tmp_path}/new/a.db")
    assert memory or (tmp_path / "new").is_dir()
