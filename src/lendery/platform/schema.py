"""Where a context's schema stands, against what this program knows.

Kept apart from `migrate.py`, so that serving does not load the migration machinery.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from sqlalchemy import Column, Integer, MetaData, String, Table, column, func, select, table

from lendery.platform.db import Database, Session


@dataclass(frozen=True)
class SchemaState:
    """Revision 0: no tables. `compatible_from`: the oldest program that runs on this schema."""

    context: str
    revision: int
    newest: int
    compatible_from: int

    @property
    def objection(self) -> str | None:
        """Why this program cannot serve on this schema, or None."""
        if self.revision == self.newest:
            return None
        if self.revision < self.newest:
            return (
                f"The {self.context} tables are at revision {self.revision:04d}, this program "
                f"needs {self.newest:04d}. Run: lendery migrate"
            )
        if self.compatible_from <= self.newest:
            return None  # a newer Lendery only added things: older code runs on
        return (
            f"The {self.context} tables are at revision {self.revision:04d}, made by a newer "
            f"Lendery; this program knows {self.newest:04d}. Update Lendery."
        )


def newest(context: str) -> int:
    """The newest revision this program brings for a context: its files are 0001_what.py."""
    versions = files(f"lendery.{context}") / "migrations" / "versions"
    return max(int(each.name[:4]) for each in versions.iterdir() if each.name[:4].isdigit())


def noted(context: str) -> Table:
    """The table that says at which revision a context's tables are."""
    return Table(
        f"{context}_schema",
        MetaData(),
        Column("revision", String(8), primary_key=True),
        Column("compatible_from", Integer, nullable=False),
    )


async def states(db: Database, contexts: Iterable[str]) -> list[SchemaState]:
    async with db.read() as session:
        return await states_seen(session, contexts)


async def states_seen(session: Session, contexts: Iterable[str]) -> list[SchemaState]:
    return [await _state(session, context) for context in contexts]


async def _state(session: Session, context: str) -> SchemaState:
    name = f"{context}_schema"
    row = None
    if await exists(session, name):
        row = await session.row(select(noted(context)))
    revision = int(row.revision) if row else 0
    return SchemaState(context, revision, newest(context), row.compatible_from if row else 0)


async def exists(session: Session, name: str) -> bool:
    """Is there a table of this name?"""
    if session.dialect == "sqlite":
        master = table("sqlite_master", column("name", String))
        return bool(await session.value(select(master).where(master.c.name == name)))
    return bool(await session.value(select(func.to_regclass(name).is_not(None))))
