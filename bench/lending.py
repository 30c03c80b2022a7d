"""P3: check-outs over HTTP with token, all rules, log and Idempotency-Key, at eight desks.

Holds and fees are in play: every tenth book is waited for, every patron has paid a fine before.

On PostgreSQL against pgbench, on SQLite against plain sqlite3, both sending the very statements
that the check-out sends. Each run begins with nothing on loan and lends every copy once, to
patrons by chance. Returns are not measured.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg

from bench import limits, load, recorded, servers
from bench.figures import Rate
from bench.library import LEA, Library, barcode, card
from bench.load import Run
from bench.servers import Server

EMPTIED = (
    "TRUNCATE circulation_loan, circulation_event, circulation_seal, circulation_request, "
    "circulation_inbox, catalog_inbox",
    "CHECKPOINT",
)
WARMING = 200  # check-outs before the first that counts, where a server is new in each round
WAITING = "SELECT count(*) FROM circulation_event WHERE published_at IS NULL"


def measure_postgres(library: Library, rounds: int, seconds: int) -> list[Rate]:
    figure = Rate("P3", "check-out on PostgreSQL; the limit is pgbench", 0.40)
    steps = asyncio.run(recorded.check_out(library))
    script, constants = limits.pgbench_script(steps, library.size)
    runs: list[Run] = []
    waiting: list[int] = []
    with servers.lendery(library.url) as server:
        _sql(library, *EMPTIED)
        load.drive(server.port, requests(server, library), 1)
        _sql(library, *EMPTIED)
        limits.run_pgbench(script, constants, library.url, 1)
        for _ in range(rounds):
            _sql(library, *EMPTIED)
            runs.append(lend(server, requests(server, library), seconds))
            waiting.append(int(_sql(library, WAITING)))
            _sql(library, *EMPTIED)
            limit = limits.run_pgbench(script, constants, library.url, seconds)
            figure.add(runs[-1].per_second, limit)
        _sql(library, *EMPTIED)
    figure.remarks.append(_told(runs) + f", {max(waiting)} events still to deliver at the end")
    return [figure]


def measure_sqlite(library: Library, folder: Path, rounds: int, seconds: int) -> list[Rate]:
    each = Rate("P3", "check-out on SQLite; the limit commits each", 0.20)
    grouped = Rate("P3", "check-out on SQLite; the limit commits 32 together")
    steps = asyncio.run(recorded.check_out(replace(library, url=library.at(folder / "heard.db"))))
    runs: list[Run] = []
    for number in range(rounds):
        url = library.at(folder / f"lending-{number}.db")
        with servers.lendery(url) as server:
            asked = requests(server, library)
            load.drive(server.port, asked[-WARMING:], 1)
            runs.append(lend(server, asked[:-WARMING], seconds))
        for figure, group in ((each, 1), (grouped, 32)):
            path = folder / f"plain-{number}-{group}.db"
            library.at(path)
            limit = limits.run_sqlite(steps, path, library.size, seconds, group)
            figure.add(runs[-1].per_second, limit)
            path.unlink()
        Path(url.removeprefix("sqlite:///")).unlink()
    each.remarks.append(_told(runs))
    return [each, grouped]


def requests(server: Server, library: Library) -> list[bytes]:
    """A check-out of every copy, in mixed order."""
    token = server.token(LEA)
    copies = list(range(library.size.copies))
    random.shuffle(copies)
    asked = []
    for copy in copies:
        patron = card(random.randrange(library.size.patrons))
        body = f'{{"barcode":"{barcode(copy)}","card_number":"{patron}"}}'
        key = uuid4().hex
        asked.append(load.request("/api/v1/loans", token, body=body, idempotency_key=key))
    return asked


def lend(server: Server, asked: list[bytes], seconds: int) -> Run:
    run = load.drive(server.port, asked, seconds)
    if run.requests >= len(asked):
        raise SystemExit("Every copy was lent before the time was up: make a larger library.")
    if run.refused > run.requests / 100:
        raise SystemExit(f"{run.refused} of {run.requests} check-outs were refused.")
    return run


def _told(runs: Sequence[Run]) -> str:
    """How long one waited for an answer."""
    ranked = sorted(runs, key=lambda run: run.per_second)
    middle = ranked[len(ranked) // 2]
    refused = sum(run.refused for run in runs)
    return f"p50 {middle.p50:.1f} ms, p99 {middle.p99:.1f} ms, {refused} refused by a rule"


def _sql(library: Library, *commands: str) -> str:
    """The last command's one value."""

    async def send() -> str:
        connection = await asyncpg.connect(library.url.replace("+asyncpg", ""))
        try:
            found = [await connection.fetchval(command) for command in commands]
        finally:
            await connection.close()
        return str(found[-1])

    return asyncio.run(send())
