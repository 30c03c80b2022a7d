"""The private folder where files lie while they are received, imported or exported.

A file is named after the id of its job and nothing else: no name that a stranger gave is ever
part of a path.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from lendery.contracts.base import TooLarge
from lendery.contracts.importing import UploadRefused

KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    folder: Path
    limit: int

    def part(self, job_id: UUID) -> Path:
        """A file that is still coming."""
        return self.folder / f"{job_id.hex}.part"

    def file(self, job_id: UUID) -> Path:
        """A file that is whole."""
        return self.folder / f"{job_id.hex}.records"

    def make(self, job_id: UUID) -> BinaryIO:
        """A new file that only we can read."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        return os.fdopen(os.open(self.part(job_id), flags, 0o600), "wb")

    def add(self, job_id: UUID, at: int, data: bytes) -> int:
        """Raises TooLarge past the limit; nothing is left of the file then."""
        try:
            with self.part(job_id).open("ab") as file:
                size = file.tell()
                if size != at:
                    says = f"The next piece begins at byte {size}, not {at}."
                    raise UploadRefused(says, at=size)
                if size + len(data) > self.limit:
                    raise TooLarge(f"A file may have {self.limit:,} bytes at most.")
                file.write(data)
                return size + len(data)
        except FileNotFoundError:
            raise UploadRefused("No such file is being received.") from None
        except TooLarge:
            self.drop(job_id)
            raise

    def keep(self, job_id: UUID) -> Path:
        """The file came whole."""
        try:
            os.replace(self.part(job_id), self.file(job_id))
        except FileNotFoundError:
            raise UploadRefused("No such file is being received.") from None
        return self.file(job_id)

    def hand_on(self, job_id: UUID, to: UUID) -> bool:
        """The file of one job becomes that of another; False where it is gone."""
        with suppress(FileNotFoundError):
            os.replace(self.file(job_id), self.file(to))
            return True
        return False

    def has(self, job_id: UUID) -> bool:
        return self.file(job_id).exists()

    def drop(self, job_id: UUID) -> None:
        for path in (self.part(job_id), self.file(job_id)):
            path.unlink(missing_ok=True)

    def sweep(self, needed: Iterable[UUID], *, now: datetime) -> int:
        """Drops what has lain here for a day and no job needs; returns how many files."""
        names, oldest, dropped = {each.hex for each in needed}, now - KEPT_FOR, 0
        if not self.folder.is_dir():
            return 0
        for path in self.folder.iterdir():
            ours = path.suffix in (".part", ".records") and path.stem not in names
            if ours and path.stat().st_mtime < oldest.timestamp():
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped
