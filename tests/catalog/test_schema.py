"""What the migration makes is what the models say."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from lendery.catalog.books import BookCatalog
from lendery.catalog.models import TABLES, metadata
from lendery.contracts.base import Window
from lendery.contracts.catalog import BookSearch
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.platform.schema import newest
from tests.platform.toy import on_connection

from .conftest import Library


def look(url: str, read: Any) -> Any:
    if url.startswith("sqlite"):
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            return read(sa.inspect(connection))

    async def over_asyncpg() -> Any:
        postgres = create_async_engine(url)
        async with postgres.connect() as connection:
            found = await connection.run_sync(lambda sync: read(sa.inspect(sync)))
        await postgres.dispose()
        return found

    return asyncio.run(over_asyncpg())


def read(inspector: Any) -> dict[str, Any]:
    found = {}
    for name in metadata.tables:
        indexes = {
            (each["name"], tuple(each["column_names"]), bool(each["unique"]))
            for each in inspector.get_indexes(name)
        }
        columns = {(each["name"], each["nullable"]) for each in inspector.get_columns(name)}
        keys = {each["referred_table"] for each in inspector.get_foreign_keys(name)}
        found[name] = (
            columns,
            indexes,
            keys,
            inspector.get_pk_constraint(name)["constrained_columns"],
        )
    return found


def said() -> dict[str, Any]:
    return {
        name: (
            {(column.name, bool(column.nullable)) for column in table.columns},
            {
                (index.name, tuple(column.name for column in index.columns), bool(index.unique))
                for index in table.indexes
            },
            {key.column.table.name for key in table.foreign_keys},
            [column.name for column in table.primary_key],
        )
        for name, table in metadata.tables.items()
    }


def test_the_migrated_schema_is_the_one_in_the_models(url: str) -> None:
    assert look(url, read) == said()
    assert all(name.startswith("catalog_") for name in metadata.tables)


def test_a_downgrade_leaves_nothing_and_can_be_undone(url: str) -> None:
    migrate.downgrade(url, "catalog", "base")
    left = look(url, lambda inspector: inspector.get_table_names())
    assert set(left) <= {"catalog_version", "catalog_schema"}
    assert migrate.run(url, ["catalog"])[0].revision == newest("catalog")
    assert look(url, read) == said()


async def test_books_of_an_older_library_find_their_works_and_their_numbers(url: str) -> None:
    library = Library(Database(url, [TABLES]))
    first = await library.book("Middlemarch", "George Eliot", series="Penguin, 20th century")
    second = await library.book("Middlemarch!", "George Eliot", series="Barset, 2.5")
    alone = await library.book("Beowulf", series="Epics")
    old = {first.id: None, second.id: "Barset, 2.5", alone.id: None}
    await library.db.close()
    await asyncio.to_thread(migrate.downgrade, url, "catalog", "0002")
    await asyncio.to_thread(_was, url, second.id, old[second.id])
    await asyncio.to_thread(migrate.run, url, ["catalog"])
    library = Library(Database(url, [TABLES]))
    read = {each: await library.books.get(book_id=each) for each in old}
    assert [read[each.id].work_id for each in (first, second, alone)] == [
        first.work_id,
        first.work_id,
        alone.work_id,
    ]
    assert [(read[each].series, read[each].series_number) for each in old] == [
        ("Penguin, 20th century", None),
        ("Barset", "2.5"),
        ("Epics", None),
    ]
    page = await library.series.books(series="barset", window=Window())
    assert [each.id for each in page.items] == [second.id]
    await library.db.close()


def _was(url: str, book_id: Any, series: str | None) -> None:
    """As an older program wrote it."""
    books = metadata.tables["catalog_book"]
    change = sa.update(books).where(books.c.id == book_id).values(series=series)
    on_connection(url, lambda connection: (connection.execute(change), connection.commit()))


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_no_foreign_key_leaves_the_catalog(name: str) -> None:
    for key in metadata.tables[name].foreign_keys:
        assert key.column.table.name.startswith("catalog_")


async def _filled(url: str) -> None:
    db = Database(url, [TABLES])
    library = Library(db)
    for title, author in (("Middlemarch", "George Eliot"), ("Émile", "Émile Zola")):
        await library.book(title, author, language="en", isbn=None)
    await db.close()


async def _found(url: str, **wanted: Any) -> tuple[list[str], str | None]:
    db = Database(url, [TABLES])
    page = await BookCatalog(db).search(wanted=BookSearch(**wanted), window=Window())
    await db.close()
    return [book.title for book in page.items], page.did_you_mean


def test_a_catalog_of_before_is_searched_as_a_new_one(url: str) -> None:
    asyncio.run(_filled(url))
    migrate.exactly(url, {"catalog": "0002"})
    migrate.run(url, ["catalog"])
    assert asyncio.run(_found(url, q="eliot", language="en")) == (["Middlemarch"], None)
    assert asyncio.run(_found(url, q="midlemarch")) == (["Middlemarch"], "middlemarch")
    assert asyncio.run(_found(url, sort="popularity"))[0] == ["Middlemarch", "Émile"]
