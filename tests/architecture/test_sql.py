"""No SQL is built from strings, so nothing a person typed can become SQL."""

from pathlib import Path

import pytest

from .checks import built_sql
from .source import SOURCE, copy, plant

BUILDING = [
    "def find(tx, text, by):\n    return tx.execute(text(f'SELECT * FROM loan ORDER BY {by}'))",
    "def find(tx, by):\n    return tx.execute('SELECT * FROM loan ORDER BY ' + by)",
    "def find(tx, by):\n    return tx.execute('SELECT * FROM loan ORDER BY %s' % by)",
    "def find(tx, by):\n    return tx.fetch('SELECT * FROM loan ORDER BY {}'.format(by))",
    "def find(tx, names):\n    return tx.fetch(' AND '.join(names))",
    "def find(tx, by):\n    sql = f'SELECT * FROM loan ORDER BY {by}'\n    return tx.execute(sql)",
    "def find(tx, by):\n    sql = 'SELECT * FROM loan'\n    sql += by\n    return tx.execute(sql)",
    "def find(tx, by):\n    part = 'ORDER BY ' + by\n    return tx.execute('SELECT 1 ' + part)",
    "BY = 'title'\nSQL = f'SELECT * FROM loan ORDER BY {BY}'\ndef find(tx):\n    tx.execute(SQL)",
]

WRITTEN_OUT = """
ALL = "SELECT * FROM loan " "WHERE returned_at IS NULL"
def find(tx, text, name):
    where = text("copy_id = :id" + " AND patron_id = :patron")
    label = f"not SQL: {name}"
    return tx.execute(ALL, label), tx.execute(where, {"id": name})
"""


# PRAGMA and DDL take no parameters; what these two put in is written in the code beside it.
WITHOUT_PARAMETERS = {"platform/db/sqlite.py", "platform/log_steps.py"}


def test_no_sql_is_built_from_strings() -> None:
    building = {objection.split(":")[0] for objection in built_sql(SOURCE)}
    assert building == WITHOUT_PARAMETERS


@pytest.mark.parametrize("code", BUILDING)
def test_built_sql_is_refused(tmp_path: Path, code: str) -> None:
    source = copy(tmp_path)
    plant(source, "lendery.circulation.planted", code)
    (objection,) = [each for each in built_sql(source) if "planted" in each]
    assert objection.endswith(" builds SQL in find")


def test_sql_that_is_written_out_passes(tmp_path: Path) -> None:
    source = copy(tmp_path)
    plant(source, "lendery.circulation.planted", WRITTEN_OUT)
    assert [each for each in built_sql(source) if "planted" in each] == []
