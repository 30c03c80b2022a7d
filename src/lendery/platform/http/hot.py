"""The most read answers as finished bytes, kept for as long as they are good.

A hot path is a plain GET whose answer depends on its URL alone and on what one context keeps.
Its key names the one thing it shows (`book:...`); LIST stands for every page of many things. An
answer is thrown away when a change touches its key, a list with every change of its context, and
each after its lifetime. The feed (platform/cache) says when; what is asked for by many at once is
made once.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from lendery.platform.cache.changes import ChangeLog
from lendery.platform.cache.feed import Feed, clock
from lendery.platform.cache.shared import Made, SharedAnswers
from lendery.platform.db import Database
from lendery.platform.http.kept import LIFETIME, LIST, Finished, HotPath, Kept, Slot, copied
from lendery.platform.jobs import Job
from lendery.platform.metrics import CACHE, CACHE_LAG

MOST_BYTES = 48_000_000
LONGEST_QUERY = 4_000  # bytes: more than any page of ours asks; each is the name of what is kept
HIT, SHARED = CACHE.cell("hit"), CACHE.cell("shared")
MISS, STALE = CACHE.cell("miss"), CACHE.cell("stale")


class _Flight:
    """An answer in the making. Not `good`: what it shows has changed since it began."""

    def __init__(self) -> None:
        self.good = True
        self.task: asyncio.Task[Kept | None]


class HotAnswers:
    """`changes` names, for each context, where its changes are noted."""

    def __init__(
        self,
        paths: list[HotPath],
        db: Database,
        changes: Mapping[str, ChangeLog],
        entries: int,
        shared: SharedAnswers | None = None,
    ) -> None:
        self.paths, self.entries, self.shared = paths, entries, shared
        self.feeds = {
            context: Feed(db, each, partial(self._drop, context))
            for context, each in changes.items()
        }
        self.kept: OrderedDict[Slot, Kept] = OrderedDict()
        self.reads: Counter[Slot] = Counter()  # of what is no longer kept
        self.behind: ASGIApp | None = None  # the router, for what nobody here can make
        self._bytes = 0
        self._flights: dict[Slot, _Flight] = {}
        self._slots: dict[tuple[str, str], set[Slot]] = {}  # by context and key

    async def find(self, path: str, query: bytes) -> Kept | None:
        """Never older than the last change that was answered before the call."""
        slot = (path, query)
        kept = self.kept.get(slot)
        hot = kept.hot if kept else self.matching(path, query)
        if hot is None:
            return None
        feed = self.feeds[hot.context]
        if not self.entries:
            return await self._make(hot, feed, slot)
        now = clock()
        if not feed.is_current(now):
            await feed.catch_up()
            kept = self.kept.get(slot)
        if kept is not None:
            if kept.until > now:
                self.count(kept, now)
                return kept
            self._let_go(slot)
            STALE.n += 1
        flight = self._flights.get(slot) or self._take_off(hot, feed, slot)
        return await asyncio.shield(flight.task)

    def count(self, kept: Kept, now: float) -> None:
        kept.hits += 1
        HIT.n += 1
        if kept.lags:
            CACHE_LAG.observe(now - kept.made_at)

    def matching(self, path: str, query: bytes) -> HotPath | None:
        if len(query) > LONGEST_QUERY:
            return None
        for each in self.paths:
            if each.key(path) is not None:
                return each
        return None

    def _take_off(self, hot: HotPath, feed: Feed, slot: Slot) -> _Flight:
        flight = self._flights[slot] = _Flight()
        self._slots.setdefault((hot.context, hot.key(slot[0]) or LIST), set()).add(slot)
        flight.task = asyncio.create_task(self._fly(flight, hot, feed, slot))
        flight.task.add_done_callback(_seen)
        return flight

    async def _fly(self, flight: _Flight, hot: HotPath, feed: Feed, slot: Slot) -> Kept | None:
        key, version, mark = hot.key(slot[0]) or None, feed.version, feed.mark
        # what lags is not passed on, and a state without a mark may be any library's
        shared = self.shared if mark and hot.lifetime(slot[1]) >= LIFETIME else None
        made: Kept | None = None
        try:
            if shared is not None:
                told = await shared.get(hot, slot, version, mark)
                if told is not None and feed.still_good(key, told.version, told.mark):
                    SHARED.n += 1
                    made = Kept(hot, feed, Finished(*told.finished), LIFETIME)
                    return made
            made = await self._make(hot, feed, slot)
            if made is not None and shared is not None and flight.good:
                finished = made.finished
                told = Made(version, mark, (finished.body, finished.etag, finished.headers))
                shared.put(hot, slot, told, seconds=LIFETIME)
            return made
        finally:
            if self._flights.get(slot) is flight:
                del self._flights[slot]
            if made is not None and flight.good:
                self._keep(slot, made)
            elif flight.good:
                self._unindex(slot, hot)

    async def _make(self, hot: HotPath, feed: Feed, slot: Slot) -> Kept | None:
        made = await hot.make(*slot) if hot.make else None
        if made is None and hot.routed and self.behind is not None:
            made = await copied(self.behind, *slot)
        if made is None:
            return None
        MISS.n += 1
        return Kept(hot, feed, made, hot.lifetime(slot[1]))

    # -- What is kept -----------------------------------------------------------------------------

    def _keep(self, slot: Slot, made: Kept) -> None:
        self.kept[slot] = made
        self._bytes += len(made.finished.body)
        while len(self.kept) > self.entries or self._bytes > MOST_BYTES:
            oldest = next(iter(self.kept))
            if self.kept[oldest].hits and oldest != slot:  # it is read: a second chance
                self.reads[oldest] += self.kept[oldest].hits
                self.kept[oldest].hits = 0
                self.kept.move_to_end(oldest)
                continue
            self._let_go(oldest)

    def _let_go(self, slot: Slot) -> None:
        gone = self.kept.pop(slot, None)
        if gone is not None:
            self._bytes -= len(gone.finished.body)
            self._note_reads(slot, gone)
            self._unindex(slot, gone.hot)

    def _unindex(self, slot: Slot, hot: HotPath) -> None:
        place = hot.context, hot.key(slot[0]) or LIST
        slots = self._slots.get(place, set())
        slots.discard(slot)
        if not slots:
            self._slots.pop(place, None)

    def _note_reads(self, slot: Slot, gone: Kept) -> None:
        if gone.hits:
            self.reads[slot] += gone.hits
        if len(self.reads) > 2 * MOST_READ:
            self.reads = Counter(dict(self.reads.most_common(MOST_READ)))

    def _drop(self, context: str, keys: Iterable[str] | None) -> None:
        """A change: what it touched, and every list. `keys` None: everything of the context."""
        if keys is None:
            places = [place for place in self._slots if place[0] == context]
        else:
            places = [(context, LIST), *((context, key) for key in keys)]
        for place in places:
            for slot in self._slots.pop(place, ()):
                flight = self._flights.pop(slot, None)
                if flight is not None:
                    flight.good = False
                gone = self.kept.pop(slot, None)
                if gone is not None:
                    self._bytes -= len(gone.finished.body)
                    self._note_reads(slot, gone)
                    STALE.n += 1

    # -- Warming ----------------------------------------------------------------------------------

    def most_read(self, many: int) -> list[tuple[Slot, int]]:
        """What was read most; what lies longer back counts for less each time it is asked."""
        counted = self.reads.copy()
        for slot, kept in self.kept.items():
            counted[slot] += kept.hits
            kept.hits = 0
        most = [(slot, n) for slot, n in counted.most_common(MOST_READ) if n]
        self.reads = Counter({slot: n // 2 for slot, n in most if n > 1})
        return most[:many]

    async def warm(self, many: int = 100) -> int:
        """Makes what is read most and not kept, one after the other; returns how many."""
        mine = self.most_read(many)
        wanted = [slot for slot, _ in mine]
        if self.shared is not None:
            wanted += await self.shared.most_read(mine, many)
        made = 0
        for slot in dict.fromkeys(wanted):
            if self.entries and slot not in self.kept:
                made += await self.find(*slot) is not None
                kept = self.kept.get(slot)
                if kept is not None:
                    kept.hits = 0
        return made

    async def run(self) -> None:
        """Holds the leases of its feeds where there are any, until cancelled."""
        if self.entries:
            feeds = self.feeds.values()
            await asyncio.gather(*(each.run() for each in feeds if each.db.dialect != "sqlite"))


MOST_READ = 1_000


async def warm(wiring: Any, now: datetime) -> None:
    """What the library's readers ask for most is ready before they ask."""
    await wiring.answers.warm()


# In every process: what is kept is in its memory.
JOBS = (Job("warm the cache", timedelta(minutes=1), warm),)


def _seen(task: "asyncio.Task[Kept | None]") -> None:
    """Who waited has the error; if nobody did any more, it is no fault of the program."""
    if not task.cancelled():
        task.exception()
