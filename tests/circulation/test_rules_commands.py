"""`lendery rules`: a table out to a file and in again, checked on the way."""

import asyncio
from pathlib import Path

import pytest
from tests.circulation.town import LIBRARIAN, NOW, Town
from typer.testing import CliRunner, Result

from lendery.circulation.models import TABLES
from lendery.cli import app
from lendery.contracts.circulation import LoanRequest
from lendery.platform import migrate
from lendery.platform.db import Database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    url = f"sqlite:///{tmp_path}/library.db"
    monkeypatch.setenv("LENDERY_DATABASE_URL", url)
    monkeypatch.setenv("LENDERY_CONTEXTS", "circulation")
    migrate.run(url, ["circulation"])
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", *[str(each) for each in arguments]])


def test_a_table_goes_out_to_a_file_and_in_again(folder: Path) -> None:
    file, copy = folder / "a.rules", folder / "b.rules"
    file.write_text("any: loan_period = 21 days\n  fine = 0.20 EUR\nitem=dvd: fine=1 EUR\n")
    assert run("check", file).output == f"{file} can be imported.\n"
    assert run("import", file, "--comment", "First").output == "Version 1 is in-force: 4 rows.\n"
    assert run("export", copy).exit_code == 0
    assert copy.read_text() == run("export").output == run("export", "--version", 1).output
    assert run("import", copy).output == "Version 1 is in-force: 4 rows.\n"
    later = run("import", copy, "--valid-from", "2099-07-01").output
    assert later == "Version 2 is planned from 2099-07-01 00:00: 4 rows.\n"
    file.write_text("any: loan_period = 7 days\n")
    assert run("import", file).output.startswith("Version 3 is in-force: 2 rows.\n")
    assert run("restore", 1, "--comment", "Back").output == "Version 4 has the 4 rows of 1.\n"
    listed = [line.split() for line in run("versions").output.splitlines()]
    assert [(each[0], each[1], each[-1]) for each in listed] == [
        ("4", "in-force", "Back"),
        ("3", "past", "rows"),
        ("2", "planned", "rows"),
        ("1", "past", "First"),
    ]
    assert run("restore", 9).output == "There is no version 9 of the rules.\n"


def test_what_is_wrong_is_told_as_a_compiler_does(folder: Path) -> None:
    file = folder / "a.rules"
    file.write_text("any: loan_period = 21 days\n  fine = 0.205 EUR, grace = x\n")
    for command in ("check", "import"):
        told = run(command, file)
        assert told.exit_code == 1
        assert told.output.splitlines()[0] == (
            f"{file}:2:10: fine: expected an amount with 2 decimals at most."
        )
        assert told.output.splitlines()[1].startswith(f"{file}:2:29: grace takes")
    file.write_text("item=dvd: loan_period = 7\nitem=cd: fine = 1 EUR")
    told = run("check", file)
    assert told.exit_code == 0
    assert f"{file}: any patron, cd: no loan_period, so nothing is lent." in told.output
    assert run("check", folder / "none").exit_code == 2
    assert run("export").output == "", "nothing was saved"


def test_a_file_is_tried_out_on_past_loans(folder: Path) -> None:
    url, file, out = f"sqlite:///{folder}/library.db", folder / "a.rules", folder / "out.csv"

    async def lend() -> None:
        town = Town(Database(url, [TABLES]))
        home = await town.branch("main")
        await town.rule("loan_period", 21)
        town.patrons.add("ANN")
        town.copies.add("b1", home.id)
        request = LoanRequest(barcode="b1", card_number="ANN")
        await town.desk.check_out(request=request, actor=LIBRARIAN, now=NOW)
        await town.db.close()

    asyncio.run(lend())
    file.write_text("any: loan_period = 14\n")
    told = run("simulate", file, "--from", "2026-03-01", "--to", "2026-04-01", "--csv", out)
    assert told.exit_code == 0
    assert "due-date 2026-03-23T23:59:59Z -> 2026-03-16T23:59:59Z" in told.output
    assert "1 check outs, 0 renewals, 0 check ins, 1 due dates, 0 blocks" in told.output
    heading, line, *more = out.read_text().splitlines()
    assert heading.startswith("no,kind,event,at,loan_id") and not more
    assert line.startswith("1,due-date,check-out,2026-03-02T09:30:00Z,") and line.endswith(",true")
    again = run("simulate", file, "--from", "2026-03-01", "--csv", out)
    assert again.exit_code == 2, "nothing is written over"
