"""What accounts does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.contracts.privacy import Privacy
from lendery.platform.jobs import Job


class Desk(Protocol):
    @property
    def privacy(self) -> Privacy: ...


async def finish_erasures(desk: Desk, now: datetime) -> None:
    """Is everything gone of those who were erased? Who did not hear of it is told again."""
    await desk.privacy.finish(now=now)


JOBS = (Job("finish erasures", timedelta(minutes=10), finish_erasures),)
