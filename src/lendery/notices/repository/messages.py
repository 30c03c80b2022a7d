"""What readers were told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from lendery.notices.models import message
from lendery.platform.db import Session, Statement, Tx, UtcDateTime, any_of

NOW = bindparam("now", type_=UtcDateTime())
PATRON = bindparam("patron", type_=message.c.patron_id.type)
ID = bindparam("at_id", type_=message.c.id.type)
_mine = select(message).where(message.c.patron_id == PATRON).order_by(message.c.id.desc())
_before = message.c.id < bindparam("last", type_=message.c.id.type)
_new = message.c.read_at.is_(None)
LISTS = {
    (after, unread): Statement(
        _mine.where(*([_before] if after else []), *([_new] if unread else [])).limit(
            bindparam("most")
        )
    )
    for after in (False, True)
    for unread in (False, True)
}
UNREAD = Statement(
    select(func.count()).select_from(message).where(message.c.patron_id == PATRON, _new)
)
ALL = Statement(select(func.count()).select_from(message).where(message.c.patron_id == PATRON))
ONE = Statement(select(message).where(message.c.id == ID, message.c.patron_id == PATRON))
READ = Statement(
    update(message)
    .where(message.c.id == ID, message.c.patron_id == PATRON, _new)
    .values(read_at=NOW)
)
READ_ALL = Statement(update(message).where(message.c.patron_id == PATRON, _new).values(read_at=NOW))
OF_MAILS = Statement(
    select(message).where(any_of(message.c.mail_id, "mail_ids")).order_by(message.c.id)
)
OLD = message.c.created_at < bindparam("before", type_=UtcDateTime())
TIDY = Statement(delete(message).where(OLD))
HOW_MANY_OLD = Statement(select(func.count()).select_from(message).where(OLD))


async def of_patron(
    session: Session, *, patron_id: UUID, unread: bool, after: UUID | None, most: int
) -> list[Any]:
    """Newest first."""
    place = {"last": after} if after else {}
    statement = LISTS[after is not None, unread]
    return await session.rows(statement, patron=patron_id, most=most, **place)


async def how_many(session: Session, *, patron_id: UUID, unread: bool) -> int:
    return int(await session.value(UNREAD if unread else ALL, patron=patron_id))


async def message_with(session: Session, *, message_id: UUID, patron_id: UUID) -> Any | None:
    """None: there is none, or it is somebody else's."""
    return await session.row(ONE, at_id=message_id, patron=patron_id)


async def read(tx: Tx, *, message_id: UUID, patron_id: UUID, now: datetime) -> None:
    await tx.run(READ, at_id=message_id, patron=patron_id, now=now)


async def read_all(tx: Tx, *, patron_id: UUID, now: datetime) -> int:
    return await tx.run(READ_ALL, patron=patron_id, now=now)


async def of_mails(session: Session, mail_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """What each of these mails is about, in the order it happened."""
    found: dict[UUID, list[Any]] = {each: [] for each in mail_ids}
    for row in await session.rows(OF_MAILS, mail_ids=list(mail_ids)):
        found[row.mail_id].append(row)
    return found


async def tidy(tx: Tx, *, before: datetime) -> int:
    return await tx.run(TIDY, before=before)


async def how_many_old(session: Session, *, before: datetime) -> int:
    return int(await session.value(HOW_MANY_OLD, before=before))
