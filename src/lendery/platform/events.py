"""Events on the move: carried at least once, acted on once.

`Relay` takes committed events from a context's log, oldest first for each aggregate, and
hands them to a `Transport`. What fails is retried with growing pauses, then parked so that
the rest goes on; `lendery events failed | retry` shows and revives what was parked.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from lendery.contracts.base import Event, Value
from lendery.platform.db import Database, Statement, Tx
from lendery.platform.db.log import ContextTables
from lendery.platform.metrics import EVENT_LAG, EVENTS_PUBLISHED
from lendery.platform.outbox import Outbox, away
from lendery.platform.waiting import heard

TOGETHER = 50  # events acted on in one transaction: the desk waits for it a few milliseconds
LEASE = timedelta(seconds=60)
LATE_PAUSE = 0.05  # seconds between late seals: the desk comes first
LATE_LOOK = 60.0  # seconds between looks whether late seals are wanted
log = structlog.get_logger("lendery.events")


@dataclass(frozen=True)
class Reaction:
    """What a context does when something happens elsewhere.

    `ask(ports, event)` runs first and outside any transaction, so it may call neighbours;
    `act(tx, event, told)` runs in a transaction with its inbox row: its effect happens once.
    """

    to: type[Event]
    act: Callable[[Tx, Any, Any], Awaitable[None]]
    ask: Callable[[Any, Any], Awaitable[Any]] | None = None

    @property
    def name(self) -> str:
        return f"{self.act.__module__.removeprefix('lendery.')}.{self.act.__qualname__}"


class Envelope(Value):
    """An event on a wire: CloudEvents 1.0, JSON format."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "Envelope":
        return cls(
            id=str(event.id),
            source=f"/lendery/{event.context}",
            type=event.name,
            subject=str(event.aggregate),
            time=event.at,
            data=event.model_dump(mode="json", exclude={"id", "at"}),
        )

    def event(self) -> Event:
        return Event.load(self.type, {**self.data, "id": self.id, "at": self.time})


class Deliveries(Protocol):
    """The port over which a context receives events of others."""

    async def receive(self, *, envelopes: list[Envelope]) -> None: ...


class Transport(Protocol):
    def wants(self, name: str) -> bool:
        """Does anybody react to events of this name?"""
        ...

    async def send(self, events: Sequence[Event]) -> None:
        """Delivers all of them, or raises; delivering some twice does no harm."""
        ...


@dataclass(frozen=True)
class Reactions:
    """Acts on events in this process: the whole of a broker, for one process."""

    db: Database
    ports: Any
    by_context: Mapping[str, Sequence[Reaction]]

    def wants(self, name: str) -> bool:
        return any(each.to.name == name for found in self.by_context.values() for each in found)

    async def send(self, events: Sequence[Event]) -> None:
        for context, reactions in self.by_context.items():
            wanted = [(e, r) for e in events for r in reactions if type(e) is r.to]
            if wanted:
                await self._react(context, wanted)

    async def _react(self, context: str, wanted: Sequence[tuple[Event, Reaction]]) -> None:
        told = [await r.ask(self.ports, event) if r.ask else None for event, r in wanted]
        now = datetime.now(UTC)
        async with self.db.begin() as tx:
            for (event, reaction), answer in zip(wanted, told, strict=True):
                if await tx.is_first(context, event, reaction.name, now=now):
                    await reaction.act(tx, event, answer)

    async def receive(self, *, envelopes: list[Envelope]) -> None:
        await self.send([envelope.event() for envelope in envelopes])


@dataclass(frozen=True)
class Fanout:
    """Sends events to this process's own reactions and to the peers that react to them."""

    here: Transport
    peers: Mapping[Deliveries, frozenset[str]]  # and the names of the events each wants

    def wants(self, name: str) -> bool:
        return self.here.wants(name) or any(name in names for names in self.peers.values())

    async def send(self, events: Sequence[Event]) -> None:
        await self.here.send(events)
        for peer, names in self.peers.items():
            if envelopes := [Envelope.of(event) for event in events if event.name in names]:
                await peer.receive(envelopes=envelopes)


