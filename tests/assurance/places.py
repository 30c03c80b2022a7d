"""Where a race is run: real processes spoken to over HTTP, or several libraries in this process.

The second is for taking guards out: each of its libraries has its own database connections, so
to the database they are as many processes, but the code they run can be changed under them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx2
from pydantic import SecretStr
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from lendery.contracts.accounts import NewUser
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring, create_app, wire
from lendery.platform.settings import CONTEXTS, Settings
from tests.assurance.desks import Ask, Desks, HttpDesks, Told
from tests.assurance.evidence import Evidence
from tests.system import ADMIN, System

WORKERS = 2
LIFE = 20 * 60.0  # seconds until staff sign in anew; their tokens live an hour
LIBRARIES = 2
LONG_LIVED = {"LENDERY_ACCESS_TOKEN_MINUTES": "60"}


class Place(Protocol):
    """What a race needs of where it is run."""

    def client(self, token: str | None = None) -> Any: ...
    async def admin(self) -> str: ...
    async def sign_in(self, email: str, password: str) -> str: ...
    def desks(self, count: int, at: str = ...) -> AbstractAsyncContextManager[Desks]:
        """So many of them, at the part that is named."""
        ...

    def evidence(self) -> AbstractAsyncContextManager[Evidence]: ...


@dataclass
class Processes(System):
    """A running library in which two worker processes lend."""

    signed_in_at: float = -LIFE

    @classmethod
    @contextmanager
    def running(cls, shape: str, database: str, folder: Path) -> Iterator["Processes"]:
        with cls.start(shape, database, folder) as place:
            assert isinstance(place, cls)
            yield place

    def _create(self, settings: dict[str, str]) -> None:
        super()._create(LONG_LIVED | settings)
        for unit, contexts in self.units.items():
            lends = "circulation" in contexts
            self.environments[unit]["LENDERY_WORKERS"] = str(WORKERS if lends else 1)

    async def admin(self) -> str:
        if time.monotonic() - self.signed_in_at > LIFE:
            self._token = await self.sign_in(*ADMIN)
            self.signed_in_at = time.monotonic()
        return self._token

    @asynccontextmanager
    async def desks(self, count: int, at: str = "circulation") -> AsyncIterator[HttpDesks]:
        here = self.urls[at] == self.urls["circulation"]
        workers = self._workers() if here else []
        async with HttpDesks.open(self.urls[at], count, workers) as desks:
            yield desks

    def _workers(self) -> list[int]:
        """The worker processes that lend; none where there is no /proc to tell them apart."""
        pid = self.processes[self._lending].pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        if not children.exists():
            return []
        pids = [int(child) for child in children.read_text().split()]
        found = [p for p in pids if b"spawn_main" in Path(f"/proc/{p}/cmdline").read_bytes()]
        assert len(found) == WORKERS, f"{len(found)} workers"
        return found

    def evidence(self) -> AbstractAsyncContextManager[Evidence]:
        return Evidence.at(self.databases[self._lending])

    @property
    def _lending(self) -> str:
        return next(unit for unit, contexts in self.units.items() if "circulation" in contexts)


@dataclass
class SameProcess:
    """Several libraries in this process that share nothing but a database."""

    url: str
    libraries: list[Wiring] = field(default_factory=list)
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["SameProcess"]:
        settings = Settings(
            database_url=url,
            contexts=frozenset(CONTEXTS) - {"web"},
            secret=SecretStr("a secret for races, of more than 32 characters"),
        )
        place = cls(url, [wire(settings) for _ in range(LIBRARIES)])
        place.clients = [_client(create_app(settings, each)) for each in place.libraries]
        relay = asyncio.create_task(place.libraries[0].relay.run())
        ada = NewUser(name="Ada", email=ADMIN[0], password=ADMIN[1], role="admin")
        await place.libraries[0].users.add(person=ada, actor=SYSTEM, now=datetime.now(UTC))
        try:
            with capture_logs():  # what goes wrong without a guard is told by the tally
                yield place
        finally:
            place.libraries[0].relay.stop()
            await relay
            for library in place.libraries:
                await library.close()

    def client(self, token: str | None = None) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(
            transport=self.clients[0]._transport, base_url="http://here", headers=headers
        )

    async def admin(self) -> str:
        return await self.sign_in(*ADMIN)

    async def sign_in(self, email: str, password: str) -> str:
        form = {"grant_type": "password", "username": email, "password": password}
        answer = await self.clients[0].post("/api/v1/auth/token", data=form)
        token: str = answer.json()["access_token"]
        return token

    @asynccontextmanager
    async def desks(self, count: int, at: str = "circulation") -> AsyncIterator[Desks]:
        yield self

    async def at_once(self, asks: Sequence[Ask]) -> list[Told]:
        async def send(number: int, ask: Ask) -> Told:
            client = self.clients[number % len(self.clients)]
            answer = await client.request(
                ask.method, ask.path, headers=ask.headers, content=ask.content
            )
            return Told(answer.status_code, answer.json() if answer.content else {})

        return list(await asyncio.gather(*[send(*each) for each in enumerate(asks)]))

    def evidence(self) -> AbstractAsyncContextManager[Evidence]:
        return Evidence.at(self.url)


def _client(app: ASGIApp) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://here")
