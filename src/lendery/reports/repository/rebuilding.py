"""All rows of the read model anew, in one transaction in which nobody else counts."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select, text

from lendery.platform.db import Statement, Tx, any_of
from lendery.reports.models import TABLES, book, copy, hold, lending, money, subject, use
from lendery.reports.rules.fold import Fold

inbox = TABLES.inbox
# On SQLite whoever has begun to write is alone.
ALONE = Statement(
    text(
        "LOCK TABLE reports_inbox, reports_copy, reports_book, reports_subject "
        "IN SHARE ROW EXCLUSIVE MODE"
    )
)
ACTED_ON = Statement(select(inbox.c.event_id).where(any_of(inbox.c.event_id, "ids")))
ACTED_SINCE = Statement(
    select(inbox.c.event_id).where(
        inbox.c.event_id >= bindparam("least", type_=inbox.c.event_id.type)
    )
)
EMPTY = tuple(Statement(delete(each)) for each in (lending, use, money, hold, copy, book, subject))


async def alone(tx: Tx) -> None:
    """Nobody acts on an event, learns or rebuilds until this transaction has ended."""
    if tx.dialect == "postgresql":
        await tx.run(ALONE)


async def acted_on(tx: Tx, *, ids: list[UUID]) -> set[UUID]:
    """Those of the events that were counted when they came."""
    return {row.event_id for row in await tx.rows(ACTED_ON, ids=ids)}


async def acted_since(tx: Tx, *, least: UUID) -> set[UUID]:
    """Counted events whose id is `least` or later."""
    return {row.event_id for row in await tx.rows(ACTED_SINCE, least=least)}


async def replace(tx: Tx, fold: Fold) -> int:
    """Returns how many rows there are now."""
    for each in EMPTY:
        await tx.run(each)
    made = (
        (lending, fold.lending()),
        (use, fold.uses()),
        (money, fold.money()),
        (hold, fold.holds()),
        (copy, fold.copies()),
        (book, fold.books()),
    )
    count = 0
    for table, rows in made:
        listed = list(rows)
        await tx.load(table, listed)
        count += len(listed)
    return count
