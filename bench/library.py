"""The library that is measured: one town, made through the ports, the same on both databases.

Three branches with opening hours and the demo library's rules. Circulation has met every patron
and every copy, as it has in a library that is in use. Nothing is on loan.
"""

import asyncio
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from tests.system import create_database, drop_database

from bench import crowds
from lendery.circulation.repository.holds import PLACE
from lendery.circulation.repository.ledger import ADD
from lendery.circulation.repository.remembered import REMEMBER_COPY
from lendery.contracts.accounts import NewUser
from lendery.contracts.catalog import NewBook, NewCopy
from lendery.contracts.permissions import SYSTEM
from lendery.demo import house
from lendery.main import TABLES, Wiring, wire
from lendery.platform import migrate
from lendery.platform.settings import Settings

ANN = ("ann@lendery.test", "a password for Ann")  # a reader
LEA = ("lea@lendery.test", "a password for Lea")  # lends at the desk
FIRST_CARD, FIRST_BARCODE = 10_000_000, 30_000_000_000
CHUNK = 2_000
WORDS = [
    "harbour",
    "garden",
    "winter",
    "letter",
    "river",
    "music",
    "window",
    "bridge",
    "silver",
    "morning",
    "island",
    "shadow",
    "paper",
    "summer",
    "mountain",
    "stranger",
    "kingdom",
    "memory",
    "station",
    "candle",
    "forest",
    "mirror",
    "journey",
    "orchard",
    "lantern",
    "thunder",
    "village",
    "harvest",
    "compass",
    "ocean",
]


@dataclass(frozen=True)
class Size:
    books: int = 5_000
    copies: int = 40_000
    patrons: int = 5_000
    in_play: bool = True  # holds and fees, written in bulk: the log does not know of them


QUICK = Size(books=500, copies=8_000, patrons=500)


@dataclass(frozen=True)
class Library:
    """Where it is, and the ids that its catalog gave."""

    url: str
    size: Size
    books: list[UUID]
    copies: list[UUID]
    branches: list[UUID]

    @property
    def database(self) -> str:
        return "SQLite" if self.url.startswith("sqlite") else "PostgreSQL"

    def at(self, path: Path) -> str:
        """The address of a fresh copy of an SQLite library; nobody may have it open."""
        path.unlink(missing_ok=True)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.url.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"


def card(number: int) -> str:
    return str(FIRST_CARD + number)


def barcode(number: int) -> str:
    return str(FIRST_BARCODE + number)


def on_sqlite(folder: Path, size: Size) -> Library:
    return asyncio.run(_build(f"sqlite:///{folder / 'library.db'}", size))


@contextmanager
def on_postgres(size: Size) -> Iterator[Library]:
    """In a database of its own, dropped afterwards."""
    server, name = os.environ["LENDERY_TEST_POSTGRES"], f"bench_{uuid4().hex[:12]}"
    url = asyncio.run(create_database(server, name))
    try:
        yield asyncio.run(_build(url, size))
    finally:
        asyncio.run(drop_database(server, name))


async def _build(url: str, size: Size) -> Library:
    await asyncio.to_thread(migrate.run, url, list(TABLES))
    wiring = wire(Settings(database_url=url), durable=False)
    now = datetime.now(UTC)
    branches = await house.open_branches(wiring, now - timedelta(days=30))
    people = await _people(wiring, size, branches, now)
    books, copies = await _collection(wiring, size, branches, now)
    for start in range(0, len(people), CHUNK):
        await wiring.memory.meet_many(patrons=people[start : start + CHUNK], copies=[])
    for start in range(0, len(copies), CHUNK):
        await _meet(wiring, copies[start : start + CHUNK])
    if size.in_play:
        await _in_play(wiring, people, books, branches, now)
    async with wiring.db.begin() as tx:  # as if the relay had delivered it all long ago
        for tables in TABLES.values():
            await tx.run(update(tables.event).values(published_at=now))
    while await wiring.relay.seal_late():
        pass
    await wiring.db.tidy()
    await wiring.close()
    return Library(url, size, books, copies, branches)


