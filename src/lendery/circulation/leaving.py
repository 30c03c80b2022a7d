"""A person or a copy leaves the library: what that does to holds.

Nobody waits for what can never come, and nothing is kept for somebody who is gone.
"""

from datetime import datetime
from uuid import UUID

from lendery.circulation import hold_steps
from lendery.circulation.collecting import ended
from lendery.circulation.repository import holds, remembered
from lendery.contracts.circulation import HoldFilter
from lendery.platform.db import Tx

ALL = 10_000  # holds of one person, or of one book


async def person_left(tx: Tx, patron_id: UUID, *, now: datetime) -> None:
    """Their holds are cancelled, and what was kept for them is free."""
    await remembered.lock_patron(tx, patron_id)
    like = HoldFilter(patron_id=patron_id, state="open")
    theirs = await holds.holds(tx, like=like, after=None, limit=ALL)
    for book_id in sorted({row.book_id for row in theirs}):  # in one order, whoever locks them
        await holds.lock_queue(tx, book_id)
    for row in await holds.holds(tx, like=like, after=None, limit=ALL):
        await tx.write(*await ended(tx, hold_steps.cancelled(row, by=None, now=now), now=now))


async def copy_left(tx: Tx, copy_id: UUID, *, now: datetime) -> None:
    """Who was to get it waits again in the old place; who wanted this very copy waits no more."""
    copy = await remembered.lock_copy_by_id(tx, copy_id)
    if copy is None or await remembered.ever_lent(tx, [copy_id]):  # that loan must be closed yet
        return
    await holds.lock_queue(tx, copy.book_id)
    kept = await holds.given(tx, copy_id)
    waiting = await holds.queue(tx, copy.book_id, most=ALL)
    for row in [kept, *waiting] if kept else waiting:
        if row.copy_id == copy_id:
            await tx.write(*hold_steps.cancelled(row, by=None, now=now).writes(tx))
        elif row is kept:
            await tx.write(*hold_steps.put_back(row, by=None, now=now).writes(tx))
