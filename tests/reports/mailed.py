"""A town whose reports are mailed: staff with addresses, and a real mail server."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from lendery.contracts.accounts import NewUser
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.subscriptions import NewSubscription, Subscription
from lendery.main import Wiring, wire
from lendery.notices.jobs import send_mail
from lendery.platform.settings import Settings
from lendery.reports.jobs import mail_reports
from tests.mail_server import Letter, MailServer
from tests.reports.town import OPENED, Town

SIX = OPENED.replace(hour=6) + timedelta(days=1)  # when Monday is told of
on_one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def wired(url: str, port: int) -> Wiring:
    """All in one process, with a mail server on this port."""
    mail: Any = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none"}
    settings = Settings(database_url=url, smtp_from="Riverside <library@library.test>", **mail)
    return wire(settings, durable=False)


@dataclass
class Mailed:
    town: Town
    server: MailServer
    staff: dict[str, Actor] = field(default_factory=dict)

    @property
    def wiring(self) -> Wiring:
        return self.town.wiring

    async def hire(self, name: str, role: Any = "librarian", **but: Any) -> Actor:
        person = NewUser(name=name, email=f"{name.lower()}@staff.test", role=role, **but)
        made = await self.wiring.users.add(person=person, actor=SYSTEM, now=self.town.now)
        self.staff[name] = Actor(id=made.id, role=role)
        return self.staff[name]

    async def subscribe(self, who: Actor, **but: Any) -> Subscription:
        """To the loans of each day at Central, at six, as CSV."""
        given: dict[str, Any] = {
            "report": "loans-by-day", "form": "csv", "every": "day", "hour": 6,
            "branch_id": self.town.branches[2],
        }  # fmt: skip
        return await self.wiring.subscriptions.add(
            subscription=NewSubscription(**given | but), actor=who, now=self.town.now
        )

    async def at(self, now: datetime) -> list[Letter]:
        """What arrives when the clock is there: reports are made, and mail is sent."""
        before = len(self.server.letters)
        await self.wiring.relay.drain()
        await mail_reports(self.wiring, now)
        await send_mail(self.wiring, now)
        return self.server.letters[before:]


def file_of(letter: Letter) -> EmailMessage:
    (file,) = letter.message.iter_attachments()
    assert isinstance(file, EmailMessage)
    return file


def table_of(letter: Letter) -> list[list[str]]:
    """The rows of its CSV, without the headings."""
    content = file_of(letter).get_payload(decode=True)
    assert isinstance(content, bytes)
    return [line.split(",") for line in content.decode().splitlines()[1:]]
