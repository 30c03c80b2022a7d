"""The toy library (toy.py) on both kinds of database, a fresh one for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import structlog

from lendery.platform.db import Database
from tests.databases import KINDS, Shelter, shelter

from . import backups, toy


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Faults that tests plant are not printed: a pretty traceback takes seconds."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    with shelter(tmp_path_factory.mktemp("toys"), "platform_toy", toy.build) as made:
        yield made


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    """The small demo library, to be backed up."""
    folder = tmp_path_factory.mktemp("libraries")
    with shelter(folder, "platform_library", backups.build) as made:
        yield made


@pytest.fixture
def sqlite_url(toys: Shelter) -> Iterator[str]:
    with toys.url("sqlite") as url:
        yield url


@pytest.fixture
def postgres_url(toys: Shelter) -> Iterator[str]:
    with toys.url("postgres") as url:
        yield url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest_asyncio.fixture
async def db(url: str) -> AsyncIterator[Database]:
    database = Database(url, toy.TABLES)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url, toy.TABLES)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, toy.TABLES)
    yield database
    await database.close()
