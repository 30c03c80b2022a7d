"""Several relays on one log: each event once, in order, whoever is killed when."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import Select, false, update

from lendery.contracts.base import Event, new_id
from lendery.platform import events, outbox
from lendery.platform.chain import Seal
from lendery.platform.db import Database
from lendery.platform.events import Relay, outboxes
from lendery.platform.outbox import ATTEMPTS

from .relay_process import BATCH, MOMENTS, TOGETHER
from .tampering import audited, deliver, log, seals
from .test_events import ACTED, Sent, rows
from .toy import ACCOUNTS, TABLES, announce, changed

ROOT = Path(__file__).parents[2]


# --- in processes of their own ----------------------------------------------------------------


@contextmanager
def processes(url: str, *options: Sequence[str]) -> Iterator[list["subprocess.Popen[str]"]]:
    """A relay for each list of options, ready to begin when a line comes."""
    command = [sys.executable, "-m", "tests.platform.relay_process", url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    begun = [
        subprocess.Popen([*command, *each], cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
        for each in options
    ]
    try:
        for each in begun:
            assert each.stdout.readline() == "ready\n", each.communicate()[1][-2000:]
        yield begun
    finally:
        for each in begun:
            each.kill()
            each.communicate()


async def delivered(process: "subprocess.Popen[str]") -> list[str]:
    """The ids of what it delivered, when it is done."""
    out, errors = await asyncio.to_thread(process.communicate, "begin\n", 90)
    assert process.returncode == 0, errors[-2000:]
    found: list[str] = json.loads(out)
    return found


async def dead(process: "subprocess.Popen[str]") -> None:
    """It began, and was killed in the middle."""
    await asyncio.to_thread(process.communicate, "begin\n", 90)
    assert process.returncode == -signal.SIGKILL


async def effects(db: Database) -> dict[str, list[str]]:
    """For each patron the events that were acted on, in the order in which they were."""
    by_patron: defaultdict[str, list[str]] = defaultdict(list)
    async with db.read() as session:
        for row in await session.rows(ACTED):
            by_patron[row.shelf].append(row.text)
    return by_patron


def as_told(told: Sequence[Event]) -> dict[str, list[str]]:
    by_patron: defaultdict[str, list[str]] = defaultdict(list)
    for event in told:
        by_patron[str(event.aggregate)].append(str(event.id))
    return by_patron


async def backlog(db: Database, patrons: int, each: int) -> list[Event]:
    ids = [new_id() for _ in range(patrons)]
    told = [changed(who, later=n) for n in range(each) for who in ids]
    await announce(db, *told)
    await db.tidy()
    return list(told)


async def all_is_sealed(db: Database, events: int) -> None:
    report = await audited(db)
    assert (report.named, report.events, report.waiting) == ([], events, 0)


async def test_three_processes_share_a_backlog_and_deliver_each_event_once_in_order(
    db: Database,
) -> None:
    told = await backlog(db, patrons=300, each=5)
    with processes(db.url, [], [], []) as begun:
        lists = await asyncio.gather(*[delivered(each) for each in begun])
    assert Counter(id for each in lists for id in each) == {str(e.id): 1 for e in told}
    assert sum(map(bool, lists)) > 1, "they shared it"
    assert await effects(db) == as_told(told)
    await all_is_sealed(db, len(told))
    numbers = [seal.no for seal in await seals(db)]
    assert numbers == list(range(1, len(numbers) + 1)), "one chain, whoever seals"


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_in_the_middle_of_a_batch_nothing_is_lost_or_done_twice(
    db: Database, moment: str
) -> None:
    told = await backlog(db, patrons=60, each=3)
    with processes(db.url, ["--dies", moment], []) as (dying, other):
        await dead(dying)
        assert not any(row.published_at or row.seal_no for row in await rows(db))
        assert await seals(db) == [], "it was killed before it noted anything"
        done = sum(map(len, (await effects(db)).values()))
        assert done == (TOGETHER if moment == "acting" else BATCH), "whole transactions, no more"
        given = await delivered(other)
    assert Counter(given) == {str(event.id): 1 for event in told}
    assert await effects(db) == as_told(told)
    await all_is_sealed(db, len(told))


async def test_without_the_inbox_a_kill_does_things_twice(db: Database) -> None:
    """So it is the inbox that the test above owes its passing to."""
    await backlog(db, patrons=60, each=3)
    without = ["--without", "inbox"]
    with processes(db.url, ["--dies", "noting", *without], without) as (dying, other):
        await dead(dying)
        await delivered(other)
    seen = Counter(id for ids in (await effects(db)).values() for id in ids)
    assert Counter(seen.values()) == {2: BATCH, 1: 180 - BATCH}, "the batch that was not noted"


async def test_a_poison_event_is_parked_and_the_rest_goes_on(db: Database) -> None:
    told = await backlog(db, patrons=40, each=3)
    poison = told[7]
    async with db.begin() as tx:  # it has failed so often already
        await tx.run(update(log).where(log.c.id == poison.id).values(attempts=ATTEMPTS - 1))
    option = ["--poison", str(poison.id)]
    with processes(db.url, option, option) as begun:
        await asyncio.gather(*[delivered(each) for each in begun])
    rest = [event for event in told if event is not poison]
    assert await effects(db) == as_told(rest), "this patron's later events too"
    (row,) = [row for row in await rows(db) if row.published_at is None]
    assert (row.id, row.attempts, row.seal_no) == (poison.id, ATTEMPTS, None)
    assert row.parked_at is not None
    report = await audited(db)
    assert (report.named, report.events, report.parked) == ([], len(rest), 1)


# --- two relays, step by step -----------------------------------------------------------------


class Gated(Sent):
    """A transport that is slow: it waits in the middle of the first batch until it may go on."""

    def __init__(self, order: list[UUID]) -> None:
        super().__init__(got=order)
        self.arrived, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def send(self, events: Sequence[Event]) -> None:
        if not self.arrived.is_set():
            self.arrived.set()
            await self.may_go_on.wait()
        await super().send(events)


@pytest_asyncio.fixture
async def elsewhere(db: Database) -> AsyncIterator[Database]:
    """The same database, as another process has it."""
    other = Database(db.url, TABLES)
    yield other
    await other.close()


async def one_slow_one_quick(db: Database, elsewhere: Database) -> list[UUID]:
    """What was delivered in which order, by two relays of which one is slow."""
    order: list[UUID] = []
    slow, quick = Gated(order), Sent(got=order)
    first = asyncio.create_task(Relay(db, slow, outboxes([ACCOUNTS])).drain())
    await asyncio.wait_for(slow.arrived.wait(), 5)
    await asyncio.wait_for(Relay(elsewhere, quick, outboxes([ACCOUNTS])).drain(), 5)
    slow.may_go_on.set()
    await asyncio.wait_for(first, 5)
    return order


def without_first(patched: pytest.MonkeyPatch) -> None:
    class Nothing:
        def where(self, *_: Any) -> Any:
            return false()

    patched.setattr(outbox, "exists", Nothing)


def without_lease(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(events, "LEASE", timedelta(seconds=-1))


def as_it_is(patched: pytest.MonkeyPatch) -> None: ...


@pytest.mark.parametrize(
    ("guards", "expected"),
    [(as_it_is, [0, 1, 2]), (without_first, [1, 2, 0]), (without_lease, [0, 1, 2, 0])],
)
async def test_what_keeps_the_order_and_delivers_once(
    db: Database,
    elsewhere: Database,
    monkeypatch: pytest.MonkeyPatch,
    guards: Any,
    expected: list[int],
) -> None:
    """Ann's three events, a relay that takes one at a time and waits, and one that is quick."""
    monkeypatch.setattr(outbox, "BATCH", {"sqlite": 1, "postgresql": 1})
    guards(monkeypatch)
    ann = new_id()
    told = [changed(ann, later=n) for n in range(3)]
    await announce(db, *told)
    order = await one_slow_one_quick(db, elsewhere)
    assert order == [told[n].id for n in expected]
    assert all(row.published_at for row in await rows(db))
    await all_is_sealed(db, 3)


