"""A library into a file, as it stood at one moment, while it goes on lending."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import String, Table, column, func, select
from sqlalchemy import table as named

import lendery
from lendery.platform.backup import Refused
from lendery.platform.backup.checking import check
from lendery.platform.backup.file import NewFile
from lendery.platform.backup.format import Manifest, Whole, Writer
from lendery.platform.backup.progress import Progress, Quiet
from lendery.platform.backup.values import Shape
from lendery.platform.db import Database, Session
from lendery.platform.db.log import ContextTables
from lendery.platform.schema import SchemaState, states_seen
from lendery.platform.threads import to_the_end

AT_ONCE = 500  # rows in memory


@dataclass(frozen=True)
class Made:
    """A backup that was written, read back and found to be whole. `size` in bytes."""

    whole: Whole
    size: int


async def back_up(
    db: Database,
    file: Path,
    *,
    now: datetime,
    passphrase: str | None = None,
    progress: Progress | None = None,
) -> Made:
    """All tables of the contexts of `db`. The file appears when it is whole, or not at all.

    Raises Refused.
    """
    progress = progress or Quiet()
    new = NewFile(file)
    try:
        await to_the_end(new.open, passphrase)
        async with db.snapshot() as session:
            whole = await _write(session, db.tables, new, now, progress)
        size = await to_the_end(new.close)
        if await to_the_end(check, new.part, passphrase, progress) != whole:
            raise Refused("What was read back is not what was written. No backup was made.")
        new.finish()
    except OSError as error:
        new.discard()
        raise Refused(f"{file} could not be written: {error.strerror}.") from error
    except BaseException:
        new.discard()
        raise
    return Made(whole, size)


async def _write(
    session: Session,
    contexts: Mapping[str, ContextTables],
    new: NewFile,
    now: datetime,
    progress: Progress,
) -> Whole:
    states = await _states(session, contexts)
    shapes = [
        shape
        for state in states
        for table in contexts[state.context].event.metadata.sorted_tables
        if (shape := await _shape(session, table, state))
    ]
    counts = [await session.value(select(func.count()).select_from(s.table)) for s in shapes]
    progress.start("Writing", sum(counts))
    revisions = {state.context: f"{state.revision:04d}" for state in states}
    writer = Writer(new.write, Manifest(lendery.__version__, now, revisions))
    for shape in shapes:
        writer.table(shape)
        async for rows in session.chunks(shape.select(session.dialect), most=AT_ONCE):
            await to_the_end(writer.rows, rows)
            progress.advance(len(rows))
        writer.end()
    return writer.close()


async def _states(session: Session, contexts: Mapping[str, ContextTables]) -> list[SchemaState]:
    """Of an older schema everything is known: one backs up before one migrates."""
    states = await states_seen(session, sorted(contexts))
    if not any(state.revision for state in states):
        raise Refused("There is no library in this database. No backup was made.")
    for state in states:
        if not state.revision:
            missing = f"The {state.context} tables are missing here (LENDERY_CONTEXTS)."
            raise Refused(f"{missing} No backup was made.")
        if state.revision > state.newest:
            raise Refused(
                f"The {state.context} tables were made by a newer Lendery, and this one does not "
                "know all that is in them. No backup was made. Update Lendery."
            )
    return states


async def _shape(session: Session, table: Table, state: SchemaState) -> Shape | None:
    """The table as it is here; None when the schema is older than the table."""
    present = await _columns(session, table.name)
    if state.revision == state.newest and present != set(table.c.keys()):
        raise Refused(f"{table.name} is not as this Lendery made it. No backup was made.")
    return Shape.of(table, present) if present else None


async def _columns(session: Session, name: str) -> set[str]:
    if session.dialect == "sqlite":
        info = func.pragma_table_info(name).table_valued(column("name", String))
        return {row.name for row in await session.rows(select(info.c.name))}
    names = ("table_schema", "table_name", "column_name")
    seen = named("columns", *(column(each, String) for each in names), schema="information_schema")
    query = select(seen.c.column_name.label("name")).where(
        seen.c.table_schema == func.current_schema(), seen.c.table_name == name
    )
    return {row.name for row in await session.rows(query)}