@dataclass
class Relay:
    """Moves committed events to where they are wanted. Several may run."""

    db: Database
    transport: Transport
    outboxes: Sequence[Outbox]
    pause: float = 1.0  # seconds between looks when nothing wakes it
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _late_at: float = 0.0  # when to look again

    async def run(self) -> None:
        """Until `stop`: woken after each commit, looking by itself now and then."""
        while not self._stopping.is_set():
            self.db.announced.clear()
            pause = self.pause
            try:
                sent = await self.flush()
                if not sent and time.monotonic() >= self._late_at:
                    pause = await self._next_late()
            except Exception as error:
                log.warning("relay paused", why=type(error).__name__)
                sent = 0
                await asyncio.sleep(pause)
            if not sent and not self._stopping.is_set():
                await heard(self.db.announced, pause)

    async def _next_late(self) -> float:
        """Some late seals; how long to pause after them. As a rule there are none."""
        if await self.seal_late():
            return min(self.pause, LATE_PAUSE)
        self._late_at = time.monotonic() + LATE_LOOK
        return self.pause

    def stop(self) -> None:
        self._stopping.set()
        self.db.announced.set()

    async def flush(self) -> int:
        """One batch of each context; returns how many events were taken up."""
        return sum([await self._flush(outbox) for outbox in self.outboxes])

    async def drain(self) -> None:
        """Until nothing that can be delivered is left."""
        while await self.flush():
            pass

    async def caught_up(self, timeout: float) -> bool:
        """Waits, at most `timeout` seconds, until what was announced so far is delivered."""
        try:
            async with asyncio.timeout(timeout):
                for outbox in self.outboxes:
                    highest = await self._value(outbox.highest)
                    while highest and await self._value(outbox.up_to, highest=highest):
                        await asyncio.sleep(0.002)
        except TimeoutError:
            return False
        return True

    async def _value(self, query: Statement, **given: Any) -> Any:
        """Each question in a session of its own: waiting must not hold up the relay."""
        async with self.db.read() as session:
            return await session.value(query, **given)

    async def _flush(self, outbox: Outbox) -> int:
        now = datetime.now(UTC)
        async with self.db.read() as session:  # cheap when idle: no write lock taken
            head = await session.row(outbox.peek, now=now)
        if head is None:
            return 0
        async with self.db.begin() as tx:
            rows = sorted(await tx.rows(outbox.claim[tx.dialect], now=now, lease=now + LEASE))
        wanted = [row for row in rows if self.transport.wants(row.name)]
        results: list[tuple[Any, Exception | None]] = [
            (row, None) for row in rows if not self.transport.wants(row.name)
        ]
        for start in range(0, len(wanted), TOGETHER):
            results += await self._deliver(wanted[start : start + TOGETHER])
        await self._record(outbox, head, results)
        return len(rows)

    async def _deliver(self, rows: Sequence[Any]) -> list[tuple[Any, Exception | None]]:
        """Together if it goes; else one by one, so that one poison event spoils no other."""
        try:
            await self.transport.send(
                [Event.load(r.name, {**json.loads(r.body), "id": r.id, "at": r.at}) for r in rows]
            )
        except Exception as error:
            if len(rows) == 1 or away(error):
                return [(row, error) for row in rows]
            return [result for row in rows for result in await self._deliver([row])]
        now = datetime.now(UTC)
        for row in rows:
            EVENTS_PUBLISHED.labels(row.name).inc()
            EVENT_LAG.observe(max(0.0, (now - row.at).total_seconds()))
        return [(row, None) for row in rows]

    async def _record(
        self, outbox: Outbox, head: Any, results: list[tuple[Any, Exception | None]]
    ) -> None:
        await outbox.record(self.db, results, head=head, now=datetime.now(UTC))

    async def seal_late(self) -> int:
        """Seals some of what was delivered without a seal, by an older Lendery say."""
        now = datetime.now(UTC)
        return sum([await outbox.seal_late(self.db, now=now) for outbox in self.outboxes])

    async def parked(self) -> list[tuple[str, Any]]:
        async with self.db.read() as session:
            return [(o.context, row) for o in self.outboxes for row in await session.rows(o.parked)]

    async def revive(self) -> int:
        async with self.db.begin() as tx:
            return sum([await tx.run(outbox.revive) for outbox in self.outboxes])


def outboxes(tables: Iterable[ContextTables]) -> list[Outbox]:
    return [Outbox(each) for each in tables]


def sources(reactions: Iterable[Reaction]) -> set[str]:
    """The contexts whose events these react to."""
    return {each.to.name.split(".")[0] for each in reactions}
