"""A person is erased, and then looked for everywhere: files, tables, logs, Redis, a new backup."""

import asyncio
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis import Redis
from tests.mail_server import MailServer
from tests.redis_server import RedisServer, redis_server
from tests.stories.library import API, PASSWORD, Library, Person, expect
from tests.system import Client, System

NAME, PUBLIC = "Xanthippa Quillfeather", "Belle of Hill"
KEPT_ANSWERS = 300_000  # milliseconds that Redis keeps a finished answer
SHAPES = [
    pytest.param(
        (shape, database),
        id=f"{shape}-{database}",
        marks=pytest.mark.xdist_group(f"erasing-{shape}"),
    )
    for shape, database in (
        ("one_process", "sqlite"),
        ("one_process", "postgres"),
        ("services", "sqlite"),
    )
]


@dataclass
class World:
    library: Library
    system: System
    redis: RedisServer
    post: MailServer
    folder: Path
    secrets: tuple[str, ...] = ()
    backups: int = 0

    @property
    def stored(self) -> str:
        return "table" if self.system.database == "postgres" else "file"

    async def places(self, secrets: tuple[str, ...] | None = None) -> set[str]:
        """Where any of the secrets is, in whatever case."""
        words = [each.casefold().encode() for each in secrets or self.secrets]
        found = set()
        async for place, content in self._contents():
            if any(word in content.lower() for word in words):
                found.add(place)
        return found

    async def _contents(self) -> Any:
        for path in sorted(self.folder.glob("*.db*")):
            yield f"file {path.name}", path.read_bytes()
        for path in sorted(self.folder.glob("*.log")):
            yield f"log {path.name}", path.read_bytes()
        for unit, url in self.system.databases.items():
            yield f"backup of {unit}", self._backup(unit)
            if url.startswith("postgresql"):
                async for table, text in _dumped(url):
                    yield f"table {table}", text
        for name, content, _ in self.kept_in_redis():
            yield f"redis {name}", content

    def _backup(self, unit: str) -> bytes:
        """What a backup that is taken now holds."""
        self.backups += 1
        file = self.folder / f"{unit}-{self.backups}.lendery"
        self.system.cli(unit, "backup", str(file))
        return zlib.decompress(file.read_bytes().split(b"\n", 2)[2])

    def kept_in_redis(self) -> Iterator[tuple[str, bytes, int]]:
        """Each key with what it holds, and for how many milliseconds yet."""
        with Redis(port=self.redis.port) as there:
            for key in there.scan_iter():
                value = there.get(key) if there.type(key) == b"string" else there.zrange(key, 0, -1)
                yield key.decode(), repr(value).encode(), int(there.pttl(key))  # type: ignore[arg-type]


