"""Lendery's processes for tests, forked from one that has loaded the program already.

Loading it is three quarters of a start, and the tests start hundreds. Each is a process of its own
all the same, with its own group and environment: killed, it dies as any other. What measures a
start, or wants several workers, starts a fresh interpreter instead.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.hatchery_preloaded"])
ROOT = Path(__file__).parents[1]


class Hatched:
    """What tests need of `subprocess.Popen`."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid: int = process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired("lendery", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def hatch(
    *arguments: str,
    env: Mapping[str, str],
    out: Path,
    err: Path | None = None,
) -> Hatched:
    """`lendery` with these arguments, leader of a group; what it says is added to the files."""
    given = (arguments, dict(env), str(out), str(err or out))
    process = _CONTEXT.Process(target=_live, args=given)
    process.start()
    hatched = Hatched(process)
    while hatched.poll() is None:
        with suppress(ProcessLookupError):
            if os.getpgid(hatched.pid) == hatched.pid:
                break
        time.sleep(0.001)
    return hatched


def run(*arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """`lendery` with these arguments, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        code = hatch(*arguments, env=env, out=out, err=err).wait(300)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


def _live(arguments: tuple[str, ...], env: dict[str, str], out: str, err: str) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    for descriptor, path in enumerate((os.devnull, out, err)):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)  # uvicorn passes its number on to its workers
    sys.argv = ["lendery", *arguments]
    from lendery.cli import main

    main()
