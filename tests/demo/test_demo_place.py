"""The demo library is never built over anything."""

import sqlite3
import subprocess
from pathlib import Path

import pytest
from tests import hatchery

from lendery.demo.place import A_LIBRARY, taken
from lendery.platform import migrate
from lendery.platform.settings import Settings

CONTEXTS = ["accounts", "catalog", "circulation", "notices", "reports", "reviews"]


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/library.db")


def _run(chosen: Settings, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"LENDERY_DATABASE_URL": chosen.database_url, "PATH": "/usr/bin:/bin", **environment}
    return hatchery.run(*arguments, env=env)


def test_a_missing_or_empty_file_is_free(chosen: Settings) -> None:
    assert taken(chosen) is None
    assert chosen.sqlite_file is not None
    chosen.sqlite_file.touch()
    assert taken(chosen) is None


def test_fresh_tables_without_a_library_are_free(chosen: Settings) -> None:
    migrate.run(chosen.database_url, CONTEXTS)
    assert taken(chosen) is None


def test_a_library_without_books_is_a_library(chosen: Settings) -> None:
    migrate.run(chosen.database_url, CONTEXTS)
    made = _run(
        chosen, "users", "create", "ada@lendery.test", "--name", "Ada",
        LENDERY_NEW_PASSWORD="long-enough-word",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert taken(chosen) == A_LIBRARY


def test_a_library_of_a_newer_program_is_left_alone(chosen: Settings) -> None:
    migrate.run(chosen.database_url, CONTEXTS)
    assert chosen.sqlite_file is not None
    with sqlite3.connect(chosen.sqlite_file) as database:
        database.execute("UPDATE circulation_schema SET revision = '0099', compatible_from = 99")
        before = list(database.iterdump())
    assert "newer Lendery" in (taken(chosen) or "")
    assert _run(chosen, "demo", "--if-missing", "--books", "50").returncode == 0
    with sqlite3.connect(chosen.sqlite_file) as database:
        assert list(database.iterdump()) == before


@pytest.mark.parametrize("content", [b"not a database, just a letter home" * 40, b"x"])
def test_another_file_is_left_alone(chosen: Settings, content: bytes) -> None:
    assert chosen.sqlite_file is not None
    chosen.sqlite_file.write_bytes(content)
    done = _run(chosen, "demo", "--books", "50")
    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert chosen.sqlite_file.read_bytes() == content


def test_somebody_elses_tables_are_left_alone(chosen: Settings) -> None:
    assert chosen.sqlite_file is not None
    with sqlite3.connect(chosen.sqlite_file) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    assert "not Lendery's" in (taken(chosen) or "")


def test_there_is_no_demo_in_production(chosen: Settings) -> None:
    done = _run(chosen, "demo", LENDERY_ENVIRONMENT="production", LENDERY_SECRET="x" * 40)
    assert done.returncode == 1
    assert "public" in done.stderr
