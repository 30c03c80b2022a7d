"""A real Lendery for tests: real processes, real databases, spoken to over HTTP.

`System.start` gives the same library in either shape, so a story told to it is told to both:
one process with everything, or accounts, catalog, circulation, notices, reports and reviews each
on their own with their own database. `System.client` sends each path to whoever serves it, as a
gateway would; the table is read from the services' own OpenAPI documents.
"""

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2

from lendery.platform import migrate
from tests import hatchery

ADMIN = ("admin@lendery.test", "an-admin-password")
SERVICES = ("accounts", "catalog", "circulation", "notices", "reports", "reviews")
WEB = ()
READY_WITHIN = 60.0
ROOT = Path(__file__).parents[1]
LENDERY = ("-m", "lendery")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def create_database(server: str, name: str) -> str:
    """A fresh database on the tests' own server; refuses a server that is not theirs."""
    plain = re.sub(r"^postgresql\+\w+:", "postgresql:", server)
    connection = await asyncpg.connect(f"{plain}/postgres")
    try:
        await _is_ours(connection)
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return f"{server}/{name}"


async def drop_database(server: str, name: str) -> None:
    plain = re.sub(r"^postgresql\+\w+:", "postgresql:", server)
    connection = await asyncpg.connect(f"{plain}/postgres")
    try:
        await _is_ours(connection)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def _is_ours(connection: Any) -> None:
    owner = os.environ.get("LENDERY_TEST_OWNER")
    if owner is None:
        return  # the address was given by hand
    found = await connection.fetchval("SELECT current_setting('lendery.test_owner', true)")
    assert found == owner, "this PostgreSQL was not started by these tests"


