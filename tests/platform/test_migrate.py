"""Schemas: up to date from anywhere, never twice, never backwards by accident."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, column, inspect, select, table, text

from lendery.contracts.base import new_id
from lendery.contracts.catalog import CopyChanged
from lendery.main import TABLES
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.platform.schema import SchemaState, noted, states
from tests.databases import KINDS, Shelter

from .toy import on_connection

CONTEXTS = ("accounts", "catalog", "circulation", "notices", "reports", "reviews")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, toys: Shelter) -> Iterator[str]:
    """A database without any table."""
    with toys.url(request.param, empty=True) as url:
        yield url


def everything(url: str) -> dict[str, list[Any]]:
    """Each table with its rows, the migrations' own tables too."""

    def read(connection: Connection) -> dict[str, list[Any]]:
        found = {}
        for name in inspect(connection).get_table_names():
            rows = connection.execute(select(text("*")).select_from(table(name)))
            found[name] = sorted(map(tuple, rows), key=repr)
        return found

    tables: dict[str, list[Any]] = on_connection(url, read)
    return tables


def set_revision(url: str, context: str, revision: str, *, compatible_from: int) -> None:
    """As a Lendery from the future leaves it."""

    def write(connection: Connection) -> None:
        version = table(f"{context}_version", column("version_num"))
        connection.execute(version.update().values(version_num=revision))
        values = {"revision": revision, "compatible_from": compatible_from}
        connection.execute(noted(context).update().values(**values))
        connection.commit()

    on_connection(url, write)