@pytest.mark.parametrize("locked", [True, False], ids=["as it is", "without skip_locked"])
async def test_two_relays_that_claim_at_the_same_moment_claim_different_events(
    postgres: Database, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    if not locked:
        monkeypatch.setattr(Select, "with_for_update", lambda self, **_: self)
    told = [changed(new_id()) for _ in range(2)]
    await announce(postgres, *told)
    elsewhere, sent = Database(postgres.url, TABLES), Sent()
    relay = Relay(elsewhere, sent, outboxes([ACCOUNTS]))
    one = relay.outboxes[0]
    async with postgres.begin() as tx:
        now = told[0].at
        mine = await tx.rows(one.claim["postgresql"], now=now, lease=now + timedelta(days=9999))
        assert len(mine) == 2
        other = asyncio.create_task(relay.flush())
        await asyncio.wait([other], timeout=0.2)
        assert other.done() == locked, "nobody waits for another relay"
    await asyncio.wait_for(other, 5)
    assert len(sent.got) == (0 if locked else 2), "and nobody takes what another has"
    await elsewhere.close()


@pytest.mark.parametrize("undone", [False, True])
async def test_two_relays_that_seal_at_the_same_moment_make_one_chain(
    postgres: Database, undone: bool
) -> None:
    """The second waits for the first, and goes on from what became of it."""
    await deliver(postgres, changed(new_id()))
    mine, other = changed(new_id()), changed(new_id())
    elsewhere, sent = Database(postgres.url, TABLES), Sent()
    await announce(postgres, mine)
    slow = Gated([])
    first = asyncio.create_task(Relay(postgres, slow, outboxes([ACCOUNTS])).flush())
    await asyncio.wait_for(slow.arrived.wait(), 5)
    await announce(postgres, other)
    relay = Relay(elsewhere, sent, outboxes([ACCOUNTS]))
    chain = relay.outboxes[0].chain
    try:
        async with postgres.begin() as tx:  # a third relay, in the middle of sealing
            head = await tx.row(chain.head)
            await chain._added(tx, Seal.after(head, {}, now=other.at, late=False), 0, other.at)
            second = asyncio.create_task(relay.flush())
            await asyncio.wait([second], timeout=0.2)
            assert not second.done()
            if undone:
                raise RuntimeError
    except RuntimeError:
        assert undone
    slow.may_go_on.set()
    await asyncio.wait_for(asyncio.gather(first, second), 5)
    assert (sent.got, slow.got) == ([other.id], [mine.id]), "no work was done twice"
    found = await seals(postgres)
    assert [seal.no for seal in found] == [1, 2, 3, 4][: 3 if undone else 4]
    assert all(later.prev == earlier.hash for earlier, later in pairwise(found))
    await all_is_sealed(postgres, 3)
    await elsewhere.close()
