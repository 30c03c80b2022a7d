"""Who borrowed what is forgotten: by night of all who do not keep their history, and at an erasure.

Statistics keep what the log says, which never named anybody.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from lendery.circulation.repository import links
from lendery.contracts.accounts import Patrons
from lendery.contracts.base import RequestKey
from lendery.platform.db import Database, Tx
from lendery.platform.settings import Settings

AT_A_TIME = 20  # patrons: on SQLite a desk waits for it some milliseconds
PAGE = 500
PAUSE = 0.01  # seconds between two transactions: the desk comes first


class Library(Protocol):
    @property
    def db(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def patrons(self) -> Patrons: ...


class _OnlyCounted(Exception):
    """Ends the transaction of a dry run."""


async def forget_links(
    library: Library, now: datetime, step: Callable[[int], None], dry_run: bool
) -> dict[str, int]:
    """A dry run does the same work and takes it back, so it counts exactly what would go."""
    before = now - timedelta(days=library.settings.history_days)
    money_before = now - timedelta(days=library.settings.ledger_days)
    money_before = min(before, money_before)
    sums: dict[str, int] = dict.fromkeys(links.CUTS, 0)
    last = UUID(int=0)
    while True:
        async with library.db.unhurried() as session:
            found = await links.with_old_links(session, before=before, after=last, most=PAGE)
        if not found:
            return sums
        last = found[-1]
        keep = {p.id for p in await library.patrons.by_ids(ids=found) if p.keeps_history}
        gone = [each for each in found if each not in keep]
        for start in range(0, len(gone), AT_A_TIME):
            some = gone[start : start + AT_A_TIME]
            counts = await _cut(library.db, some, before, money_before, dry_run)
            for what, rows in counts.items():
                sums[what] += rows
            step(sum(counts.values()))
            await asyncio.sleep(PAUSE)


async def _cut(
    db: Database, patron_ids: list[UUID], before: datetime, money_before: datetime, dry_run: bool
) -> dict[str, int]:
    counts: dict[str, int] = {}
    try:
        async with db.begin() as tx:
            counts = await links.cut(tx, patron_ids, before=before, money_before=money_before)
            if dry_run:
                raise _OnlyCounted
    except _OnlyCounted:
        pass
    return counts


async def erase_links(tx: Tx, patron_id: UUID, *, now: datetime) -> dict[str, Any]:
    """All that has ended, however young. What is still open stays until it is not."""
    ever = now + timedelta(days=36_500)
    await links.forget(tx, patron_id, scope=RequestKey.scope_of(patron_id))
    return await links.cut(tx, [patron_id], before=ever, money_before=ever)
