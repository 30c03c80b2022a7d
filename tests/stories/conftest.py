"""The same stories, told to one process and to separate services, on both databases."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.mail_server import MailServer
from tests.stories.library import Library
from tests.system import System

COMBINATIONS = [
    pytest.param(
        (shape, database), id=f"{shape}-{database}", marks=[pytest.mark.xdist_group(shape)]
    )
    for shape in ("one_process", "services")
    for database in ("sqlite", "postgres")
]


@pytest.fixture(scope="session")
def post() -> Iterator[MailServer]:
    """The mail server of all these libraries."""
    with MailServer.open() as server:
        yield server


@pytest.fixture(scope="session", params=COMBINATIONS)
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, post: MailServer
) -> Iterator[System]:
    shape, database = request.param
    if database == "postgres" and "LENDERY_TEST_POSTGRES" not in os.environ:
        pytest.skip("no PostgreSQL: run through `make test`")
    folder: Path = tmp_path_factory.mktemp(f"{shape}-{database}")
    with System.start(shape, database, folder, **post.settings) as system:
        yield system


@pytest_asyncio.fixture
async def library(system: System) -> AsyncIterator[Library]:
    """A branch of its own for each story, with ordinary rules."""
    async with Library.open(system) as library:
        yield library
