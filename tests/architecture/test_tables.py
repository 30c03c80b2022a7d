"""A table starts with its context's name, and no foreign key crosses that prefix."""

from pathlib import Path

import pytest

from .checks import strange_migrations, strange_tables
from .contracts import tables
from .source import SOURCE, copy, plant

WITH_TABLES = sorted({path.parent.name for path in (SOURCE / "lendery").glob("*/models*")})

STRAY = """
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table
planted = MetaData()
Table("loan", planted, Column("id", Integer, primary_key=True))
Table(
    "{part}_planted",
    planted,
    Column("id", Integer, primary_key=True),
    Column("owner", ForeignKey("elsewhere_patron.id")),
)
"""

STRAY_MIGRATION = """
def upgrade(op, sa):
    op.create_table("loan", sa.Column("copy", sa.ForeignKey("catalog_copy.id")))
    op.execute('CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(title)')
    op.execute("alter table circulation_loan add foreign key (b) references accounts_card (id)")
    op.execute("create table circulation_hold (id integer)")
"""


@pytest.mark.parametrize("part", WITH_TABLES)
def test_tables_carry_their_context_and_refer_to_no_other(part: str) -> None:
    found = tables(SOURCE, part)
    assert found, f"{part}.models defines no table"
    assert strange_tables(part, found) == []


@pytest.mark.parametrize("part", WITH_TABLES)
def test_a_stray_table_and_a_crossing_key_are_refused(tmp_path: Path, part: str) -> None:
    source = copy(tmp_path)
    plant(source, f"lendery.{part}.models", STRAY.format(part=part))
    assert set(strange_tables(part, tables(source, part))) == {
        f"{part}_planted refers to elsewhere_patron.id",
        f"loan is defined by {part}",
    }


def test_migrations_stay_in_their_context() -> None:
    assert strange_migrations(SOURCE) == []


def test_a_migration_that_strays_is_refused(tmp_path: Path) -> None:
    source = copy(tmp_path)
    plant(source, "lendery.circulation.migrations.versions.planted", STRAY_MIGRATION)
    where = "circulation/migrations/versions/planted.py"
    assert sorted(set(strange_migrations(source)) - set(strange_migrations(SOURCE))) == [
        f"{where}:4 names catalog_copy",
        f"{where}:4 names loan",
        f"{where}:5 names search",
        f"{where}:6 names accounts_card",
    ]
