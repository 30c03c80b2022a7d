"""What is known of a reader here: preferences, and whether the address refuses mail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql

from lendery.notices.models import attachment, attempt, bounce, mail, message, preference, told
from lendery.platform.db import Session, Statement, Tx, any_of

PATRON = bindparam("patron", type_=preference.c.patron_id.type)
PREFERENCES = Statement(select(preference).where(any_of(preference.c.patron_id, "patron_ids")))
BOUNCES = Statement(select(bounce).where(any_of(bounce.c.patron_id, "patron_ids")))


def _kept(table: Any, *, in_turn: bool) -> Statement:
    """Writes the row of a patron, whether there was one or not; `in_turn`: the next version."""
    values = {each.name: bindparam(each.name, type_=each.type) for each in table.c}
    new = postgresql.insert(table).values(values)
    changed = {name: new.excluded[name] for name in values if name != "patron_id"}
    follows = table.c.version == new.excluded.version - 1 if in_turn else None
    return Statement(
        new.on_conflict_do_update(index_elements=["patron_id"], set_=changed, where=follows)
    )


KEEP_PREFERENCE = _kept(preference, in_turn=True)
KEEP_BOUNCE = _kept(bounce, in_turn=False)
CLEAR = Statement(delete(bounce).where(bounce.c.patron_id == PATRON))
_theirs = select(mail.c.id).where(mail.c.patron_id == PATRON)
FORGET = (
    Statement(delete(attachment).where(attachment.c.mail_id.in_(_theirs))),
    Statement(delete(attempt).where(attempt.c.mail_id.in_(_theirs))),
    Statement(delete(mail).where(mail.c.patron_id == PATRON)),
    Statement(delete(message).where(message.c.patron_id == PATRON)),
    Statement(delete(preference).where(preference.c.patron_id == PATRON)),
    Statement(delete(told).where(told.c.about == PATRON)),  # what was said of their card
    CLEAR,
)


async def preferences(session: Session, patron_ids: Sequence[UUID]) -> dict[UUID, Any]:
    rows = await session.rows(PREFERENCES, patron_ids=list(patron_ids))
    return {row.patron_id: row for row in rows}


async def bounced(session: Session, patron_ids: Sequence[UUID]) -> dict[UUID, Any]:
    rows = await session.rows(BOUNCES, patron_ids=list(patron_ids))
    return {row.patron_id: row for row in rows}


async def keep_preference(tx: Tx, row: Mapping[str, Any]) -> bool:
    """False: somebody else wrote this version."""
    return await tx.run(KEEP_PREFERENCE, **row) == 1


async def keep_bounce(tx: Tx, *, patron_id: UUID, address: str, code: int, at: datetime) -> None:
    """`address` is a digest of it."""
    await tx.run(KEEP_BOUNCE, patron_id=patron_id, address=address, code=code, at=at)


async def clear_bounce(tx: Tx, *, patron_id: UUID) -> bool:
    """False: there was none."""
    return await tx.run(CLEAR, patron=patron_id) == 1


async def forget(tx: Tx, *, patron_id: UUID) -> None:
    """Everything about this person."""
    for each in FORGET:
        await tx.run(each, patron=patron_id)
