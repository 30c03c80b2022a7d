"""Retention by night and by command; what SQLite leaves in its file; the answers that are kept."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, update
from typer.testing import CliRunner

from lendery.accounts.models import TABLES as ACCOUNTS
from lendery.accounts.models import user
from lendery.circulation.models import loan
from lendery.cli import app
from lendery.contracts.accounts import NewUser
from lendery.contracts.base import RequestKey
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring, wire
from lendery.parts import LIMITS
from lendery.platform.db import Database
from lendery.platform.retention import enforce
from lendery.platform.settings import Settings
from tests.databases import KINDS, Shelter

from .backups import everything

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
A_DAY, A_MOMENT = timedelta(days=1), timedelta(microseconds=1)
NAME = "Xanthippa"


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, libraries: Shelter) -> Iterator[str]:
    with libraries.url(request.param) as url:
        yield url


@pytest_asyncio.fixture
async def wiring(url: str) -> AsyncIterator[Wiring]:
    made = wire(Settings(database_url=url))
    yield made
    await made.close()


async def linked(db: Database) -> int:
    async with db.read() as session:
        query = select(loan.c.id).where(
            loan.c.patron_id.is_not(None), loan.c.returned_at.is_not(None)
        )
        return len(await session.rows(query))


async def test_kept_answers_go_after_a_week(wiring: Wiring) -> None:
    tables = ACCOUNTS
    async with wiring.db.begin() as tx:
        for number in range(1203):
            key = RequestKey.of(f"k{number}", sender=None, asked=b"this")
            at = NOW if number < 1201 else NOW + A_DAY
            await tx.write(tables.answered(key, status=200, answer={}, now=at))
    steps: list[int] = []
    for later, gone in ((7 * A_DAY, 0), (7 * A_DAY + A_MOMENT, 1201)):
        for dry_run in (True, False):
            past = await enforce(
                wiring, {"accounts": LIMITS["accounts"]}, NOW + later, dry_run=dry_run,
                step=steps.append,
            )  # fmt: skip
            assert {each.what: each.rows for each in past}["kept answers"] == gone
    assert steps == [500, 500, 201], "some hundreds at a time"
    async with wiring.db.read() as session:
        assert len(await session.rows(select(tables.request))) == 2


async def test_the_first_night_only_begins_to_count(wiring: Wiring) -> None:
    """A library that was just brought along is not worked through while it starts."""
    slots = wiring.background.slots
    (work,) = [w for w in slots.works if (w.context, w.job.slug) == ("circulation", "retention")]
    before = await linked(wiring.db)
    assert before > 0
    assert await slots.run(work)
    assert await linked(wiring.db) == before
    async with wiring.db.begin() as tx:  # as if that had been a day ago
        slot = work.table.slot
        await tx.run(
            update(slot).where(slot.c.job == "retention").values(slot_at=datetime.now(UTC) - A_DAY)
        )
    assert await slots.run(work)
    assert await linked(wiring.db) < before


def test_the_command_says_what_would_go_and_then_lets_it_go(libraries: Shelter) -> None:
    with libraries.url("sqlite") as url:
        run = CliRunner()
        env = {"LENDERY_DATABASE_URL": url, "COLUMNS": "200"}
        before = everything(url)
        told = run.invoke(app, ["privacy", "retention", "--dry-run"], env=env)
        assert told.exit_code == 0, told.output
        assert "Nothing was changed." in told.output and "kept answers" in told.output
        assert everything(url) == before
        done = run.invoke(app, ["privacy", "retention"], env=env)
        assert done.exit_code == 0, done.output

        def rows(output: str) -> list[Any]:
            cells = [line.split("│") for line in output.splitlines() if line.startswith("│")]
            return [(c[1].strip(), c[2].strip(), c[-2].strip()) for c in cells]

        assert rows(told.output) == rows(done.output)
        (loans,) = [int(n.replace(",", "")) for c, w, n in rows(done.output) if w == "loans"]
        assert loans > 0 and everything(url) != before
        again = run.invoke(app, ["privacy", "retention", "--dry-run"], env=env)
        assert {n for c, w, n in rows(again.output) if c == "circulation"} == {"0"}


async def test_what_was_deleted_can_be_read_from_the_file_until_it_is_written_anew(
    libraries: Shelter,
) -> None:
    with libraries.url("sqlite") as url:
        path = Path(url.removeprefix("sqlite:///"))
        wiring = wire(Settings(database_url=url))
        people = [NewUser(name=f"{NAME} {n}") for n in range(200)]
        made = await wiring.users.add_many(people=people, actor=SYSTEM, now=NOW)
        async with wiring.db.begin() as tx:
            await tx.run(user.delete().where(user.c.id.in_([each.id for each in made])))
        assert NAME in _bytes(path), "deleted, and there to be read"
        await wiring.db.overwrite()
        assert NAME not in _bytes(path)
        assert (await wiring.users.add(person=people[0], actor=SYSTEM, now=NOW)).name in _bytes(
            path
        )
        await wiring.close()
        whole = sqlite3.connect(path)
        assert whole.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        whole.close()


def _bytes(path: Path) -> str:
    return "".join(
        each.read_bytes().decode("latin-1") for each in path.parent.glob(f"{path.name}*")
    )


def test_a_person_is_exported_and_erased_by_command(libraries: Shelter, tmp_path: Path) -> None:
    with libraries.url("sqlite") as url:
        run = CliRunner()
        env = {"LENDERY_DATABASE_URL": url, "COLUMNS": "200", "LENDERY_NEW_PASSWORD": "long enough"}
        create = ["users", "create", "x@lendery.test", "--name", NAME]
        card = run.invoke(app, create, env=env).output.split()[-1]
        shown = run.invoke(app, ["privacy", "export", card], env=env)
        assert shown.exit_code == 0 and NAME in shown.output
        packed = tmp_path / "all.zip"
        assert (
            run.invoke(app, ["privacy", "export", card, "--out", str(packed)], env=env).exit_code
            == 0
        )
        assert packed.read_bytes()[:2] == b"PK"
        plain = tmp_path / "all.json"
        to_file = ["privacy", "export", card, "--out", str(plain)]
        assert run.invoke(app, to_file, env=env).exit_code == 0
        assert NAME in plain.read_text()
        assert [each.stat().st_mode & 0o777 for each in (packed, plain)] == [0o600, 0o600]
        plain.write_text("mine")
        again = run.invoke(app, to_file, env=env)
        assert again.exit_code == 1 and "is there already" in again.output
        assert plain.read_text() == "mine"
        lost = ["privacy", "export", card, "--out", str(tmp_path / "nowhere" / "all.json")]
        nowhere = run.invoke(app, lost, env=env)
        assert nowhere.exit_code == 1 and "cannot be written" in nowhere.output
        assert "looked at" in run.invoke(app, ["privacy", "lookups", card], env=env).output
        assert run.invoke(app, ["privacy", "erase", card], input="n\n", env=env).exit_code == 1
        assert NAME in _bytes(Path(url.removeprefix("sqlite:///")))
        done = run.invoke(app, ["privacy", "erase", card, "--yes"], env=env)
        assert done.exit_code == 0 and "done" in done.output, done.output
        assert NAME not in _bytes(Path(url.removeprefix("sqlite:///")))
        unknown = run.invoke(app, ["privacy", "erase", card, "--yes"], env=env)
        assert unknown.exit_code == 1 and "Nobody has this card." in unknown.output
