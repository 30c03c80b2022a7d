"""A catalog on each database there is, with a small circulation beside it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import select

from lendery.catalog.authorities import HeadingFile
from lendery.catalog.authors import AuthorFile
from lendery.catalog.books import BookCatalog
from lendery.catalog.copies import CopyRegister
from lendery.catalog.duplicates import DuplicateList
from lendery.catalog.merging import MergeDesk
from lendery.catalog.models import CHANGES, TABLES
from lendery.catalog.series import SeriesShelf
from lendery.catalog.works import WorkShelf
from lendery.contracts.catalog import Book, CopyStatus, NamedAuthor, NewBook, NewCopy
from lendery.contracts.circulation import Branch, CopyState, NoSuchBranch
from lendery.contracts.permissions import SYSTEM
from lendery.platform import migrate
from lendery.platform.db import Database

POSTGRES = os.environ.get("LENDERY_TEST_POSTGRES", "")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAIN_STREET = UUID("00000000-0000-7000-8000-00000000000a")
RIVERSIDE = UUID("00000000-0000-7000-8000-00000000000b")


def _on_postgres(*statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(POSTGRES.replace("+asyncpg", "") + "/postgres")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "catalog.db"
    migrate.run(f"sqlite:///{path}", ["catalog"])
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    if not POSTGRES:
        pytest.skip("LENDERY_TEST_POSTGRES names no server")
    name = f"catalog_template_{uuid4().hex[:12]}"
    _on_postgres(f"CREATE DATABASE {name}")
    migrate.run(f"{POSTGRES}/{name}", ["catalog"])
    yield name
    _on_postgres(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "catalog.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("postgres_template")
    name = f"catalog_{uuid4().hex[:12]}"
    _on_postgres(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield f"{POSTGRES}/{name}"
    _on_postgres(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def db(url: str) -> AsyncIterator[Database]:
    database = Database(url, [TABLES], size=12)
    yield database
    await database.close()


class Circulation:
    """CopyStates and Branches, as far as the catalog asks."""

    def __init__(self) -> None:
        self.known: dict[UUID, CopyStatus] = {}
        self.lent: set[UUID] = set()
        self.asked = 0

    async def states(self, *, copy_ids: list[UUID]) -> list[CopyState]:
        self.asked += 1
        return [CopyState(copy_id=c, status=self.known[c]) for c in copy_ids if c in self.known]

    async def has_past(self, *, copy_ids: list[UUID]) -> bool:
        return bool(self.lent & set(copy_ids))

    async def get(self, *, branch_id: UUID) -> Branch:
        if branch_id not in (MAIN_STREET, RIVERSIDE):
            raise NoSuchBranch("There is no such branch.")
        return Branch(
            id=branch_id,
            code="main",
            name="Main Street",
            time_zone="UTC",
            address=None,
            calendar_id=None,
            self_service=True,
            version=1,
        )


async def version_of(db: Database) -> int:
    """The number of the last change of the catalog."""
    async with db.read() as session:
        row: Any = await session.row(CHANGES.now)
    return int(row.version)


class Library:
    """The catalog and short ways to fill it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.circulation: Any = Circulation()
        self.authors = AuthorFile(db)
        self.books = BookCatalog(db)
        self.copies = CopyRegister(db, self.circulation, self.circulation)
        self.authorities, self.merges = HeadingFile(db), MergeDesk(db)
        self.duplicates = DuplicateList(db)
        self.works, self.series = WorkShelf(db), SeriesShelf(db)

    async def book(self, title: str, *authors: str | NamedAuthor, **fields: Any) -> Book:
        new = NewBook(title=title, authors=list(authors), **fields)
        return await self.books.add(book=new, actor=SYSTEM, now=NOW)

    async def copy(self, book: Book, barcode: str, **fields: Any) -> Any:
        least = {"barcode": barcode, "book_id": book.id, "branch_id": MAIN_STREET}
        new = NewCopy.model_validate(least | fields)
        return await self.copies.add(copy=new, actor=SYSTEM, now=NOW)

    async def change(self, book: Book, **changes: Any) -> Book:
        return await self.books.change(book_id=book.id, changes=changes, actor=SYSTEM, now=NOW)


@pytest.fixture
def library(db: Database) -> Library:
    return Library(db)


@pytest.fixture
def events(db: Database) -> Callable[[], Any]:
    """The names of the events told so far."""

    async def told() -> list[str]:
        log = TABLES.event
        async with db.read() as session:
            rows = await session.rows(select(log.c.name).order_by(log.c.seq))
        return [row.name.removeprefix("catalog.") for row in rows]

    return told
