"""The catalogue written to a file: MARC as it came where nobody edited it since."""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from queue import Queue
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lendery.catalog.formats import (
    Described,
    Exported,
    Format,
    Holding,
    NamedHeading,
    write,
)
from lendery.catalog.importing.place import Place
from lendery.catalog.models import JOBS
from lendery.catalog.models import copy as copy_table
from lendery.catalog.repository import authors as authors_kept
from lendery.catalog.repository import sources
from lendery.catalog.repository.books import book_of
from lendery.contracts.base import new_id
from lendery.contracts.importing import (
    ExportOptions,
    ExportReport,
    NoSuchExport,
    NotReady,
    Piece,
)
from lendery.contracts.jobs import ENDED
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Statement, any_of
from lendery.platform.job_list import WHOLE, asked_for
from lendery.platform.queue import Running

KIND = "export"
PIECE = 256 * 1024  # bytes handed out at a time
AT_ONCE = 500
COPIES = Statement(select(copy_table).where(any_of(copy_table.c.book_id, "ids")))


@dataclass(frozen=True)
class ExportDesk:
    """Implements contracts.importing.Exports."""

    db: Database
    place: Place
    wake: Callable[[], None]

    async def start(self, *, options: ExportOptions, actor: Actor, now: datetime) -> ExportReport:
        actor.must(Permission.RUN_IMPORTS)
        job_id = new_id()
        request = options.model_dump(mode="json")
        async with self.db.begin() as tx:
            await tx.write(asked_for(JOBS, job_id=job_id, kind=KIND, request=request, now=now))
        self.wake()
        return self._report(await self._row(job_id))

    async def get(self, *, export_id: UUID, actor: Actor) -> ExportReport:
        actor.must(Permission.READ_JOBS)
        return self._report(await self._row(export_id))

    async def piece(self, *, export_id: UUID, at: int, actor: Actor) -> Piece:
        actor.must(Permission.RUN_IMPORTS)
        row = await self._row(export_id)
        if row.state != "done" or not self.place.has(export_id):
            raise NotReady("This export is not finished, or its file is gone by now.")

        def read() -> Piece:
            with self.place.file(export_id).open("rb") as file:
                file.seek(at)
                data = file.read(PIECE)
                return Piece.model_construct(data=data, last=len(data) < PIECE)

        return await asyncio.to_thread(read)

    async def _row(self, export_id: UUID) -> Any:
        async with self.db.read() as session:
            row = await session.row(JOBS.by_id, id=export_id)
        if row is None or row.kind != KIND:
            raise NoSuchExport("There is no such export.")
        return row

    def _report(self, row: Any) -> ExportReport:
        return ExportReport(
            id=row.id,
            state=row.state,
            progress=row.progress / WHOLE,
            format=row.request["format"],
            written=row.counts.get("written", 0),
            left_out=row.counts.get("left_out", 0),
            error=row.error,
            file_kept=row.state in ENDED and self.place.has(row.id),
            created_at=row.created_at,
            ended_at=row.ended_at,
        )


async def run_export(wiring: Any, running: Running) -> None:
    """What the queue does for a job of kind `export`: from the start again after a kill."""
    place = Place(wiring.settings.import_folder, wiring.settings.import_limit)
    place.drop(running.id)
    with place.make(running.id) as file:
        writer = Writer(Format(running.request["format"]), file.write)
        await write_all(wiring.db, wiring.branches, writer, running)
    place.keep(running.id)


class Writer:
    """Writes in a thread, fed from here a batch at a time."""

    def __init__(self, format: Format, out: Callable[[bytes], Any]) -> None:
        self.format, self.out = format, out
        self.batches: Queue[list[Exported] | None] = Queue(2)
        self.written = 0
        self.left_out = 0

    def run(self) -> None:
        for data in write(self._records(), self.format, report=self._left_out):
            self.out(data)

    def _records(self) -> Iterator[Exported]:
        while (batch := self.batches.get()) is not None:
            for each in batch:
                self.written += 1
                yield each

    def _left_out(self, book: Exported, why: str) -> None:
        self.written -= 1
        self.left_out += 1


async def write_all(db: Database, branches: Any, writer: Writer, running: Running) -> None:
    """Every record, as all of them stood when the export began."""
    from lendery.catalog.importing.running import branches_by_name

    names = {branch_id: code for code, branch_id in (await branches_by_name(branches)).items()}
    async with db.read() as session:
        total = await session.value(sources.WITH_SOURCES) or 1
    writing = asyncio.ensure_future(asyncio.to_thread(writer.run))
    try:
        async with db.snapshot() as session:
            async for rows in session.chunks(sources.WITH_SOURCE, most=AT_ONCE):
                async with db.read() as beside:
                    batch = await _exported(beside, rows, names)
                await _put(writer, writing, batch)
                counts = {"written": writer.written, "left_out": writer.left_out}
                done = (counts["written"] + counts["left_out"]) / total
                await _step(db, running, counts, min(done, 0.999))
        await _put(writer, writing, None)
        await writing
    finally:
        if not writing.done():
            writer.batches.put_nowait(None) if not writer.batches.full() else None
            await asyncio.wait([writing], timeout=5)
    counts = {"written": writer.written, "left_out": writer.left_out}
    await _step(db, running, counts, 0.999)


async def _put(
    writer: Writer, writing: "asyncio.Future[None]", batch: list[Exported] | None
) -> None:
    """Waits for room, but not for a writer that has stopped."""
    while writer.batches.full():
        if writing.done():
            await writing
        await asyncio.sleep(0.01)
    writer.batches.put_nowait(batch)


async def _step(db: Database, running: Running, counts: dict[str, int], progress: float) -> None:
    async with db.begin() as tx:
        await running.step(tx, position={}, counts=counts, progress=progress)
    running.stepped({}, counts, progress)


async def _exported(
    session: Session, rows: Iterable[Any], branches: dict[UUID, str]
) -> list[Exported]:
    books = [(book_of(row), row) for row in rows]
    ids = {ref.id for shown, _ in books for ref in shown.authors}
    authors = await authors_kept.authors_with(session, ids=list(ids))
    held: dict[UUID, list[Holding]] = {}
    for row in await session.rows(COPIES, ids=[shown.id for shown, _ in books]):
        held.setdefault(row.book_id, []).append(
            Holding(
                row.barcode,
                branches.get(row.branch_id),
                row.item_type,
                row.location,
                row.call_number,
                row.price_amount,
            )
        )
    return [
        Exported(
            id=str(shown.id),
            described=_described(shown, row, authors, tuple(held.get(shown.id, ()))),
            marc=_marc(row),
            edited=bool(row.raw) and (bool(row.edited) or row.version != row.as_brought),
        )
        for shown, row in books
    ]


def _described(shown: Any, row: Any, authors: dict[UUID, Any], held: tuple[Holding, ...]) -> Any:
    return Described(
        title=shown.title,
        subtitle=shown.subtitle,
        authors=tuple(
            NamedHeading(a.name, a.sort_name, a.born, a.died)
            for a in (authors[ref.id] for ref in shown.authors if ref.id in authors)
        ),
        isbns=(shown.isbn,) if shown.isbn else (),
        publisher=shown.publisher,
        published_year=shown.published_year,
        language=shown.language,
        subjects=shown.subjects,
        description=shown.description,
        series=shown.series,
        series_number=shown.series_number,
        call_number=shown.call_number,
        material=shown.material,
        control_number=row.control_number,
        holdings=held,
    )


def _marc(row: Any) -> bytes | None:
    if not row.raw:
        return None
    return zlib.decompress(row.raw) if row.packed else bytes(row.raw)
