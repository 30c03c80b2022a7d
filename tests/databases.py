"""A migrated database of one's own, quickly: copied from a template made once a session.

`Shelter` holds the templates. `shelter.url("sqlite", ...)` copies a file, `"postgres"` copies a
database on the tests' own server (skipped where there is none).
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.system import create_database, drop_database

KINDS = ("sqlite", "postgres")
SERVER = os.environ.get("LENDERY_TEST_POSTGRES", "").replace("+asyncpg", "")
Build = Callable[[str], Any]


def on_server(*statements: str, database: str = "postgres") -> None:
    async def run() -> None:
        connection = await asyncpg.connect(f"{SERVER}/{database}")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


@dataclass
class Shelter:
    """`build(url)` makes the tables of the template, the first time one is asked for."""

    folder: Path
    prefix: str
    build: Build
    templates: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def url(self, kind: str, *, empty: bool = False) -> Iterator[str]:
        """A database that nobody else uses, gone afterwards; `empty` without any tables."""
        mark = uuid4().hex[:12]
        if kind == "sqlite":
            path = self.folder / f"{mark}.db"
            if not empty:
                shutil.copyfile(self._template(kind), path)
            yield f"sqlite:///{path}"
            return
        if not SERVER:
            without = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            without("LENDERY_TEST_POSTGRES is not set")
        name = f"{self.prefix}_{mark}"
        like = "" if empty else f' TEMPLATE "{self._template(kind)}"'
        on_server(f'CREATE DATABASE "{name}"{like}')
        try:
            yield f"{SERVER}/{name}"
        finally:
            on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _template(self, kind: str) -> str:
        if kind not in self.templates:
            mark = uuid4().hex[:12]
            if kind == "sqlite":
                path = str(self.folder / f"template-{mark}.db")
                self.build(f"sqlite:///{path}")
                self.templates[kind] = path
            else:
                name = f"{self.prefix}_template_{mark}"
                self.templates[kind] = name
                self.build(asyncio.run(create_database(SERVER, name)))
        return self.templates[kind]

    def close(self) -> None:
        if name := self.templates.pop("postgres", None):
            asyncio.run(drop_database(SERVER, name))


@contextmanager
def shelter(folder: Path, prefix: str, build: Build) -> Iterator[Shelter]:
    made = Shelter(folder, prefix, build)
    try:
        yield made
    finally:
        made.close()
