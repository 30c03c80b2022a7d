"""Sending what is due: claim, look up, decide, send, record. In this order, whatever happens.

The address is looked up at the moment of sending and kept nowhere. Between sending and recording
a worker may be killed: then the mail goes out a second time when the lease has ended, and only
then, with the same Message-ID.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from email.message import EmailMessage
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from lendery.contracts.accounts import User, Users
from lendery.contracts.base import new_id
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.notices.letters import Stationery, address_of, attach
from lendery.notices.posting import Ways, wishes_of
from lendery.notices.repository import mails, messages, people
from lendery.notices.repository import templates as kept
from lendery.notices.rules import timing
from lendery.notices.rules.kinds import Wishes, is_for
from lendery.notices.rules.verdict import Case, Postpone, Send, Suppress, verdict
from lendery.notices.smtp import UNWRITABLE, Post, Reply, open_post
from lendery.platform.db import Database
from lendery.platform.settings import Settings

log = structlog.get_logger()
AT_ONCE = 20  # claimed together
AT_MOST = 25  # such batches in one run: other jobs of the process want their turn


@dataclass(frozen=True)
class Known:
    """What is known of the mails in hand and of whom they are for."""

    messages: dict[UUID, list[Any]]
    preferences: dict[UUID, Any]
    bounced: dict[UUID, Any]
    users: dict[UUID, User]
    stationery: Stationery


@dataclass(frozen=True)
class PostOffice:
    db: Database
    users: Users
    settings: Settings

    @property
    def lease(self) -> timedelta:
        """Long enough for each of a batch to time out twice."""
        return timedelta(seconds=60 + 2 * AT_ONCE * self.settings.smtp_timeout)

    async def send_due(self, *, now: datetime) -> int:
        """How many went out. Without a mail server nothing is sent, and nothing queued."""
        if self.settings.smtp_host is None:
            return 0
        sent, worker = 0, new_id()
        async with open_post(self.settings) as post:
            for _ in range(AT_MOST):
                async with self.db.read() as session:
                    if not await mails.is_any_due(session, now=now):
                        return sent
                async with self.db.begin() as tx:
                    claimed = await mails.claim(
                        tx, worker=worker, now=now, until=now + self.lease, most=AT_ONCE
                    )
                known = await self._look_up(claimed)
                for at, row in enumerate(claimed):
                    reply = await self._deliver(row, known, post, now)
                    sent += reply is not None and reply.outcome == "sent"
                    if reply is not None and reply.away:
                        log.warning("mails wait", why=reply.why, code=reply.code)
                        await self._give_back(claimed[at + 1 :], now)
                        return sent
        return sent

    async def _look_up(self, claimed: Sequence[Any]) -> Known:
        ids = [row.id for row in claimed]
        patrons = list({row.patron_id for row in claimed})
        async with self.db.read() as session:
            about = await messages.of_mails(session, ids)
            said = await people.preferences(session, patrons)
            bounced = await people.bounced(session, patrons)
            edited = await kept.texts(session)
        found = await self.users.by_ids(ids=patrons, actor=SYSTEM) if patrons else []
        users = {each.id: each for each in found}
        return Known(about, said, bounced, users, Stationery(self.settings, edited))

    async def _deliver(self, row: Any, known: Known, post: Post, now: datetime) -> Reply | None:
        """None: it does not go out now."""
        user = known.users.get(row.patron_id)
        wishes = wishes_of(known.preferences.get(row.patron_id), Ways.of(self.settings))
        said = verdict(self._case(row, known, user, wishes, now))
        if isinstance(said, Suppress):
            async with self.db.begin() as tx:
                await mails.record(
                    tx, row, state="suppressed", why=said.why, tries=row.tries - 1, ended_at=now
                )
            return None
        if isinstance(said, Postpone):
            async with self.db.begin() as tx:
                await mails.record(tx, row, state="queued", tries=row.tries - 1, next_at=said.until)
            return None
        assert user is not None and user.email is not None
        try:
            letter = _letter(row, known, said, user, wishes, now)
            if "report" in said.kinds:
                await self._attach(row, letter)
        except (
            MessageError,
            ValueError,
            LookupError,
            TypeError,
        ):
            reply = UNWRITABLE
        else:
            reply = await post.send(letter, to=address_of(user).addr_spec)
        refused_before = row.patron_id in known.bounced  # another address than this one
        await self._record(row, reply, user.email, now, forgive=refused_before)
        return reply

    async def _attach(self, row: Any, letter: EmailMessage) -> None:
        async with self.db.read() as session:
            file = await mails.attached(session, row.id)
        if file is not None:
            attach(letter, name=file.name, media=file.media, content=file.content)

    def _case(
        self, row: Any, known: Known, user: User | None, wishes: Wishes, now: datetime
    ) -> Case:
        bounce = known.bounced.get(row.patron_id)
        email = user.email if user else None
        kinds = tuple(each.kind for each in known.messages[row.id])
        reader = Actor(id=user.id, role=user.role) if user else Actor()
        return Case(
            kinds=kinds,
            wishes=wishes,
            active=user.active if user else None,
            email=email,
            bounced=bool(bounce and email and bounce.address == self._digest(email)),
            created_at=row.created_at,
            now=now,
            zone=ZoneInfo(row.time_zone),
            allowed=all(is_for(kind, reader) for kind in kinds),
        )

    async def _record(
        self, row: Any, reply: Reply, email: str, now: datetime, *, forgive: bool
    ) -> None:
        outcome, next_at = reply.outcome, None
        if outcome == "later":
            next_at = timing.next_try(row.tries, since=row.created_at, now=now)
            outcome = "later" if next_at else "failed"
        state = "queued" if outcome == "later" else outcome
        ended_at = None if outcome == "later" else now
        async with self.db.begin() as tx:
            if not await mails.record(
                tx, row, state=state, why=reply.why, next_at=next_at, ended_at=ended_at
            ):
                return  # another has it now, and records what became of it
            await mails.note(
                tx, mail_id=row.id, no=row.tries, at=now, outcome=outcome, code=reply.code,
                why=reply.why,
            )  # fmt: skip
            if outcome == "bounced":
                await people.keep_bounce(
                    tx, patron_id=row.patron_id, address=self._digest(email),
                    code=reply.code or 550, at=now,
                )  # fmt: skip
            elif outcome == "sent" and forgive:
                await people.clear_bounce(tx, patron_id=row.patron_id)

    async def _give_back(self, rows: Sequence[Any], now: datetime) -> None:
        """The server is away: the rest of the batch was not tried."""
        for row in rows:
            next_at = now + timing.PAUSES[0]
            async with self.db.begin() as tx:
                await mails.record(tx, row, state="queued", tries=row.tries - 1, next_at=next_at)

    def _digest(self, email: str) -> str:
        """What is kept of an address that refuses mail."""
        secret = self.settings.secret.get_secret_value().encode()
        return hmac.digest(secret, b"address" + email.lower().encode(), hashlib.sha256).hex()


def _letter(
    row: Any, known: Known, said: Send, user: User, wishes: Wishes, now: datetime
) -> EmailMessage:
    wanted = [each for each in known.messages[row.id] if each.kind in said.kinds]
    return known.stationery.letter(row, wanted, user, language=wishes.language, now=now)
