"""`lendery reindex`: what search rests on, made anew from the records and the loans."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from lendery.catalog.repository.popularity import recount
from lendery.catalog.repository.search import FTS
from lendery.cli import app
from lendery.contracts.base import Window
from lendery.contracts.catalog import BookSearch, NewBook
from lendery.contracts.permissions import SYSTEM
from lendery.main import TABLES, wire
from lendery.platform import migrate
from lendery.platform.settings import CONTEXTS, Settings


async def _break(url: str) -> None:
    """An index that lost its words, and a book that was never lent as often as it says."""
    wiring = wire(Settings(database_url=url))
    for title in ("Emma", "Emma's Garden"):
        added = await wiring.books.add(
            book=NewBook(title=title), actor=SYSTEM, now=datetime.now(UTC)
        )
    async with wiring.db.begin() as tx:
        await recount(tx, lent={added.id: 20})
        await tx.run(delete(FTS))
    await wiring.close()


async def _found(url: str, wanted: BookSearch) -> list[str]:
    wiring = wire(Settings(database_url=url))
    page = await wiring.books.search(wanted=wanted, window=Window())
    await wiring.close()
    return [book.title for book in page.items]


def test_the_index_and_the_counts_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'library.db'}"
    migrate.run(url, [context for context in CONTEXTS if context in TABLES])
    asyncio.run(_break(url))
    assert asyncio.run(_found(url, BookSearch(q="emma"))) == []
    monkeypatch.setenv("LENDERY_DATABASE_URL", url)
    done = CliRunner().invoke(app, ["reindex"])
    assert done.exit_code == 0, done.output
    assert "0 loans counted, 1 books lent otherwise" in done.output
    assert asyncio.run(_found(url, BookSearch(q="emma"))) == ["Emma", "Emma's Garden"]
    assert asyncio.run(_found(url, BookSearch(sort="popularity"))) == ["Emma", "Emma's Garden"]
