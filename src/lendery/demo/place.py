"""Where the demo library may be built: never over anything."""

import asyncio
import sqlite3
from pathlib import Path

from sqlalchemy import func, select, table

from lendery.contracts.accounts import UserFilter
from lendery.contracts.base import Window
from lendery.contracts.catalog import BookSearch
from lendery.contracts.permissions import SYSTEM
from lendery.main import TABLES, Wiring, wire
from lendery.platform.schema import states
from lendery.platform.settings import CONTEXTS, Settings

A_LIBRARY = "There is a library in this database already."


def taken(chosen: Settings) -> str | None:
    """What is in the database already, as a sentence; None when there is nothing."""
    file = chosen.sqlite_file
    if file is not None and (not file.exists() or file.stat().st_size == 0):
        return None
    if file is not None and not _is_sqlite(file):
        return f"{file} is not a SQLite database."
    try:
        return asyncio.run(_look(chosen))
    except sqlite3.DatabaseError:
        return f"{file} is a damaged SQLite database."


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\x00"


async def _look(chosen: Settings) -> str | None:
    wiring = wire(chosen)
    try:
        found = await states(wiring.db, [context for context in CONTEXTS if context in TABLES])
        if any(state.revision for state in found):
            odd = next((state.objection for state in found if state.objection), None)
            return odd or await _library(wiring)
        if wiring.db.dialect == "sqlite":
            async with wiring.db.read() as session:
                tables = await session.value(
                    select(func.count()).select_from(table("sqlite_master"))
                )
            return "This file holds tables that are not Lendery's." if tables else None
        return None
    finally:
        await wiring.close()


async def _library(wiring: Wiring) -> str | None:
    one = Window(limit=1)
    books = await wiring.books.search(wanted=BookSearch(), window=one)
    users = await wiring.users.find(like=UserFilter(), window=one, actor=SYSTEM)
    branches = await wiring.branches.find(window=one)
    return A_LIBRARY if books.items or users.items or branches.items else None
