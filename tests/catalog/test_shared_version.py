"""Many readers at once ask for the catalogue's version in few questions, and none is behind."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from lendery.catalog import version
from lendery.catalog.books import BookCatalog
from lendery.catalog.version import CatalogVersion
from lendery.contracts.catalog import NewBook
from lendery.contracts.permissions import SYSTEM
from lendery.platform.db import Database

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


async def test_fifty_readers_at_once_ask_a_few_times(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    ask = version.catalog_version

    async def counted(session: Any) -> int:
        nonlocal asked
        asked += 1
        return await ask(session)

    monkeypatch.setattr(version, "catalog_version", counted)
    current = CatalogVersion(db)
    seen = await asyncio.gather(*[current.current() for _ in range(50)])
    assert len(set(seen)) == 1
    assert asked <= 2


async def test_no_answer_is_older_than_a_change_that_was_answered(db: Database) -> None:
    current, books = CatalogVersion(db), BookCatalog(db)
    changed = 0

    async def readers() -> None:
        while changed < 20:
            before = changed
            at = await current.current()
            assert isinstance(at, int)
            assert at >= first + before
            await asyncio.sleep(0)

    first = await current.current()
    assert isinstance(first, int)
    reading = [asyncio.create_task(readers()) for _ in range(10)]
    for number in range(20):
        await books.add(book=NewBook(title=f"Volume {number}"), actor=SYSTEM, now=NOW)
        changed += 1
        await asyncio.sleep(0)
    await asyncio.gather(*reading)
