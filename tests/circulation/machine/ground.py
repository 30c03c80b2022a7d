"""Where the machine plays: a database with circulation's tables, empty at each beginning."""

import asyncio
import sqlite3
from collections.abc import Coroutine
from copy import deepcopy
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Table, select, text
from tests.circulation.machine.model import Copy, Model, Patron
from tests.circulation.machine.world import BRANCHES, READERS, RULES, THINGS
from tests.circulation.town import DAYS, LIBRARIAN, NOW, Town

from lendery.circulation.models import TABLES
from lendery.contracts.base import Money
from lendery.contracts.circulation import Branch, CalendarException, NewCalendar
from lendery.contracts.permissions import Actor
from lendery.platform import migrate
from lendery.platform.db import Database

IN_MEMORY = "sqlite://"
A = TypeVar("A")
STAFF = Actor(id=LIBRARIAN.id, role="admin")
PLAYED_WITH = [
    "branch",
    "calendar",
    "copy",
    "hold",
    "ledger_line",
    "loan",
    "patron",
    "request",
    "rule",
    "rule_table",
    "event",
    "undone",
    "suspension",
    "cash_session",
    "transport_cost",
]
TOYS = [TABLES.event.metadata.tables[f"circulation_{each}"] for each in PLAYED_WITH]
EMPTY = text(f"TRUNCATE {', '.join(each.name for each in TOYS)}")
Rows = dict[Table, list[dict[str, Any]]]


class Ground:
    """One event loop, and one database that is emptied, or a fresh one in memory each time."""

    def __init__(self, url: str) -> None:
        """`url` of a migrated PostgreSQL database, or IN_MEMORY."""
        self.url, self.runner = url, asyncio.Runner()
        self.db: Database | None = None
        self.empty = sqlite3.connect(":memory:")
        self.furnished: dict[datetime, tuple[sqlite3.Connection, Town, Model]] = {}
        self.rows: dict[datetime, tuple[Rows, Town, Model]] = {}  # the same, of PostgreSQL
        if url == IN_MEMORY:
            migrate.run_in_memory(self.empty, ["circulation"])

    def run(self, coroutine: Coroutine[Any, Any, A]) -> A:
        return self.runner.run(coroutine)

    async def opened(self, now: datetime) -> tuple[Town, Model]:
        """The small world in a town, and the same as the model has it."""
        if self.url != IN_MEMORY:
            return await self._on_the_server(now)
        if now not in self.furnished:
            town = await self._in_memory(self.empty)
            model = await furnished(town, now)
            kept = sqlite3.connect(":memory:")
            town.db.memory.backup(kept)  # type: ignore[union-attr]
            self.furnished[now] = kept, town, model
        like, first, model = self.furnished[now]
        return alike(await self._in_memory(like), first), deepcopy(model)

    async def _on_the_server(self, now: datetime) -> tuple[Town, Model]:
        self.db = self.db or Database(self.url, [TABLES])
        rows, first, model = self.rows.get(now, ({}, None, None))
        async with self.db.begin() as tx:
            await tx.run(EMPTY)
            for table, given in rows.items():
                await tx.load(table, given)
        town = Town(self.db)
        if first is not None and model is not None:
            return alike(town, first), deepcopy(model)
        model = await furnished(town, now)
        async with self.db.read() as session:
            for table in TOYS:
                found = await session.rows(select(table))
                rows[table] = [each._asdict() for each in found]
        self.rows[now] = rows, town, deepcopy(model)
        return town, model

    async def _in_memory(self, like: sqlite3.Connection) -> Town:
        if self.db is not None:
            await self.db.close()
        self.db = Database(IN_MEMORY, [TABLES], durable=False)
        assert self.db.memory is not None
        like.backup(self.db.memory)
        return Town(self.db)

    def close(self) -> None:
        if self.db is not None:
            self.run(self.db.close())
        for each in (self.empty, *(kept for kept, _, _ in self.furnished.values())):
            each.close()
        self.runner.close()


def alike(town: Town, first: Town) -> Town:
    """With the neighbours of that one, who are only read."""
    town.patrons.known, town.copies.known = first.patrons.known, first.copies.known
    return town


async def furnished(town: Town, now: datetime) -> Model:
    """The small world in an empty town."""
    branches = {code: await _branch(town, code) for code in BRANCHES}
    ids = {code: branch.id for code, branch in branches.items()}
    patrons = [_patron(town, reader, now) for reader in READERS]
    titles = sorted({thing.book for thing in THINGS})
    books = {title: UUID(int=100 + number) for number, title in enumerate(titles)}
    copies = [_copy(town, n, thing, ids, books) for n, thing in enumerate(THINGS, 1)]
    rule_ids = {}
    for (parameter, (branch, category, item_type)), value in RULES.items():
        scope = {"branch_id": branch and ids[branch], "category": category, "item_type": item_type}
        made = await town.rule(parameter, value, **scope)
        rule_ids[parameter, (branch, category, item_type)] = made
    await town.memory.meet_many(patrons=[p.id for p in patrons], copies=[c.id for c in copies])
    return Model(ids, rule_ids, patrons, copies)


async def _branch(town: Town, code: str) -> Branch:
    week = BRANCHES[code]
    if week.opens is None:
        return await town.branch(code, time_zone=week.zone)
    weekly: Any = {
        DAYS[day]: [[f"{opens:02}:00", f"{closes:02}:00"]]
        for day, (opens, closes) in week.opens.items()
    }
    shut = tuple(CalendarException(on=day) for day in sorted(week.closed))
    calendar = NewCalendar(name=code, weekly=weekly, exceptions=shut)
    made = await town.calendars.add(calendar=calendar, actor=STAFF, now=NOW)
    return await town.branch(code, time_zone=week.zone, calendar_id=made.id)


def _patron(town: Town, reader: Any, now: Any) -> Patron:
    day = BRANCHES["central"].today(now)
    expires_on = day.fromordinal(day.toordinal() + reader.expires_in) if reader.expires_in else None
    made = town.patrons.add(
        reader.name.upper(),
        category=reader.category,
        expires_on=expires_on,
        born_on=reader.born_on,
    )
    return Patron(made.id, reader.name, reader.category, expires_on, reader.born_on)


def _copy(town: Town, number: int, thing: Any, ids: Any, books: Any) -> Copy:
    made = town.copies.add(
        thing.barcode,
        ids[thing.home],
        id=UUID(int=number),  # the same each time, as is whatever is ordered by it
        book_id=books[thing.book],
        item_type=thing.item_type,
        price=None if thing.price is None else Money(amount=thing.price),
    )
    return Copy(
        made.id,
        thing.barcode,
        made.book_id,
        thing.home,
        thing.item_type,
        thing.price,
        here=thing.home,
    )
