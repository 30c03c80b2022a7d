"""What is killed or stopped in a storm, and how it comes back."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.assurance.places import Processes
from tests.assurance.storm_server import OwnPostgres

GIVE_UP = 40.0  # seconds
A_SECOND = 1.2  # how early the kernel may say that a process was born
STOPPED = (0, -signal.SIGTERM)


@dataclass
class Struck(Processes):
    """A library of which parts are killed. `postgres` is its own, where that is to be killed."""

    postgres: OwnPostgres | None = None

    def _create(self, settings: dict[str, str]) -> None:
        super()._create(settings)
        for environment in self.environments.values():
            environment["LENDERY_WORKERS"] = str(self.workers)

    @property
    def circulation(self) -> str:
        """Where its tables are."""
        return self.databases[self._lending]

    def _workers(self) -> list[int]:
        return super()._workers() if self.workers > 1 else []

    def worker(self) -> int:
        """The process id of one of several."""
        pid = self.processes[self._lending].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = [p for p in children if b"spawn_main" in Path(f"/proc/{p}/cmdline").read_bytes()]
        return int(found[0])

    async def serves(self, unit: str, path: str = "/readyz", since: float = 0.0) -> None:
        """Waits until it answers; with `since`, until a worker born after that moment does."""
        give_up = time.monotonic() + GIVE_UP
        while time.monotonic() < give_up:
            said = await asyncio.to_thread(self.look, unit, path)
            if said is not None and _born(said) >= since:
                return
            assert self.processes[unit].poll() is None, self.log(unit)
            await asyncio.sleep(0.02)
        raise AssertionError(f"{unit} did not come back: {self.log(unit)}")


def _born(metrics: str) -> float:
    """When a process was started, by its own metrics."""
    lines = [x for x in metrics.splitlines() if x.startswith("process_start_time_seconds ")]
    return float(lines[0].split()[1]) if lines else 0.0


@dataclass(frozen=True)
class Blow:
    """kill -9 of a unit. `fall` ends when it lies there; `rise` when it serves again."""

    unit: str = "all"
    gently: bool = False

    @property
    def name(self) -> str:
        what = "one process" if self.unit == "all" else self.unit
        return f"{what}, stopped" if self.gently else what

    async def fall(self, place: Struck) -> None:
        place.kill(self.unit)

    async def rise(self, place: Struck) -> None:
        place.launch(self.unit)
        await place.serves(self.unit)


@dataclass(frozen=True)
class Stop(Blow):
    """SIGTERM: it finishes what it has begun, and ends by itself."""

    gently: bool = True

    async def fall(self, place: Struck) -> None:
        process = place.processes[self.unit]
        os.kill(process.pid, signal.SIGTERM)
        give_up = time.monotonic() + GIVE_UP
        while process.poll() is None and time.monotonic() < give_up:
            await asyncio.sleep(0.01)
        assert process.returncode in STOPPED, f"{process.returncode}: {place.log(self.unit)}"
        assert place.look(self.unit, "/healthz") is None, "somebody still answers there"


@dataclass(frozen=True)
class WorkerKilled(Blow):
    """One of two worker processes. The other goes on, and somebody must start a third."""

    name: str = "a worker of two"

    async def fall(self, place: Struck) -> None:
        os.kill(place.worker(), signal.SIGKILL)

    async def rise(self, place: Struck) -> None:
        await place.serves(self.unit, "/metrics", since=time.time() - A_SECOND)


@dataclass(frozen=True)
class PostgresKilled(Blow):
    """All of PostgreSQL. Lendery keeps running, and must find it again by itself."""

    name: str = "PostgreSQL"

    async def fall(self, place: Struck) -> None:
        assert place.postgres is not None
        place.postgres.kill()

    async def rise(self, place: Struck) -> None:
        assert place.postgres is not None
        place.postgres.revive()
        await place.serves(self.unit)
