"""A board of reviews on each database there is, with a small catalog and circulation beside it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select

from lendery.contracts.base import PeerUnavailable
from lendery.contracts.catalog import Book, NoSuchBook
from lendery.contracts.circulation import Borrowed
from lendery.contracts.permissions import Actor
from lendery.contracts.reviews import NewReport, NewReview, Review, ReviewPage
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.reviews.board import ReviewBoard
from lendery.reviews.models import TABLES
from tests.databases import KINDS, Shelter, shelter

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MIDDLEMARCH = UUID("00000000-0000-7000-8000-000000000001")
EMMA = UUID("00000000-0000-7000-8000-000000000002")
PERSUASION = UUID("00000000-0000-7000-8000-000000000003")  # left the library
ANN, BEN, CAS = (Actor(id=uuid4(), role="reader") for _ in range(3))
LEA = Actor(id=uuid4(), role="librarian")


def a_book(book_id: UUID, title: str, *, withdrawn: bool = False) -> Book:
    nothing: Any = dict.fromkeys(
        ("subtitle", "isbn", "publisher", "published_year", "language", "description", "series",
         "series_number", "call_number")
    )  # fmt: skip
    return Book(id=book_id, work_id=book_id, title=title, authors=(), subjects=(), material="book",
                withdrawn=withdrawn, version=1, **nothing)  # fmt: skip


@dataclass
class Neighbours:
    """Books and Borrowings, as far as reviews asks."""

    known_books: dict[UUID, Book] = field(default_factory=dict)
    borrowed: set[tuple[UUID, UUID]] = field(default_factory=set)
    catalog_is_away: bool = False
    circulation_is_away: bool = False
    asked: list[list[Borrowed]] = field(default_factory=list)

    @property
    def books(self) -> "Neighbours":
        return self

    async def get(self, *, book_id: UUID) -> Book:
        if self.catalog_is_away:
            raise PeerUnavailable("No answer from catalog.")
        if book_id not in self.known_books:
            raise NoSuchBook("There is no such book.")
        return self.known_books[book_id]

    async def by_ids(self, *, ids: list[UUID]) -> list[Book]:
        if self.catalog_is_away:
            raise PeerUnavailable("No answer from catalog.")
        return [self.known_books[each] for each in ids if each in self.known_books]

    async def known(self, *, asked: list[Borrowed]) -> list[Borrowed]:
        if self.circulation_is_away:
            raise PeerUnavailable("No answer from circulation.")
        self.asked.append(asked)
        return [each for each in asked if (each.patron_id, each.book_id) in self.borrowed]


class Library:
    """The board and short ways to write on it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.neighbours: Any = Neighbours(
            {
                MIDDLEMARCH: a_book(MIDDLEMARCH, "Middlemarch"),
                EMMA: a_book(EMMA, "Emma"),
                PERSUASION: a_book(PERSUASION, "Persuasion", withdrawn=True),
            }
        )
        self.reviews = ReviewBoard(db, self.neighbours, self.neighbours)

    async def post(
        self, who: Actor = ANN, rating: int = 5, book_id: UUID = MIDDLEMARCH, **more: Any
    ) -> Review:
        now = more.pop("now", NOW)
        new = NewReview(rating=rating, **more)
        return await self.reviews.post(book_id=book_id, review=new, actor=who, now=now)

    async def report(self, review: Review, who: Actor = BEN, **more: Any) -> None:
        report = NewReport(**more)
        await self.reviews.report(review_id=review.id, report=report, actor=who, now=NOW)

    async def decide(self, review: Review, decision: str, reason: str | None = None,
                     who: Actor = LEA) -> Review:  # fmt: skip
        from lendery.contracts.reviews import Decision

        wanted = Decision.model_validate({"decision": decision, "reason": reason})
        return await self.reviews.moderate(
            review_id=review.id, decision=wanted, actor=who, now=LATER
        )

    async def change(self, review: Review, who: Actor = ANN, **changes: Any) -> Review:
        version = changes.pop("expected", None)
        return await self.reviews.change(
            review_id=review.id, changes=changes, actor=who, now=LATER, version=version
        )

    async def remove(self, review: Review, who: Actor = ANN, version: int | None = None) -> None:
        await self.reviews.remove(review_id=review.id, actor=who, now=LATER, version=version)

    async def page(self, book_id: UUID = MIDDLEMARCH, order: Any = "newest", **window: Any
                   ) -> ReviewPage:  # fmt: skip
        from lendery.contracts.base import Window

        return await self.reviews.of_book(book_id=book_id, order=order, window=Window(**window))

    async def stars(self, book_id: UUID = MIDDLEMARCH) -> list[int]:
        return list((await self.page(book_id)).rating.histogram)

    async def told(self) -> list[str]:
        """The names of the events told so far."""
        return [name for name, _ in await self.log()]

    async def log(self) -> list[tuple[str, dict[str, Any]]]:
        log = TABLES.event
        async with self.db.read() as session:
            rows = await session.rows(select(log.c.name, log.c.body).order_by(log.c.seq))
        return [(row.name.removeprefix("reviews."), row.body) for row in rows]

    async def everything(self) -> list[list[Any]]:
        """All that is kept, to see that a refusal changed nothing."""
        kept = []
        async with self.db.read() as session:
            for table in TABLES.event.metadata.sorted_tables:
                kept.append(sorted(map(repr, await session.rows(select(table)))))
        return kept


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    folder = tmp_path_factory.mktemp("reviews")
    with shelter(folder, "reviews", lambda url: migrate.run(url, ["reviews"])) as made:
        yield made


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, templates: Shelter) -> Iterator[str]:
    with templates.url(request.param) as url:
        yield url


@pytest_asyncio.fixture
async def db(url: str) -> AsyncIterator[Database]:
    database = Database(url, [TABLES], size=12)
    yield database
    await database.close()


@pytest.fixture
def library(db: Database) -> Library:
    return Library(db)
