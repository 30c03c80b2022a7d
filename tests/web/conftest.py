"""A small library behind the whole program, and browsers without JavaScript to look at it."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.types import ASGIApp

from lendery.contracts.accounts import NewUser, User
from lendery.contracts.catalog import Book, NewBook, NewCopy
from lendery.contracts.circulation import Branch, NewBranch, NewCalendar, NewRule
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring, create_app, wire
from lendery.platform import migrate
from lendery.platform.settings import Settings

PASSWORD = "correct horse battery"
ORIGIN = "http://library.test"
NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)//{{7*7}}${7*7}",
    "</title><svg/onload=alert(1)>",
)


class Page(HTMLParser):
    """What a browser makes of an answer: elements, forms, words."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response = response
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    @property
    def token(self) -> str:
        return self.value("token")

    def value(self, name: str) -> str:
        """Of the last field with this name: the page's own form, not the header's."""
        return [a.get("value", "") for t, a in self.elements if a.get("name") == name][-1]

    def buttons(self, begins: str) -> list[str]:
        return [
            a["value"]
            for t, a in self.elements
            if t == "button" and a.get("value", "").startswith(begins)
        ]


@dataclass
class Browser:
    """A person at a browser: keeps cookies, fills in forms."""

    client: httpx2.AsyncClient

    async def see(self, path: str, **headers: str) -> Page:
        return Page(await self.client.get(path, headers={"accept": "text/html"} | headers))

    async def send(self, path: str, given: dict[str, Any], **headers: str) -> Page:
        sent = {"accept": "text/html", "origin": ORIGIN} | headers
        return Page(await self.client.post(path, data=given, headers=sent))

    async def fill(self, path: str, given: dict[str, Any], to: str | None = None) -> Page:
        """Opens a page and sends its form."""
        page = await self.see(path)
        return await self.send(to or path, {"token": page.token} | given)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Page:
        return await self.fill("/sign-in", {"email": email, "password": password, "next": ""})


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

    async def told(self) -> None:
        """Until the catalogue has heard what circulation said."""
        assert await self.wiring.relay.caught_up(5)


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
    settings = Settings(database_url=f"sqlite:///{file}", public_url=ORIGIN)
    wiring = wire(settings)
    return create_app(settings, wiring), wiring


@pytest.fixture(scope="session")
def furnished_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Library]:
    """A library as a file to copy: hashing passwords for each test would be slow."""
    file = tmp_path_factory.mktemp("web") / "library.db"
    migrate.run(f"sqlite:///{file}", ["accounts", "catalog", "circulation"])

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


def patron_of(page: Page) -> UUID | None:
    """Whose turn it is, as the scan form's address says it."""
    found = re.search(r'action="/staff\?patron=([0-9a-f-]{36})"', page.response.text)
    return UUID(found[1]) if found else None
