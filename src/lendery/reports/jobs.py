"""What reports does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.platform.jobs import Job
from lendery.reports.learning import Learner
from lendery.reports.mailing import Mailer
from lendery.reports.zones import Zones


class Desk(Protocol):
    @property
    def learner(self) -> Learner: ...
    @property
    def zones(self) -> Zones: ...
    @property
    def mailer(self) -> Mailer: ...


async def learn(desk: Desk, now: datetime) -> None:
    """So that whoever asks for a report need not wait for the catalog."""
    await desk.learner.catch_up()


async def look_at_branches(desk: Desk, now: datetime) -> None:
    await desk.zones.refresh()


async def mail_reports(desk: Desk, now: datetime) -> None:
    """What is due. Begun again it gives notices the same, which knows it."""
    await desk.mailer.send_due(now=now)


JOBS = (
    Job("learn of copies and books", timedelta(minutes=1), learn),
    Job("look at branches", timedelta(minutes=10), look_at_branches),
    Job("mail reports", timedelta(minutes=5), mail_reports),
)
