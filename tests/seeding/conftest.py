"""A running library with one branch, to be fed from outside."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import hatchery
from tests.system import ADMIN, System

BOOKS, COPIES = "/api/v1/books?limit=1&total=exact", "/api/v1/copies?limit=1&total=exact"


def opened(shape: str, database: str, folder: Path) -> Iterator[System]:
    with System.start(shape, database, folder) as system:
        asyncio.run(_branch(system))
        yield system


async def _branch(system: System) -> None:
    async with system.client(await system.admin()) as client:
        branch = {"code": "main", "name": "Main Street", "time_zone": "UTC"}
        made = await client.post("/api/v1/branches", json=branch)
        assert made.status_code == 201, made.text


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """In one process."""
    yield from opened("one_process", "sqlite", tmp_path_factory.mktemp("fed"))


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    database = "postgres" if "LENDERY_TEST_POSTGRES" in os.environ else "sqlite"
    yield from opened("services", database, tmp_path_factory.mktemp("fed-services"))


def how_many(system: System, path: str) -> int:
    answer = httpx2.get(system.url_of(path) + path, timeout=30)
    if answer.status_code == 401:
        token = asyncio.run(system.admin())
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx2.get(system.url_of(path) + path, timeout=30, headers=headers)
    total: int = answer.json()["total"]
    return total


def a_second_later(system: System) -> None:
    """The library tells the time in whole seconds, and not always the latest: until it tells one
    that lies behind all that was done so far."""
    done = time.time()
    deadline = done + 30
    while _told_time(system) <= done:
        assert time.time() < deadline
        time.sleep(0.1)


def _told_time(system: System) -> float:
    told = httpx2.get(f"{system.urls['catalog']}/healthz", timeout=30).headers["date"]
    return parsedate_to_datetime(told).timestamp()


def command(*arguments: object, **environment: str) -> dict[str, Any]:
    return {
        "args": [sys.executable, "-m", "lendery", "seed", *map(str, arguments)],
        "env": {
            "PATH": "/usr/bin:/bin",
            "LENDERY_SEED_EMAIL": ADMIN[0],
            "LENDERY_SEED_PASSWORD": ADMIN[1],
            **environment,
        },
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }


def seed(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    asked = command(*arguments, **environment)
    return hatchery.run(*asked["args"][3:], env=asked["env"])
