"""Backups by the clock: one for each time, by whoever comes first, the newest few kept."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lendery.main import wire
from lendery.platform.backup.checking import check
from lendery.platform.backup.scheduled import ABANDONED, BackupFailed, BackupFolder, backup_job
from lendery.platform.settings import CONTEXTS, Settings
from tests.databases import KINDS, Shelter
from tests.system import System

from .backups import PASSPHRASE, bring_back, everything

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
AT_MIDNIGHT = "lendery-2026-03-01T00.lendery"


@pytest.fixture
def library(libraries: Shelter) -> Iterator[str]:
    with libraries.url("sqlite") as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "backups"


def chosen(url: str, folder: Path | None, **but: Any) -> Settings:
    return Settings(database_url=url, backup_folder=folder, **but)


async def run(settings: Settings, now: datetime) -> None:
    job = backup_job(settings)
    assert job is not None
    await job.run(None, now)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_named_for_its_time_and_can_be_restored(
    libraries: Shelter, folder: Path, tmp_path: Path, kind: str
) -> None:
    target = f"sqlite:///{tmp_path}/restored.db"
    with libraries.url(kind) as url:
        asyncio.run(run(chosen(url, folder), MIDNIGHT + timedelta(hours=9, minutes=31)))
        assert names(folder) == [AT_MIDNIGHT]
        asyncio.run(bring_back(folder / AT_MIDNIGHT, target))
        assert everything(target) == everything(url)
    assert (folder / AT_MIDNIGHT).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_second_look_at_the_same_day_writes_nothing(library: str, folder: Path) -> None:
    await run(chosen(library, folder), MIDNIGHT)
    first = (folder / AT_MIDNIGHT).stat()
    await run(chosen(library, folder), MIDNIGHT + timedelta(hours=23, minutes=59))
    assert (folder / AT_MIDNIGHT).stat() == first and names(folder) == [AT_MIDNIGHT]


async def test_processes_that_begin_at_once_make_one_backup(library: str, folder: Path) -> None:
    settings = chosen(library, folder)
    await asyncio.gather(*[run(settings, MIDNIGHT) for _ in range(3)])
    assert names(folder) == [AT_MIDNIGHT]
    assert check(folder / AT_MIDNIGHT).rows > 500


async def test_the_newest_are_kept_and_nothing_else_is_touched(library: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    own = [f"lendery-2026-02-{day:02d}T00.lendery" for day in (25, 26, 27, 28)]
    others = [
        "letter.txt",
        "lendery.db",
        "lendery-2026-02-01.lendery",  # made by hand
        "my-lendery-2026-02-01T00.lendery",
        "lendery-2026-02-01T00.lendery.bak",
        "lendery-2026-02-01T00.lendery.gpg",
        "lendery-catalog-2026-02-01T00.lendery",  # another part's
    ]
    for name in (*own, *others):
        (folder / name).write_text(name)
    await run(chosen(library, folder, backup_keep=3), MIDNIGHT)
    assert names(folder) == sorted([*own[2:], AT_MIDNIGHT, *others])


async def test_a_backup_that_fails_costs_no_other(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    own = [f"lendery-2026-02-{day:02d}T00.lendery" for day in (26, 27, 28)]
    for name in own:
        (folder / name).write_text(name)
    (tmp_path / "empty.db").touch()
    nowhere = chosen(f"sqlite:///{tmp_path}/empty.db", folder, backup_keep=1)
    with pytest.raises(BackupFailed, match=r"There is no library in this database\."):
        await run(nowhere, MIDNIGHT)
    assert names(folder) == own


async def test_what_a_killed_process_left_is_cleared_away_and_made_again(
    library: str, folder: Path
) -> None:
    folder.mkdir(parents=True)
    part = folder / f"{AT_MIDNIGHT}.part"
    part.write_text("half a library")
    for age, stands in ((0.0, True), (ABANDONED - 60, True), (ABANDONED + 60, False)):
        os.utime(part, (time.time() - age,) * 2)
        await run(chosen(library, folder), MIDNIGHT)
        assert names(folder) == [part.name if stands else AT_MIDNIGHT], age
    assert check(folder / AT_MIDNIGHT).rows > 500


async def test_it_is_encrypted_when_a_passphrase_is_set(library: str, folder: Path) -> None:
    await run(chosen(library, folder, backup_passphrase=PASSPHRASE), MIDNIGHT)
    assert check(folder / AT_MIDNIGHT, PASSPHRASE).rows > 500
    assert b'"scrypt"' in (folder / AT_MIDNIGHT).read_bytes()[:200]


async def test_a_library_that_closes_stops_its_backup(
    library: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()
    create = asyncio.create_subprocess_exec
    children = []

    async def create_and_tell(*command: Any, **options: Any) -> Any:
        child = await create(*command, **options)
        children.append(child)
        began.set()
        return child

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create_and_tell)
    making = asyncio.create_task(run(chosen(library, folder), MIDNIGHT))
    await began.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    (child,) = children
    assert child.returncode is not None and names(folder) == []


def test_each_part_has_names_of_its_own(folder: Path) -> None:
    def label(*contexts: str) -> str:
        from lendery.platform.backup.scheduled import _label

        return _label(Settings(contexts=frozenset(contexts)))

    assert label(*CONTEXTS) == "lendery"
    assert label("catalog", "web") == label("catalog") == "lendery-catalog"
    assert label("circulation", "catalog") == "lendery-catalog-circulation"


def test_there_is_no_job_where_there_is_nothing_to_do(library: str, folder: Path) -> None:
    assert backup_job(chosen(library, None)) is None
    assert backup_job(chosen("sqlite://", folder)) is None
    job = backup_job(chosen(library, folder, backup_every_hours=6))
    assert job is not None and job.every == timedelta(hours=6)


def test_the_time_is_a_round_hour(library: str, folder: Path) -> None:
    asked: list[datetime] = []

    async def note(self: BackupFolder, settings: Settings, at: datetime) -> None:
        asked.append(at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BackupFolder, "add", note)
        for minutes in (0, 359, 360, 719):
            job = backup_job(chosen(library, folder, backup_every_hours=6))
            assert job is not None
            asyncio.run(job.run(None, MIDNIGHT + timedelta(minutes=minutes)))  # type: ignore[arg-type]
    six = MIDNIGHT + timedelta(hours=6)
    assert asked == [MIDNIGHT, MIDNIGHT, six, six]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"backup_passphrase": "eleven char"}, "at least 12"),
        ({"backup_every_hours": 0}, "greater than or equal to 1"),
        ({"backup_keep": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_would_keep_nothing_safe_are_refused(
    wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says) as told:
        Settings(**wrong)
    assert "eleven" not in str(told.value)


def test_what_is_left_empty_in_the_environment_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENDERY_BACKUP_FOLDER", "")
    monkeypatch.setenv("LENDERY_BACKUP_PASSPHRASE", "")
    assert (Settings().backup_folder, Settings().backup_passphrase) == (None, None)


def test_a_process_without_tables_makes_no_backups(folder: Path) -> None:
    urls: dict[str, Any] = {
        each: "http://127.0.0.1:1"
        for each in ("accounts", "catalog", "circulation", "notices", "reports", "reviews")
    }
    web = Settings(
        database_url="sqlite:///never.db",
        contexts=frozenset({"web"}),
        peers=urls,
        backup_folder=folder,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parents[1])
        assert wire(web).background.slots.works == []


def test_a_served_library_makes_its_backups_by_itself(folder: Path, tmp_path: Path) -> None:
    """Two worker processes, one backup."""
    settings = {"LENDERY_BACKUP_FOLDER": str(folder)}
    with System.start("one_process", "sqlite", tmp_path, workers=2, **settings):
        give_up = time.monotonic() + 60
        while not (folder.exists() and list(folder.glob("*.lendery"))):
            assert time.monotonic() < give_up
            time.sleep(0.1)
        time.sleep(0.5)
        (made,) = folder.iterdir()
    whole = check(made)
    assert whole.tables["accounts_user"].rows == 1, "the administrator"
    with sqlite3.connect(tmp_path / "all.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
