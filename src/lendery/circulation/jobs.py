"""What circulation does by the clock."""

from datetime import datetime, timedelta
from typing import Protocol

from lendery.circulation.repository import simulated
from lendery.circulation.simulating import KIND, run_simulation
from lendery.contracts.circulation import Holds, Loans
from lendery.platform.db import Database
from lendery.platform.jobs import Job
from lendery.platform.queue import LongJob

KEPT = timedelta(days=30)  # what a simulation found, after its end


class Desk(Protocol):
    @property
    def holds(self) -> Holds: ...
    @property
    def db(self) -> Database: ...
    @property
    def loans(self) -> Loans: ...


async def expire_holds(desk: Desk, now: datetime) -> None:
    """What nobody collected in time is free for the next."""
    await desk.holds.expire(now=now)


async def forget_simulations(desk: Desk, now: datetime) -> None:
    """What old simulations found; that they were asked for stays."""
    async with desk.db.begin() as tx:
        await simulated.forget_old(tx, now - KEPT)


async def declare_lost(desk: Desk, now: datetime) -> None:
    """What is late for longer than its rules bear is given up, and charged."""
    await desk.loans.declare_lost(now=now)


async def renew_by_themselves(desk: Desk, now: datetime) -> None:
    """What falls due within a day and may renew itself is renewed, if nothing objects."""
    await desk.loans.renew_by_themselves(now=now)


JOBS = (
    Job("expire holds", timedelta(minutes=10), expire_holds),
    Job("forget simulations", timedelta(days=1), forget_simulations),
    Job("renew by themselves", timedelta(hours=1), renew_by_themselves),
    Job("declare lost", timedelta(days=1), declare_lost),
)
LONG_JOBS = {KIND: LongJob(KIND, run_simulation)}
