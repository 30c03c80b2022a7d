"""Files that somebody gets by e-mail: put into the queue once, whoever asks how often."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lendery.contracts.accounts import Users
from lendery.contracts.base import TooLarge
from lendery.contracts.notices import MOST_ATTACHED, NoMailServer, ReportMail
from lendery.contracts.permissions import SYSTEM
from lendery.notices.posting import News, Ways, post
from lendery.notices.repository import steps
from lendery.platform.db import Database
from lendery.platform.settings import Settings


@dataclass(frozen=True)
class DocumentDesk:
    """Implements contracts.notices.Documents."""

    db: Database
    users: Users
    settings: Settings

    async def send(self, *, mail: ReportMail, now: datetime) -> UUID | None:
        ways = Ways.of(self.settings)
        if not ways.mailed:
            raise NoMailServer("This library sends no mail: there is no mail server.")
        if mail.attachment and len(mail.attachment.content) > MOST_ATTACHED:
            raise TooLarge(f"A mail carries {MOST_ATTACHED} bytes at most.")
        if not await self.users.by_ids(ids=[mail.person_id], actor=SYSTEM):
            return None
        news = News(mail.person_id, "report", _facts(mail), mail.time_zone, mail.attachment)
        async with self.db.begin() as tx:
            if not await steps.take(tx, (mail.about, mail.step), now=now):
                return None
            (mail_id,) = await post(tx, [news], ways, at=now)
        return mail_id


def _facts(mail: ReportMail) -> dict[str, Any]:
    return {
        "report": mail.report,
        "since_on": _iso(mail.since_on),
        "until_on": _iso(mail.until_on),
        "branch": mail.branch,
        "path": mail.path,
        "too_long": mail.attachment is None,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
