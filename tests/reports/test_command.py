"""`lendery report` and `lendery reports rebuild`."""

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lendery.cli import app
from lendery.main import wire
from lendery.platform.settings import Settings
from tests.databases import Shelter
from tests.reports.town import Town


@pytest.fixture
def file(templates: Shelter) -> Any:
    with templates.url("sqlite") as url:
        asyncio.run(_lived_in(url))
        yield url


async def _lived_in(url: str) -> None:
    """Two loans of the first day of the year, delivered before there were reports."""
    wiring = wire(Settings(database_url=url), durable=False)
    town = await Town(wiring).open()
    await town.settle(copies=2)
    for copy in town.copies:
        await town.lend(copy, next(iter(town.readers)), 1)
    while await wiring.relay_but("reports").flush():
        pass
    await wiring.close()


def lendery(url: str, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words), env={"LENDERY_DATABASE_URL": url})
    return done.exit_code, done.output


def test_a_report_is_written_after_a_rebuild(file: str, tmp_path: Path) -> None:
    asked = ("report", "loans-by-branch", "--from", "2026-01-01", "--to", "2026-01-31")
    assert lendery(file, *asked) == (0, "Branch id,Branch,Loans,Renewals,Returns\n")
    code, says = lendery(file, "reports", "rebuild")
    assert code == 0 and "4 events in" in says and "3 copies and books asked about" in says
    out = tmp_path / "loans.csv"
    code, says = lendery(file, *asked, "--branch", "brooklyn", "--format", "csv", "--out", str(out))
    assert (code, says.split(":")[0]) == (0, str(out))
    (_, row) = csv.reader(io.StringIO(out.read_text(), newline=""))
    assert row[1:] == ["Brooklyn", "2", "0", "0"]
    paper = tmp_path / "loans.pdf"
    assert lendery(file, *asked, "--format", "pdf", "--out", str(paper))[0] == 0
    assert paper.read_bytes().startswith(b"%PDF-")


REFUSED = [
    (("nothing",), "There are: loans-by-day"),
    (("overdue", "--from", "May"), "write 2026-03-01"),
    (("overdue", "--format", "doc"), "take one of"),
    (("overdue", "--format", "pdf"), "--out"),
    (("overdue", "--branch", "moon"), "no branch with the code moon"),
    (("collection-age", "--per", "week"), "year or decade"),
    (("overdue", "--sort", "name"), "Sort by one of"),
    (("loans-by-day", "--from", "2026-02-01", "--to", "2026-01-01"), "before it begins"),
]


def test_what_makes_no_sense_is_refused(file: str) -> None:
    for words, says in REFUSED:
        code, output = lendery(file, "report", *words)
        assert code == 2, words
        assert says in " ".join(output.replace("│", " ").split()), words


def test_the_help_teaches() -> None:
    code, says = lendery("sqlite://", "report", "--help")
    assert code == 0
    assert "lendery report loans-by-day --from 2025-01-01" in " ".join(says.split())
    assert "collection-age" in says


@pytest.mark.parametrize("command", [("report", "overdue"), ("reports", "rebuild")])
def test_tables_that_are_not_there_are_told_of(tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "empty.db"
    file.touch()
    code, says = lendery(f"sqlite:///{file}", *command)
    assert code == 2 and "Run: lendery migrate" in says, says
