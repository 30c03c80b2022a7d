"""How fast records come in, and what the desk notices of it.

The import is the real one: a file read in a process of its own, matched by ISBN and control
number, written with its words, its links, its bytes and its events: searchable when it ends. The
limit writes the very same rows, taken from the database that the import made, into the same
empty indexed tables, and does nothing else: COPY on PostgreSQL, executemany on SQLite.
"""

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import uuid4

import asyncpg
from tests.system import create_database, drop_database

from bench.crowded import WAIVED
from bench.figures import Cost, Figure, Rate
from bench.library import Library, barcode, card
from lendery.catalog.formats import Described, Exported, Format, NamedHeading, write
from lendery.contracts.circulation import CheckOutRefused, LoanRequest, ReturnRequest
from lendery.contracts.importing import ImportOptions
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring, wire
from lendery.platform import migrate
from lendery.platform.db.sqlite import PRAGMAS
from lendery.platform.settings import Settings

RECORDS = int(os.environ.get("LENDERY_BENCH_RECORDS", "20000"))
TABLES = ("author", "subject", "book", "book_author", "book_subject", "search", "source", "event")
FILES = {"MARC": Format.marc, "CSV": Format.csv}
GOALS = {"MARC": 0.5, "CSV": 0.6}
AT_ONCE = 10_000
LOANS = 500
PAUSE = 0.01  # seconds between two check-outs


