"""A glance at a file says whether anybody committed since, exactly as SQLite itself would."""

import sqlite3
import sys
from pathlib import Path

import pytest

from lendery.platform.db import Database
from lendery.platform.db.wal import WalIndex


def moved(db: Database, token: object) -> bool:
    return db.glance() != token


async def test_it_moves_with_every_commit_by_whomever(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/library.db")
    other = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    other.execute("CREATE TABLE shelf (book TEXT)")
    token, version = db.glance(), db.change_token()
    for _ in range(3):
        assert not moved(db, token), "nothing was committed"
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO shelf VALUES ('Middlemarch')")
    assert not moved(db, token), "not yet"
    other.execute("ROLLBACK")
    assert not moved(db, token), "never"
    for n in range(5):
        other.execute("INSERT INTO shelf VALUES (?)", (f"Volume {n}",))
        assert moved(db, token) and db.change_token() != version
        token, version = db.glance(), db.change_token()
    async with db.begin():
        db._driver.writer.raw.execute("INSERT INTO shelf VALUES ('Romola')")  # type: ignore[union-attr]
    assert moved(db, token)
    other.close()
    await db.close()


async def test_a_commit_after_the_log_began_anew_is_not_missed(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/library.db")
    other = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    other.execute("CREATE TABLE shelf (book TEXT)")
    for _ in range(20):
        token = db.glance()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        other.execute("INSERT INTO shelf VALUES ('Middlemarch')")
        assert moved(db, token)
    other.close()
    await db.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere SQLite is asked")
async def test_where_the_file_is_mapped_is_found_and_let_go(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/library.db")
    found = db._driver.wal_index()  # type: ignore[union-attr]
    assert isinstance(found, WalIndex) and len(found.header()) == 48
    assert found.header()[:4] in (b"\x18\xe2\x2d\x00", b"\x00\x2d\xe2\x18"), "its format: 3007000"
    await db.close()
    assert db._driver.wal_index() is None, "its memory is gone with the connections"  # type: ignore[union-attr]
    assert WalIndex.of(str(tmp_path / "elsewhere.db")) is None


async def test_without_the_mapping_sqlite_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WalIndex, "of", classmethod(lambda cls, path: None))
    db = Database(f"sqlite:///{tmp_path}/library.db")
    assert db.glance() == db.change_token()
    await db.close()


async def test_a_library_in_memory_has_nothing_to_look_at() -> None:
    db = Database("sqlite://")
    assert db.glance() is None
    await db.close()
