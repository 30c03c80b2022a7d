"""What one check-out sends to its database, overheard and made ready to be sent without Lendery.

Two check-outs are overheard. What both sent alike is a constant; what differs was given with the
request (card, barcode, key), came out of an earlier answer (ids), or is made anew each time. So
pgbench and plain sqlite3 run the statements of the product as it is today, none typed by hand.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bench.library import Library, barcode, card
from lendery.contracts.base import RequestKey, new_id
from lendery.contracts.circulation import LoanRequest
from lendery.contracts.permissions import Actor
from lendery.main import wire
from lendery.platform.db.postgres import PostgresDriver
from lendery.platform.db.sqlite import SqliteDriver
from lendery.platform.settings import Settings

SAVEPOINTS = ("SAVEPOINT", "RELEASE")  # how the product groups commits; nobody else needs them


@dataclass
class Heard:
    """One statement, its values, and the first row of its answer."""

    text: str
    values: Sequence[Any]
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Constant:
    value: Any


@dataclass(frozen=True)
class Given:
    """`card`, `barcode` or `key`: what the request says."""

    name: str


@dataclass(frozen=True)
class Answered:
    """A column of an earlier answer."""

    statement: int
    column: str


@dataclass(frozen=True)
class New:
    """An id that nobody had before."""


Source = Constant | Given | Answered | New


@dataclass(frozen=True)
class Step:
    text: str
    sources: tuple[Source, ...]
    asks: bool  # whether a later step needs its answer


async def check_out(library: Library) -> list[Step]:
    """The statements of a check-out, from BEGIN to COMMIT, with where each value comes from."""
    wiring = wire(Settings(database_url=library.url))
    heard: list[Heard] = []
    await _listen(wiring.db._driver, heard)
    lea = Actor(id=new_id(), role="librarian", session_id=new_id(), desk=library.branches[0])
    told: list[tuple[dict[str, str], list[Heard]]] = []
    for number in range(3):
        heard.clear()
        last = library.size.copies - 1 - number
        given = {"card": card(number), "barcode": barcode(last), "key": f"overheard {number}"}
        await wiring.loans.check_out(
            request=LoanRequest(barcode=given["barcode"], card_number=given["card"]),
            actor=lea,
            now=datetime.now(UTC),
            key=RequestKey(scope=str(lea.id), key=given["key"], fingerprint="0" * 48),
        )
        told.append((given, [each for each in heard if not each.text.startswith(SAVEPOINTS)]))
    await wiring.close()
    return _steps(*told[1], told[2][1])  # the first one also read the house


def _steps(given: dict[str, str], one: list[Heard], other: list[Heard]) -> list[Step]:
    texts = [each.text for each in one]
    assert texts == [each.text for each in other], "two check-outs sent different statements"
    assert texts[0].startswith("BEGIN") and texts[-1] == "COMMIT", texts
    sources = [
        tuple(
            Constant(value) if value == differs else _source(value, given, one[:at])
            for value, differs in zip(each.values, other[at].values, strict=True)
        )
        for at, each in enumerate(one)
    ]
    needed = {s.statement for each in sources for s in each if isinstance(s, Answered)}
    return [Step(text, sources[at], at in needed) for at, text in enumerate(texts)]


def _source(value: Any, given: dict[str, str], earlier: list[Heard]) -> Source:
    for name, known in given.items():
        if value == known:
            return Given(name)
    for at, each in enumerate(earlier):
        for column, seen in each.row.items():
            if seen == value:
                return Answered(at, column)
    if isinstance(value, UUID) or re.fullmatch("[0-9a-f]{32}", str(value)):
        return New()
    return Constant(value)  # times, and JSON that says the same at another length of time


async def _listen(driver: Any, heard: list[Heard]) -> None:
    if isinstance(driver, SqliteDriver):
        driver.writer.raw = SqliteEar(driver.writer.raw, heard)  # type: ignore[assignment]
        return
    assert isinstance(driver, PostgresDriver)
    connection = await driver._take()
    connection.raw = PostgresEar(connection.raw, heard)
    driver._give_back(connection)


class PostgresEar:
    """Stands in front of an asyncpg connection."""

    def __init__(self, raw: Any, heard: list[Heard]) -> None:
        self.raw, self.heard = raw, heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    async def fetch(self, text: str, *values: Any, **more: Any) -> Any:
        rows = await self.raw.fetch(text, *values, **more)
        self.heard.append(Heard(text, values, dict(rows[0]) if rows else {}))
        return rows

    async def execute(self, text: str, *values: Any, **more: Any) -> Any:
        self.heard.append(Heard(text, values))
        return await self.raw.execute(text, *values, **more)


class SqliteEar:
    """Stands in front of a sqlite3 connection."""

    def __init__(self, raw: Any, heard: list[Heard]) -> None:
        self.raw, self.heard = raw, heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)

    def execute(self, text: str, values: Sequence[Any] = ()) -> Any:
        cursor = self.raw.execute(text, values)
        rows = cursor.fetchall()
        names = [each[0] for each in cursor.description or ()]
        row = dict(zip(names, rows[0], strict=True)) if rows else {}
        self.heard.append(Heard(text, list(values), row))
        return _Answer(rows, cursor.rowcount)


@dataclass
class _Answer:
    rows: list[Any]
    rowcount: int

    def fetchall(self) -> list[Any]:
        return self.rows