def measure(libraries: list[Library], folder: Path, rounds: int, records: int) -> list[Figure]:
    found: list[Figure] = []
    paths = {kind: _file(folder, kind, records) for kind in FILES}
    for library in libraries:
        for kind, path in paths.items():
            goal = GOALS[kind] if library.database == "PostgreSQL" else None
            what = f"{kind} records to searchable, {library.database}; the limit: the same rows"
            rate = Rate("P7", what, goal)
            memory = Cost("P7", f"memory of an import, {kind}, {library.database}", "MB", 150)
            for _ in range(rounds):
                with _empty(library, folder) as url, _empty(library, folder) as other:
                    told = _imported(url, path, folder)
                    rate.add(told["records"] / told["seconds"], records / _limit(url, other))
                    memory.seen.append(told["megabytes"])
            found += [rate, memory]
        loans = min(LOANS, records // 40)
        found.append(asyncio.run(_beside(library, paths["MARC"], folder, loans)))
    return found


def _file(folder: Path, kind: str, records: int) -> Path:
    path = folder / f"records.{kind.lower()}"
    with path.open("wb") as file:
        for piece in write(_books(records), FILES[kind]):
            file.write(piece)
    return path


def _books(many: int) -> Iterator[Exported]:
    """Titles, names and subjects whose words are as unevenly spread as those of real ones."""
    dice = random.Random(4)
    vowels, consonants = "aeiou", "bcdfghklmnprstvw"
    words = [
        "".join(dice.choice(consonants) + dice.choice(vowels) for _ in range(dice.randint(1, 4)))
        for _ in range(20_000)
    ]

    def common(among: int) -> int:
        return int(among ** dice.random()) - 1

    for n in range(many):
        name, family = words[common(3_000)].title(), words[common(20_000)].title()
        title = " ".join(words[common(20_000)] for _ in range(dice.randint(2, 7))).capitalize()
        described = Described(
            title=title,
            authors=(NamedHeading(f"{name} {family}", f"{family}, {name}"),),
            isbns=(_isbn(n),),
            publisher=f"{words[common(500)].title()} Press",
            published_year=1900 + dice.randrange(120),
            language="en",
            subjects=tuple({words[common(2_000)].title() for _ in range(2)}),
            description=" ".join(words[common(20_000)] for _ in range(25)),
            control_number=f"(bench){n}",
        )
        yield Exported(f"b{n}", described)


def _isbn(n: int) -> str:
    digits = f"9781{n:08d}"
    check = -sum(int(d) * (1, 3)[at % 2] for at, d in enumerate(digits)) % 10
    return f"{digits}{check}"


@contextmanager
def _empty(library: Library, folder: Path) -> Iterator[str]:
    """A catalogue with nothing in it, on the same kind of database."""
    if library.database == "SQLite":
        path = folder / f"{uuid4().hex}.db"
        url = f"sqlite:///{path}"
        migrate.run(url, ["catalog"])
        yield url
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return
    server, name = os.environ["LENDERY_TEST_POSTGRES"], f"bench_{uuid4().hex[:12]}"
    url = asyncio.run(create_database(server, name))
    migrate.run(url, ["catalog"])
    try:
        yield url
    finally:
        asyncio.run(drop_database(server, name))


def _imported(url: str, path: Path, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.import_process", url, str(path), str(folder / "files")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2_000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _limit(made: str, empty: str) -> float:
    """Seconds that the rows of one catalogue take into another."""
    if made.startswith("sqlite"):
        return _executemany(made.split("///")[1], empty.split("///")[1])
    return asyncio.run(_copy(made, empty))


async def _copy(made: str, empty: str) -> float:
    plain = [url.replace("+asyncpg", "") for url in (made, empty)]
    source, target = [await asyncpg.connect(url) for url in plain]
    taken = 0.0
    for name in TABLES:
        rows: list[bytes] = []

        async def keep(data: bytes, rows: list[bytes] = rows) -> None:
            rows.append(data)

        async def give(rows: list[bytes] = rows) -> Any:
            for data in rows:
                yield data

        await source.copy_from_table(f"catalog_{name}", output=keep)
        began = time.perf_counter()
        await target.copy_to_table(f"catalog_{name}", source=give())
        taken += time.perf_counter() - began
    await source.close()
    await target.close()
    return taken


def _executemany(made: str, empty: str) -> float:
    with closing(sqlite3.connect(made)) as source, closing(sqlite3.connect(empty)) as target:
        target.isolation_level = None
        for pragma in (*PRAGMAS, "synchronous=FULL"):
            target.execute(f"PRAGMA {pragma}")
        taken = 0.0
        for name in TABLES:
            columns = "rowid, *" if name == "search" else "*"
            rows = source.execute(f"SELECT {columns} FROM catalog_{name}").fetchall()  # noqa: S608
            if not rows:
                continue
            marks = ", ".join("?" * len(rows[0]))
            into = f"catalog_{name}"
            if name == "search":
                into += "(rowid, title, author, subject, other)"
            began = time.perf_counter()
            for start in range(0, len(rows), AT_ONCE):
                target.execute("BEGIN IMMEDIATE")
                into_it = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608
                target.executemany(into_it, rows[start : start + AT_ONCE])
                target.execute("COMMIT")
            taken += time.perf_counter() - began
    return taken


async def _beside(library: Library, path: Path, folder: Path, loans: int) -> Cost:
    """Check-outs in the process that imports: the slowest hundredth, against those alone."""
    url = library.at(folder / "beside.db") if library.database == "SQLite" else library.url
    wiring = wire(Settings(database_url=url, import_folder=folder / "beside"))
    what = f"slowest hundredth of check-outs during an import, {library.database}"
    figure = Cost("P7", what, "times idle", 1.5)
    await _lend(wiring, library, loans // 5)
    idle = await _lend(wiring, library, loans)
    upload_id = await wiring.imports.begin(actor=SYSTEM, now=_now())
    await wiring.imports.take(
        upload_id=upload_id, at=0, data=path.read_bytes(), actor=SYSTEM, now=_now()
    )
    await wiring.imports.start(
        upload_id=upload_id, name=path.name, options=ImportOptions(), actor=SYSTEM, now=_now()
    )
    working = asyncio.create_task(wiring.queue.run())
    await asyncio.sleep(1.5)  # until it writes
    busy = await _lend(wiring, library, loans)
    wiring.queue.stop()
    await working
    await wiring.close()
    figure.seen.append(busy / idle)
    figure.remarks.append(f"{idle * 1000:.1f} ms alone, {busy * 1000:.1f} ms beside the import")
    return figure


async def _lend(wiring: Wiring, library: Library, many: int) -> float:
    """Seconds of the slowest hundredth of so many check-outs."""
    seen = []
    for number in range(many):
        code = barcode(number)
        request = LoanRequest(
            barcode=code, card_number=card(number % library.size.patrons), waive=WAIVED
        )
        began = time.perf_counter()
        try:
            await wiring.loans.check_out(request=request, actor=SYSTEM, now=_now())
        except CheckOutRefused:  # held for another reader
            continue
        seen.append(time.perf_counter() - began)
        back = ReturnRequest(barcode=code)
        await wiring.loans.check_in(request=back, actor=SYSTEM, now=_now())
        await asyncio.sleep(PAUSE)
    return quantiles(seen, n=100)[98]


def _now() -> datetime:
    return datetime.now(UTC)
