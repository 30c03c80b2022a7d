"""SQLite: short reads on the event loop, one writer whose commits go in groups.

A read by key takes 7 us inline and 110 through a thread, so reads stay here. Writers take
turns; those that queue up while a commit waits for the disk share the next one (each in a
savepoint), so durability (synchronous=FULL) costs one sync per group, not per loan.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from lendery.contracts.base import Busy
from lendery.platform.db.session import Session
from lendery.platform.db.sqlite_connection import (
    SnapshotConnection,
    SqliteConnection,
    UnhurriedConnection,
)
from lendery.platform.db.wal import WalIndex

GROUP_LIMIT = 64
PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    "busy_timeout=1000",  # for readers; the writer waits without holding the loop up
    "cache_size=-65536",
    "mmap_size=268435456",
)
PATIENCE = 15.0  # seconds to wait for a writer in another process


class _Inline:
    """Reading a file: nothing is opened and nothing is closed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def __aenter__(self) -> Session:
        return self._session

    async def __aexit__(self, *_: object) -> None: ...


def _set(raw: sqlite3.Connection, pragma: str) -> None:
    """Others that begin at once may be giving a new file its log, or take up that of one killed."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            raw.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


class SqliteDriver:
    """The connections of one database file (or of one private in-memory database)."""

    dialect = "sqlite"

    def __init__(self, path: str, *, durable: bool = True) -> None:
        self.path, self.durable = path, durable
        self.in_memory = path in ("", ":memory:")
        self.writer = SqliteConnection(self._connect())
        self.reader = self.writer if self.in_memory else SqliteConnection(self._connect())
        self.writer.raw.execute("PRAGMA busy_timeout=0")  # it waits in _begin_immediate
        self.student: UnhurriedConnection | None = None
        self._study = asyncio.Lock()
        self._inline = _Inline(Session(self.reader))
        self._lock = asyncio.Lock()
        self._queue = 0
        self._group: asyncio.Future[None] | None = None
        self._grouped = 0
        self._seen_others_at = 0.0
        self.turns = 0
        self._left_open: asyncio.Task[None] | None = None
        self._wal_index: WalIndex | None = None
        self._looks = not self.in_memory  # for it, once

    def wal_index(self) -> WalIndex | None:
        """Where a commit by anybody shows, once something has been read; None where nowhere."""
        if self._looks:
            self._looks = False
            self.reader.raw.execute("PRAGMA data_version").fetchone()  # maps it
            self._wal_index = WalIndex.of(self.path)
        return self._wal_index

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(
            self.path or ":memory:",
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in (*PRAGMAS, f"synchronous={'FULL' if self.durable else 'OFF'}"):
            _set(raw, pragma)
        return raw

    def read(self) -> AbstractAsyncContextManager[Session]:
        # One connection in memory: nobody reads a transaction in progress.
        return self._in_turn() if self.in_memory else self._inline

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[Session]:
        async with self._lock:
            yield Session(self.reader)

    @asynccontextmanager
    async def unhurried(self) -> AsyncIterator[Session]:
        if self.in_memory:
            async with self.read() as session:
                yield session
            return
        async with self._study:
            self.student = self.student or UnhurriedConnection(self._connect())
            yield Session(self.student)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqliteConnection]:
        give_up = time.monotonic() + PATIENCE
        await self._take_turn()
        try:
            group = await self._open_group(give_up)
            try:
                async with self._savepoint(group):
                    yield self.writer
            finally:
                self._grouped += 1
                if not self._queue or self._grouped >= GROUP_LIMIT or group.done():
                    await self._close_group(group)
        finally:
            self._lock.release()
        await asyncio.shield(group)  # told "done" only when it is on the disk

    async def _take_turn(self) -> None:
        self._queue += 1
        self.turns += 1
        try:
            await self._lock.acquire()
        except BaseException:
            if self._group is not None:  # it was left open for us, and we do not come
                self._left_open = asyncio.create_task(self._close_left_open())
            raise
        finally:
            self._queue -= 1

    async def _close_left_open(self) -> None:
        async with self._lock:
            if self._group is not None and not self._queue:
                await self._close_group(self._group)

    async def _open_group(self, give_up: float) -> "asyncio.Future[None]":
        if self._group is None:
            await self._begin_immediate(give_up)
            self._group = asyncio.get_running_loop().create_future()
            self._grouped = 0
        return self._group

    async def _begin_immediate(self, give_up: float) -> None:
        if time.monotonic() - self._seen_others_at < 1.0:
            await asyncio.sleep(0.001)  # another process writes too: leave it a gap
        while True:
            try:
                self.writer.raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                self._seen_others_at = time.monotonic()
                self.turns += 1
                if self._seen_others_at > give_up:
                    raise Busy("The database is busy. Nothing was changed; try again.") from error
                await asyncio.sleep(random.uniform(0.0005, 0.004))

    @asynccontextmanager
    async def _savepoint(self, group: "asyncio.Future[None]") -> AsyncIterator[None]:
        raw = self.writer.raw
        raw.execute("SAVEPOINT one")
        try:
            yield
        except BaseException as error:
            if raw.in_transaction:
                raw.execute("ROLLBACK TO one")
                raw.execute("RELEASE one")
            elif not group.done():  # SQLite gave the whole group up (disk full, say)
                group.set_exception(error)
                group.exception()  # marks it as seen, should nobody else wait
            raise
        raw.execute("RELEASE one")

    async def _close_group(self, group: "asyncio.Future[None]") -> None:
        self._group = None
        if group.done():
            return
        loop = asyncio.get_running_loop()
        if self.in_memory or not self.durable:  # no disk to wait for
            commit = loop.create_future()
            try:
                self._commit()
                commit.set_result(None)
            except Exception as error:
                commit.set_exception(error)
        else:
            commit = loop.run_in_executor(None, self._commit)
        cancelled = None
        while not commit.done():
            try:
                await asyncio.wait([commit])
            except asyncio.CancelledError as error:
                cancelled = error  # the writer is gone; the commit is not, and others wait for it
        _settle(group, commit)
        if cancelled is not None:
            raise cancelled

    def _commit(self) -> None:
        try:
            self.writer.raw.execute("COMMIT")
        except BaseException:
            if self.writer.raw.in_transaction:
                self.writer.raw.execute("ROLLBACK")
            raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[SqliteConnection]:
        if self.in_memory:
            async with self._lock:  # its one connection: the writers do have to wait
                yield self.reader
            return
        raw = self._connect()
        try:
            for pragma in ("query_only=ON", "mmap_size=0", "cache_size=-8192"):  # reads it all once
                raw.execute(f"PRAGMA {pragma}")
            raw.execute("BEGIN")
            yield SnapshotConnection(raw)
        finally:
            raw.close()

    async def tidy(self) -> None:
        for command in ("ANALYZE", "PRAGMA synchronous=FULL", "PRAGMA wal_checkpoint(TRUNCATE)"):
            self.writer.raw.execute(command)

    async def overwrite(self) -> None:
        """In a thread, on a connection of its own. Nobody here writes meanwhile, others wait."""
        if self.in_memory:
            return
        async with self._lock:
            if self._group is not None:
                await self._close_group(self._group)
            await asyncio.get_running_loop().run_in_executor(None, self._rewrite)

    def _rewrite(self) -> None:
        raw = self._connect()
        try:
            raw.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()

    async def close(self) -> None:
        self._looks, self._wal_index = False, None  # its memory goes with the connections
        self.writer.raw.close()
        if not self.in_memory:
            self.reader.raw.close()
        if self.student is not None:
            self.student.raw.close()


def _settle(group: "asyncio.Future[None]", commit: "asyncio.Future[None]") -> None:
    error = commit.exception()
    if error is None:
        group.set_result(None)
    else:
        group.set_exception(error)
        group.exception()
