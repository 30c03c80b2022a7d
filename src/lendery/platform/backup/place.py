"""Where a library may be restored: never over anything.

A file that is missing or empty, a database without Lendery's tables, or one with fresh tables
in which nobody has done anything yet.
"""

import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, String, Table, column, func, literal_column, select
from sqlalchemy import table as named

from lendery.platform import migrate
from lendery.platform.backup import Refused
from lendery.platform.backup.file import settle
from lendery.platform.db import Database, Session
from lendery.platform.db.database import local_file
from lendery.platform.db.log import ContextTables
from lendery.platform.db.sqlite_connection import SqliteConnection
from lendery.platform.schema import exists, states_seen

NOT_EMPTY = "There is a library in this database already."
SIDES = ("", "-wal", "-shm")


@dataclass(frozen=True)
class Place:
    """A database to be filled; `file` is None where it is not one file."""

    url: str
    file: Path | None
    contexts: Sequence[ContextTables]

    async def objection(self) -> str | None:
        """What is there already, as a sentence; None when there is nothing. Changes nothing."""
        if self.file is None:
            db = Database(self.url)
            try:
                async with db.read() as session:
                    return await self.holds(session)
            finally:
                await db.close()
        if not self.file.exists() or self.file.stat().st_size == 0:
            left = _beside(self.file, "-wal")
            if left.exists() and left.stat().st_size:
                return f"{left} is left of another library: move it away first."
            return None
        if self.file.open("rb").read(16) != b"SQLite format 3\x00":
            return f"{self.file} is not a SQLite database."
        return await self._holds_file(self.file)

    async def _holds_file(self, file: Path) -> str | None:
        raw = sqlite3.connect(file, timeout=5, isolation_level=None)
        try:
            raw.execute("PRAGMA query_only=ON")
            return await self.holds(Session(SqliteConnection(raw)))
        except sqlite3.DatabaseError:
            return f"{file} is a damaged SQLite database, or in use."
        finally:
            raw.close()

    async def holds(self, session: Session) -> str | None:
        """The same, of tables."""
        names = [each.context for each in self.contexts]
        for state in await states_seen(session, names):
            if state.revision > state.newest:
                return f"The {state.context} tables here were made by a newer Lendery."
        if session.dialect == "sqlite" and await _strangers(session, names):
            return "This file holds tables that are not Lendery's."
        seeds = await _fresh(self.contexts)
        for each in self.contexts:
            for table in each.event.metadata.sorted_tables:
                if table is each.slots.slot:  # a library that only stood there had its jobs run
                    continue
                if await _more_than(session, table, seeds[table.name]):
                    return NOT_EMPTY
        return None

    @asynccontextmanager
    async def unfinished(self) -> AsyncIterator[str]:
        """Where to build: the database itself, or a file beside that takes its place when done."""
        if self.file is None:
            yield self.url
            return
        local_file(self.url)  # makes its folder, and refuses one on a network
        building = _beside(self.file, ".restoring")
        _claim(building)
        try:
            yield f"sqlite:///{building}"
            _onto_disk(building)
            if objection := await self.objection():
                raise Refused(f"{objection} Nothing was changed.")
            _clear_away(self.file)
            building.replace(self.file)
            settle(self.file.parent)
        finally:
            _remove(building)


async def _more_than(session: Session, table: Table, rows: int) -> bool:
    query: Select[Any] = select(literal_column("1")).select_from(table).limit(rows + 1)
    return await exists(session, table.name) and len(await session.rows(query)) > rows


async def _strangers(session: Session, contexts: Sequence[str]) -> bool:
    master = named("sqlite_master", column("name", String), column("type", String))
    tables = await session.rows(select(master.c.name).where(master.c.type == "table"))
    ours = tuple(f"{context}_" for context in (*contexts, "sqlite"))
    return any(not row.name.startswith(ours) for row in tables)


async def _fresh(contexts: Sequence[ContextTables]) -> dict[str, int]:
    """How many rows each table has when the migrations have just made it."""
    db = Database("sqlite://", contexts)
    assert db.memory is not None
    migrate.run_in_memory(db.memory, [each.context for each in contexts])
    tables = [table for each in contexts for table in each.event.metadata.sorted_tables]
    async with db.read() as session:
        counts = {
            table.name: await session.value(select(func.count()).select_from(table))
            for table in tables
        }
    await db.close()
    return counts


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _claim(building: Path) -> None:
    try:
        os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise Refused(
            f"{building} is there: another restore is going on, or one was cut off. "
            "If none is running, remove it. Nothing was changed."
        ) from None
    except OSError as error:
        raise Refused(f"{building} cannot be written: {error.strerror}.") from error


def _onto_disk(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _clear_away(file: Path) -> None:
    """The empty library that stood there. Raises Refused when somebody has it open."""
    if file.exists() and file.stat().st_size:
        raw = sqlite3.connect(file, timeout=0, isolation_level=None)
        try:
            raw.execute("PRAGMA journal_mode=DELETE")  # only its only user may
        except sqlite3.OperationalError as error:
            says = f"{file} is in use: stop Lendery first. Nothing was changed."
            raise Refused(says) from error
        finally:
            raw.close()
    for side in SIDES[1:]:
        _beside(file, side).unlink(missing_ok=True)


def _remove(file: Path) -> None:
    for side in SIDES:
        _beside(file, side).unlink(missing_ok=True)
