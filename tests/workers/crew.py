"""Workers and beats as processes, on a library of a test's own, and what they left in it."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, Table, insert, select

from lendery.main import TABLES
from lendery.platform import migrate
from tests.platform.toy import on_connection

from .program import LOANS, loan, metadata

PATIENCE = 60.0
ZONE = "Europe/Berlin"
ROOT = Path(__file__).parents[2]


def build(url: str) -> None:
    """A library with six loans to be charged."""
    migrate.run(url, TABLES)

    def more(connection: Connection) -> None:
        metadata.create_all(connection)
        connection.execute(insert(loan), [{"id": each, "charged": False} for each in LOANS])
        connection.commit()

    on_connection(url, more)


def night() -> dt.time:
    """A time of the day that does not come while a test runs."""
    morning = 8 <= dt.datetime.now(ZoneInfo(ZONE)).hour < 20
    return dt.time(2, 30) if morning else dt.time(14, 30)


@dataclass
class Crew:
    """What is started here is stopped at the end, by its process group."""

    url: str
    broker: str
    folder: Path
    jobs: str
    lease: int
    at: dt.time = field(default_factory=night)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def hang(self) -> Path:
        return self.folder / "hang"

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        given = {
            "LENDERY_DATABASE_URL": self.url,
            "LENDERY_CELERY_BROKER": self.broker,
            "LENDERY_JOB_LEASE_SECONDS": str(self.lease),
            "LENDERY_LOG_FORMAT": "json",
            "LENDERY_TIME_ZONE": ZONE,
            "LENDERY_TEST_AT": self.at.isoformat(),
            "LENDERY_TEST_HANG": str(self.hang),
            "LENDERY_TEST_JOBS": self.jobs,
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.workers.program", *command],
                cwd=ROOT,
                env=os.environ | given,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def rows(self, query: "Select[Any] | Table") -> list[Any]:
        asked = select(query) if isinstance(query, Table) else query
        found: list[Any] = on_connection(self.url, lambda c: c.execute(asked).all())
        return found

    def slots(self, job: str, context: str = "circulation") -> list[Any]:
        slot = TABLES[context].slots.slot
        return self.rows(select(slot).where(slot.c.job == job).order_by(slot.c.slot_at))

    def is_done(self, job: str, context: str = "circulation") -> bool:
        return any(slot.state == "done" for slot in self.slots(job, context))

    def until(self, happened: Callable[[], Any]) -> Any:
        """Waits for it."""
        give_up = time.monotonic() + PATIENCE
        while not (found := happened()):
            assert time.monotonic() < give_up, (self.folder / "log").read_text()[-4000:]
            for each in self.processes:
                assert each.poll() in (None, 0, -9), (self.folder / "log").read_text()[-4000:]
            time.sleep(0.05)
        return found

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """As the machine would: no goodbye."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, *processes: "subprocess.Popen[bytes]") -> list[int]:
        """As an operator would; their exit statuses."""
        for each in processes:
            each.terminate()
        return [each.wait(30) for each in processes]

    def close(self) -> None:
        for each in self.processes:
            try:
                os.killpg(each.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            each.wait()


@contextmanager
def crew(url: str, broker: str, folder: Path, jobs: str, lease: int) -> Iterator[Crew]:
    made = Crew(url, broker, folder, jobs, lease)
    try:
        yield made
    finally:
        made.close()
