"""What reports does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.platform.jobs import Job
from lendery.reports.learning import Learner
from lendery.reports.zones import Zones


class Desk(Protocol):
    @property
    def learner(self) -> Learner: ...
    @property
    def zones(self) -> Zones: ...


async def learn(desk: Desk, now: datetime) -> None:
    """So that whoever asks for a report need not wait for the catalog."""
    await desk.learner.catch_up()


async def look_at_branches(desk: Desk, now: datetime) -> None:
    await desk.zones.refresh()


JOBS = (
    Job("learn of copies and books", timedelta(minutes=1), learn),
    Job("look at branches", timedelta(minutes=10), look_at_branches),
)
