"""A fresh database for each test, on both kinds, and the people of these stories."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from lendery.accounts import passwords
from lendery.accounts.keys import KeyRing
from lendery.accounts.models import TABLES
from lendery.accounts.patrons import PatronIndex
from lendery.accounts.people import PeopleDesk
from lendery.accounts.tokens import SignIn
from lendery.contracts.accounts import NewUser, User
from lendery.contracts.permissions import SYSTEM, Actor, Role
from lendery.platform import migrate
from lendery.platform.db import Database
from lendery.platform.settings import Settings

SERVER = os.environ.get("LENDERY_TEST_POSTGRES", "").replace("+asyncpg", "")
PASSWORD = "long enough for Ann"
SECRET = "a secret for these tests, 32 characters"


def on_server(*statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(f"{SERVER}/postgres")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "accounts.db"
    migrate.run(f"sqlite:///{path}", ["accounts"])
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    name = f"accounts_template_{uuid4().hex[:12]}"
    on_server(f"CREATE DATABASE {name}")
    migrate.run(f"{SERVER}/{name}", ["accounts"])
    yield name
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of its own."""
    if request.param == "sqlite":
        path = tmp_path / "lendery.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    if not SERVER:
        pytest.skip("LENDERY_TEST_POSTGRES is not set")
    name = f"accounts_test_{uuid4().hex[:12]}"
    on_server(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
    yield f"{SERVER}/{name}"
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def db(url: str) -> AsyncIterator[Database]:
    database = Database(url, [TABLES])
    yield database
    await database.close()


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes in a millisecond, except where the hashing itself is looked at."""
    if "test_passwords" not in request.node.nodeid:
        quick = PasswordHash((Argon2Hasher(memory_cost=64, time_cost=1, parallelism=1),))
        monkeypatch.setattr(passwords, "HASHER", quick)
        monkeypatch.setattr(passwords, "NOBODY", quick.hash("nobody's password"))


@pytest.fixture
def settings() -> Settings:
    return Settings(secret=SecretStr(SECRET))


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def desk(db: Database) -> PeopleDesk:
    return PeopleDesk(db)


@pytest.fixture
def patrons(db: Database) -> PatronIndex:
    return PatronIndex(db)


@pytest.fixture
def sign_in(db: Database, settings: Settings) -> SignIn:
    return SignIn(db, settings)


@pytest.fixture
def keys(db: Database, settings: Settings) -> KeyRing:
    return KeyRing(db, settings)


Joins = Callable[..., Awaitable[User]]


@pytest.fixture
def joins(desk: PeopleDesk, now: datetime) -> Joins:
    """`await joins("Ann")`: a reader with an e-mail address and a password."""

    async def join(name: str, role: Role = "reader", **given: object) -> User:
        word = name.split()[0].lower()
        shape = {"email": f"{word}@example.org", "password": PASSWORD, "role": role, **given}
        person = NewUser.model_validate({"name": name, **shape})
        return await desk.add(person=person, actor=SYSTEM, now=now)

    return join


def as_actor(user: User) -> Actor:
    return Actor(id=user.id, role=user.role)


async def events_of(db: Database) -> list[str]:
    """What was announced, oldest first: `PatronChanged <id>`."""
    event = TABLES.event
    async with db.read() as session:
        found = await session.rows(event.select().order_by(event.c.seq))
    return [f"{row.name.split('.')[1]} {row.aggregate}" for row in found]


async def count(db: Database, table: str) -> int:
    async with db.read() as session:
        return len(await session.rows(TABLES.event.metadata.tables[table].select()))