async def _meet(wiring: Wiring, copies: list[UUID]) -> None:
    """As `Memory.meet_many` does, but all in one go: they are new to circulation, and many."""
    known = await wiring.copies.by_ids(ids=copies)
    rows = [
        {
            "id": copy.id,
            "barcode": copy.barcode,
            "book_id": copy.book_id,
            "item_type": copy.item_type,
            "home_branch_id": copy.branch_id,
            "version": copy.version,
            "price_amount": copy.price.amount if copy.price else None,
            "price_currency": copy.price.currency if copy.price else None,
        }
        for copy in known
    ]
    async with wiring.db.begin() as tx:
        await tx.many(REMEMBER_COPY, rows)


async def _in_play(
    wiring: Wiring, people: list[UUID], books: list[UUID], branches: list[UUID], now: datetime
) -> None:
    """Somebody waits for every tenth book, and every patron owed something once and paid it."""
    waiting = [
        crowds.hold(book, people[number % len(people)], branches[0], now, number)
        for number, book in enumerate(books[::10])
    ]
    lines = [line for person in people for line in crowds.fine_paid(person, now)]
    async with wiring.db.begin() as tx:
        await tx.many(PLACE, waiting)
        await tx.many(ADD, lines)


async def _people(wiring: Wiring, size: Size, branches: list[UUID], now: datetime) -> list[UUID]:
    lasting: dict[str, Any] = {"expires_on": now.date() + timedelta(days=400)}
    staff: dict[str, Any] = {
        "role": "librarian",
        "category": "staff",
        "home_branch_id": branches[0],
    }
    wanted = [
        NewUser(name="Ann Reed", email=ANN[0], password=ANN[1], **lasting),
        NewUser(name="Lea Brandt", email=LEA[0], password=LEA[1], **lasting, **staff),
        *(
            NewUser(
                name=f"Reader {number}",
                card_number=card(number),
                home_branch_id=branches[number % len(branches)],
                **lasting,
            )
            for number in range(size.patrons)
        ),
    ]
    ids: list[UUID] = []
    for start in range(0, len(wanted), CHUNK):
        people = wanted[start : start + CHUNK]
        made = await wiring.users.add_many(people=people, actor=SYSTEM, now=now)
        ids += [user.id for user in made]
    return ids


async def _collection(
    wiring: Wiring, size: Size, branches: list[UUID], now: datetime
) -> tuple[list[UUID], list[UUID]]:
    chance = random.Random(20261122)
    wanted = [_book(number, chance) for number in range(size.books)]
    books: list[UUID] = []
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        books += await wiring.books.add_many(books=chunk, actor=SYSTEM, now=now)
    shelved = [
        NewCopy(
            barcode=barcode(number),
            book_id=books[number % len(books)],
            branch_id=branches[number % len(branches)],
        )
        for number in range(size.copies)
    ]
    copies: list[UUID] = []
    for start in range(0, len(shelved), CHUNK):
        chunk_of_copies = shelved[start : start + CHUNK]
        copies += await wiring.copies.add_many(copies=chunk_of_copies, actor=SYSTEM, now=now)
    return books, copies


def _book(number: int, chance: random.Random) -> NewBook:
    """A record as long as those of real libraries are."""
    return NewBook(
        title=" ".join(chance.sample(WORDS, 4)).capitalize(),
        subtitle=f"A story of the {chance.choice(WORDS)}",
        authors=[f"{chance.choice(WORDS).capitalize()} Writer {chance.randrange(800)}"],
        publisher=f"{chance.choice(WORDS).capitalize()} Press",
        published_year=chance.randrange(1900, 2026),
        language="en",
        subjects=[word.capitalize() for word in chance.sample(WORDS, 3)],
        call_number=f"{chance.randrange(1000)}.{number}",
    )
