"""When a copy is likely to be ready: what past holds of this library have shown."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lendery.circulation import rules
from lendery.circulation.house import House
from lendery.circulation.repository import waits
from lendery.contracts.circulation import Expected
from lendery.platform.db import Database

ANEW = timedelta(hours=1)
EVER = datetime(1, 1, 2, tzinfo=UTC)


class Watcher(Protocol):
    def start(self, what: str, total: int) -> None: ...
    def advance(self, steps: int) -> None: ...


@dataclass
class WaitingTimes:
    """The experience of this library, read once in an hour by each process."""

    db: Database
    _known: tuple[datetime, rules.Experience] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def experience(self, now: datetime) -> rules.Experience:
        """Before a session is opened: it may take one of its own.

        One asks anew, and whoever comes meanwhile hears what was known.
        """
        if self._known is not None and (self._is_fresh(now) or self._turn.locked()):
            return self._known[1]
        async with self._turn:
            if self._known is None or not self._is_fresh(now):
                since = now - rules.MEMORY
                async with self.db.unhurried() as session:
                    rows = await waits.past(session, since)
                learnt = await asyncio.to_thread(lambda: rules.Experience(_holds(rows), now))
                self._known = now, learnt
            return self._known[1]

    def _is_fresh(self, now: datetime) -> bool:
        """Also for who began to ask a moment before."""
        return self._known is not None and abs(now - self._known[0]) < ANEW


def expected(
    row: Any, experience: rules.Experience, house: House, now: datetime
) -> Expected | None:
    """Between which days a copy is likely to be ready for a hold, a row of `waits.places`.

    None where nobody can say: it is suspended, or wants one copy only, or there is not enough
    experience.
    """
    hours = house.hours_of(row.pickup_branch_id)
    today = hours.local_date(now)
    sleeps = row.suspended and (row.suspended_until is None or row.suspended_until > today)
    if sleeps or row.copy_id is not None:
        return None
    place = rules.Place(
        placed_at=row.placed_at, ahead=row.ahead, ahead_then=row.ahead_then, copies=row.copies
    )
    likely = rules.likely(experience, place, now)
    if likely is None:
        return None
    first, last = (hours.local_date(at) for at in likely)
    return Expected(from_=max(first, today), until=max(last, today))


async def replay(db: Database, *, now: datetime, watcher: Watcher) -> list[rules.Judged]:
    """Every hold there ever was, in the order of time: would its range have held?"""
    async with db.unhurried() as session:
        rows = await waits.past(session, EVER)
    holds = _holds(rows)
    watcher.start("Days", rules.days_of(holds))
    return await asyncio.to_thread(rules.replayed, holds, now, lambda: watcher.advance(1))


def _holds(rows: Iterable[Any]) -> list[rules.PastHold]:
    return [
        rules.PastHold(
            placed_at=row.placed_at,
            left_at=row.left_at,
            served=bool(row.served),
            ahead=row.ahead,
            copies=row.copies,
        )
        for row in rows
    ]
