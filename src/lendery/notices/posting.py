"""Putting a notice into the inbox, and its e-mail into the queue, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lendery.contracts.base import new_id
from lendery.contracts.notices import Attachment, Kind
from lendery.notices.models import attachment, mail, message
from lendery.notices.repository import mails, people
from lendery.notices.rules import timing
from lendery.notices.rules.kinds import Wishes, by_email, waits
from lendery.platform.db import Tx
from lendery.platform.settings import Settings


@dataclass(frozen=True)
class News:
    """What one reader is to be told, and where, whose clock counts for the mail."""

    patron_id: UUID
    kind: Kind
    facts: Mapping[str, Any]
    time_zone: str
    attached: Attachment | None = None


@dataclass(frozen=True)
class Ways:
    """How this library tells: `mailed` by e-mail too, and when the digest goes out."""

    mailed: bool
    digest_at: str
    quiet: tuple[str, str] | None
    language: str

    @classmethod
    def of(cls, settings: Settings) -> "Ways":
        return cls(
            mailed=settings.smtp_host is not None,
            digest_at=settings.notices_digest_at,
            quiet=settings.notices_quiet,
            language=settings.notices_language,
        )


def wishes_of(row: Any | None, ways: Ways) -> Wishes:
    """What a reader wants; what was not said is as the library has it."""
    if row is None:
        return Wishes(quiet=ways.quiet)
    quiet = (row.quiet_from, row.quiet_until) if row.quiet_from else ways.quiet
    return Wishes(email=row.email, digest=row.digest, quiet=quiet, language=row.language)


async def post(tx: Tx, news: Sequence[News], ways: Ways, *, at: datetime) -> list[UUID]:
    """`at` is when it happened: what is old by then is not mailed any more.

    However many there are, they are three writes, and two more for each that joins a digest.
    Returns the mail of each.
    """
    if not news:
        return []
    said = await people.preferences(tx, list({each.patron_id for each in news}))
    told, sent, files = [], [], []
    mail_ids: list[UUID] = []
    for each in news:
        wishes = wishes_of(said.get(each.patron_id), ways)
        mail_id = await _digest(tx, each, wishes, ways, at)
        if mail_id is None:
            mail_id = new_id()
            sent.append(_own_mail(mail_id, each, wishes, ways, at))
            if each.attached and sent[-1]["why"] is None:
                files.append({"mail_id": mail_id, **each.attached.model_dump()})
        mail_ids.append(mail_id)
        told.append(
            {
                "id": new_id(),
                "patron_id": each.patron_id,
                "kind": each.kind,
                "facts": dict(each.facts),
                "created_at": at,
                "read_at": None,
                "mail_id": mail_id,
            }
        )
    await tx.load(mail, sent)
    await tx.load(attachment, files)
    await tx.load(message, told)
    return mail_ids


def _own_mail(
    mail_id: UUID, news: News, wishes: Wishes, ways: Ways, at: datetime
) -> dict[str, Any]:
    why = "no-server" if not ways.mailed else None
    if why is None and not by_email(news.kind, wishes):
        why = "opted-out"
    return mails.new_mail(
        mail_id=mail_id,
        patron_id=news.patron_id,
        time_zone=news.time_zone,
        at=at,
        next_at=None if why else at,
        why=why,
    )


async def _digest(tx: Tx, news: News, wishes: Wishes, ways: Ways, at: datetime) -> UUID | None:
    """The mail of the day that this joins. None: it is not for a digest, or too late for it."""
    if not ways.mailed or not by_email(news.kind, wishes) or not waits(news.kind, wishes):
        return None
    day, goes_at = timing.digest_of(at, ways.digest_at, ZoneInfo(news.time_zone))
    new = mails.new_mail(
        mail_id=new_id(),
        patron_id=news.patron_id,
        time_zone=news.time_zone,
        at=at,
        next_at=goes_at,
        day=day,
    )
    return await mails.digest(tx, new)
