"""A small library behind the whole program, and browsers without JavaScript to look at it."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.types import ASGIApp

from lendery.contracts.accounts import NewUser, User
from lendery.contracts.base import Money, Window
from lendery.contracts.catalog import Book, NewBook, NewCopy
from lendery.contracts.circulation import (
    Account,
    Branch,
    Fine,
    Hold,
    HoldFilter,
    LoanRequest,
    NewBranch,
    NewCalendar,
    NewCharge,
    NewHold,
    NewRule,
    ReturnRequest,
)
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.main import Wiring, create_app, wire
from lendery.platform import migrate
from lendery.platform.settings import Settings

from .browser import ORIGIN, PASSWORD, Browser, Page

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)//{{7*7}}${7*7}",
    "</title><svg/onload=alert(1)>",
)


@dataclass
class Library:
    """Two branches, a few people, a few books."""

    app: ASGIApp
    wiring: Wiring
    central: Branch
    north: Branch
    people: dict[str, User] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)

    def browser(self) -> Browser:
        transport = httpx2.ASGITransport(self.app)
        return Browser(httpx2.AsyncClient(transport=transport, base_url=ORIGIN))

    async def shelve(self, title: str, *barcodes: str, **more: Any) -> Book:
        now = datetime.now(UTC)
        branch_id = more.pop("branch_id", self.central.id)
        book = await self.wiring.books.add(book=NewBook(title=title, **more), actor=SYSTEM, now=now)
        for code in barcodes:
            copy = NewCopy(barcode=code, book_id=book.id, branch_id=branch_id)
            await self.wiring.copies.add(copy=copy, actor=SYSTEM, now=now)
        self.books[title] = book
        return book

    async def register(self, name: str, email: str, card: str, **more: Any) -> User:
        new = NewUser(name=name, email=email, card_number=card, password=PASSWORD, **more)
        made = await self.wiring.users.add(person=new, actor=SYSTEM, now=datetime.now(UTC))
        self.people[name] = made
        return made

    async def rule(self, parameter: str, value: Any) -> None:
        rule = NewRule(parameter=parameter, value=value)
        await self.wiring.rules.add(rule=rule, actor=SYSTEM, now=datetime.now(UTC))

    async def lend(self, barcode: str, to: str, *, days_ago: int = 0) -> None:
        request = LoanRequest(barcode=barcode, patron_id=self.people[to].id)
        await self.wiring.loans.check_out(request=request, actor=SYSTEM, now=ago(days_ago))

    async def take_back(self, barcode: str, *, days_ago: int = 0, north: bool = False) -> None:
        branch = self.north if north else self.central
        request = ReturnRequest(barcode=barcode, branch_id=branch.id)
        await self.wiring.loans.check_in(request=request, actor=SYSTEM, now=ago(days_ago))

    async def hold(self, title: str, who: str, *, days_ago: int = 0, north: bool = False) -> Hold:
        wanted = NewHold(
            book_id=self.books[title].id,
            patron_id=self.people[who].id,
            pickup_branch_id=(self.north if north else self.central).id,
        )
        return await self.wiring.holds.place(hold=wanted, actor=SYSTEM, now=ago(days_ago))

    async def holds_of(self, who: str) -> list[Hold]:
        """All that this person ever placed, newest first."""
        found = await self.wiring.holds.find(
            like=HoldFilter(patron_id=self.people[who].id),
            window=Window(limit=100),
            actor=SYSTEM,
            now=datetime.now(UTC),
        )
        return list(found.items)

    async def charge(self, who: str, cents: int, note: str | None = None) -> Fine:
        amount = Money(amount=cents)
        charge = NewCharge(patron_id=self.people[who].id, amount=amount, note=note)
        now = datetime.now(UTC)
        lea = Actor(id=self.people["Lea Moss"].id, role="librarian")
        return await self.wiring.fees.charge(charge=charge, actor=lea, now=now)

    async def account(self, who: str) -> Account:
        return await self.wiring.fees.account(
            patron_id=self.people[who].id,
            window=Window(limit=100),
            actor=SYSTEM,
            now=datetime.now(UTC),
        )

    async def told(self) -> None:
        """Until the catalogue has heard what circulation said."""
        assert await self.wiring.relay.caught_up(5)


def ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """The program between its start and its end, as a server would run it."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    started, stopped = asyncio.Event(), asyncio.Event()

    async def send(message: Any) -> None:
        (started if message["type"].startswith("lifespan.startup") else stopped).set()

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, heard.get, send))  # type: ignore[arg-type]
    await heard.put({"type": "lifespan.startup"})
    await started.wait()
    yield
    await heard.put({"type": "lifespan.shutdown"})
    await stopped.wait()
    await task


