"""The log tells all: loans, holds and balances are made again from it, and nothing is missing."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.circulation.life import Desks, Life, behind_our_back, event_of, log, says
from tests.circulation.town import NOW, Town
from typer.testing import CliRunner

from lendery.circulation.models import TABLES, hold, ledger_line, loan
from lendery.circulation.replay import replay
from lendery.circulation.telling import SILENT, TELLING
from lendery.cli import app
from lendery.contracts.base import Event
from lendery.demo.build import DemoLibrary
from lendery.main import TABLES as ALL
from lendery.main import wire
from lendery.platform import migrate
from lendery.platform.backup.progress import Quiet
from lendery.platform.db import Database
from lendery.platform.settings import Settings


async def test_a_whole_life_is_told_by_the_log(life: Life) -> None:
    events = await life.town.events()
    kinds = {type(event) for event in events}
    assert kinds == TELLING.keys() | SILENT, "the life leaves nothing out"
    report = await replay(life.town.db)
    assert (report.found, report.named) == (0, [])
    rows = {"circulation_loan": 14, "circulation_hold": 9, "circulation_ledger_line": 29}
    rows |= {"circulation_suspension": 2, "circulation_cash_session": 2}
    assert report.rows == report.compared == rows
    assert report.balances == 4, "Ann, Cas, Dora, and Ben who paid nothing for his hold"
    assert (report.events, report.unknown, report.untold) == (len(events), {}, {})


async def test_every_event_of_circulation_is_heard_or_known_to_say_nothing() -> None:
    theirs = {kind for name, kind in Event._by_name.items() if name.startswith("circulation.")}
    assert theirs == TELLING.keys() | SILENT and not TELLING.keys() & SILENT


async def test_an_empty_library_has_an_empty_log(town: Town) -> None:
    report = await replay(town.db)
    assert (report.events, report.found, sum(report.rows.values())) == (0, 0, 0)


async def test_what_retention_has_cut_is_no_difference(life: Life) -> None:
    await behind_our_back(
        life.town.db,
        update(loan).values(patron_id=None, waive_reason=None),
        update(hold).values(patron_id=None),
        update(ledger_line).where(ledger_line.c.patron_id == life.ann).values(patron_id=None),
        update(ledger_line).values(note=None),
    )
    report = await replay(life.town.db)
    assert (report.found, report.balances) == (0, 3)


async def test_what_older_logs_do_not_tell_is_counted_and_not_compared(life: Life) -> None:
    """As Lendery 0.1 announced it, and with a due date that is another."""
    row = await event_of(life.town, "ItemCheckedOut", loan_id=life.waived)
    later = {"item_type", "home_branch_id", "policy"}
    body = {name: value for name, value in row.body.items() if name not in later}
    old = update(log).where(log.c.seq == row.seq).values(body=body)
    await behind_our_back(life.town.db, old)
    report = await replay(life.town.db)
    assert report.untold == dict.fromkeys((f"circulation_loan.{name}" for name in later), 1)
    assert report.found == 0
    due = update(loan).where(loan.c.id == life.waived).values(due_at=NOW)
    await behind_our_back(life.town.db, due)
    assert says(await replay(life.town.db)) == [("loan", life.waived, "due_at")]


async def test_desks_that_work_at_once_leave_a_log_in_order(postgres_url: str) -> None:
    """And the log is whole at any moment, whatever is going on."""
    db = Database(postgres_url, [TABLES], size=8)
    life = Life(Town(db))
    await life.open()
    desks = Desks(life)
    await desks.open()
    working = asyncio.gather(*[desks.work(number) for number in range(6)])
    looks = 0
    while not working.done():
        assert says(await replay(db)) == []
        looks += 1
    await working
    report = await replay(db)
    assert says(report) == [] and looks > 1
    del report.rows["circulation_suspension"]  # nobody is, here
    del report.rows["circulation_cash_session"]  # test_cash_races.py
    assert min(report.rows.values()) > 20, report.rows
    kinds = {type(event).__name__ for event in await life.town.events()}
    assert {"LoanRenewed", "HoldReady", "HoldFulfilled", "HoldCancelled", "FinePaid"} <= kinds
    await db.close()


# --- the file and the command -----------------------------------------------------------------


async def test_what_was_rebuilt_is_kept_in_a_file(life: Life, tmp_path: Path) -> None:
    file = tmp_path / "rebuilt.db"
    await replay(life.town.db, verify=False, into=file)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    with pytest.raises(FileExistsError):
        await replay(life.town.db, into=file)
    found = sqlite3.connect(file)
    find = "SELECT renewals, returned_at, patron_id FROM circulation_loan WHERE id = ?"
    row = found.execute(find, [life.anns.hex]).fetchone()
    assert row == (1, "2026-04-05T09:30:00.123456+00:00", None)
    (owed,) = found.execute("SELECT sum(amount) FROM circulation_ledger_line").fetchone()
    assert owed == -150 + 90 + 160 - 40 + 730 + 1110, "Ann, Cas, and what Dora lost"
    found.close()


def run(*options: str) -> tuple[int, list[str]]:
    done = CliRunner().invoke(app, ["events", "replay", *options])
    return done.exit_code, [line for line in done.stdout.splitlines() if line]


def test_the_command_replays_the_demo_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/library.db"
    monkeypatch.setenv("LENDERY_DATABASE_URL", url)
    migrate.run(url, list(ALL))

    async def build() -> None:
        wiring = wire(Settings(database_url=url), durable=False)
        size = {"books": 80, "copies": 160, "readers": 30, "days": 150}
        today = datetime(2026, 11, 2, tzinfo=UTC).date()
        await DemoLibrary(wiring, Quiet(), today, **size).build()
        await wiring.close()

    asyncio.run(build())
    code, (speed, compared, kept) = run("--verify", "--into", str(tmp_path / "rebuilt.db"))
    assert code == 0 and " a second: " in speed and " 0 loans" not in speed
    assert compared.endswith(": no difference") and kept == f"kept in {tmp_path}/rebuilt.db"
    assert run("--into", str(tmp_path / "rebuilt.db"))[0] == 2

    late = update(loan).values(renewals=loan.c.renewals + 1)

    async def tamper() -> None:
        db = Database(url)
        await behind_our_back(db, late)
        await db.close()

    asyncio.run(tamper())
    code, lines = run("--verify")
    assert code == 1 and len(lines) == 1 + 20 + 1 + 1
    assert lines[1].endswith(" in the table") and lines[-1].endswith(" differences")
    assert run()[0] == 0, "without --verify nothing is compared"
