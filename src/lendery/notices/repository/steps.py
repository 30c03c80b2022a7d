"""What was written about once, by what it is about and the step. It does not say to whom."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql

from lendery.notices.models import told
from lendery.platform.db import Session, Statement, Tx, any_of

KNOWN = Statement(select(told.c.about, told.c.step).where(any_of(told.c.about, "ids")))
TAKE = Statement(
    postgresql.insert(told)
    .values({each.name: bindparam(each.name, type_=each.type) for each in told.c})
    .on_conflict_do_nothing(index_elements=["about", "step"])
)
Step = tuple[UUID, str]


async def known(session: Session, about: Iterable[UUID]) -> set[Step]:
    rows = await session.rows(KNOWN, ids=list(about))
    return {(row.about, row.step) for row in rows}


async def take(tx: Tx, steps: Sequence[Step], *, now: datetime) -> list[Step]:
    """Those of the steps that nobody took before; they are taken now."""
    return [
        (about, step)
        for about, step in steps
        if await tx.run(TAKE, about=about, step=step, at=now) == 1
    ]
