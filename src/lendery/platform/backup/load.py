"""The lines of a backup into tables that are made and empty, read back and compared."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, Table, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import REGCLASS

from lendery.platform.backup import Refused
from lendery.platform.backup.format import CUT, Reader, Tally, Whole
from lendery.platform.backup.progress import Progress
from lendery.platform.backup.values import Shape
from lendery.platform.db import Tx
from lendery.platform.schema import exists


async def load(tx: Tx, reader: Reader, progress: Progress) -> list[Shape]:
    """Everything, in the order of the file: what others refer to comes before them."""
    shapes = []
    for shape, chunks in reader.tables():
        _belongs(shape, reader)
        for lines in chunks:
            await tx.many(shape.insert, [shape.row(line) for line in lines])
            progress.advance(len(lines))
        await _count_on(tx, shape)
        shapes.append(shape)
    return shapes


def _belongs(shape: Shape, reader: Reader) -> None:
    if shape.name.split("_")[0] not in reader.manifest.revisions:
        raise Refused(CUT)


async def _count_on(tx: Tx, shape: Shape) -> None:
    """New rows get numbers after the restored ones. SQLite sees to that itself."""
    if tx.dialect == "sqlite":
        return
    for name, kind in shape.columns:
        if name in shape.key and kind == "whole":
            sequence = await tx.value(select(func.pg_get_serial_sequence(shape.name, name)))
            if sequence:
                last = func.max(shape.table.c[name])
                place = cast(sequence, REGCLASS)
                await tx.rows(select(func.setval(place, func.coalesce(last, 1), last.is_not(None))))


async def clear(tx: Tx, tables: Sequence[Table]) -> None:
    """Takes out the few rows that migrations put into new tables: the backup brings its own."""
    for table in reversed(tables):
        if await exists(tx, table.name):
            first: Select[Any] = select(literal_column("1")).select_from(table).limit(1)
            if await tx.rows(first):
                await tx.run(table.delete())


async def compare(tx: Tx, whole: Whole, shapes: Sequence[Shape], progress: Progress) -> None:
    """Every row as the database now has it. Raises Refused when one is not as it was."""
    for shape in shapes:
        tally = Tally()
        async for rows in tx.chunks(shape.select(tx.dialect), most=500):
            tally.add(shape.lines(rows))
            progress.advance(len(rows))
        if tally.counted != whole.tables[shape.name]:
            raise Refused(f"{shape.name} did not come back as it was.")
