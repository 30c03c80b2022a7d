"""Files that strangers give us: opened with a bound on what they may become."""

import gzip
import io
import zlib
from typing import BinaryIO

from lendery.catalog.formats.values import Refused

Slice = tuple[int, bytes, str | None]  # where a record begins, its bytes, why it is none

MOST_JUNK = 64 << 20  # bytes in a row that are no record
GIVEN_UP = f"More than {MOST_JUNK >> 20} MB without a record: the rest of the file is not read."
MOST = 8 << 30  # bytes of a file once it is unpacked
RATIO = 200  # text and MARC pack to a tenth or a twentieth; a bomb to a thousandth
_FREE = 16 << 20  # unpacked bytes before the ratio counts


def opened(file: BinaryIO, most: int = MOST) -> BinaryIO:
    """The file, unpacked if it is gzip. Reading raises Refused once it unpacks to more than
    `most` bytes, or to more than any honest file would."""
    head = _peeked(file)
    source: BinaryIO = head
    if head.peek(2)[:2] == b"\x1f\x8b":
        return io.BufferedReader(_Unpacked(head, most), 1 << 20)
    return io.BufferedReader(_Bounded(source, most), 1 << 20)


def _peeked(file: BinaryIO) -> io.BufferedReader:
    return file if isinstance(file, io.BufferedReader) else io.BufferedReader(_Raw(file))


class _Raw(io.RawIOBase):
    """Any file that can be read, as the lowest layer of a buffered one. It is not closed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)


class _Bounded(_Raw):
    def __init__(self, file: BinaryIO, most: int) -> None:
        super().__init__(file)
        self._left = self._most = most

    def readinto(self, buffer: object) -> int:
        size = super().readinto(buffer)
        self._left -= size
        if self._left < 0:
            raise Refused(f"The file has more than {self._most:,} bytes.")
        return size


class _Counted(_Raw):
    read_bytes = 0

    def readinto(self, buffer: object) -> int:
        size = super().readinto(buffer)
        self.read_bytes += size
        return size


class _Unpacked(_Raw):
    def __init__(self, file: BinaryIO, most: int) -> None:
        self._packed = _Counted(file)
        self._most, self._given = most, 0
        packed = io.BufferedReader(self._packed, 1 << 16)
        super().__init__(gzip.GzipFile(fileobj=packed, mode="rb"))  # type: ignore[arg-type]

    def readinto(self, buffer: object) -> int:
        try:
            size = super().readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            raise Refused(f"The packed file is damaged: {error}.") from None
        self._given += size
        if self._given > self._most:
            raise Refused(f"The file unpacks to more than {self._most:,} bytes.")
        if self._given > max(_FREE, RATIO * self._packed.read_bytes):
            raise Refused(
                f"The file unpacks to more than {RATIO} times its size: not an honest one."
            )
        return size
