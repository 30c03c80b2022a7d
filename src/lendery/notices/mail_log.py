"""What became of each mail, for staff: the delivery log, and addresses that refuse mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.contracts.base import Page, Window
from lendery.contracts.notices import (
    Attempt,
    Bounce,
    Mail,
    MailFilter,
    MailNotFailed,
    NoSuchBounce,
    NoSuchMail,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.notices.letters import message_id
from lendery.notices.repository import mail_lists, mails, people
from lendery.platform.db import Database, Session
from lendery.platform.paging import make_cursor, read_cursor
from lendery.platform.settings import Settings


@dataclass(frozen=True)
class MailBook:
    """Implements contracts.notices.MailLog."""

    db: Database
    settings: Settings

    async def find(self, *, like: MailFilter, window: Window, actor: Actor) -> Page[Mail]:
        actor.must(Permission.READ_NOTICES)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await mail_lists.listed(session, like=like, after=after, most=window.limit + 1)
            items = await self._shown(session, rows[: window.limit])
            total = await mail_lists.how_many(session, like=like) if window.total else None
        more = len(rows) > window.limit
        return Page[Mail](
            items=items, next_cursor=make_cursor(items[-1].id) if more else None, total=total
        )

    async def get(self, *, mail_id: UUID, actor: Actor) -> Mail:
        actor.must(Permission.READ_NOTICES)
        async with self.db.read() as session:
            return await self._one(session, mail_id)

    async def retry(self, *, mail_id: UUID, actor: Actor, now: datetime) -> Mail:
        """Puts it into the queue again, as if it were new."""
        actor.must(Permission.EDIT_PEOPLE)
        async with self.db.begin() as tx:
            before = await self._one(tx, mail_id)
            if self.settings.smtp_host is None:
                raise MailNotFailed("This library sends no mail: there is no mail server.")
            if before.kinds == ["report"]:
                raise MailNotFailed("What it carried is not kept. Ask for the report again.")
            if not await mails.retry(tx, mail_id=mail_id, now=now):
                raise MailNotFailed("Only what did not go out is tried again.", state=before.state)
            return await self._one(tx, mail_id)

    async def bounces(self, *, window: Window, actor: Actor) -> Page[Bounce]:
        actor.must(Permission.READ_NOTICES)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await mail_lists.bounces(session, after=after, most=window.limit + 1)
        shown = rows[: window.limit]
        return Page[Bounce](
            items=[Bounce(patron_id=row.patron_id, code=row.code, at=row.at) for row in shown],
            next_cursor=make_cursor(shown[-1].patron_id) if len(rows) > window.limit else None,
        )

    async def clear(self, *, patron_id: UUID, actor: Actor, now: datetime) -> None:
        actor.must(Permission.EDIT_PEOPLE)
        async with self.db.begin() as tx:
            if not await people.clear_bounce(tx, patron_id=patron_id):
                raise NoSuchBounce("No address of this person refuses mail.")

    async def _one(self, session: Session, mail_id: UUID) -> Mail:
        row = await mail_lists.mail_with(session, mail_id)
        if row is None:
            raise NoSuchMail("There is no such mail.")
        attempts = [
            Attempt(no=each.no, at=each.at, outcome=each.outcome, code=each.code, why=each.why)
            for each in await mail_lists.attempts(session, mail_id)
        ]
        (shown,) = await self._shown(session, [row])
        return shown.model_copy(update={"attempts": attempts})

    async def _shown(self, session: Session, rows: Sequence[Any]) -> list[Mail]:
        kinds = await mail_lists.kinds_of(session, [row.id for row in rows])
        return [_mail(row, kinds[row.id], self.settings.mail_domain) for row in rows]


def _mail(row: Any, kinds: Sequence[str], domain: str) -> Mail:
    values = {name: getattr(row, name) for name in Mail.model_fields if hasattr(row, name)}
    return Mail.model_validate(values | {"message_id": message_id(row.id, domain), "kinds": kinds})
