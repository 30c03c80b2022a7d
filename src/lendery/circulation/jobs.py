"""What circulation does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.circulation.repository import simulated
from lendery.circulation.simulating import KIND, run_simulation
from lendery.contracts.circulation import Holds
from lendery.platform.db import Database
from lendery.platform.jobs import Job
from lendery.platform.queue import LongJob

KEPT = timedelta(days=30)  # what a simulation found, after its end


class Desk(Protocol):
    @property
    def holds(self) -> Holds: ...
    @property
    def db(self) -> Database: ...


async def expire_holds(desk: Desk, now: datetime) -> None:
    """What nobody collected in time is free for the next."""
    await desk.holds.expire(now=now)


async def forget_simulations(desk: Desk, now: datetime) -> None:
    """What old simulations found; that they were asked for stays."""
    async with desk.db.begin() as tx:
        await simulated.forget_old(tx, now - KEPT)


JOBS = (
    Job("expire holds", timedelta(minutes=10), expire_holds),
    Job("forget simulations", timedelta(days=1), forget_simulations),
)
LONG_JOBS = {KIND: LongJob(KIND, run_simulation)}
