"""Something small that is read a lot: a context of its own, in memory."""

import asyncio
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table

from lendery.contracts.base import Busy
from lendery.platform.cache import ChangeLog
from lendery.platform.cache.shared import SharedAnswers
from lendery.platform.db import Database
from lendery.platform.http.fast import FastPath
from lendery.platform.http.hot import HotAnswers
from lendery.platform.http.kept import LIFETIME, LIST, Finished, HotPath

from .asgi import Answer, Echo, ask

CHANGE = Table(
    "shelf_change",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger),
    Column("mark", BigInteger),
)
TABLES = """
CREATE TABLE shelf_change (id INTEGER PRIMARY KEY, version INTEGER, mark INTEGER);
INSERT INTO shelf_change VALUES (1, 0, 77);
CREATE TABLE shelf_changed (version INTEGER PRIMARY KEY, mark INTEGER, touched TEXT);
CREATE TABLE shelf_reader (id CHAR(32) PRIMARY KEY, seen INTEGER);
"""


def _key(path: str) -> str | None:
    if path == "/books":
        return LIST
    return path[1:] if path.startswith("/books/") else None


class Shelf:
    """`says` is what every answer shows; `/books` is a list, `/books/1` shows `books/1`."""

    def __init__(
        self, entries: int = 3, shared: SharedAnswers | None = None, db: Database | None = None
    ) -> None:
        self.db = db or Database("sqlite://")
        if db is None:
            assert self.db.memory is not None
            self.db.memory.executescript(TABLES)
        self.changes = ChangeLog("shelf", CHANGE)
        self.says, self.made, self.life = 1, 0, LIFETIME
        self.gate: asyncio.Event | None = None
        hot = HotPath("/books/{id}", "shelf", _key, self.make, lambda query: self.life)
        self.answers = HotAnswers([hot], self.db, {"shelf": self.changes}, entries, shared)
        self.router = Echo()
        self.app = FastPath(self.router, self.answers)

    async def make(self, path: str, query: bytes) -> Finished | None:
        self.made += 1
        if path.endswith("/odd"):
            return None
        if path.endswith("/busy"):
            raise Busy("The database is busy.")
        says = f'{{"path": "{path}", "query": "{query.decode()}", "v": {self.says}}}'.encode()
        if self.gate:
            await self.gate.wait()
        return Finished(says, b'"%d"' % self.says, ((b"x-shelf", b"1"),))

    async def change(self, *keys: str) -> None:
        async with self.db.begin() as tx:
            turn = await self.changes.next_turn(tx)
            await tx.write(turn.touches(*keys))
            self.says += 1

    async def get(self, path: str = "/books/1", **asked: Any) -> Answer:
        return await ask(self.app, path, **asked)

    async def said(self, path: str = "/books/1") -> int:
        return int((await self.get(path)).json["v"])
