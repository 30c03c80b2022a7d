"""The one way to a database: `async with db.begin() as tx`, `async with db.read() as session`."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from lendery.platform.db.log import ContextTables
from lendery.platform.db.postgres import PostgresDriver
from lendery.platform.db.session import Session, Tx
from lendery.platform.db.sqlite import SqliteDriver

NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "glusterfs", "ceph", "afs"}


class Database:
    """`url`: sqlite:///path, sqlite:// (in memory) or postgresql://...

    After each commit every waiter on `announced` is woken: the relay sends what was told.
    `durable=False` is for building a file that counts only once it is whole.
    """

    def __init__(
        self,
        url: str,
        tables: Iterable[ContextTables] = (),
        *,
        size: int = 10,
        durable: bool = True,
    ) -> None:
        self.url = url
        self.tables = {each.context: each for each in tables}
        self.announced = asyncio.Event()
        self.feeds: dict[str, Any] = {}  # by context: who here keeps answers (cache/feed.py)
        self._driver: SqliteDriver | PostgresDriver
        if url.startswith("sqlite"):
            self._driver = SqliteDriver(local_file(url), durable=durable)
        elif url.startswith("postgresql"):
            self._driver = PostgresDriver(url, size=size)
        else:
            raise SystemExit(
                f"LENDERY_DATABASE_URL: {url.split(':')[0]!r} is not a database "
                "Lendery knows. Use sqlite:///file.db or postgresql://..."
            )

    @property
    def dialect(self) -> str:
        return self._driver.dialect

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """A transaction: committed when the block ends, undone when it raises."""
        async with self._driver.begin() as connection:
            tx = Tx(connection, self.tables)
            yield tx
        if tx.announced:
            self.announced.set()
        for each in tx.afterwards:
            await each(self)

    def read(self) -> AbstractAsyncContextManager[Session]:
        """Each statement sees what was committed before it began."""
        return self._driver.read()

    def unhurried(self) -> AbstractAsyncContextManager[Session]:
        """As `read`, for what may look at much: on SQLite in a thread, one after the other."""
        return self._driver.unhurried()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """All that is read in it stands as it did at the first read, however long it takes.

        It has a connection of its own, and no writer waits for it.
        """
        async with self._driver.snapshot() as connection:
            yield Session(connection)

    def change_token(self) -> int | None:
        """A number that changes whenever anyone commits to this file; None where there is none."""
        if isinstance(self._driver, SqliteDriver) and not self._driver.in_memory:
            found: int = self._driver.reader.raw.execute("PRAGMA data_version").fetchone()[0]
            return found
        return None

    def glance(self) -> object:
        """As change_token, in a tenth of the time where that can be had. A change for sure when
        it moved, and perhaps only some housekeeping of SQLite's; none when it did not."""
        if isinstance(self._driver, SqliteDriver) and not self._driver.in_memory:
            found = self._driver.wal_index()
            if found is not None:
                return found.header()
        return self.change_token()

    @asynccontextmanager
    async def listen(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[Any]:
        """PostgreSQL: `heard` is called with what is told there. Gives the asyncpg connection."""
        assert isinstance(self._driver, PostgresDriver)
        async with self._driver.listen(channel, heard) as connection:
            yield connection

    @property
    def memory(self) -> sqlite3.Connection | None:
        """The connection that an in-memory database lives on; None for any other."""
        if isinstance(self._driver, SqliteDriver) and self._driver.in_memory:
            return self._driver.writer.raw
        return None

    def turns(self) -> int:
        """How many transactions were begun here so far, and how often another process held the
        writers up: who loads much sees by it whether others wait."""
        return self._driver.turns

    async def tidy(self) -> None:
        """After a bulk load: fresh statistics for the planner, and no long write-ahead log."""
        await self._driver.tidy()

    async def overwrite(self) -> None:
        """Nothing that was deleted can be read from the file any more: it is written anew.

        Writers wait meanwhile. PostgreSQL does it by itself (autovacuum), page by page.
        """
        if isinstance(self._driver, SqliteDriver):
            await self._driver.overwrite()

    async def close(self) -> None:
        await self._driver.close()


def local_file(url: str) -> str:
    """The path of a SQLite URL, its folder made. Ends the program on a network file system."""
    path = url.split("://", 1)[1].removeprefix("/")
    if path in ("", ":memory:"):
        return ":memory:"
    folder = Path(path).expanduser().absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    kind = file_system_of(folder)
    if kind in NETWORK:
        raise SystemExit(
            f"SQLite cannot keep a library safe on a network file system: {folder} is on {kind}, "
            "where file locks and shared memory do not work. Put the file on a local disk, or "
            "use PostgreSQL (LENDERY_DATABASE_URL=postgresql://...)."
        )
    return str(Path(path).expanduser())


def file_system_of(folder: Path) -> str:
    """The kind of file system a folder is on, as the mount table calls it; '' if unknown."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        found = subprocess.run(  # macOS and the BSDs
            ["/bin/df", "-T", os.fspath(folder)], capture_output=True, text=True, check=False
        )
        return found.stdout.split()[-1] if found.returncode == 0 and found.stdout else ""
    best, kind = "", ""
    real = str(folder.resolve())
    for line in mounts.read_text().splitlines():
        _, point, fs, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if len(point) >= len(best) and (real + "/").startswith(point.rstrip("/") + "/"):
            best, kind = point, fs
    return kind
