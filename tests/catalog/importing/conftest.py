"""An import desk on each database there is, with its queue run by hand."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from lendery.catalog.formats import Described, Exported, Format, Holding, NamedHeading, write
from lendery.catalog.importing.exporting import ExportDesk
from lendery.catalog.importing.imports import ImportDesk
from lendery.catalog.importing.place import Place
from lendery.catalog.jobs import LONG_JOBS
from lendery.catalog.models import JOBS, metadata
from lendery.contracts.base import Page, Window
from lendery.contracts.catalog import Book, BookSearch
from lendery.contracts.circulation import Branch
from lendery.contracts.importing import ImportOptions, ImportReport
from lendery.contracts.permissions import SYSTEM
from lendery.platform.db import Database
from lendery.platform.job_list import JobList
from lendery.platform.queue import QueueRunner
from lendery.platform.settings import Settings
from tests.catalog.conftest import MAIN_STREET, NOW, RIVERSIDE, Circulation, Library

ELIOT = NamedHeading("George Eliot", "Eliot, George", 1819, 1880)
AUSTEN = NamedHeading("Jane Austen", "Austen, Jane", 1775, 1817)


def book(title: str, isbn: str = "", number: str = "", **fields: Any) -> Described:
    fields.setdefault("authors", (ELIOT,))
    return Described(title, isbns=(isbn,) if isbn else (), control_number=number or None, **fields)


MIDDLEMARCH = book("Middlemarch", "9780141439549", "(t)1", subjects=("City life",))
EMMA = book("Emma", "9780141439587", "(t)2", authors=(AUSTEN,), published_year=1815)
ROMOLA = book("Romola", "", "(t)3")


def marc(*books: Described) -> bytes:
    """The books as a MARC file."""
    records = (Exported(each.control_number or str(uuid4()), each) for each in books)
    return b"".join(write(records, Format.marc))


def held(barcode: str | None, branch: str | None = "main", **fields: Any) -> Holding:
    return Holding(barcode, branch, **fields)


class Town(Circulation):
    """Two branches, as an import asks for them."""

    async def find(self, *, window: Window) -> Page[Branch]:
        main = await self.get(branch_id=MAIN_STREET)
        river = main.model_copy(update={"id": RIVERSIDE, "code": "river", "name": "Riverside"})
        return Page(items=[main, river])


@dataclass
class Bulk:
    """What a job gets as its wiring, and short ways to import."""

    db: Database
    settings: Settings
    town: Any = field(default_factory=Town)

    def __post_init__(self) -> None:
        self.branches = self.copy_states = self.town
        self.queue = QueueRunner(self, self.db, {"catalog": (JOBS, LONG_JOBS)})
        self.place = Place(self.settings.import_folder, self.settings.import_limit)
        self.imports = ImportDesk(self.db, self.place, self.town, self.town, self.queue.wake)
        self.exports = ExportDesk(self.db, self.place, self.queue.wake)
        self.jobs = JobList(self.db, JOBS)
        self.library = Library(self.db)

    async def received(self, data: bytes) -> UUID:
        upload_id = await self.imports.begin(actor=SYSTEM, now=NOW)
        await self.imports.take(upload_id=upload_id, at=0, data=data, actor=SYSTEM, now=NOW)
        return upload_id

    async def ask(self, data: bytes, name: str = "books.mrc", **options: Any) -> ImportReport:
        upload_id = await self.received(data)
        chosen = ImportOptions.model_validate(options)
        return await self.imports.start(
            upload_id=upload_id, name=name, options=chosen, actor=SYSTEM, now=datetime.now(UTC)
        )

    async def run(self, data: bytes, name: str = "books.mrc", **options: Any) -> ImportReport:
        """Imported to the end."""
        asked = await self.ask(data, name, **options)
        await self.work()
        return await self.report(asked.id)

    async def work(self) -> None:
        while await self.queue.once():
            pass

    async def report(self, import_id: UUID) -> ImportReport:
        return await self.imports.get(import_id=import_id, actor=SYSTEM)

    async def undo(self, report: ImportReport) -> ImportReport:
        await self.imports.undo(import_id=report.id, actor=SYSTEM, now=NOW)
        await self.work()
        return await self.report(report.id)

    async def notes(self, report: ImportReport, severity: Any = None) -> list[str]:
        page = await self.imports.notes(
            import_id=report.id, window=Window(limit=100), actor=SYSTEM, severity=severity
        )
        return [each.says for each in page.items]

    async def rejects(self, report: ImportReport) -> bytes:
        found, _ = await self.imports.rejects(import_id=report.id, after=0, actor=SYSTEM)
        return b"".join(found)

    async def search(self, q: str | None = None, **wanted: Any) -> list[Book]:
        page = await self.library.books.search(
            wanted=BookSearch(q=q, **wanted), window=Window(limit=100)
        )
        return list(page.items)

    async def titles(self, q: str | None = None) -> list[str]:
        return sorted(each.title for each in await self.search(q))

    async def rows(self) -> dict[str, int]:
        """How many rows each table of the catalogue holds."""
        async with self.db.read() as session:
            return {
                name: await session.value(select(func.count()).select_from(table))
                for name, table in metadata.tables.items()
            }


@pytest_asyncio.fixture
async def bulk(db: Database, tmp_path: Path) -> AsyncIterator[Bulk]:
    yield Bulk(db, Settings(import_folder=tmp_path / "files"))


def counts(report: ImportReport) -> dict[str, int]:
    names = ("read", "added", "overlaid", "skipped", "rejected", "copies")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def lines(*parts: Iterable[str]) -> bytes:
    return "\n".join(",".join(each) for each in parts).encode() + b"\n"


@pytest.fixture
def files(bulk: Bulk) -> Any:
    """The names of the files that lie in the import folder."""

    def named() -> list[str]:
        return sorted(p.suffix for p in bulk.place.folder.iterdir())

    return named
