"""The version of a record and of the whole catalog: who changes what they have not seen?"""

import asyncio
from dataclasses import dataclass, field

from lendery.catalog.repository.changes import catalog_version
from lendery.contracts.base import Input, Invalid, Stale
from lendery.platform.db import Database


def fresh(now_at: int, expected: int | None) -> None:
    """Raises Stale when the record is no longer what the writer saw."""
    if expected is not None and expected != now_at:
        raise Stale("This has changed since you read it. Read it again.", version=now_at)


def not_empty(changes: Input, *names: str) -> None:
    """Raises Invalid for a null where something must stand."""
    says = "This must not be empty."
    empty = [n for n in names if n in changes.model_fields_set and getattr(changes, n) is None]
    if empty:
        errors = [{"pointer": f"#/{name}", "says": says} for name in empty]
        raise Invalid(f"{', '.join(empty)}: {says}", errors=errors)


@dataclass
class CatalogVersion:
    """A number that every change of books, authors and copies moves. Never behind an answer."""

    db: Database
    _seen: int | None = field(default=None, init=False)
    _version: int = field(default=-1, init=False)
    _under_way: asyncio.Task[int] | None = field(default=None, init=False)
    _next: asyncio.Task[int] | None = field(default=None, init=False)

    async def current(self) -> object:
        """Reads one row; on an SQLite file not even that while nobody committed anything.

        Elsewhere those who come while a question is under way share the next one. It is sent
        after the last of them came, so it knows of every change that was answered before.
        """
        token = self.db.change_token()
        if token is None:
            if self._next is None:
                self._next = asyncio.create_task(self._read(self._under_way))
            return await asyncio.shield(self._next)
        if token != self._seen:
            async with self.db.read() as session:
                self._version = await catalog_version(session)
            self._seen = token
        return self._version

    async def _read(self, before: asyncio.Task[int] | None) -> int:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        async with self.db.read() as session:
            return await catalog_version(session)
