"""What circulation does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.contracts.circulation import Holds
from lendery.platform.jobs import Job


class Desk(Protocol):
    @property
    def holds(self) -> Holds: ...


async def expire_holds(desk: Desk, now: datetime) -> None:
    """What nobody collected in time is free for the next."""
    await desk.holds.expire(now=now)


JOBS = (Job("expire holds", timedelta(minutes=10), expire_holds),)
