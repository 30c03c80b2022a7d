"""That staff looked at a person is written down before they see anything.

One row for each member of staff, person and kind of look in ten minutes: a desk that goes back
and forth between pages of one reader is one look. Another reason makes another row, three at most.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Index, MetaData, String, Table, Uuid

from lendery.contracts.base import new_id
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database, Tx, UtcDateTime

AGAIN = 600.0  # seconds
REMEMBERED = 20_000
REASONS = 3
Look = tuple[UUID, UUID, str]  # who, whom, what
Said = Mapping[str | None, float]  # reasons, and when they were given
Known = Callable[[Tx, list[UUID]], Awaitable[set[UUID]]]
_seen: "WeakKeyDictionary[Database, OrderedDict[Look, Said]]" = WeakKeyDictionary()


def lookup_table(context: str, metadata: MetaData) -> Table:
    return Table(
        f"{context}_lookup",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("patron_id", Uuid, nullable=False),
        Column("by", Uuid, nullable=False),
        Column("what", String(16), nullable=False),
        Column("why", String(200)),
        Column("at", UtcDateTime, nullable=False),
        Index(f"{context}_lookups_of_patron", "patron_id", "id"),
        Index(f"{context}_lookups_by_age", "at"),
    )


async def note(
    db: Database,
    table: Table,
    actor: Actor,
    people: Iterable[UUID],
    what: str,
    known: Known | None = None,
) -> None:
    """Nothing for readers, for the library's own programs, and for looks at oneself.

    `known` says who of them is still known here: of others nothing is written.
    """
    by, why = actor.id, actor.why
    if by is None or not actor.staff:
        return
    seen = _seen.setdefault(db, OrderedDict())
    now = time.monotonic()
    others = [each for each in dict.fromkeys(people) if each != by]
    fresh = [each for each in others if _is_news(seen.get((by, each, what), {}), why, now)]
    if not fresh:
        return
    at = datetime.now(UTC)
    async with db.begin() as tx:
        there = set(fresh) if known is None else await known(tx, fresh)
        noted = [each for each in fresh if each in there]
        rows = [
            {"id": new_id(), "patron_id": each, "by": by, "what": what, "why": why, "at": at}
            for each in noted
        ]
        await tx.load(table, rows)
    for each in noted:
        look = by, each, what
        seen[look] = {**_lately(seen.get(look, {}), now), why: now}
        seen.move_to_end(look)
    while len(seen) > REMEMBERED:
        seen.popitem(last=False)


def _lately(said: Said, now: float) -> Said:
    return {why: at for why, at in said.items() if at > now - AGAIN}


def _is_news(said: Said, why: str | None, now: float) -> bool:
    lately = _lately(said, now)
    return why not in lately and len(lately) < REASONS