async def furnished(app: ASGIApp, wiring: Wiring) -> Library:
    now = datetime.now(UTC)
    always = [("00:00", "24:00")]
    calendar = await wiring.calendars.add(
        calendar=NewCalendar.model_validate(
            {
                "name": "Always",
                "weekly": {d: always for d in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
            }
        ),
        actor=SYSTEM,
        now=now,
    )
    branches = [
        await wiring.branches.add(
            branch=NewBranch(code=name.lower(), name=name, calendar_id=calendar.id),
            actor=SYSTEM,
            now=now,
        )
        for name in ("Central", "North")
    ]
    rules: dict[str, Any] = {
        "loan_period": 21,
        "renewals": 1,
        "renew_from": "due-date",
    }
    for parameter, value in rules.items():
        rule = NewRule(parameter=parameter, value=value)
        await wiring.rules.add(rule=rule, actor=SYSTEM, now=now)
    library = Library(app, wiring, *branches)
    await library.register(
        "Lea Moss", "lea@example.org", "L-1", role="librarian", home_branch_id=branches[0].id
    )
    await library.register(
        "Ann Reed", "ann@example.org", "C-1001", expires_on=date.today() + timedelta(days=400)
    )
    await library.register(
        "Ben Ito", "ben@example.org", "C-1002", expires_on=date.today() - timedelta(days=3)
    )
    await library.register(
        "Cas Berg", "cas@example.org", "C-1003", expires_on=date.today() + timedelta(days=400)
    )
    await library.shelve(
        "Middlemarch",
        "00123",
        "00124",
        authors=["George Eliot"],
        published_year=1871,
        language="en",
        subjects=["Marriage"],
        call_number="823 ELI",
    )
    await library.shelve("Emma", "00125", authors=["Jane Austen"], call_number="823 AUS")
    await library.shelve("Persuasion", "00126", authors=["Jane Austen"], branch_id=branches[1].id)
    await library.told()
    return library


def program(file: Path) -> tuple[ASGIApp, Wiring]:
    folder = file.parent / "imports"
    settings = Settings(database_url=f"sqlite:///{file}", public_url=ORIGIN, import_folder=folder)
    wiring = wire(settings)
    return create_app(settings, wiring), wiring


@pytest.fixture(scope="session")
def furnished_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Library]:
    """A library as a file to copy: hashing passwords for each test would be slow."""
    file = tmp_path_factory.mktemp("web") / "library.db"
    contexts = ["accounts", "catalog", "circulation", "notices", "reports", "reviews"]
    migrate.run(f"sqlite:///{file}", contexts)

    async def furnish() -> Library:
        app, wiring = program(file)
        async with running(app):
            return await furnished(app, wiring)

    return file, asyncio.run(furnish())


@pytest.fixture
async def library(furnished_once: tuple[Path, Library], tmp_path: Path) -> AsyncIterator[Library]:
    file, made = furnished_once
    app, wiring = program(Path(shutil.copy(file, tmp_path / "library.db")))
    async with running(app):
        yield Library(app, wiring, made.central, made.north, dict(made.people), dict(made.books))


@pytest.fixture
async def desk(library: Library) -> Browser:
    """Lea, signed in at the desk of Central."""
    browser = library.browser()
    await browser.sign_in("lea@example.org")
    return browser


@pytest.fixture
async def ann(library: Library) -> Browser:
    """Ann, signed in at home."""
    browser = library.browser()
    await browser.sign_in("ann@example.org")
    return browser


def patron_of(page: Page) -> UUID | None:
    """Whose turn it is, as the scan form's address says it."""
    found = re.search(r'action="/staff\?patron=([0-9a-f-]{36})"', page.response.text)
    return UUID(found[1]) if found else None