AT_ONCE = """
import os, sys, time
from lendery.platform import migrate

start, children = time.time() + 0.2, []
for _ in range(3):
    if (child := os.fork()) == 0:
        time.sleep(max(0, start - time.time()))
        migrate.run(sys.argv[1], sys.argv[2:])
        os.write(1, b"done ")
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


def seen_by_the_program(url: str, *contexts: str) -> list[SchemaState]:
    async def look() -> list[SchemaState]:
        db = Database(url)
        found = await states(db, contexts or CONTEXTS)
        await db.close()
        return found

    return asyncio.run(look())


def lend_something(url: str) -> None:
    """Rows in each context, so that going down and up meets tables that are in use."""

    async def write() -> None:
        db = Database(url, TABLES.values())
        async with db.begin() as tx:
            await tx.announce(CopyChanged(at=NOW, copy_id=new_id(), book_id=new_id()))
            for context in CONTEXTS:
                event = CopyChanged(at=NOW, copy_id=new_id(), book_id=new_id())
                await tx.is_first(context, event, "x", now=NOW)
        await db.close()

    asyncio.run(write())


def test_migrating_again_changes_nothing(empty: str) -> None:
    first = migrate.run(empty, CONTEXTS)
    assert [(s.context, s.revision == s.newest > 0, s.objection) for s in first] == [
        (context, True, None) for context in CONTEXTS
    ]
    lend_something(empty)
    before = everything(empty)
    assert migrate.run(empty, CONTEXTS) == first == seen_by_the_program(empty)
    assert everything(empty) == before


def test_contexts_may_share_a_database_or_come_later(empty: str) -> None:
    migrate.run(empty, ["catalog"])
    only = everything(empty)
    assert {name.split("_")[0] for name in only if not name.startswith("sqlite")} == {"catalog"}
    says = [state.objection for state in seen_by_the_program(empty)]
    assert [bool(objection) for objection in says] == [context != "catalog" for context in CONTEXTS]
    migrate.run(empty, CONTEXTS)
    after = everything(empty)
    assert {name: after[name] for name in only if not name.startswith("sqlite")} == {
        name: rows for name, rows in only.items() if not name.startswith("sqlite")
    }
    assert [state.objection for state in seen_by_the_program(empty)] == [None] * len(CONTEXTS)


def test_several_replicas_that_migrate_at_once_all_succeed(empty: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, empty, *CONTEXTS],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["done"] * 3, done.stdout + done.stderr[-3000:]
    assert [state.objection for state in seen_by_the_program(empty)] == [None] * len(CONTEXTS)
    for context in CONTEXTS:
        rows = everything(empty)[f"{context}_version"]
        assert len(rows) == 1


def test_down_and_up_again_on_tables_in_use(empty: str) -> None:
    migrate.run(empty, CONTEXTS)
    fresh = everything(empty)
    lend_something(empty)
    for context in reversed(CONTEXTS):
        migrate.downgrade(empty, context, "base")
        assert not [n for n in everything(empty) if n in migrated_tables(context)]
        (state,) = seen_by_the_program(empty, context)
        assert state.revision == 0
        assert state.objection is not None and "Run: lendery migrate" in state.objection
    migrate.run(empty, CONTEXTS)
    assert everything(empty) == fresh


def migrated_tables(context: str) -> set[str]:
    return set(TABLES[context].event.metadata.tables)


def test_a_schema_of_a_newer_lendery_is_refused_and_nothing_is_changed(empty: str) -> None:
    migrate.run(empty, ["catalog"])
    set_revision(empty, "catalog", "0099", compatible_from=99)
    before = everything(empty)
    with pytest.raises(SystemExit) as told:
        migrate.run(empty, CONTEXTS)
    says = str(told.value)
    for part in ("catalog", "0099", "newer Lendery", "Nothing was changed", "Update Lendery"):
        assert part in says
    assert everything(empty) == before, "accounts comes first, and was not begun either"


Change = Callable[[str], None]
OBJECTIONS = [
    (SchemaState("catalog", 1, 1, 1), None),
    (SchemaState("catalog", 0, 2, 0), ["catalog", "0000", "0002", "Run: lendery migrate"]),
    (SchemaState("catalog", 1, 2, 1), ["catalog", "0001", "0002", "Run: lendery migrate"]),
    (SchemaState("catalog", 3, 2, 1), None),
    (SchemaState("catalog", 3, 2, 2), None),
    (SchemaState("catalog", 3, 2, 3), ["catalog", "0003", "0002", "newer", "Update Lendery"]),
]


@pytest.mark.parametrize(("state", "says"), OBJECTIONS)
def test_what_stands_in_the_way_of_serving_is_said(
    state: SchemaState, says: list[str] | None
) -> None:
    if says is None:
        assert state.objection is None
    else:
        assert state.objection is not None
        assert all(part in state.objection for part in says), state.objection


def test_a_newer_schema_that_was_only_added_to_is_served(empty: str) -> None:
    migrate.run(empty, CONTEXTS)
    (now,) = seen_by_the_program(empty, "circulation")
    newer = f"{now.newest + 1:04d}"
    set_revision(empty, "circulation", newer, compatible_from=now.newest)
    assert seen_by_the_program(empty, "circulation")[0].objection is None
    set_revision(empty, "circulation", newer, compatible_from=now.newest + 1)
    (state,) = seen_by_the_program(empty, "circulation")
    assert state.objection is not None and "Update Lendery" in state.objection


def test_a_database_without_tables_is_not_served(empty: str) -> None:
    for state in seen_by_the_program(empty):
        assert (state.revision, state.objection is None) == (0, False)


async def test_a_database_in_memory_is_migrated_on_the_connection_it_lives_on() -> None:
    db = Database("sqlite://", TABLES.values())
    assert db.memory is not None
    migrate.run_in_memory(db.memory, CONTEXTS)
    migrate.run_in_memory(db.memory, CONTEXTS)
    assert [state.objection for state in await states(db, CONTEXTS)] == [None] * len(CONTEXTS)
    async with db.begin() as tx:
        await tx.announce(CopyChanged(at=NOW, copy_id=new_id(), book_id=new_id()))
    async with db.read() as session:
        assert len(await session.rows(select(TABLES["catalog"].event))) == 1
    await db.close()
