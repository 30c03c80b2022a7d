"""Two running libraries for the security tests, and the people who come into them.

One process with SQLite carries nearly everything; the services with PostgreSQL repeat what
could differ there: tokens at every door, the smoke part of the role matrix, injections.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.security.cast import Cast
from tests.system import System

SETTINGS = {"LENDERY_ACCESS_TOKEN_MINUTES": "60"}
ONE, SERVICES = "security-one", "security-services"
BOTH = [
    pytest.param("one_process", marks=pytest.mark.xdist_group(ONE)),
    pytest.param("services", marks=pytest.mark.xdist_group(SERVICES)),
]


@pytest.fixture(scope="session")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder: Path = tmp_path_factory.mktemp("security-one")
    with System.start("one_process", "sqlite", folder, **SETTINGS) as system:
        yield system


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    if "LENDERY_TEST_POSTGRES" not in os.environ:
        pytest.skip("no PostgreSQL: run through `make test`")
    folder: Path = tmp_path_factory.mktemp("security-services")
    with System.start("services", "postgres", folder, **SETTINGS) as system:
        yield system


@pytest.fixture(params=BOTH)
def system(request: pytest.FixtureRequest) -> System:
    """Either of the two."""
    found: System = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def one_cast(one_process: System) -> Cast:
    return asyncio.run(Cast.called(one_process))


@pytest.fixture(scope="session")
def services_cast(services: System) -> Cast:
    return asyncio.run(Cast.called(services))


@pytest.fixture
def cast(system: System, request: pytest.FixtureRequest) -> Cast:
    """The people of the system at hand."""
    name = "one_cast" if system.shape == "one_process" else "services_cast"
    found: Cast = request.getfixturevalue(name)
    return found


def openapi(system: System) -> dict[str, Any]:
    """Every operation of the system, whoever serves it, by `METHOD /path`."""
    found: dict[str, Any] = {}
    for document in documents(system):
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                found[f"{method.upper()} {path}"] = operation
    return found


def documents(system: System) -> list[dict[str, Any]]:
    """The OpenAPI document of each process."""
    urls = dict.fromkeys(system.urls.values())
    return [httpx2.get(f"{url}/openapi.json", timeout=30).json() for url in urls]
