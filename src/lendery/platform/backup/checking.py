"""Whether a backup is whole; no database is needed for that."""

from pathlib import Path

from lendery.platform.backup.file import lines
from lendery.platform.backup.format import Reader, Whole
from lendery.platform.backup.progress import Progress, Quiet


def check(file: Path, passphrase: str | None = None, progress: Progress | None = None) -> Whole:
    """Reads it to its end. Raises Refused when it is not as it was written."""
    reader = reader_of(file, passphrase, progress or Quiet())
    for _ in reader.tables():
        pass
    assert reader.whole is not None
    return reader.whole


def reader_of(file: Path, passphrase: str | None, progress: Progress) -> Reader:
    seen = 0

    def read(at: int) -> None:
        nonlocal seen
        progress.advance(at - seen)
        seen = at

    progress.start("Checking", file.stat().st_size if file.exists() else 0)
    return Reader(lines(file, passphrase, read))
