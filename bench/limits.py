"""The limits of P3: pgbench and plain sqlite3, sending what a check-out sends."""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.library import FIRST_BARCODE, FIRST_CARD, Size, barcode, card
from bench.load import CONNECTIONS
from bench.recorded import Answered, Constant, Given, New, Source, Step
from lendery.contracts.base import new_id
from lendery.platform.db.sqlite import SqliteDriver

TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def pgbench() -> str | None:
    return os.environ.get("LENDERY_TEST_PGBENCH") or shutil.which("pgbench")


def pgbench_script(steps: list[Step], size: Size) -> tuple[str, dict[str, str]]:
    """The script, and its constants: every copy once in mixed order, patrons by chance."""
    lines = [
        r"\set turn :turn + 1",
        rf"\set serial :turn * {CONNECTIONS} + :client_id",
        rf"\set card {FIRST_CARD} + random(0, {size.patrons - 1})",
        rf"\set barcode {FIRST_BARCODE} + permute(:serial, {size.copies})",
    ]
    constants = {"turn": "0"}
    for at, step in enumerate(steps):
        words = {
            f"${number}": _word(source, f"c{at}_{number}", constants)
            for number, source in enumerate(step.sources, 1)
        }
        text = re.sub(r"\$\d+", lambda hit, words=words: words[hit[0]], step.text)  # type: ignore[misc]
        lines.append(f"{text}\n\\gset s{at}_" if step.asks else f"{text};")
    return "\n".join(lines) + "\n", constants


def _word(source: Source, name: str, constants: dict[str, str]) -> str:
    """How pgbench says a value. Its variables are numbers and text, so ids are made of numbers."""
    match source:
        case Constant(None):
            return "NULL"
        case Constant(value):
            constants[name] = str(value).lower() if isinstance(value, bool) else str(value)
            return f":{name}"
        case Given("key"):
            return "((:serial)::text)"
        case Given(known):
            return f":{known}"
        case Answered(statement, column):
            return f":s{statement}_{column}"
    return "(lpad((:serial)::text, 32, '0'))"


def run_pgbench(script: str, constants: dict[str, str], url: str, seconds: int) -> float:
    """Transactions per second of as many clients as ask Lendery."""
    program, at = pgbench(), urlsplit(url)
    assert program and at.hostname and at.username
    with tempfile.NamedTemporaryFile("w", prefix="lendery-bench-", suffix=".sql") as file:
        file.write(script)
        file.flush()
        where = ["-h", at.hostname, "-p", str(at.port), "-U", at.username, at.path.strip("/")]
        how = [f"-c{CONNECTIONS}", "-j2", "-M", "prepared", "-n", f"-T{seconds}", "-f", file.name]
        given = [f"-D{name}={value}" for name, value in constants.items()]
        done = subprocess.run([program, *how, *given, *where], capture_output=True, text=True)
    tps = TPS.search(done.stdout)
    if done.returncode or tps is None or "aborted" in done.stderr:
        raise SystemExit(f"pgbench failed: {done.stderr[-2000:]}\n{done.stdout[-500:]}")
    return float(tps[1])


def run_sqlite(steps: list[Step], path: Path, size: Size, seconds: float, group: int) -> float:
    """Check-outs per second, so many to a commit, as durable as Lendery's."""
    driver = SqliteDriver(str(path))
    driver.reader.raw.close()
    order = list(range(size.copies))
    random.Random(1).shuffle(order)
    begin, *between, commit = steps
    done, began = 0, time.perf_counter()
    with closing(driver.writer.raw) as raw:
        while time.perf_counter() - began < seconds:
            raw.execute(begin.text)
            for number in order[done : done + group]:
                _lend(raw, between, number, size)
            raw.execute(commit.text)
            done += group
            assert done < len(order), "too few copies for so fast a machine"
        return done / (time.perf_counter() - began)


def _lend(raw: sqlite3.Connection, steps: list[Step], copy: int, size: Size) -> None:
    given = {
        "card": card(random.randrange(size.patrons)),
        "barcode": barcode(copy),
        "key": f"plain {copy}",
    }
    answers: list[dict[str, Any]] = [{}]  # of BEGIN
    for step in steps:
        values = [_value(source, given, answers) for source in step.sources]
        cursor = raw.execute(step.text, values)
        row = cursor.fetchone()
        names = (each[0] for each in cursor.description or ())
        answers.append(dict(zip(names, row, strict=True)) if row and step.asks else {})


def _value(source: Source, given: dict[str, str], answers: list[dict[str, Any]]) -> Any:
    match source:
        case Constant(value):
            return value
        case Given(name):
            return given[name]
        case Answered(statement, column):
            return answers[statement][column]
        case New():
            return new_id().hex
