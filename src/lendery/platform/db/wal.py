"""A glance at an SQLite file: has anybody committed since? Without a system call.

In WAL mode every commit, by whatever process, changes the first 48 bytes of the file's `-shm`;
`PRAGMA data_version` compares just these, behind the locks of a read transaction (5 us). SQLite
keeps that file mapped into this process for as long as a connection is open, so its bytes can be
read where they are (0.2 us). They are not opened again: closing any descriptor of the file would
let go of the locks that SQLite holds through its own.

https://sqlite.org/walformat.html#the_wal_index_file_format
"""

import ctypes
import os
import sys
from pathlib import Path

HEADER = 48  # the first of its two copies is written last


class WalIndex:
    """The bytes that change with every commit. To be read while the connection is open."""

    def __init__(self, address: int) -> None:
        self._bytes = (ctypes.c_char * HEADER).from_address(address)

    def header(self) -> bytes:
        return self._bytes.raw

    @classmethod
    def of(cls, path: str) -> "WalIndex | None":
        """Linux says in /proc where a file is mapped; None elsewhere, or when it is not."""
        if not sys.platform.startswith("linux"):
            return None
        try:
            file = os.stat(f"{path}-shm")
            maps = Path("/proc/self/maps").read_text()
        except OSError:
            return None
        device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
        for line in maps.splitlines():
            place, _, offset, on, inode, *named = line.split(maxsplit=5)
            here = on == device or named == [os.path.realpath(f"{path}-shm")]
            if inode == str(file.st_ino) and here and int(offset, 16) == 0:
                return cls(int(place.split("-")[0], 16))
        return None
