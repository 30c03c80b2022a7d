"""The file of a backup: a line to know it by, a line of header, then the compressed lines.

    LENDERY BACKUP
    {"format":1,"encryption":null}       or what encryption.py needs, without the passphrase

Then come the lines of format.py as one zlib stream, encrypted where the header says so.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from lendery.platform.backup import Refused
from lendery.platform.backup.encryption import Sealer, key_of, new_seal, opened
from lendery.platform.backup.format import CUT
from lendery.platform.backup.values import encoded

MAGIC = b"LENDERY BACKUP\n"
FORMAT = 1
LONGEST_HEADER = 4_096
LONGEST_LINE = 64 * 1024 * 1024
STEP = 256 * 1024
LEVEL = 3  # half the time of zlib's default, a tenth more bytes


class NewFile:
    """A backup being written: FILE.part, until `finish` has it safe on the disk.

    Nobody but its owner may read it. Two that write the same backup: the second is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.part = path, path.with_name(path.name + ".part")
        self._file: BinaryIO | None = None
        self._sealer: Sealer | None = None
        self._compress = zlib.compressobj(LEVEL)

    def open(self, passphrase: str | None) -> None:
        """Raises Refused."""
        if self.path.exists():
            raise Refused(f"{self.path} is there already. Nothing was written.")
        seal = new_seal() if passphrase else None
        header = encoded({"format": FORMAT, "encryption": seal}).encode() + b"\n"
        key = key_of(passphrase, seal) if passphrase and seal else None
        self._file = _create(self.part)
        self._file.write(MAGIC + header)
        if key and seal:
            self._sealer = Sealer(self._file.write, key=key, seal=seal, header=header)

    def write(self, data: bytes) -> None:
        self._put(self._compress.compress(data))

    def close(self) -> int:
        """Everything is on the disk; returns how many bytes."""
        self._put(self._compress.flush())
        if self._sealer:
            self._sealer.close()
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        return size

    def finish(self) -> None:
        """It gets its name, and keeps it through a loss of power."""
        self.part.rename(self.path)
        settle(self.path.parent)

    def discard(self) -> None:
        """What was made of it is gone; a part that somebody else is writing stays."""
        if self._file is not None:
            self._file.close()
            self.part.unlink(missing_ok=True)

    def _put(self, data: bytes) -> None:
        target = self._sealer or self._file
        assert target is not None
        target.write(data)


def _create(part: Path) -> BinaryIO:
    try:
        return os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
    except FileExistsError:
        raise Refused(
            f"{part} is there: another backup is writing it, or one was cut off. "
            "If none is running, remove it."
        ) from None
    except OSError as error:
        raise Refused(f"{part} cannot be written: {error.strerror}.") from error


def settle(folder: Path) -> None:
    """What was renamed in this folder stays so after a loss of power."""
    if os.name == "nt":
        return
    opened_folder = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened_folder)
    finally:
        os.close(opened_folder)


def is_encrypted(path: Path) -> bool:
    """Raises Refused when this is no backup that this program can read."""
    with _open(path) as file:
        return _header(file)[0] is not None


def lines(path: Path, passphrase: str | None, read: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a backup; `read` is told how many bytes of the file have been read."""
    with _open(path) as file:
        seal, header = _header(file)
        if seal is None and passphrase:
            raise Refused(
                "This backup is not encrypted, but a passphrase was given: somebody else may have "
                "written it. If it is what you expect, leave the passphrase out."
            )
        if seal is None:
            pieces = iter(lambda: file.read(STEP), b"")
        elif passphrase:
            pieces = opened(file, key=_key(passphrase, seal), seal=seal, header=header)
        else:
            raise Refused("This backup is encrypted: its passphrase is needed.")
        yield from _lines(_inflated(_told(pieces, file, read)))


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def _header(file: BinaryIO) -> tuple[dict[str, Any] | None, bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise Refused("This is not a backup of Lendery.")
    header = file.readline(LONGEST_HEADER)
    try:
        said = json.loads(header)
        made, seal = said["format"], said["encryption"]
        if not isinstance(made, int) or encoded(said).encode() + b"\n" != header:
            raise ValueError(header)
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(CUT) from error
    if made != FORMAT:
        raise Refused(f"This backup has format {made}; this Lendery reads {FORMAT}. Update it.")
    return seal, header


def _key(passphrase: str, seal: dict[str, Any]) -> bytes:
    try:
        return key_of(passphrase, seal)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(CUT) from error


def _told(pieces: Iterator[bytes], file: BinaryIO, read: Callable[[int], None]) -> Iterator[bytes]:
    for piece in pieces:
        read(file.tell())
        yield piece


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Never more than STEP at a time, however much a few bytes claim to stand for."""
    stream = zlib.decompressobj()
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if stream.eof:
                    raise Refused(CUT)  # something was put behind the end
                if found := stream.decompress(rest, STEP):
                    yield found
                rest = stream.unconsumed_tail or stream.unused_data
        while not stream.eof and (found := stream.decompress(b"", STEP)):
            yield found
    except zlib.error as error:
        raise Refused(CUT) from error
    if not stream.eof:
        raise Refused(CUT)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    begun, length = list[bytes](), 0  # of the line that is not complete yet
    for piece in pieces:
        *complete, rest = piece.split(b"\n")
        if complete:
            yield b"".join([*begun, complete[0]])
            yield from complete[1:]
            begun, length = [], 0
        begun.append(rest)
        length += len(rest)
        if length > LONGEST_LINE:
            raise Refused(CUT)
    if length:
        raise Refused(CUT)
