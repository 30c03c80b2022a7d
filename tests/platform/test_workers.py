"""Worker processes that fall, and that cannot start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from tests.platform.worker_app import PATIENCE
from tests.system import free_port


@contextmanager
def two_workers(**environment: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = free_port()
    command = [sys.executable, "-m", "tests.platform.worker_app", str(port)]
    supervisor = subprocess.Popen(command, env=os.environ | environment)
    try:
        yield supervisor, port
    finally:
        supervisor.terminate()
        supervisor.wait(30)


def answering(port: int, within: float = 60) -> set[int]:
    """The two that serve, as soon as there are two."""
    found: set[int] = set()
    until = time.monotonic() + within
    while len(found) < 2:
        assert time.monotonic() < until, f"only {found} answered"
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                found.add(int(answer.read()))
        except (URLError, ConnectionError):
            time.sleep(0.05)
    return found


def test_who_falls_while_it_is_asked_is_replaced_at_once() -> None:
    with two_workers() as (supervisor, port):
        one, other = answering(port)
        os.kill(one, signal.SIGSTOP)
        time.sleep(2)  # it is asked twice a second whether it is well, and cannot answer
        os.kill(one, signal.SIGKILL)
        after = answering(port, within=PATIENCE / 2)
        assert other in after and one not in after
        assert supervisor.poll() is None
    assert supervisor.returncode == 0


def test_who_cannot_start_is_not_started_for_ever() -> None:
    with two_workers(WORKER_APP_FAILS="yes") as (supervisor, _):
        assert supervisor.wait(60) == 3
