"""Circulation alone, on both kinds of database, with neighbours that are plain lists."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.circulation.life import Life
from tests.circulation.town import Town
from tests.databases import KINDS, Shelter, shelter

from lendery.circulation.models import TABLES
from lendery.platform import migrate
from lendery.platform.db import Database


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    def build(url: str) -> None:
        migrate.run(url, ["circulation"])

    folder = tmp_path_factory.mktemp("circulation")
    with shelter(folder, "platform_circulation", build) as made:
        yield made


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, houses: Shelter) -> Iterator[str]:
    with houses.url(request.param) as url:
        yield url


@pytest.fixture
def postgres_url(houses: Shelter) -> Iterator[str]:
    with houses.url("postgres") as url:
        yield url


@pytest_asyncio.fixture
async def town(url: str) -> AsyncIterator[Town]:
    db = Database(url, [TABLES])
    yield Town(db)
    await db.close()


@pytest_asyncio.fixture
async def life(town: Town) -> Life:
    """A town in which everything has happened that the log can tell of."""
    lived = Life(town)
    await lived.live()
    return lived
