"""The place where throw-away servers live: a temporary directory, a user, processes by pid."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeAlias

Process: TypeAlias = "subprocess.Popen[bytes]"

PATIENCE = 15.0  # seconds for a server to come up, and for a command to end when told to


class Unable(Exception):
    """Something is missing or did not start; the message is one sentence for a person."""


def say(text: str) -> None:
    print(f"services: {text}", file=sys.stderr, flush=True)


class Yard:
    """A temporary directory with the servers started in it; closing it leaves nothing behind."""

    def __init__(self, owner: str, durable: bool) -> None:
        self.owner = owner
        self.durable = durable
        self.user = _servant()
        self.servers: list[tuple[str, Process, signal.Signals]] = []
        self.root = Path(tempfile.mkdtemp(prefix="lendery-services-", dir=self._reachable_tmp()))
        self.root.chmod(0o755)  # a servant must be able to pass through

    def _reachable_tmp(self) -> str:
        wanted = tempfile.gettempdir()
        return wanted if self.can_run(["test", "-x", wanted]) else "/tmp"

    def directory(self, name: str) -> Path:
        """A new private directory that belongs to the user who runs the servers."""
        path = self.root / name
        path.mkdir(mode=0o700)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def _as_servant(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def can_run(self, command: list[str]) -> bool:
        """Whether the user who runs the servers may execute this, and it succeeds."""
        with suppress(OSError):
            done = subprocess.run(command, cwd="/", capture_output=True, **self._as_servant())
            return done.returncode == 0
        return False

    def run(self, *command: str | Path) -> None:
        """Run to its end, as the servers' user."""
        done = subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, **self._as_servant()
        )
        if done.returncode:
            raise Unable(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")

    def spawn(
        self, name: str, *command: str | Path, stop: signal.Signals = signal.SIGTERM
    ) -> Process:
        """Start a server that ends at once on `stop`.

        A session of its own keeps the terminal's Ctrl-C away from it.
        """
        with (self.root / f"{name}.log").open("ab") as log:
            process: Process = subprocess.Popen(
                command,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: _die_with_parent(stop),
                **self._as_servant(),
            )
        self.servers.append((name, process, stop))
        return process

    def last_words(self, name: str) -> str:
        """The end of a server's log, for the message that says why it did not start."""
        lines = (self.root / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-5:])

    def dead(self) -> str | None:
        """The name of a server that has stopped by itself."""
        return next((name for name, process, _ in self.servers if process.poll() is not None), None)

    def close(self) -> None:
        """Stop every server by its pid, the last one first, and remove their files."""
        for _, process, stop in reversed(self.servers):
            with suppress(ProcessLookupError):
                process.send_signal(stop)
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for _ in range(50):  # something just killed may still be writing
            shutil.rmtree(self.root, ignore_errors=True)
            if not self.root.exists():
                return
            time.sleep(0.1)
        say(f"{self.root} could not be removed")


def _servant() -> pwd.struct_passwd | None:
    """Whom servers run as when we are root, which PostgreSQL refuses; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unable("As root this needs a user named postgres or nobody to run the servers.")


def _die_with_parent(stop: signal.Signals) -> None:
    """On Linux a server ends even when this program is killed outright (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, stop)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
