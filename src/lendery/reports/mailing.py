"""Reports that are mailed: made when they are due, and given to notices, once for each period.

Between giving and moving on a process may be killed; then the same is given again, and notices,
which knows the subscription and the period, sends it once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from lendery.contracts.accounts import NoSuchUser, User, Users
from lendery.contracts.base import Window, new_id
from lendery.contracts.notices import (
    MOST_ATTACHED,
    Attachment,
    Documents,
    NoMailServer,
    ReportMail,
)
from lendery.contracts.permissions import SYSTEM, Actor, Permission
from lendery.contracts.reports import Asked, Report, Reports, ReportTooLong
from lendery.contracts.subscriptions import (
    MailedForm,
    NewSubscription,
    SentReport,
    Subscription,
)
from lendery.platform.db import Database
from lendery.reports.forms import MEDIA, file_name, made, many_for
from lendery.reports.repository import subscriptions as kept
from lendery.reports.rules.kinds import BY_NAME
from lendery.reports.rules.mailing import covered, following, latest
from lendery.reports.rules.period import Period
from lendery.reports.zones import Zones

log = structlog.get_logger()
AT_ONCE = 50


@dataclass(frozen=True)
class Mailer:
    """`time_zone` is the library's, for reports of all branches."""

    db: Database
    reports: Reports
    users: Users
    documents: Documents
    zones: Zones
    time_zone: str

    async def send_due(self, *, now: datetime) -> None:
        """One that fails is tried again the next time, and stops no other."""
        failed: Exception | None = None
        after: UUID | None = None
        while due := await self._due(after, now):
            owners = await self.users.by_ids(
                ids=list({each.owner_id for each in due}), actor=SYSTEM
            )
            people = {each.id: each for each in owners}
            for each in due:
                try:
                    await self._one(each, people.get(each.owner_id), now)
                except Exception as error:
                    why = f"{type(error).__name__}: {error}".split("\n")[0][:200]
                    log.warning("report not mailed", subscription_id=str(each.id), why=why)
                    failed = error
            after = due[-1].id
        if failed:
            raise failed

    async def try_out(self, wanted: Subscription, *, actor: Actor, now: datetime) -> SentReport:
        """What was due last, once more, now."""
        sent = await self._send(wanted, new_id(), actor, now)
        if sent is None:
            raise NoSuchUser("There is nobody to send it to.")
        return sent

    async def zone_of(self, branch_id: UUID | None) -> tzinfo:
        return await self.zones.of(branch_id) if branch_id else ZoneInfo(self.time_zone)

    async def _due(self, after: UUID | None, now: datetime) -> Sequence[Subscription]:
        async with self.db.read() as session:
            rows = await kept.due(session, now=now, after=after, most=AT_ONCE)
        return [Subscription.model_validate(row) for row in rows]

    async def _one(self, wanted: Subscription, owner: User | None, now: datetime) -> None:
        actor = Actor(id=wanted.owner_id, role=owner.role if owner and owner.active else None)
        if not actor.may(Permission.READ_REPORTS):
            async with self.db.begin() as tx:
                await kept.remove(tx, id=wanted.id)
            return
        try:
            await self._send(wanted, wanted.id, actor, now)
        except NoMailServer:
            log.warning("report not mailed", subscription_id=str(wanted.id), why="no mail server")
        next_at = following(wanted, now, await self.zone_of(wanted.branch_id))
        async with self.db.begin() as tx:
            await kept.move_on(tx, id=wanted.id, was=wanted.version, next_at=next_at)

    async def _send(
        self, wanted: Subscription, about: UUID, actor: Actor, now: datetime
    ) -> SentReport | None:
        """None: this period was sent before, or there is nobody any more."""
        zone = await self.zone_of(wanted.branch_id)
        period = covered(wanted.every, latest(wanted, now, zone).astimezone(zone).date())
        whole = Window(limit=many_for(wanted.report, wanted.form))
        asked = asked_of(wanted, period)
        report = await self.reports.read(asked=asked, window=whole, actor=actor, as_of=now)
        attachment = await asyncio.to_thread(_attachment, report, wanted.form)
        elsewhere = str(wanted.branch_id) if wanted.branch_id else None  # a branch that is gone
        mail = ReportMail(
            person_id=wanted.owner_id,
            about=about,
            step=f"{period.since} {period.until}",
            time_zone=str(zone),
            report=report.name,
            since_on=report.since,
            until_on=report.until,
            branch=report.branch or elsewhere,
            path=_path(asked),
            attachment=attachment,
        )
        mail_id = await self.documents.send(mail=mail, now=now)
        if mail_id is None:
            return None
        return SentReport(
            mail_id=mail_id,
            since=period.since,
            until=period.until,
            attached=attachment is not None,
        )


def asked_of(wanted: NewSubscription | Subscription, period: Period | None = None) -> Asked:
    """What is asked of the report, for these days."""
    return Asked(
        name=wanted.report,
        since=period.since if period else None,
        until=period.until if period else None,
        branch_id=wanted.branch_id,
        sort=wanted.sort,
        threshold=wanted.threshold,
        months=wanted.months,
        per=wanted.per,
    )


def _attachment(report: Report, form: MailedForm) -> Attachment | None:
    """None: it is longer than this form, or a mail, may be."""
    try:
        content = made(report, form)
    except ReportTooLong:
        return None
    if len(content) > MOST_ATTACHED:
        return None
    return Attachment(name=file_name(report, form), media=MEDIA[form], content=content)


def _path(asked: Asked) -> str:
    """Where it can be read in pages."""
    given = asked.model_dump(mode="json", exclude_none=True)
    named = {"from": given.pop("since"), "to": given.pop("until")} | given
    wanted: dict[str, Any] = {
        name: named[name] for name in BY_NAME[asked.name].parameters if name in named
    }
    return f"/api/v1/reports/{asked.name}?{urlencode(wanted)}"
