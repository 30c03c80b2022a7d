import asyncio
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from lendery.accounts.models import metadata
from lendery.platform import migrate


def on(url: str, question: Any) -> Any:
    if url.startswith("sqlite"):
        with create_engine(url).connect() as connection:
            return question(connection)

    async def ask() -> Any:
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as connection:
            found = await connection.run_sync(question)
        await engine.dispose()
        return found

    return asyncio.run(ask())


def differences(connection: Connection) -> list[Any]:
    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or name in metadata.tables

    opts = {"include_name": ours, "compare_type": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=opts), metadata))


def index_names(connection: Connection) -> set[str | None]:
    seen = inspect(connection)
    return {i["name"] for table in metadata.tables for i in seen.get_indexes(table)}


def test_the_migrations_make_the_tables_of_the_models(url: str) -> None:
    assert on(url, differences) == []
    listed = {i.name for table in metadata.tables.values() for i in table.indexes}
    assert on(url, index_names) == listed


def test_the_migrations_go_back_to_nothing_and_up_again(url: str) -> None:
    migrate.downgrade(url, "accounts", "base")
    tables = on(url, lambda connection: inspect(connection).get_table_names())
    assert not set(tables) & set(metadata.tables)
    (state,) = migrate.run(url, ["accounts"])
    assert state.objection is None
    assert on(url, differences) == []
