"""Putting a notice into the inbox, and its e-mail into the queue, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lendery.contracts.base import new_id
from lendery.contracts.notices import Kind
from lendery.notices.repository import mails, messages, people
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


async def post(tx: Tx, news: Sequence[News], ways: Ways, *, at: datetime) -> None:
    """`at` is when it happened: what is old by then is not mailed any more."""
    said = await people.preferences(tx, list({each.patron_id for each in news}))
    for each in news:
        wishes = wishes_of(said.get(each.patron_id), ways)
        mail_id = await _mail(tx, each, wishes, ways, at)
        new = {
            "id": new_id(),
            "patron_id": each.patron_id,
            "kind": each.kind,
            "facts": dict(each.facts),
            "created_at": at,
            "read_at": None,
            "mail_id": mail_id,
        }
        await tx.write(messages.added(new))


async def _mail(tx: Tx, news: News, wishes: Wishes, ways: Ways, at: datetime) -> UUID:
    """The mail that tells of it: one of its own, or the digest of the day."""
    mail_id = new_id()
    new = partial(
        mails.new_mail,
        mail_id=mail_id,
        patron_id=news.patron_id,
        time_zone=news.time_zone,
        at=at,
    )
    if not ways.mailed or not by_email(news.kind, wishes):
        why = "opted-out" if ways.mailed else "no-server"
        await tx.write(mails.added(new(next_at=None, why=why)))
        return mail_id
    zone = ZoneInfo(news.time_zone)
    if waits(news.kind, wishes):
        day, goes_at = timing.digest_of(at, ways.digest_at, zone)
        shared = await mails.digest(tx, new(next_at=goes_at, day=day))
        if shared is not None:
            return shared
    await tx.write(mails.added(new(next_at=at)))
    return mail_id
