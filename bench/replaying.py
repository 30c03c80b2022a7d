"""How fast the log is read back: loans, holds and balances rebuilt from it, and compared.

The library is the bench library after some lending through the ports, so its log holds what a log
holds. The limit is the same log read and parsed, with nothing rebuilt.
"""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from bench.crowded import WAIVED
from bench.figures import Rate
from bench.library import Library, Size, barcode, card, on_sqlite
from lendery.circulation.models import TABLES
from lendery.circulation.replay import replay
from lendery.contracts.base import Event
from lendery.contracts.circulation import LoanRequest, ReturnRequest
from lendery.contracts.permissions import SYSTEM
from lendery.main import Wiring, wire
from lendery.platform.settings import Settings

KNOWN = Size(books=500, copies=4_000, patrons=500, in_play=False)
LOANS = 3_000  # each lent and taken back; every third is lent again


def measure(libraries: list[Library], folder: Path, rounds: int) -> list[Rate]:
    """In a library of its own, of which the log knows all."""
    home = folder / "replayed"
    home.mkdir()
    return [asyncio.run(_measure(on_sqlite(home, KNOWN), rounds))]


async def _measure(library: Library, rounds: int) -> Rate:
    wiring = wire(Settings(database_url=library.url), durable=False)
    await _lend(wiring, library)
    what = f"events replayed and compared, {library.database}; the limit only reads and parses"
    figure = Rate("-", what)
    for _ in range(rounds):
        began = time.perf_counter()
        report = await replay(wiring.db)
        ours = report.events / (time.perf_counter() - began)
        if report.found:
            raise SystemExit(f"The log differs from the tables: {report.named[0]}")
        began = time.perf_counter()
        figure.add(ours, await _parse(wiring) / (time.perf_counter() - began))
    await wiring.close()
    return figure


async def _lend(wiring: Wiring, library: Library) -> None:
    now = datetime.now(UTC)
    for number in range(LOANS):
        for again in range(1 + (number % 3 == 0)):
            who = card((number + again) % library.size.patrons)
            request = LoanRequest(
                barcode=barcode(number), card_number=who, waive=WAIVED | {"on-hold"}
            )
            await wiring.loans.check_out(request=request, actor=SYSTEM, now=now)
            if not again:
                back = ReturnRequest(barcode=barcode(number))
                await wiring.loans.check_in(request=back, actor=SYSTEM, now=now)


async def _parse(wiring: Wiring) -> int:
    log = TABLES.event
    async with wiring.db.snapshot() as session:
        rows = await session.rows(select(log).order_by(log.c.seq))
    for row in rows:
        body = row.body if isinstance(row.body, dict) else json.loads(row.body)
        Event.load(row.name, {**body, "id": row.id, "at": row.at})
    return len(rows)
