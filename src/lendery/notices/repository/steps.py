"""What was written about once, by what it is about and the step. It does not say to whom."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql

from lendery.notices.models import told
from lendery.platform.db import Session, Statement, Tx, any_of

KNOWN = Statement(select(told.c.about, told.c.step).where(any_of(told.c.about, "ids")))
TAKE = Statement(
    postgresql.insert(told)
    .values({each.name: bindparam(each.name, type_=each.type) for each in told.c})
    .on_conflict_do_nothing(index_elements=["about", "step"])
)
REMINDERS_LOCK = 7_266_024  # PostgreSQL advisory lock: whoever reminds takes turns
LOCK = Statement(select(func.pg_advisory_xact_lock(REMINDERS_LOCK).label("locked")))
Step = tuple[UUID, str]


async def known(session: Session, about: Iterable[UUID]) -> set[Step]:
    rows = await session.rows(KNOWN, ids=list(about))
    return {(row.about, row.step) for row in rows}


async def take(tx: Tx, step: Step, *, now: datetime) -> bool:
    """False: it was taken before."""
    return await tx.run(TAKE, about=step[0], step=step[1], at=now) == 1


async def take_all(tx: Tx, steps: Sequence[Step], *, now: datetime) -> list[Step]:
    """Those of the steps that nobody took before; they are taken now, all by one write."""
    if tx.dialect == "postgresql":
        await tx.row(LOCK)  # a statement of its own: the next one sees what it waited for
    before = await known(tx, {about for about, _ in steps})
    fresh = [each for each in steps if each not in before]
    await tx.load(told, [{"about": about, "step": step, "at": now} for about, step in fresh])
    return fresh
