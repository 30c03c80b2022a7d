"""A PostgreSQL of its own, to be killed: the whole of it, in the middle of its work."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncpg

from tests.system import ROOT

sys.path.append(str(ROOT / "scripts"))
from parts.postgres import Postgres
from parts.yard import Yard

# One call for the disk instead of one for each of a thousand files, before it recovers.
RECOVERY = "ALTER SYSTEM SET recovery_init_sync_method = 'syncfs'"
RELOAD = "SELECT pg_reload_conf()"
OWNER = "LENDERY_TEST_OWNER"


@dataclass
class OwnPostgres:
    """It syncs every commit to the disk, as in earnest."""

    yard: Any
    address: str

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["OwnPostgres"]:
        yard = Yard(os.environ.get(OWNER) or token_hex(8), durable=True)
        try:
            server = cls(yard, Postgres().start(yard)[Postgres.variable])
            asyncio.run(server._set(RECOVERY))
            yield server
        finally:
            yard.close()

    def be_careless(self) -> None:
        """From now on it says "done" before a commit is written."""
        asyncio.run(self._set("ALTER SYSTEM SET synchronous_commit = off", RELOAD))

    async def _set(self, *commands: str) -> None:
        connection = await asyncpg.connect(self.address.replace("+asyncpg", "") + "/postgres")
        for command in commands:
            await connection.execute(command)
        await connection.close()

    def kill(self) -> None:
        """The postmaster and every process that it started: each is in a session of its own."""
        _, postmaster, _ = self.yard.servers[-1]
        children = Path(f"/proc/{postmaster.pid}/task/{postmaster.pid}/children").read_text()
        pids = [int(pid) for pid in children.split()]
        for pid in (postmaster.pid, *pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        postmaster.wait()
        while any(_lives(pid) for pid in pids):  # they hold its shared memory
            time.sleep(0.001)

    def revive(self) -> None:
        """On the same directory and port."""
        name, dead, stop = self.yard.servers.pop()
        self.yard.spawn(name, *dead.args, stop=stop)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