async def _dumped(url: str) -> Any:
    """Every table as text."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        tables = await connection.fetch(
            "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        )
        for table in tables:
            quoted = table["name"]
            rows = await connection.fetch(f'SELECT t::text AS said FROM "{quoted}" t')  # noqa: S608
            yield quoted, "\n".join(row["said"] for row in rows).encode()
    finally:
        await connection.close()


@pytest.fixture(params=SHAPES)
def running(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[System, RedisServer, MailServer]]:
    """A library of its own, that logs all it can."""
    shape, database = request.param
    if database == "postgres" and "LENDERY_TEST_POSTGRES" not in os.environ:
        pytest.skip("no PostgreSQL: run through `make test`")
    with MailServer.open() as post, redis_server(tmp_path) as redis:
        settings = {"LENDERY_LOG_LEVEL": "debug", "LENDERY_REDIS_URL": redis.url, **post.settings}
        with System.start(shape, database, tmp_path, **settings) as system:
            yield system, redis, post


async def test_nothing_names_who_was_erased(
    running: tuple[System, RedisServer, MailServer], tmp_path: Path
) -> None:
    async with Library.open(running[0], fine=20) as library:
        world = World(library, *running, tmp_path)
        ann = await _lives(world)
        known = {place.split()[0] for place in await world.places()}
        assert known >= {world.stored, "backup", "redis"}, "the search finds who is there"
        assert "log" not in known, "no log ever names a person"
        await _is_erased(world, ann)
        await _file_is_written_anew(world)
        assert await world.places(world.secrets[:-1]) == set()
        public = await world.places((PUBLIC,))
        assert {place.split()[0] for place in public} <= {"redis"}, "what all could read"
        for name, _, left in world.kept_in_redis():
            assert f"redis {name}" not in public or 0 < left <= KEPT_ANSWERS
        await _a_leak_is_found(world)


async def _lives(world: World) -> Person:
    """Everything that leaves a trace: mail, loans, money, reviews, blocks, notes, look-ups."""
    library, staff = world.library, world.library.staff
    ann = await library.reader(NAME.split()[0])
    expect(await staff.patch(f"{API}/users/{ann.id}", json={"name": NAME}))
    world.secrets = (*NAME.split(), ann.email, ann.card, PUBLIC)
    first, other = NAME.split()
    why = {"lookup-reason": f"{first} asked"}
    expect(await staff.get(f"{API}/users/{ann.id}", headers=why))
    expect(await staff.get(f"{API}/users?q={first}"))
    copy, reference = await library.copy(), await library.copy(item_type="reference")
    expect(await library.lend(copy, ann, by=ann.client, key="own"), 201)
    expect(await staff.get(f"{API}/users/{ann.id}/loans", headers=why))
    reason = f"Mrs {other} is known here"
    lent = await library.lend(reference, ann, waive=["reference-only"], reason=reason, key="desk")
    expect(lent, 201)
    charge = {"patron_id": ann.id, "amount": {"amount": 100, "currency": "EUR"}, "note": NAME}
    expect(await staff.post(f"{API}/fines", json=charge), 201)
    await _soon(lambda: _of(world.post.to(ann.email)))
    noted = {"reason": "other", "note": f"{first} shouted", "until": "2099-01-01T00:00:00Z"}
    blocked = expect(await staff.post(f"{API}/users/{ann.id}/blocks", json=noted), 201)
    await staff.delete(f"{API}/users/{ann.id}/blocks/{blocked['id']}")
    reviews = f"{API}/books/{copy['book_id']}/reviews"
    words = {"rating": 4, "text": "Slept badly", "display_name": PUBLIC}
    expect(await ann.client.post(reviews, json=words), 201)
    for _ in range(3):
        expect(await library.system.client().get(reviews))
    child = {"name": "Ben", "guarantor_id": ann.id, "category": library.category}
    expect(await staff.post(f"{API}/users", json=child), 201)
    wanted = await library.copy()
    waits = {"copy_id": wanted["id"], "pickup_branch_id": library.branch}
    expect(await ann.client.post(f"{API}/holds", json=waits), 201)
    expect(await library.take_back(wanted))
    for each in (copy, reference):
        assert (await _erases(ann)).status_code == 409
        expect(await library.take_back(each))
    return ann


async def _erases(person: Person) -> Any:
    return await person.client.post(f"{API}/users/{person.id}/erase")


async def _is_erased(world: World, ann: Person) -> None:
    library, staff = world.library, world.library.staff
    refused = await _erases(ann)
    told = expect(refused, 409)
    assert told["type"] == "/problems/erasure-refused"
    assert [each["code"] for each in told["obstacles"]] == ["ready-holds", "owes-money"]
    assert "1.00 EUR" in told["detail"]
    held = expect(await ann.client.get(f"{API}/users/{ann.id}/holds"))["items"]
    for each in held:
        await ann.client.delete(f"{API}/holds/{each['id']}")
    paid = {"patron_id": ann.id, "amount": {"amount": 100, "currency": "EUR"}, "method": "cash"}
    expect(await staff.post(f"{API}/payments", json=paid), 201)
    await _exports(ann)
    if world.system.shape == "services":
        world.system.kill("notices")
        states = _states(expect(await _erases(ann)))
        assert (states["accounts"], states["notices"]) == ("done", "unreachable")
        world.system.launch("notices")
        world.system.wait_until_ready("notices")
    else:
        assert expect(await _erases(ann))["state"] == "done"

    async def finished() -> Any:
        told = expect(await staff.get(f"{API}/users/{ann.id}/erasure"))
        return told["state"] == "done" and told

    done = await _soon(finished)
    parts = {part["context"]: part for part in done["parts"]}
    assert set(_states(done).values()) == {"done"}
    before = {each["what"]: each for each in parts["circulation"]["held"]}
    assert before["loans"]["rows"] == 2 and before["loans"]["fate"] == "unlinked"
    assert before["charges and payments"]["rows"] == 2
    assert "law" in before["charges and payments"]["why"]
    assert expect(await staff.get(f"{API}/users/{ann.id}"), 404)
    for _ in range(100):
        if (await ann.client.get(f"{API}/users/{ann.id}")).status_code == 401:
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("signed out at once")
    wrong = {"grant_type": "password", "username": ann.email, "password": PASSWORD}
    assert (await library.system.client().post(f"{API}/auth/token", data=wrong)).status_code == 401


def _states(done: dict[str, Any]) -> dict[str, str]:
    return {part["context"]: part["state"] for part in done["parts"]}


async def _exports(ann: Person) -> None:
    """All of it, before it goes: also how staff looked, and why."""
    made = expect(await ann.client.get(f"{API}/users/{ann.id}/export"))
    [person] = made["records"]["accounts"]["person"]
    assert (person["name"], person["email"]) == (NAME, ann.email)
    assert "password_hash" not in person
    assert len(made["records"]["circulation"]["loans"]) == 2
    assert {each["title"] for each in made["books"]} == {"Middlemarch"}
    assert made["records"]["notices"]["mails"]
    assert made["records"]["reviews"]["reviews"][0]["text"] == "Slept badly"
    packed = await ann.client.get(f"{API}/users/{ann.id}/export?format=zip")
    with zipfile.ZipFile(BytesIO(packed.content)) as files:
        assert {"export.json", "circulation/loans.csv"} <= set(files.namelist())
        assert NAME in files.read("accounts/person.csv").decode()
    seen = expect(await ann.client.get(f"{API}/users/{ann.id}/lookups?limit=100"))["items"]
    looked = {(each["what"], each["why"]) for each in seen}
    first = NAME.split()[0]
    assert {("record", f"{first} asked"), ("search", None), ("loans", f"{first} asked")} <= looked


async def _file_is_written_anew(world: World) -> None:
    """As happens in the following night, on SQLite."""
    if world.system.database != "sqlite":
        return
    for unit, contexts in world.system.units.items():
        first = next(each for each in ("accounts", *contexts) if each in contexts)
        await _runs(world.library.staff, first, "overwrite-what-was-erased", unit)


async def _runs(staff: Client, context: str, job: str, unit: str) -> None:
    began, path = datetime.now(UTC), f"{API}/jobs/periodic"

    async def ended() -> Any:
        items = expect(await staff.get(path))["items"]
        (one,) = [each for each in items if (each["context"], each["job"]) == (context, job)]
        last = one["last"]
        return last and datetime.fromisoformat(last["ended_at"]) > began and last

    asked = await staff.post(f"{path}/{context}/{job}/run")
    assert asked.status_code in (202, 409), f"{unit}: {asked.text}"
    assert (await _soon(ended))["state"] == "done"


async def _a_leak_is_found(world: World) -> None:
    """The search must be able to fail: the name is put back, and seen in each kind of place."""
    staff, branch = world.library.staff, world.library.branch
    leak = {"address": f"care of {NAME}"}
    expect(await staff.patch(f"{API}/branches/{branch}", json=leak))
    with (world.folder / "leaky.log").open("w") as log:
        log.write(f"looked for {NAME}\n")
    with Redis(port=world.redis.port) as there:
        there.set("leaky", NAME)
    kinds = {place.split()[0] for place in await world.places()}
    assert kinds == {world.stored, "log", "redis", "backup"}


async def _of(found: Any) -> Any:
    return found


async def _soon(look: Any) -> Any:
    for _ in range(1000):
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")
