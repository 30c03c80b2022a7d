"""Each context's schema, brought up to date by its own Alembic versions.

Revisions are numbered: 0001, 0002. A migration says `compatible_from`: the oldest code
(by its newest revision) that can still run on the schema it makes. Adding things keeps older
code running, so a rolling upgrade migrates first and then replaces the processes.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Mapping
from importlib.resources import as_file, files
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy import inspect as inspected
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

from lendery.platform.db.database import local_file
from lendery.platform.schema import SchemaState, newest, noted


def run(url: str, contexts: Iterable[str]) -> list[SchemaState]:
    """Brings the contexts' schemas up to date; doing it again changes nothing.

    Raises SystemExit, before anything is changed, when a schema is newer than this code.
    """
    done: list[SchemaState] = _on_connection(url, lambda c: _upgrade(c, list(contexts)))
    return done


def run_in_memory(raw: sqlite3.Connection, contexts: Iterable[str]) -> None:
    """The same for a private in-memory database, on the one connection it lives on."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    with engine.connect() as connection:
        _upgrade(connection, list(contexts))


def downgrade(url: str, context: str, revision: str) -> None:
    """Back to an older revision (tests; an operator restores a backup instead)."""
    _on_connection(url, lambda connection: _go_to(connection, context, revision, back=True))


def exactly(url: str, revisions: Mapping[str, str]) -> None:
    """The contexts' schemas at these revisions, for what an older program has kept."""

    def there(connection: Connection) -> None:
        for context, revision in revisions.items():
            back = _state(connection, context).revision > int(revision)
            _go_to(connection, context, revision, back=back)

    _on_connection(url, there)


def _go_to(connection: Connection, context: str, revision: str, *, back: bool) -> None:
    with _scripts(context) as folder:
        script = ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
        steps = script._downgrade_revs if back else script._upgrade_revs
        _move(connection, context, script, lambda current, _: steps(revision, current))
        _note_compatibility(connection, context, script)


def _on_connection(url: str, work: Any) -> Any:
    if url.startswith("sqlite"):
        with _sqlite(url).connect() as connection:
            return work(connection)

    async def over_asyncpg() -> Any:
        postgres = create_async_engine(_asyncpg(url), poolclass=NullPool)
        async with postgres.connect() as connection:
            result = await connection.run_sync(lambda sync: _locked(sync, work))
        await postgres.dispose()
        return result

    return asyncio.run(over_asyncpg())


def _sqlite(url: str) -> Engine:
    """Whoever begins has the write lock, so there is one migration at a time, whole or not."""
    patient = {"timeout": 60, "isolation_level": None}
    engine = create_engine(f"sqlite:///{local_file(url)}", poolclass=NullPool, connect_args=patient)
    listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _asyncpg(url: str) -> str:
    return (
        url
        if url.startswith("postgresql+")
        else url.replace("postgresql:", "postgresql+asyncpg:", 1)
    )


def _locked(connection: Connection, work: Any) -> Any:
    """One migration at a time, whoever starts it (several replicas, say)."""
    connection.exec_driver_sql("SELECT pg_advisory_lock(5421367)")
    connection.commit()
    try:
        return work(connection)
    finally:
        connection.rollback()
        connection.exec_driver_sql("SELECT pg_advisory_unlock(5421367)")
        connection.commit()


def _scripts(context: str) -> Any:
    return as_file(files(f"lendery.{context}") / "migrations")


def _upgrade(connection: Connection, contexts: list[str]) -> list[SchemaState]:
    for context in contexts:
        state = _state(connection, context)
        if state.revision > state.newest:
            raise SystemExit(
                f"The {context} tables are at revision {state.revision:04d}, made by a newer "
                f"Lendery; this one knows {state.newest:04d}. Nothing was changed. Update Lendery."
            )
    for context in contexts:
        with _scripts(context) as folder:
            script = ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
            _move(
                connection, context, script, lambda rev, _, s=script: s._upgrade_revs("head", rev)
            )
            _note_compatibility(connection, context, script)
    return [_state(connection, context) for context in contexts]


def _move(connection: Connection, context: str, script: ScriptDirectory, steps: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.begin()  # under the lock before anyone looks what is to be done
    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection,
            version_table=f"{context}_version",
            transaction_per_migration=True,
        )
        with environment.begin_transaction():
            environment.run_migrations()
    connection.commit()


def _note_compatibility(connection: Connection, context: str, script: ScriptDirectory) -> None:
    table = noted(context)
    table.create(connection, checkfirst=True)
    connection.execute(table.delete())
    migration = MigrationContext.configure(connection, opts={"version_table": f"{context}_version"})
    if current := migration.get_current_revision():
        oldest = int(getattr(script.get_revision(current).module, "compatible_from", current))
        connection.execute(table.insert().values(revision=current, compatible_from=oldest))
    connection.commit()


def _state(connection: Connection, context: str) -> SchemaState:
    migration = MigrationContext.configure(connection, opts={"version_table": f"{context}_version"})
    current = int(migration.get_current_revision() or 0)
    table, compatible_from = noted(context), current
    if current and inspected(connection).has_table(table.name):
        row = connection.execute(table.select()).first()
        compatible_from = row.compatible_from if row else compatible_from
    connection.commit()
    return SchemaState(context, current, newest(context), compatible_from)