@dataclass
class System:
    """A running library. `urls` names where each context is served.

    `program` is what Python runs to serve it, `server` the PostgreSQL that keeps it: the tests'
    own where none is named. `afresh`: each process loads the program itself, as in earnest.
    """

    shape: str
    database: str
    folder: Path
    workers: int = 1
    program: Sequence[str] = LENDERY
    server: str = ""
    afresh: bool = False
    urls: dict[str, str] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    processes: dict[str, "subprocess.Popen[bytes] | hatchery.Hatched"] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    _routes: list[tuple[str, re.Pattern[str], str]] = field(default_factory=list)
    _token: str = ""

    @classmethod
    @contextmanager
    def start(
        cls,
        shape: str,
        database: str,
        folder: Path,
        *,
        workers: int = 1,
        program: Sequence[str] = LENDERY,
        server: str = "",
        afresh: bool = False,
        **settings: str,
    ) -> Iterator["System"]:
        system = cls(shape, database, folder, workers, program, server, afresh)
        try:
            system._create(settings)
            for name in system.environments:
                system.launch(name)
            for name in system.environments:
                system.wait_until_ready(name)
            system._read_routes()
            yield system
        finally:
            system.stop()

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """What runs together."""
        if self.shape == "one_process":
            return {"all": (*SERVICES, *WEB)}
        return {name: (name,) for name in SERVICES}

    def _create(self, settings: dict[str, str]) -> None:
        ports = {unit: free_port() for unit in self.units}
        for unit, contexts in self.units.items():
            self.databases[unit] = self._new_database(unit)
            migrate.run(self.databases[unit], [c for c in SERVICES if c in contexts])
            for context in contexts:
                self.urls[context] = f"http://127.0.0.1:{ports[unit]}"
        secret = secrets.token_urlsafe(32)
        for unit, contexts in self.units.items():
            peers = {f"LENDERY_PEERS__{c.upper()}": self.urls[c] for c in SERVICES}
            self.environments[unit] = {
                **os.environ,
                **({} if self.shape == "one_process" else peers),
                "LENDERY_CONTEXTS": ",".join(contexts),
                "LENDERY_DATABASE_URL": self.databases[unit],
                "LENDERY_SECRET": secret,
                "LENDERY_PORT": str(ports[unit]),
                "LENDERY_WORKERS": str(self.workers),
                "LENDERY_REQUESTS_PER_MINUTE": "1000000",
                "LENDERY_LOG_FORMAT": "json",
                **settings,
            }
        accounts = next(unit for unit, contexts in self.units.items() if "accounts" in contexts)
        self.cli(accounts, "users", "create", ADMIN[0], "--name", "Ada", "--role", "admin")

    def _new_database(self, unit: str) -> str:
        if self.database == "sqlite":
            return f"sqlite:///{self.folder}/{unit}.db"
        name = f"story_{uuid4().hex[:12]}_{unit}"
        server = self.server or os.environ["LENDERY_TEST_POSTGRES"]
        return asyncio.run(create_database(server, name))

    def cli(self, unit: str, *arguments: str) -> str:
        env = {**self.environments[unit], "LENDERY_NEW_PASSWORD": ADMIN[1]}
        done = hatchery.run(*arguments, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def launch(self, unit: str) -> None:
        env, log = self.environments[unit], self.folder / f"{unit}.log"
        alone = env["LENDERY_WORKERS"] == "1"
        if self.program == LENDERY and alone and not self.afresh:
            self.processes[unit] = hatchery.hatch("serve", env=env, out=log)
            return
        with log.open("ab") as out:
            self.processes[unit] = subprocess.Popen(
                [sys.executable, *self.program, "serve"],
                cwd=ROOT,
                env=env,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def wait_until_ready(self, unit: str) -> None:
        give_up = time.monotonic() + READY_WITHIN
        while time.monotonic() < give_up:
            assert self.processes[unit].poll() is None, self.log(unit)
            if self.look(unit) is not None:
                return
            time.sleep(0.05)
        raise AssertionError(f"{unit} was not ready in time: {self.log(unit)}")

    def look(self, unit: str, path: str = "/readyz") -> str | None:
        """What it says there; None while it does not, or says that something is wrong."""
        port = int(self.environments[unit]["LENDERY_PORT"])
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            said = answer.read().decode()
            return said if answer.status == 200 else None
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def log(self, unit: str) -> str:
        return (self.folder / f"{unit}.log").read_text()[-8000:]

    def kill(self, unit: str) -> None:
        """As the machine would: no goodbye."""
        os.killpg(self.processes[unit].pid, signal.SIGKILL)
        self.processes[unit].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self.database == "postgres":
            for url in self.databases.values():
                server, name = url.rsplit("/", 1)
                asyncio.run(drop_database(server, name))

    def _read_routes(self) -> None:
        for url in dict.fromkeys(self.urls.values()):
            for path in httpx2.get(f"{url}/openapi.json", timeout=30).json()["paths"]:
                pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$")
                self._routes.append((path, pattern, url))
        self._routes.sort(key=lambda route: ("{" in route[0], -len(route[0])))

    def url_of(self, path: str) -> str:
        """Who serves a path."""
        bare = path.split("?")[0]
        found = next((url for _, pattern, url in self._routes if pattern.match(bare)), None)
        return found or self.urls["catalog"]

    def client(self, token: str | None = None, **options: Any) -> "Client":
        return Client(self, token, **options)

    async def sign_in(self, email: str, password: str) -> str:
        async with self.client() as client:
            answer = await client.post(
                "/api/v1/auth/token",
                data={"grant_type": "password", "username": email, "password": password},
            )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def admin(self) -> str:
        if not self._token:
            self._token = await self.sign_in(*ADMIN)
        return self._token


class Client:
    """Sends each request to whoever serves its path."""

    def __init__(self, system: System, token: str | None, **options: Any) -> None:
        self.system = system
        headers = {"authorization": f"Bearer {token}"} if token else {}
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=100)
        self.http = httpx2.AsyncClient(headers=headers, timeout=30, limits=limits, **options)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return await self.http.request(method, self.system.url_of(path) + path, **options)

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("DELETE", path, **options)
