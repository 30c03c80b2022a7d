"""Mails as staff look through them, with their log."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.sql import ColumnElement

from lendery.contracts.notices import MailFilter
from lendery.notices.models import attempt, bounce, mail, message
from lendery.platform.db import Session, Statement, any_of

ONE = Statement(select(mail).where(mail.c.id == bindparam("mail_id")))
ATTEMPTS = Statement(
    select(attempt).where(attempt.c.mail_id == bindparam("mail_id")).order_by(attempt.c.no)
)
KINDS = Statement(
    select(message.c.mail_id, message.c.kind)
    .where(any_of(message.c.mail_id, "mail_ids"))
    .order_by(message.c.id)
)


async def mail_with(session: Session, mail_id: UUID) -> Any | None:
    return await session.row(ONE, mail_id=mail_id)


async def attempts(session: Session, mail_id: UUID) -> Sequence[Any]:
    return await session.rows(ATTEMPTS, mail_id=mail_id)


async def kinds_of(session: Session, mail_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {each: [] for each in mail_ids}
    for row in await session.rows(KINDS, mail_ids=list(mail_ids)):
        found[row.mail_id].append(row.kind)
    return found


async def listed(
    session: Session, *, like: MailFilter, after: UUID | None, most: int
) -> Sequence[Any]:
    """Newest first."""
    query = select(mail).where(*_wanted(like)).order_by(mail.c.id.desc()).limit(most)
    return await session.rows(query if after is None else query.where(mail.c.id < after))


async def how_many(session: Session, *, like: MailFilter) -> int:
    query = select(func.count()).select_from(mail).where(*_wanted(like))
    return int(await session.value(query))


def _wanted(like: MailFilter) -> list[ColumnElement[bool]]:
    return [mail.c[name] == value for name, value in like.model_dump(exclude_none=True).items()]


async def bounces(session: Session, *, after: UUID | None, most: int) -> Sequence[Any]:
    query = select(bounce).order_by(bounce.c.patron_id).limit(most)
    return await session.rows(query if after is None else query.where(bounce.c.patron_id > after))
