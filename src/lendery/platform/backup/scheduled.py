"""Backups by the clock: one every so many hours, the newest few kept.

A backup is named for the hour its time came round: lendery-2026-11-22T00.lendery. Whoever makes
its .part file first writes it; whoever comes later steps aside. It is written by a
process of its own, so that the one that serves is not held up.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from lendery.platform.jobs import Job, round_of
from lendery.platform.settings import CONTEXTS, Settings

log = structlog.get_logger()
ABANDONED = 3600.0  # seconds since anything was written to a .part file


class BackupFailed(RuntimeError):
    """What the backup said when it gave up."""


def backup_job(settings: Settings) -> Job | None:
    """None where nothing is set, and where there is nothing to back up: a library in memory."""
    if settings.backup_folder is None or (settings.sqlite and settings.sqlite_file is None):
        return None
    every = timedelta(hours=settings.backup_every_hours)
    folder = BackupFolder(settings.backup_folder, _label(settings), settings.backup_keep)

    async def run(_: Any, now: datetime) -> None:
        await folder.add(settings, round_of(now, every))

    return Job("backup", every, run, limit=timedelta(hours=12), queue="long")


def _label(settings: Settings) -> str:
    """Parts that run on their own may share a folder."""
    here, all_there_are = settings.contexts - {"web"}, set(CONTEXTS) - {"web"}
    return "lendery" if here == all_there_are else "-".join(["lendery", *sorted(here)])


@dataclass(frozen=True)
class BackupFolder:
    """The backups of one library in a folder. Files with other names are never touched."""

    path: Path
    label: str
    keep: int

    async def add(self, settings: Settings, at: datetime) -> None:
        """The backup of this time, unless it is there or being written. Raises BackupFailed."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._forget_abandoned()
        file = self.path / f"{self.label}-{at:%Y-%m-%dT%H}.lendery"
        part = file.with_name(file.name + ".part")
        if file.exists() or part.exists():
            return
        said = await _written(file, settings)
        if said is not None and not part.exists() and not file.exists():
            raise BackupFailed(said)
        if said is None:
            log.info("backup made", file=file.name)
        self._forget_oldest()

    def _own(self, suffix: str) -> list[Path]:
        """The oldest first."""
        name = re.compile(re.escape(self.label) + r"-\d{4}-\d\d-\d\dT\d\d\.lendery" + suffix)
        return sorted(each for each in self.path.iterdir() if name.fullmatch(each.name))

    def _forget_oldest(self) -> None:
        for each in self._own("")[: -self.keep]:
            each.unlink(missing_ok=True)

    def _forget_abandoned(self) -> None:
        for each in self._own(r"\.part"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - each.stat().st_mtime > ABANDONED:
                    each.unlink()


async def _written(file: Path, settings: Settings) -> str | None:
    """None when it is done, else what was said last."""
    command = (sys.executable, "-m", "lendery", "backup", os.fspath(file.absolute()))
    given = {
        "LENDERY_DATABASE_URL": settings.database_url,
        "LENDERY_CONTEXTS": ",".join(sorted(settings.contexts)),
    }
    if settings.backup_passphrase:
        given["LENDERY_BACKUP_PASSPHRASE"] = settings.backup_passphrase.get_secret_value()
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | given,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    if hasattr(os, "setpriority"):  # who lends comes first
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:  # the library is closing
        process.terminate()
        await process.communicate()
        file.with_name(file.name + ".part").unlink(missing_ok=True)
        raise
    last = said.decode(errors="replace").strip().rpartition("\n")[2]
    return None if process.returncode == 0 else last or f"exit status {process.returncode}"
