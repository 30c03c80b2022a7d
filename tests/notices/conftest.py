"""Notices on each database there is, beside a small town of readers, with a real mail server."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select

from lendery.contracts.accounts import Expiring, User
from lendery.contracts.base import Event, Money, Window
from lendery.contracts.circulation import DueLoan, DuePlace, HeldFor, Posted
from lendery.contracts.notices import NoticePreferences, PreferenceChanges
from lendery.contracts.permissions import Actor
from lendery.notices import jobs
from lendery.notices.inbox import Inbox
from lendery.notices.mail_log import MailBook
from lendery.notices.models import TABLES
from lendery.notices.post_office import PostOffice
from lendery.notices.reactions import REACTIONS
from lendery.notices.template_desk import TemplateDesk
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.platform.events import Reactions
from lendery.platform.settings import Settings
from tests.databases import KINDS, Shelter, shelter
from tests.mail_server import MailServer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
A_DAY = timedelta(days=1)
ANN, BEN = (Actor(id=uuid4(), role="reader") for _ in range(2))
LEA = Actor(id=uuid4(), role="librarian")
ADA = Actor(id=uuid4(), role="admin")
# For what does not depend on the database: each one of PostgreSQL's takes a moment to make.
on_one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
MIDDLEMARCH = UUID("00000000-0000-7000-8000-000000000001")


def user(who: Actor, name: str, language: str | None = None, **but: Any) -> User:
    assert who.id is not None
    nothing: Any = dict.fromkeys(
        ("card_number", "home_branch_id", "born_on", "expires_on", "guarantor_id")
    )
    given: Any = {"email": f"{name.lower()}@readers.test", "active": True} | but
    return User(
        id=who.id, name=f"{name} Lee", role="reader", category="adult", language=language,
        keeps_history=False, created_at=NOW, version=1, **nothing, **given,
    )  # fmt: skip


def settings_of(port: int, **but: Any) -> Settings:
    """Of a library that sends mail to a server on this port."""
    given: dict[str, Any] = {
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none",
        "smtp_from": "Riverside <library@library.test>", "library_name": "Riverside",
        "public_url": "https://library.test",
    }  # fmt: skip
    return Settings(**given | but)


@dataclass
class Neighbours:
    """Users, Patrons, Books and DueList, as far as notices asks; and the settings."""

    settings: Settings
    people: dict[UUID, User] = field(default_factory=dict)
    loans: list[DueLoan] = field(default_factory=list)
    held: dict[UUID, HeldFor] = field(default_factory=dict)
    posted: dict[UUID, Posted] = field(default_factory=dict)
    cards: list[Expiring] = field(default_factory=list)

    @property
    def due_list(self) -> Any:
        return self

    books = patrons = users = due_list

    async def by_ids(self, *, ids: list[UUID], actor: Actor | None = None) -> list[Any]:
        if actor is None:
            titled: Any = type("Book", (), {"id": MIDDLEMARCH, "title": "Middlemarch"})
            return [titled for each in ids if each == MIDDLEMARCH]
        return [self.people[each] for each in ids if each in self.people]

    async def due(
        self, *, until: datetime, after: DuePlace | None, most: int, now: datetime
    ) -> list[DueLoan]:
        found = sorted(self.loans, key=lambda each: (each.due_at, each.loan_id))
        place = (after.due_at, after.loan_id) if after else None
        listed = [e for e in found if place is None or (e.due_at, e.loan_id) > place]
        return [each for each in listed if each.due_at <= until][:most]

    async def expiring(self, *, until: date, after: UUID | None, most: int, since: Any = None,
                       now: Any = None) -> list[Any]:  # fmt: skip
        if after is not None:
            return []
        return list(self.held.values()) if since is None else self.cards

    async def loan(self, *, loan_id: UUID, now: datetime) -> DueLoan | None:
        return next((each for each in self.loans if each.loan_id == loan_id), None)

    async def hold(self, *, hold_id: UUID, now: datetime) -> HeldFor | None:
        return self.held.get(hold_id)

    async def charge(self, *, fine_id: UUID) -> Posted | None:
        return self.posted.get(fine_id)

    async def payment(self, *, settlement_id: UUID) -> Posted | None:
        return self.posted.get(settlement_id)


class Library:
    """The notices of one library, and short words for what happens there."""

    def __init__(self, db: Database, server: MailServer, **settings: Any) -> None:
        self.db, self.server = db, server
        self.settings = settings_of(server.port, **settings)
        self.near: Any = Neighbours(self.settings)
        self.near.people = {each.id: each for each in (user(ANN, "Ann"), user(BEN, "Ben", "de-AT"))}
        self.inbox = Inbox(db, self.near, self.settings)
        self.templates = TemplateDesk(db)
        self.mail_log = MailBook(db, self.settings)

    async def hears(self, *events: Event) -> None:
        await Reactions(self.db, self.near, {"notices": REACTIONS}).send(events)

    async def sends(self, now: datetime = NOW) -> int:
        return await PostOffice(self.db, self.near, self.settings).send_due(now=now)

    async def reminds(self, now: datetime = NOW) -> None:
        desk: Any = self.near
        desk.db = self.db
        await jobs.remind(desk, now)

    async def subjects(self, who: Actor = ANN) -> list[str]:
        page = await self.inbox.inbox(unread=False, window=Window(), actor=who)
        return [each.subject for each in page.items]

    async def prefers(self, who: Actor = ANN, **changes: Any) -> NoticePreferences:
        return await self.inbox.prefer(
            changes=PreferenceChanges(**changes), given=frozenset(changes), actor=who, now=NOW
        )

    async def rows(self, name: str) -> list[Any]:
        """What is kept in a table."""
        table = TABLES.event.metadata.tables[f"notices_{name}"]
        async with self.db.read() as session:
            return await session.rows(select(table))

    def holds(self, who: Actor = ANN, state: Any = "ready", **but: Any) -> HeldFor:
        """A hold of this reader, as circulation tells of it."""
        values: dict[str, Any] = {
            "hold_id": uuid4(), "patron_id": who.id, "book_id": MIDDLEMARCH, "branch": "Central",
            "time_zone": "Europe/Berlin", "state": state, "expires_on": date(2026, 3, 9),
        }  # fmt: skip
        held = HeldFor(**values | but)
        self.near.held[held.hold_id] = held
        return held

    def lends(self, who: Actor = ANN, due_on: date = TODAY, **but: Any) -> DueLoan:
        due_at = datetime(due_on.year, due_on.month, due_on.day, 22, 59, 59, tzinfo=UTC)
        values: dict[str, Any] = {
            "loan_id": uuid4(), "patron_id": who.id, "book_id": MIDDLEMARCH, "branch": "Central",
            "time_zone": "Europe/Berlin", "due_at": due_at, "due_on": due_on,
        }  # fmt: skip
        loan = DueLoan(**values | but)
        self.near.loans.append(loan)
        return loan

    def posts(self, who: Actor = ANN, **but: Any) -> UUID:
        assert who.id is not None
        about, euro = uuid4(), Money(amount=350, currency="EUR")
        self.near.posted[about] = Posted(patron_id=who.id, amount=euro, balance=euro, **but)
        return about


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    folder = tmp_path_factory.mktemp("notices")
    with shelter(folder, "notices", lambda url: migrate.run(url, ["notices"])) as made:
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


@pytest.fixture(scope="session")
def post() -> Iterator[MailServer]:
    with MailServer.open() as server:
        yield server


@pytest.fixture
def server(post: MailServer) -> Iterator[MailServer]:
    """The mail server with an empty room, and in a good mood."""
    post.letters.clear()
    yield post
    post.replies.clear()
    post.refuses = post.taken = None


@pytest.fixture
def library(db: Database, server: MailServer) -> Library:
    return Library(db, server)
