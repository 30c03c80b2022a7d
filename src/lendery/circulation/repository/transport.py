"""What the ways between branches cost."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, or_, select

from lendery.circulation.models import transport_cost as table
from lendery.contracts.circulation import NewTransportCost
from lendery.platform.db import Session, Statement, Tx

BRANCH = bindparam("branch_id", type_=table.c.to_branch_id.type)
COSTS = Statement(select(table).order_by(table.c.from_branch_id, table.c.to_branch_id))
CLEAR = Statement(delete(table))
FORGET = Statement(
    delete(table).where(or_(table.c.from_branch_id == BRANCH, table.c.to_branch_id == BRANCH))
)
ADD = Statement(insert(table).values({c.name: bindparam(c.name, type_=c.type) for c in table.c}))


async def costs(session: Session) -> list[Any]:
    return await session.rows(COSTS)


async def replace(tx: Tx, rows: Sequence[NewTransportCost]) -> None:
    await tx.run(CLEAR)
    await tx.many(ADD, [row.model_dump() for row in rows])


async def forget_branch(tx: Tx, branch_id: UUID) -> None:
    await tx.run(FORGET, branch_id=branch_id)
