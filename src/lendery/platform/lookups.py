"""That staff looked at a person is written down before they see anything.

One row for each member of staff, person and kind of look in ten minutes: a desk that goes back
and forth between pages of one reader is one look.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Index, MetaData, String, Table, Uuid

from lendery.contracts.base import new_id
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database, UtcDateTime

AGAIN = 600.0  # seconds
REMEMBERED = 20_000
Look = tuple[UUID, UUID, str, str | None]
_seen: "WeakKeyDictionary[Database, OrderedDict[Look, float]]" = WeakKeyDictionary()


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


async def note(db: Database, table: Table, actor: Actor, people: Iterable[UUID], what: str) -> None:
    """Nothing for readers, for the library's own programs, and for looks at oneself."""
    if actor.id is None or not actor.staff:
        return
    seen = _seen.setdefault(db, OrderedDict())
    now = time.monotonic()
    looks = [(actor.id, each, what, actor.why) for each in dict.fromkeys(people)]
    fresh = [
        look for look in looks if look[1] != actor.id and seen.get(look, -AGAIN) <= now - AGAIN
    ]
    if not fresh:
        return
    at = datetime.now(UTC)
    rows = [
        {"id": new_id(), "patron_id": patron, "by": by, "what": kind, "why": why, "at": at}
        for by, patron, kind, why in fresh
    ]
    async with db.begin() as tx:
        await tx.load(table, rows)
    for look in fresh:
        seen[look] = now
        seen.move_to_end(look)
    while len(seen) > REMEMBERED:
        seen.popitem(last=False)
