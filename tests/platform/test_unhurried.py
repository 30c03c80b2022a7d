"""Reads that may look at much hold nobody up."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Integer, func, literal, select

from lendery.platform.db import Database, Statement

NUMBERS = select(literal(1, Integer).label("n")).cte("numbers", recursive=True)
NUMBERS = NUMBERS.union_all(select(NUMBERS.c.n + 1).where(NUMBERS.c.n < 200_000))
LONG = Statement(select(func.count()).select_from(NUMBERS))


@pytest.mark.asyncio
@pytest.mark.parametrize(("way", "goes_on"), [("unhurried", True), ("read", False)])
async def test_others_go_on_while_much_is_read(tmp_path: Path, way: str, goes_on: bool) -> None:
    db = Database(f"sqlite:///{tmp_path / 'some.db'}")
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    going = asyncio.create_task(other())
    async with getattr(db, way)() as session:
        before = turns
        assert await session.value(LONG) == 200_000
        assert (turns > before) is goes_on
    going.cancel()
    await db.close()


@pytest.mark.asyncio
async def test_one_that_reads_much_waits_for_another_and_memory_has_one_connection(
    tmp_path: Path,
) -> None:
    for url in (f"sqlite:///{tmp_path / 'some.db'}", "sqlite://"):
        db = Database(url)

        async def read(db: Database = db) -> int:
            async with db.unhurried() as session:
                found: int = await session.value(LONG)
                return found

        assert await asyncio.gather(read(), read(), read()) == [200_000] * 3
        await db.close()
