"""Events: carried at least once, acted on once, in order for each aggregate."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import MetaData, bindparam, create_engine, insert, select, update
from sqlalchemy.pool import StaticPool

from lendery.contracts.accounts import PatronChanged, PatronRegistered, PatronRemoved
from lendery.contracts.base import Busy, Event, PeerUnavailable, new_id
from lendery.platform.db import Database, Statement, Tx
from lendery.platform.events import (
    TOGETHER,
    Envelope,
    Fanout,
    Reaction,
    Reactions,
    Relay,
    outboxes,
)
from lendery.platform.outbox import ATTEMPTS

from .toy import ACCOUNTS, NOW, TABLES, announce, changed, logs, metadata, note, registered

log = ACCOUNTS.event
ACT = Statement(
    insert(note).values(
        id=bindparam("id"), shelf=bindparam("s"), text=bindparam("t"), big=bindparam("order")
    )
)
ACTED = Statement(select(note.c.shelf, note.c.text, note.c.big).order_by(note.c.big))
ROWS = Statement(select(log).order_by(log.c.seq))


async def act(tx: Tx, event: Event, told: Any) -> None:
    """Writes down whom the event is about: what was acted on can be counted."""
    await tx.run(
        ACT, id=new_id(), order=time.monotonic_ns(), s=str(event.aggregate), t=str(event.id)
    )


async def act_too(tx: Tx, event: Event, told: Any) -> None:
    await tx.run(ACT, id=new_id(), order=time.monotonic_ns(), s="too", t=str(event.id))


BOTH = (Reaction(PatronChanged, act), Reaction(PatronChanged, act_too))


def relay_of(
    db: Database, *reactions: Reaction, ports: Any = None, to: Any = None, **but: Any
) -> Relay:
    acting = to or Reactions(db, ports, {"circulation": reactions or BOTH[:1]})
    return Relay(db, acting, outboxes([ACCOUNTS]), **but)


async def acted(db: Database) -> list[str]:
    async with db.read() as session:
        return [row.text for row in await session.rows(ACTED)]


async def rows(db: Database) -> list[Any]:
    async with db.read() as session:
        return await session.rows(ROWS)


async def time_passes(db: Database, **columns: Any) -> None:
    """The pause after a failure, or a lease, is over."""
    async with db.begin() as tx:
        await tx.run(update(log).values(**(columns or {"next_at": None})))


@dataclass
class Sent:
    """A transport that notes what it was given, and fails while it is told to."""

    fails: dict[UUID, Exception] = field(default_factory=dict)
    got: list[UUID] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def wants(self, name: str) -> bool:
        return name == "accounts.PatronChanged"

    async def send(self, events: Sequence[Event]) -> None:
        self.batches.append(len(events))
        for event in events:
            if event.id in self.fails:
                raise self.fails[event.id]
        self.got += [event.id for event in events]


async def test_each_reaction_acts_once_on_each_event_however_often_it_comes(db: Database) -> None:
    told = [changed(new_id()) for _ in range(5)]
    await announce(db, *told)
    relay = relay_of(db, *BOTH)
    await relay.drain()
    assert Counter(await acted(db)) == {str(event.id): 2 for event in told}
    await time_passes(db, published_at=None)
    await relay.drain()
    assert Counter(await acted(db)) == {str(event.id): 2 for event in told}


async def test_what_nobody_wants_is_done_with(db: Database) -> None:
    await announce(db, registered(new_id()), PatronRemoved(at=NOW, patron_id=new_id()))
    sent = Sent()
    await relay_of(db, to=sent).drain()
    assert sent.batches == []
    assert all(row.published_at for row in await rows(db))


async def test_the_oldest_of_each_aggregate_goes_first_and_alone(db: Database) -> None:
    ann, ben = new_id(), new_id()
    told = [changed(who, later=n) for n, who in enumerate((ann, ben, ann, ann, ben))]
    await announce(db, *told)
    sent = Sent(fails={told[0].id: RuntimeError("not yet")})
    relay = relay_of(db, to=sent)
    await relay.drain()
    assert sent.got == [told[1].id, told[4].id], "Ann's wait for her first; Ben's do not"
    sent.fails.clear()
    await time_passes(db)
    await relay.drain()
    assert sent.got[2:] == [told[0].id, told[2].id, told[3].id]


async def test_a_failure_is_tried_again_with_growing_pauses_then_parked(db: Database) -> None:
    ann, ben = new_id(), new_id()
    poison, after, other = changed(ann), changed(ann), changed(ben)
    await announce(db, poison, after, other)
    sent = Sent(fails={poison.id: RuntimeError("no")})
    relay, pauses = relay_of(db, to=sent), []
    for attempt in range(1, ATTEMPTS + 1):
        began = datetime.now(UTC)
        await relay.drain()
        row = (await rows(db))[0]
        assert (row.attempts, row.error) == (attempt, "RuntimeError: no")
        assert row.next_at > began, "not before its pause is over"
        pauses.append((row.next_at - began).total_seconds())
        assert (row.parked_at is not None) == (attempt == ATTEMPTS)
        await time_passes(db)
    assert all(later > earlier * 1.2 for earlier, later in pairwise(pauses))
    assert 0.1 < pauses[0] < 0.5 and pauses[-1] < 40
    await relay.drain()
    assert sent.got == [other.id, after.id], "the rest goes on"
    ((context, parked),) = await relay.parked()
    assert (context, parked.id, parked.attempts) == ("accounts", poison.id, ATTEMPTS)
    assert await relay.revive() == 1
    sent.fails.clear()
    await relay.drain()
    assert sent.got[-1] == poison.id
    assert await relay.parked() == []
    assert await relay.revive() == 0


async def test_one_poison_event_among_fifty_spoils_no_other(db: Database) -> None:
    told = [changed(new_id()) for _ in range(TOGETHER)]
    poison = told[20]

    async def picky(tx: Tx, event: Event, told: Any) -> None:
        await act(tx, event, told)
        if event.id == poison.id:
            raise RuntimeError("poison")

    await announce(db, *told)
    await relay_of(db, Reaction(PatronChanged, picky)).drain()
    assert sorted(await acted(db)) == sorted(str(e.id) for e in told if e.id != poison.id)
    assert [row.id for row in await rows(db) if row.published_at is None] == [poison.id]


async def test_an_event_of_a_name_nobody_knows_is_put_aside_alone(db: Database) -> None:
    await announce(db, changed(new_id()), changed(new_id()))

    class Everything(Sent):
        def wants(self, name: str) -> bool:
            return True

    async with db.begin() as tx:
        strange = {**ACCOUNTS.announcement(changed(new_id()))[1], "e_name": "accounts.FromLater"}
        await tx.run(ACCOUNTS.append, **strange)
    sent = Everything()
    await relay_of(db, to=sent).drain()
    assert len(sent.got) == 2
    assert [row.name for row in await rows(db) if row.error] == ["accounts.FromLater"]


@pytest.mark.parametrize("away", [PeerUnavailable("away"), Busy("the database is busy")])
async def test_a_neighbour_that_is_away_is_waited_for_and_never_given_up(
    db: Database, away: Exception
) -> None:
    event = changed(new_id())
    await announce(db, event)
    sent = Sent(fails={event.id: away})
    relay = relay_of(db, to=sent)
    for _ in range(ATTEMPTS * 2):
        await relay.drain()
        await time_passes(db)
    assert await relay.parked() == []
    sent.fails[event.id] = RuntimeError("there again, and it stumbles")
    for _ in range(ATTEMPTS - 1):
        await relay.drain()
        await time_passes(db)
    assert await relay.parked() == [], "the waiting before took none of its tries"
    sent.fails.clear()
    await relay.drain()
    assert sent.got == [event.id]


async def test_a_crash_between_acting_and_noting_it_acts_once(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = changed(new_id())
    await announce(db, event)
    relay = relay_of(db)

    async def crash(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Relay, "_record", crash)
        with pytest.raises(asyncio.CancelledError):
            await relay.flush()
    assert await acted(db) == [str(event.id)]
    (row,) = await rows(db)
    assert row.published_at is None and row.claimed_until > datetime.now(UTC)
    assert await relay.flush() == 0, "its lease still runs"
    await time_passes(db, claimed_until=datetime.now(UTC) - timedelta(seconds=1))
    assert await relay.flush() == 1
    assert (await rows(db))[0].published_at is not None
    assert await acted(db) == [str(event.id)]


async def test_a_reaction_that_fails_leaves_no_trace_and_is_tried_again(db: Database) -> None:
    event, fails = changed(new_id()), [True]

    async def stumbling(tx: Tx, event: Event, told: Any) -> None:
        await act(tx, event, told)
        if fails:
            raise RuntimeError(fails.pop())

    await announce(db, event)
    relay = relay_of(db, Reaction(PatronChanged, stumbling))
    await relay.drain()
    assert await acted(db) == []
    await time_passes(db)
    await relay.drain()
    assert await acted(db) == [str(event.id)]


async def test_a_reaction_asks_before_its_transaction_and_acts_on_the_answer(db: Database) -> None:
    heard: list[Any] = []

    async def ask(ports: dict[str, str], event: Event) -> str:
        async with db.begin() as tx:  # nothing of ours is open, or this would wait forever
            await tx.run(ACT, id=new_id(), order=time.monotonic_ns(), s="asked", t="asked")
        return ports["answer"]

    async def hear(tx: Tx, event: Event, told: Any) -> None:
        heard.append(told)

    await announce(db, changed(new_id()))
    relay = relay_of(db, Reaction(PatronChanged, hear, ask), ports={"answer": "Ann"})
    await asyncio.wait_for(relay.drain(), 5)
    assert heard == ["Ann"]


def test_a_reaction_is_named_by_where_it_is() -> None:
    assert Reaction(PatronChanged, act).name.endswith("test_events.act")
    assert Reaction(PatronChanged, act).name != Reaction(PatronChanged, act_too).name


async def steady(db: Database, relays: int, patrons: int, each: int) -> None:
    """Several relays at once: order for each patron, and each event acted on once."""
    ids = [new_id() for _ in range(patrons)]
    told = [changed(who, later=n) for n in range(each) for who in ids]
    await announce(db, *told)
    others = [Database(db.url, TABLES) for _ in range(relays - 1)]

    async def work(on: Database) -> None:
        relay = relay_of(on)
        while not all(row.published_at for row in await rows(on)):
            if not await relay.flush():
                await asyncio.sleep(0.005)

    await asyncio.wait_for(asyncio.gather(*[work(on) for on in (db, *others)]), 60)
    by_patron: defaultdict[str, list[str]] = defaultdict(list)
    async with db.read() as session:
        in_order = await session.rows(ACTED)
    for row in in_order:
        by_patron[row.shelf].append(row.text)
    for who in ids:
        expected = [str(event.id) for event in told if event.patron_id == who]
        assert by_patron[str(who)] == expected
    for other in others:
        await other.close()


async def test_several_relays_at_once_keep_order_and_act_once(db: Database) -> None:
    await steady(db, relays=3, patrons=8, each=6)


async def test_a_backlog_of_five_thousand_drains(db: Database) -> None:
    told = [changed(new_id()) for _ in range(5000)]
    await announce(db, *told)
    await db.tidy()  # as the database does by itself after a while
    sent = Sent()
    await asyncio.wait_for(relay_of(db, to=sent).drain(), 60)
    assert sent.got == [event.id for event in told]
    assert max(sent.batches) <= TOGETHER
    assert all(row.published_at for row in await rows(db))


async def test_a_running_relay_is_woken_by_a_commit(db: Database) -> None:
    sent = Sent()
    relay = relay_of(db, to=sent, pause=30.0)
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.05)
    for _ in range(3):
        event = changed(new_id())
        await announce(db, event)
        assert await relay.caught_up(5)
        assert sent.got[-1] == event.id
    relay.stop()
    await asyncio.wait_for(running, 5)


async def test_a_relay_whose_database_fails_once_goes_on(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, really, failures = Sent(), Relay.flush, [RuntimeError("gone"), OSError("gone")]

    async def flaky(self: Relay) -> int:
        if failures:
            raise failures.pop()
        return await really(self)

    monkeypatch.setattr(Relay, "flush", flaky)
    relay = relay_of(db, to=sent, pause=0.01)
    running = asyncio.create_task(relay.run())
    await announce(db, changed(new_id()))
    assert await relay.caught_up(5)
    relay.stop()
    await asyncio.wait_for(running, 5)


async def test_waiting_for_delivery_ends_when_the_time_is_up(db: Database) -> None:
    relay = relay_of(db, to=Sent())
    assert await relay.caught_up(0.2), "nothing waits"
    await announce(db, changed(new_id()))
    began = asyncio.get_running_loop().time()
    assert not await relay.caught_up(0.1)
    assert asyncio.get_running_loop().time() - began < 2
    await relay.drain()
    assert await relay.caught_up(0.2)


async def test_waiting_for_delivery_does_not_wait_for_what_is_told_later(db: Database) -> None:
    relay, sent = relay_of(db, to=Sent()), Sent()
    await announce(db, changed(new_id()))
    waiting = asyncio.create_task(relay.caught_up(5))
    await asyncio.sleep(0.02)
    await relay_of(db, to=sent).flush()
    await announce(db, changed(new_id()))
    assert await asyncio.wait_for(waiting, 2)


async def test_waiting_for_delivery_never_holds_the_relay_up(postgres_url: str) -> None:
    """With one connection only, whoever waits must let the relay have it."""
    db = Database(postgres_url, TABLES, size=1)
    relay = relay_of(db, to=Sent(), pause=0.05)
    running = asyncio.create_task(relay.run())
    await announce(db, changed(new_id()))
    assert await relay.caught_up(2)
    relay.stop()
    await asyncio.wait_for(running, 5)
    await db.close()


@pytest_asyncio.fixture
async def memory() -> AsyncIterator[Database]:
    db = Database("sqlite://", TABLES)
    engine = create_engine("sqlite://", creator=lambda: db.memory, poolclass=StaticPool)
    for each in (metadata, logs):
        assert isinstance(each, MetaData)
        each.create_all(engine)
    yield db
    await db.close()


async def test_a_library_in_memory_delivers_while_somebody_waits_for_it(memory: Database) -> None:
    relay = relay_of(memory, pause=0.05)
    running = asyncio.create_task(relay.run())
    event = changed(new_id())
    await announce(memory, event)
    assert await relay.caught_up(2)
    assert await acted(memory) == [str(event.id)]
    relay.stop()
    await asyncio.wait_for(running, 5)


def test_an_envelope_is_a_cloud_event_and_opens_to_the_same_event() -> None:
    event = changed(new_id(), later=3)
    wire = Envelope.of(event).model_dump(mode="json")
    assert wire == {
        "specversion": "1.0",
        "id": str(event.id),
        "source": "/lendery/accounts",
        "type": "accounts.PatronChanged",
        "subject": str(event.patron_id),
        "time": "2026-03-01T09:30:03Z",
        "datacontenttype": "application/json",
        "data": {"patron_id": str(event.patron_id)},
    }
    assert Envelope.model_validate(wire).event() == event


async def test_fanout_gives_each_neighbour_what_it_wants_and_here_first(db: Database) -> None:
    order: list[str] = []

    class Peer:
        def __init__(self, name: str) -> None:
            self.name, self.got = name, []  # type: tuple[str, list[str]]

        async def receive(self, *, envelopes: list[Envelope]) -> None:
            order.append(self.name)
            self.got += [each.type for each in envelopes]

    class Here(Sent):
        async def send(self, events: Sequence[Event]) -> None:
            order.append("here")
            await super().send(events)

    one, two, here = Peer("one"), Peer("two"), Here()
    fanout = Fanout(
        here,
        {
            one: frozenset({"accounts.PatronRegistered"}),
            two: frozenset({"accounts.PatronChanged", "accounts.PatronRegistered"}),
        },
    )
    assert fanout.wants("accounts.PatronRegistered")
    assert not fanout.wants("accounts.PatronRemoved")
    await announce(db, changed(new_id()), registered(new_id()))
    await relay_of(db, to=fanout).drain()
    assert (one.got, two.got) == (
        ["accounts.PatronRegistered"],
        ["accounts.PatronChanged", "accounts.PatronRegistered"],
    )
    assert order == ["here", "one", "two"]


async def test_what_a_neighbour_delivers_twice_is_acted_on_once(db: Database) -> None:
    acting = Reactions(db, None, {"circulation": BOTH})
    envelopes = [Envelope.of(changed(new_id())) for _ in range(3)]
    await acting.receive(envelopes=envelopes)
    await acting.receive(envelopes=[*envelopes, envelopes[0]])
    assert Counter(await acted(db)) == {each.id: 2 for each in envelopes}
    assert not acting.wants(PatronRegistered.name)
