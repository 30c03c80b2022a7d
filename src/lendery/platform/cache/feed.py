"""What has changed in a context, as one process knows it. An answer kept here is given only
while the feed is current: it knows of every change that has been answered anywhere.

How it knows without asking the database for each reader:
  SQLite file   `PRAGMA data_version` moves with every commit, whoever made it; no trip
  in memory     nobody else can write; changes are told here
  PostgreSQL    while it holds a lease, writers wait until it has heard (changes.py); without one
                it asks, once for all readers who came meanwhile

The order that makes the lease safe: the lease is written, **then** the version is read. A writer
commits its version, **then** reads the leases. At least one of them sees the other.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import structlog

from lendery.platform.cache.changes import KEPT, LEASE, ChangeLog, Turn
from lendery.platform.db import Database
from lendery.platform.metrics import CACHE_LEASE
from lendery.platform.waiting import heard

RENEWED = 0.5  # seconds between renewals
MARGIN = 0.3  # seconds before its end that a lease is no longer counted on
log = structlog.get_logger("lendery.cache")
# Where it is known, a clock that goes on while the machine sleeps.
clock: Callable[[], float] = time.monotonic
if hasattr(time, "CLOCK_BOOTTIME"):
    clock = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
Dropped = Callable[[Iterable[str] | None], None]


class Feed:
    """`dropped(keys)` is called for each change with what it touched beside lists; None: all."""

    def __init__(self, db: Database, changes: ChangeLog, dropped: Dropped) -> None:
        self.id = uuid4()
        self.db, self.changes, self.dropped = db, changes, dropped
        self.version, self.mark = -1, 0
        self.good_until = 0.0
        self._news, self._known = 1, 0  # pieces of news, and how many of them were looked into
        self._token: object = None
        self._under_way: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._window: OrderedDict[int, int] = OrderedDict()  # version -> mark, without a gap
        self._touched: dict[str, int] = {}  # key -> the last version in the window to touch it
        self.is_current: Callable[[float], bool] = self._leased  # at clock()
        if db.dialect == "sqlite":
            self.is_current = self._in_memory if db.memory else self._unmoved
        db.feeds[changes.context] = self

    # -- Is what is kept still good? --------------------------------------------------------------

    def _leased(self, now: float) -> bool:
        return now < self.good_until and self._known == self._news

    def _unmoved(self, now: float) -> bool:
        return self.db.glance() == self._token

    def _in_memory(self, now: float) -> bool:
        return self._known == self._news

    async def catch_up(self) -> None:
        """Afterwards it knows of all that was committed before the call.

        Those who come while a question is under way share the next one: it is sent after the
        last of them came.
        """
        if self.db.dialect == "sqlite":
            token = self.db.glance()  # before reading: what comes in between is not missed
            await self._ask()
            self._token = token
            return
        if self._next is None:
            self._next = asyncio.create_task(self._ask_after(self._under_way))
        await asyncio.shield(self._next)

    async def _ask_after(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        await self._ask()

    async def _ask(self) -> None:
        asked, news = self.version, self._news
        try:
            async with self.db.read() as session:
                now: Any = await session.row(self.changes.now)
                rows: Sequence[Any] = ()
                if 0 <= asked < now.version:
                    rows = await session.rows(self.changes.since, known=asked)
        except BaseException:
            self._news += 1
            raise
        self._known = max(self._known, news)  # what is heard from here on is not in the answer
        if now.version < asked or (now.version == self.version and now.mark != self.mark):
            self._restart(now.version, now.mark)  # another past: a backup was restored
            return
        for row in rows:
            self._step(row.version, row.mark, row.touched)
        if self.version < now.version:  # a change that noted nothing, or too many of them
            self._restart(now.version, now.mark)

    def told(self, turn: Turn) -> None:
        """A change made here. What it noted is taken as it is; else the feed asks."""
        if self.version + 1 == turn.version and turn.noted:
            self._step(turn.version, turn.mark, turn.keys)
        else:
            self._news += 1

    def _heard(self, version: str) -> None:
        if int(version) > self.version:
            self._news += 1
        self._woken.set()

    def _step(self, version: int, mark: int, keys: Iterable[str]) -> None:
        if version != self.version + 1:
            return
        self.version, self.mark = version, mark
        self._window[version] = mark
        if len(self._window) > KEPT:
            self._window.popitem(last=False)
        for key in keys:
            self._touched[key] = version
        if len(self._touched) > 4 * KEPT:
            oldest = next(iter(self._window))
            self._touched = {key: at for key, at in self._touched.items() if at >= oldest}
        self.dropped(keys)

    def _restart(self, version: int, mark: int) -> None:
        self.version, self.mark = version, mark
        self._window = OrderedDict({version: mark})
        self._touched = {}
        self.dropped(None)

    def still_good(self, key: str | None, version: int, mark: int) -> bool:
        """Is an answer made at that state what would be made now? `key` None: a list."""
        if key is None:
            return version == self.version and mark == self.mark
        return self._window.get(version) == mark and self._touched.get(key, -1) <= version

    # -- The lease --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Holds a lease, until cancelled. PostgreSQL only."""
        try:
            while True:
                try:
                    async with self.db.listen(self.changes.channel, self._heard) as connection:
                        while not connection.is_closed():
                            await self._renew()
                            await heard(self._woken, RENEWED)
                except Exception as error:  # without a lease each reader asks, and is right
                    log.debug("no lease", why=type(error).__name__)
                    CACHE_LEASE.labels(self.changes.context).set(0)
                    await asyncio.sleep(RENEWED)
        finally:
            self.good_until = 0.0
            with contextlib.suppress(Exception):
                await asyncio.shield(self._let_go())

    async def _renew(self) -> None:
        self._woken.clear()
        if self._known < self._news:
            await self.catch_up()
        while True:
            started, seen = clock(), self.version
            async with self.db.begin() as tx:
                await tx.run(self.changes.hold, id=self.id, seen=seen)
            await self.catch_up()
            if self.version == seen:
                break  # else say at once that it has been seen
        self.good_until = started + LEASE - MARGIN
        CACHE_LEASE.labels(self.changes.context).set(1)

    async def _let_go(self) -> None:
        async with self.db.begin() as tx:
            await tx.run(self.changes.let_go, id=self.id)
