"""What the migrations make is what the models say, of every context on both databases."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, create_mock_engine, inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from lendery.main import TABLES
from lendery.platform import migrate
from tests.databases import KINDS, Shelter

from .toy import on_connection


def of_connection(connection: Connection, table: Table) -> dict[str, Any]:
    """A table as the database has it."""
    seen = inspect(connection)
    columns = {
        each["name"]: (
            each["type"].compile(connection.dialect),
            each["nullable"],
            _plain(each["default"]),
        )
        for each in seen.get_columns(table.name)
    }
    indexes = {
        each["name"]: (
            tuple(each["column_names"]),
            bool(each["unique"]),
            _where(each.get("dialect_options", {})),
        )
        for each in seen.get_indexes(table.name)
        if not each.get("duplicates_constraint")
    }
    return {
        "columns": columns,
        "indexes": indexes,
        "key": seen.get_pk_constraint(table.name)["constrained_columns"],
        "foreign": {tuple(k["constrained_columns"]) for k in seen.get_foreign_keys(table.name)},
    }


def _plain(default: Any) -> str | None:
    return None if default is None or "nextval" in str(default) else str(default).strip("()'")


def _where(options: dict[str, Any]) -> str:
    found = [str(value) for name, value in options.items() if name.endswith("_where")]
    return found[0].replace("(", "").replace(")", "").lower() if found else ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", sorted(TABLES))
def test_the_migrations_make_what_the_models_say(toys: Shelter, kind: str, context: str) -> None:
    """Both are made for real and read back: columns, types, nulls, defaults, keys, indexes."""
    metadata = TABLES[context].event.metadata
    with toys.url(kind, empty=True) as migrated, toys.url(kind, empty=True) as modelled:
        migrate.run(migrated, [context])

        def make(connection: Connection) -> None:
            plain = [t for t in metadata.sorted_tables if t.name not in special(connection)]
            metadata.create_all(connection, tables=plain)
            connection.commit()

        def read(connection: Connection) -> dict[str, Any]:
            listed = [t for t in metadata.sorted_tables if t.name not in special(connection)]
            return {table.name: of_connection(connection, table) for table in listed}

        def differences(connection: Connection) -> list[Any]:
            def ours(name: str | None, what: str, parents: Any) -> bool:
                return what != "table" or name in metadata.tables

            opts = {"include_name": ours, "compare_type": True, "compare_server_default": False}
            return list(
                compare_metadata(MigrationContext.configure(connection, opts=opts), metadata)
            )

        on_connection(modelled, make)
        assert on_connection(migrated, read) == on_connection(modelled, read)
        assert on_connection(migrated, differences) == []


def special(connection: Connection) -> set[str]:
    """Tables that are no ordinary ones on this database (full-text search on SQLite)."""
    return set()


@pytest.mark.parametrize("context", sorted(TABLES))
def test_the_models_alone_can_be_written_as_sql_for_both(context: str) -> None:
    for dialect in ("sqlite://", "postgresql://"):
        engine = create_mock_engine(dialect, lambda *_, **__: None)
        for table in TABLES[context].event.metadata.sorted_tables:
            assert str(CreateTable(table).compile(dialect=engine.dialect))
            for index in table.indexes:
                assert str(CreateIndex(index).compile(dialect=engine.dialect))
