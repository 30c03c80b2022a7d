"""Work in a thread, and whoever waits for it being told to stop."""

import asyncio
import time
from pathlib import Path

import pytest

from lendery.platform.backup import file as backup_file
from lendery.platform.backup.dump import back_up
from lendery.platform.db import Database
from lendery.platform.threads import to_the_end
from tests.platform.backups import NOW


async def test_who_is_told_to_stop_waits_for_what_was_begun() -> None:
    done = []

    def slowly() -> None:
        time.sleep(0.2)
        done.append("written")

    task = asyncio.create_task(to_the_end(slowly))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert done == ["written"]


async def test_what_goes_wrong_is_told() -> None:
    def fails(why: str) -> None:
        raise ValueError(why)

    with pytest.raises(ValueError, match="no room"):
        await to_the_end(fails, why="no room")


async def test_a_backup_stopped_while_its_file_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = backup_file._create

    def slowly(part: Path) -> object:
        time.sleep(0.2)
        return create(part)

    monkeypatch.setattr(backup_file, "_create", slowly)
    db = Database("sqlite://")
    task = asyncio.create_task(back_up(db, tmp_path / "a.lendery", now=NOW))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.3)  # whatever was left behind has come by now
    await db.close()

    assert list(tmp_path.iterdir()) == []
