"""One context's log as the relay sees it: what is due, what is done, what was parked."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Text, and_, bindparam, exists, func, or_, select, type_coerce, update

from lendery.contracts.base import Busy, PeerUnavailable
from lendery.platform.chain import Chain, Overtaken, fingerprints
from lendery.platform.db import Database, Statement, UtcDateTime, any_of
from lendery.platform.db.log import ContextTables
from lendery.platform.metrics import EVENTS_PARKED

# Events claimed at a time. On SQLite each statement holds the event loop up: 3 ms.
BATCH = {"sqlite": 250, "postgresql": 500}
ATTEMPTS = 8
log = structlog.get_logger("lendery.events")


class Outbox:
    """The statements by which the relay goes through a log. What it has done, `chain` seals."""

    def __init__(self, tables: ContextTables) -> None:
        event = tables.event
        older = event.alias("older")
        now = bindparam("now", type_=UtcDateTime())
        waiting = and_(event.c.published_at.is_(None), event.c.parked_at.is_(None))
        first = ~exists().where(
            older.c.aggregate == event.c.aggregate,
            older.c.seq < event.c.seq,
            older.c.published_at.is_(None),
            older.c.parked_at.is_(None),
        )
        due = and_(
            or_(event.c.claimed_until.is_(None), event.c.claimed_until < now),
            or_(event.c.next_at.is_(None), event.c.next_at <= now),
        )
        batch = (
            select(event.c.seq)
            .where(waiting, due, first)
            .order_by(event.c.seq)
            .with_for_update(skip_locked=True)
        )
        self.context = tables.context
        self.chain = Chain(tables)
        claim = (
            update(event)
            .values(claimed_until=bindparam("lease", type_=UtcDateTime()))
            .returning(
                event.c.seq,
                event.c.id,
                event.c.name,
                type_coerce(event.c.aggregate, Text).label("aggregate"),
                event.c.at,
                type_coerce(event.c.body, Text).label("body"),
                event.c.attempts,
            )
        )
        self.claim = {
            dialect: Statement(claim.where(event.c.seq.in_(batch.limit(most))))
            for dialect, most in BATCH.items()
        }
        self.peek = Statement(
            select(event.c.seq, *self.chain.last).where(waiting, due, first).limit(1)
        )
        self.done = Statement(  # for what has its seal: it was delivered before
            update(event)
            .where(any_of(event.c.seq, "seqs"))
            .values(published_at=now, claimed_until=None, error=None)
        )
        self.failed = Statement(
            update(event)
            .where(event.c.seq == bindparam("seq_"), event.c.published_at.is_(None))
            .values(
                attempts=bindparam("tries"),
                error=bindparam("why"),
                claimed_until=None,
                next_at=bindparam("later", type_=UtcDateTime()),
                parked_at=bindparam("parked", type_=UtcDateTime()),
            )
        )
        self.backlog = Statement(
            select(func.count().label("waiting"), func.min(event.c.at).label("oldest")).where(
                waiting
            )
        )
        self.highest = Statement(select(func.max(event.c.seq)).where(waiting))
        self.up_to = Statement(
            select(event.c.seq).where(waiting, event.c.seq <= bindparam("highest")).limit(1)
        )
        self.parked = Statement(
            select(
                event.c.seq, event.c.id, event.c.name, event.c.at, event.c.attempts, event.c.error
            )
            .where(event.c.parked_at.is_not(None))
            .order_by(event.c.seq)
        )
        self.revive = Statement(
            update(event)
            .where(event.c.parked_at.is_not(None))
            .values(parked_at=None, attempts=0, next_at=None)
        )

    async def record(
        self,
        db: Database,
        results: Sequence[tuple[Any, Exception | None]],
        *,
        head: Any,
        now: datetime,
    ) -> None:
        """Notes what became of a batch: delivered and sealed, or to be tried again, or parked.

        `head` is the newest seal that was seen when the batch was taken up.
        """
        made = await fingerprints([row for row, error in results if error is None])
        again: list[int] = []
        failures = [_failure(row, error, now) for row, error in results if error is not None]
        while True:
            try:
                async with db.begin() as tx:
                    if made:
                        await self.chain.seal(tx, made, head=head, now=now)
                    if again:
                        await tx.run(self.done, seqs=again, now=now)
                    for failure in failures:
                        await tx.run(self.failed, **failure)
                return
            except Overtaken:  # some have a seal: our lease ran out, or they are delivered again
                async with db.read() as session:
                    rows = await session.rows(self.chain.unsealed, seqs=list(made))
                unsealed = {row.seq for row in rows}
                again += [seq for seq in made if seq not in unsealed]
                made = {seq: made[seq] for seq in made if seq in unsealed}

    async def seal_late(self, db: Database, *, now: datetime) -> int:
        """Seals some of what was delivered without a seal; returns how many."""
        async with db.read() as session:  # as a rule there is nothing
            if await session.row(self.chain.is_behind) is None:
                return 0
        try:
            async with db.begin() as tx:
                return await self.chain.seal_late(tx, now=now)
        except Overtaken:
            return 0


def away(error: Exception) -> bool:
    """Nobody is there to act on it; that says nothing about the event."""
    return isinstance(error, PeerUnavailable | Busy)


def _failure(row: Any, error: Exception, now: datetime) -> dict[str, Any]:
    """A neighbour that is away is waited for; anything else may be tried ATTEMPTS times."""
    tries = row.attempts + (not away(error))
    parked = tries >= ATTEMPTS
    wait = min(2.0 ** min(tries or 4, 12) * 0.1, 30.0) * random.uniform(0.8, 1.2)
    log.warning("event not delivered", event_name=row.name, seq=row.seq, tries=tries, parked=parked)
    if parked:
        EVENTS_PARKED.labels(row.name).inc()
    return {
        "seq_": row.seq,
        "tries": tries,
        "why": f"{type(error).__name__}: {error}".split("\n")[0][:200],  # no row's content
        "later": now + timedelta(seconds=wait),
        "parked": now if parked else None,
    }
