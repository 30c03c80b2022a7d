"""The read model from empty: the logs read again, counted in memory, written in one go.

The library goes on meanwhile, and each event must count once:

- What the log says was delivered counts, whether reports was there to hear it or not.
- What was not delivered yet, and is not in the inbox, comes later by itself, and counts then.
- What is in the inbox was counted when it came, though the log may not say yet that it was
  delivered. It counts now, and will not again.

So the logs are read first, which takes long, and the inbox last, in the transaction that replaces
the rows, while no reaction can act. If the inbox then knows an event that was not read, the end
of the logs is read once more.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from lendery.contracts.base import Busy
from lendery.platform.backup.progress import Progress, Quiet
from lendery.platform.db import Database
from lendery.platform.logbook import Entry, Logbook
from lendery.reports.learning import Learner
from lendery.reports.repository import rebuilding
from lendery.reports.rules.effects import MEANINGS, Effect, branch_of, effects
from lendery.reports.rules.fold import Fold
from lendery.reports.zones import Zones

AT_ONCE = 2_000
TRIES = 20
SLACK = timedelta(minutes=5)  # clocks differ, and a long transaction commits late


@dataclass
class Rebuilt:
    """What was read and written."""

    events: int = 0
    rows: int = 0
    learnt: int = 0


class _Unread(Exception):
    """The inbox knows an event that was not read."""


@dataclass
class Rebuilding:
    """One rebuild. `logs` are those of the contexts whose events are counted."""

    db: Database
    logs: Mapping[str, Logbook]
    zones: Zones
    learner: Learner
    progress: Progress = field(default_factory=Quiet)
    done: Rebuilt = field(default_factory=Rebuilt)
    _fold: Fold = field(default_factory=Fold)
    _pending: dict[UUID, tuple[int, list[Effect]]] = field(default_factory=dict)
    _tails: dict[str, "_Tail"] = field(default_factory=dict)

    async def run(self, *, now: datetime) -> Rebuilt:
        """Raises Busy when the library is too busy to be caught up with. Nothing is changed then.

        Needs some 300 bytes of memory for each day on which a copy was lent.
        """
        await self.zones.refresh()
        least = _least_id(now - SLACK)
        self.progress.start("Counting for the reports", await self._size())
        for context in self.logs:
            await self._read(context, least)
        for _ in range(TRIES):
            try:
                await self._write(least)
            except (_Unread, Busy):  # what was folded stays true: the inbox forgets nothing
                for context in self.logs:
                    await self._read(context, least)
            else:
                self.done.learnt = await self.learner.catch_up()
                return self.done
        raise Busy("The library is too busy now. Nothing was changed.")

    async def _size(self) -> int:
        logs = self.logs.items()
        return sum([await log.size(context=name, names=_names(name)) for name, log in logs])

    async def _read(self, context: str, least: UUID) -> None:
        """All of a log; when it was read before, its end."""
        tail = self._tails.setdefault(context, _Tail(least))
        names = _names(context)
        after = tail.begins_after
        while True:
            page = await self.logs[context].entries(
                context=context, names=names, after=after, many=AT_ONCE
            )
            for entry in page:
                if tail.is_first(entry):
                    await self._look_at(entry)
            self.progress.advance(len(page))
            if len(page) < AT_ONCE:
                tail.was_read()
                return
            after = page[-1].seq

    async def _look_at(self, entry: Entry) -> None:
        self.done.events += 1
        event = entry.event()
        meant = list(effects(event, await self.zones.of(branch_of(event))))
        if entry.delivered:
            self._fold.take(meant, entry.seq)
        else:
            self._pending[entry.id] = entry.seq, meant

    async def _write(self, least: UUID) -> None:
        async with self.db.begin() as tx:
            await rebuilding.alone(tx)
            acted = await rebuilding.acted_since(tx, least=least)
            if not all(any(id in tail.ids for tail in self._tails.values()) for id in acted):
                raise _Unread
            for id in await rebuilding.acted_on(tx, ids=list(self._pending)):
                seq, meant = self._pending.pop(id)
                self._fold.take(meant, seq)
            self.done.rows = await rebuilding.replace(tx, self._fold)


class _Tail:
    """The end of a log, which may have to be read again: from some way before the first event
    that is new. Of what is in it the ids are known."""

    def __init__(self, least: UUID) -> None:
        self.least, self.begins_after = least, 0
        self.ids: set[UUID] = set()
        self._before: deque[tuple[int, UUID]] = deque(maxlen=AT_ONCE)

    def is_first(self, entry: Entry) -> bool:
        """Was it not read before?"""
        if self.ids:
            if entry.id in self.ids:
                return False
            self.ids.add(entry.id)
            return True
        self._before.append((entry.seq, entry.id))
        if entry.id >= self.least:
            self.was_read()
        return True

    def was_read(self) -> None:
        """What is read from here on may be read again."""
        if not self.ids and self._before:
            self.begins_after = self._before[0][0] - 1
            self.ids = {id for _, id in self._before}


def _names(context: str) -> list[str]:
    """The events of this context that count."""
    return sorted(kind.name for kind in MEANINGS if kind.name.startswith(f"{context}."))


def _least_id(at: datetime) -> UUID:
    """Ids made at that time, or later, are not less (RFC 9562: they begin with the time)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
