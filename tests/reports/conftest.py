"""A whole library in one process, on each database there is."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from lendery.main import TABLES, wire
from lendery.platform import migrate
from lendery.platform.settings import CONTEXTS, Settings
from tests.databases import KINDS, Shelter, shelter
from tests.mail_server import MailServer
from tests.reports.mailed import Mailed, wired
from tests.reports.town import Town


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelter]:
    folder = tmp_path_factory.mktemp("reports")
    here = [context for context in CONTEXTS if context in TABLES]
    with shelter(folder, "reports", lambda url: migrate.run(url, here)) as made:
        yield made


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, templates: Shelter) -> Iterator[str]:
    with templates.url(request.param) as url:
        yield url


@pytest_asyncio.fixture
async def town(url: str) -> AsyncIterator[Town]:
    wiring = wire(Settings(database_url=url), durable=False)
    try:
        yield await Town(wiring).open()
    finally:
        await wiring.close()


@pytest.fixture(scope="session")
def post() -> Iterator[MailServer]:
    with MailServer.open() as server:
        yield server


@pytest_asyncio.fixture
async def mailed(url: str, post: MailServer) -> AsyncIterator[Mailed]:
    """One loan on a Monday at Central; Lea works there."""
    post.letters.clear()
    wiring = wired(url, post.port)
    try:
        town = await Town(wiring).open()
        await town.settle(copies=3)
        await town.lend(next(iter(town.copies)), next(iter(town.readers)), 2)
        made = Mailed(town, post)
        await made.hire("Lea")
        yield made
    finally:
        await wiring.close()
