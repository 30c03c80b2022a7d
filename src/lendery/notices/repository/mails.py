"""E-mails on their way.

A queued mail is claimed with a lease before it is sent, and only who has the lease writes what
became of it. So two workers never send one mail at the same time; a worker that is killed leaves
it claimed, and another sends it, with the same Message-ID, when the lease has ended.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql

from lendery.notices.models import attachment, attempt, mail, message
from lendery.platform.db import Session, Statement, Tx, UtcDateTime

NOW = bindparam("now", type_=UtcDateTime())
UNTIL = bindparam("until", type_=UtcDateTime())
NEXT = bindparam("to_next_at", type_=UtcDateTime())
ENDED = bindparam("to_ended_at", type_=UtcDateTime())
WORKER = bindparam("by", type_=mail.c.worker.type)
ID = bindparam("at_id", type_=mail.c.id.type)
QUEUED = mail.c.state == "queued"
ADD_DIGEST = Statement(
    postgresql.insert(mail)
    .values({each.name: bindparam(each.name, type_=each.type) for each in mail.c})
    .on_conflict_do_nothing(index_elements=["patron_id", "digest_on"])
)
JOIN = Statement(  # moves the row, so that who claims it and who adds to it take turns
    update(mail)
    .where(
        mail.c.patron_id == bindparam("patron", type_=mail.c.patron_id.type),
        mail.c.digest_on == bindparam("day"),
        QUEUED,
        mail.c.tries == 0,
        mail.c.worker.is_(None),
    )
    .values(tries=0)
    .returning(mail.c.id)
)
DUE = (QUEUED, mail.c.next_at <= NOW, or_(mail.c.lease_until.is_(None), mail.c.lease_until < NOW))
PEEK = Statement(select(mail.c.id).where(*DUE).limit(1))
_due = select(mail.c.id).where(*DUE).order_by(mail.c.next_at, mail.c.id).limit(bindparam("most"))


def _claim(due: Any) -> Statement:
    return Statement(
        update(mail)
        .where(mail.c.id.in_(due), *DUE)
        .values(worker=WORKER, lease_until=UNTIL, tries=mail.c.tries + 1)
        .returning(*mail.c)
    )


CLAIM = {"sqlite": _claim(_due), "postgresql": _claim(_due.with_for_update(skip_locked=True))}
MINE = (mail.c.id == ID, QUEUED, mail.c.worker == WORKER)
RECORD = Statement(
    update(mail)
    .where(*MINE)
    .values(
        state=bindparam("to_state", type_=mail.c.state.type),
        why=bindparam("to_why", type_=mail.c.why.type),
        tries=bindparam("to_tries", type_=mail.c.tries.type),
        next_at=NEXT,
        ended_at=ENDED,
        worker=None,
        lease_until=None,
    )
)
ATTEMPT = Statement(
    postgresql.insert(attempt)
    .values({each.name: bindparam(each.name, type_=each.type) for each in attempt.c})
    .on_conflict_do_nothing(index_elements=["mail_id", "no"])
)
ATTACHED = Statement(select(attachment).where(attachment.c.mail_id == ID))
DETACH = Statement(delete(attachment).where(attachment.c.mail_id == ID))
RETRY = Statement(
    update(mail)
    .where(mail.c.id == ID, mail.c.state.in_(("failed", "bounced", "suppressed")))
    .values(state="queued", why=None, next_at=NOW, ended_at=None, created_at=NOW)
)
OLD = mail.c.created_at < bindparam("before", type_=UtcDateTime())
ENDED_LONG_AGO = (OLD, mail.c.state != "queued")
_old = select(mail.c.id).where(*ENDED_LONG_AGO)
_shown = select(message.c.id).where(message.c.mail_id == mail.c.id).exists()
TIDY_ATTEMPTS = Statement(delete(attempt).where(attempt.c.mail_id.in_(_old.where(~_shown))))
TIDY = Statement(delete(mail).where(*ENDED_LONG_AGO, ~_shown))
_still_shown = (  # when the old notices are gone
    select(message.c.id)
    .where(message.c.mail_id == mail.c.id, message.c.created_at >= bindparam("before"))
    .exists()
)
HOW_MANY_OLD = Statement(
    select(func.count()).select_from(mail).where(*ENDED_LONG_AGO, ~_still_shown)
)


async def digest(tx: Tx, new: Mapping[str, Any]) -> UUID | None:
    """The mail of this reader and day, made where there is none. None: it is going out already."""
    await tx.run(ADD_DIGEST, **new)
    found: UUID | None = await tx.value(JOIN, patron=new["patron_id"], day=new["digest_on"])
    return found


async def claim(tx: Tx, *, worker: UUID, now: datetime, until: datetime, most: int) -> list[Any]:
    """Up to so many of those that are due, ours until `until`."""
    return await tx.rows(CLAIM[tx.dialect], by=worker, now=now, until=until, most=most)


async def is_any_due(session: Session, *, now: datetime) -> bool:
    return await session.row(PEEK, now=now) is not None


async def record(
    tx: Tx,
    row: Any,
    *,
    state: str,
    why: str | None = None,
    tries: int | None = None,
    next_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> bool:
    """What became of a mail that we claimed; of one that has ended the attachment goes.

    False: the lease was lost, and nothing is written.
    """
    changed = await tx.run(
        RECORD,
        at_id=row.id,
        by=row.worker,
        to_state=state,
        to_why=why,
        to_tries=row.tries if tries is None else tries,
        to_next_at=next_at,
        to_ended_at=ended_at,
    )
    if changed and ended_at is not None:
        await tx.run(DETACH, at_id=row.id)
    return changed == 1


async def attached(session: Session, mail_id: UUID) -> Any | None:
    return await session.row(ATTACHED, at_id=mail_id)


async def note(tx: Tx, **columns: Any) -> None:
    """A line of the delivery log."""
    await tx.run(ATTEMPT, **columns)


async def retry(tx: Tx, *, mail_id: UUID, now: datetime) -> bool:
    """False: it did not fail."""
    return await tx.run(RETRY, at_id=mail_id, now=now) == 1


async def tidy(tx: Tx, *, before: datetime) -> int:
    """Mails that ended, are older and have no notice any more, with their log."""
    await tx.run(TIDY_ATTEMPTS, before=before)
    return await tx.run(TIDY, before=before)


async def how_many_old(session: Session, *, before: datetime) -> int:
    """So many would go, once the notices of before then are gone."""
    return int(await session.value(HOW_MANY_OLD, before=before))


def new_mail(
    *,
    mail_id: UUID,
    patron_id: UUID,
    time_zone: str,
    at: datetime,
    next_at: datetime | None,
    why: str | None = None,
    day: date | None = None,
) -> dict[str, Any]:
    """A mail in the queue, or one that is not sent because of `why`."""
    return {
        "id": mail_id,
        "patron_id": patron_id,
        "state": "suppressed" if why else "queued",
        "why": why,
        "tries": 0,
        "time_zone": time_zone,
        "digest_on": day,
        "created_at": at,
        "next_at": next_at,
        "lease_until": None,
        "worker": None,
        "ended_at": at if why else None,
    }  # fmt: skip
