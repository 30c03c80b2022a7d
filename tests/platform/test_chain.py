"""The chain of the log: nobody changes what was delivered without it showing, by name."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from lendery.contracts.base import new_id
from lendery.platform import chain
from lendery.platform.audit import Head
from lendery.platform.chain import LATE, canonical, fingerprint, fingerprints
from lendery.platform.db import Database
from lendery.platform.outbox import ATTEMPTS

from .tampering import (
    ANN,
    BEN,
    FACTS,
    LATER,
    audited,
    behind_our_back,
    deliver,
    event,
    log,
    put_in,
    seal,
    seals,
    three_seals,
)
from .test_events import Sent, relay_of, rows, time_passes
from .test_log import REFUSED
from .toy import NOW, TABLES, announce, changed, registered

# --- how it is made ---------------------------------------------------------------------------


async def test_what_was_delivered_is_sealed_and_anybody_can_reckon_it_up(db: Database) -> None:
    """Without a line of Lendery's own: as the decision record tells it."""
    await three_seals(db)
    kept, before = await rows(db), "0" * 64
    for number, each in enumerate(await seals(db), start=1):
        mine = [row for row in kept if row.seal_no == number]
        lines = ""
        for row in mine:
            facts = {
                "seq": row.seq,
                "id": row.id.hex,
                "name": row.name,
                "aggregate": row.aggregate.hex,
                "at": row.at.isoformat(timespec="microseconds"),
                "body": json.dumps(row.body, separators=(",", ":")),
            }
            told = json.dumps(facts, sort_keys=True, separators=(",", ":"))
            lines += f"{row.seq} {hashlib.sha256(told.encode()).hexdigest()}\n"
        at = each.at.isoformat(timespec="microseconds")
        whole = f"{number} {before} {at} live\n{lines}"
        assert (each.no, each.prev, each.contents) == (number, before, lines)
        assert each.hash == hashlib.sha256(whole.encode()).hexdigest()
        assert {row.published_at for row in mine} == {each.at}, "in the same write"
        before = each.hash
    report = await audited(db)
    assert report.intact and report.head == Head("accounts", 3, before)
    assert (report.events, report.seals, report.waiting, report.late) == (6, 3, 0, 0)


def test_an_event_has_one_form_whatever_the_database_hands_out() -> None:
    one = UUID("0189d3a8-1c00-7000-8000-000000000001")
    at = datetime(2026, 3, 1, 10, 30, 0, 5, tzinfo=UTC)

    class Row:
        seq, name, body = 7, "accounts.PatronChanged", '{"patron_id":"Änne \\" 1"}'

    typed, raw = Row(), Row()
    typed.id, typed.aggregate, typed.at = one, one, at  # type: ignore[attr-defined]
    raw.id = raw.aggregate = one.hex  # type: ignore[attr-defined]
    raw.at = "2026-03-01T10:30:00.000005+00:00"  # type: ignore[attr-defined]
    assert canonical(typed) == canonical(raw)
    assert fingerprint(typed) == fingerprint(raw)
    assert canonical(raw) == (
        '{"aggregate":"0189d3a81c0070008000000000000001",'
        '"at":"2026-03-01T10:30:00.000005+00:00",'
        '"body":"{\\"patron_id\\":\\"Änne \\\\\\" 1\\"}",'
        '"id":"0189d3a81c0070008000000000000001","name":"accounts.PatronChanged","seq":7}'
    )
    assert json.loads(canonical(raw))["body"] == Row.body


async def test_what_waits_or_is_parked_is_sealed_when_it_is_delivered(db: Database) -> None:
    poison, other, waits = changed(ANN), changed(BEN), registered(new_id())
    await announce(db, poison, other)
    sent = Sent(fails={poison.id: RuntimeError("no")})
    for _ in range(ATTEMPTS):
        await relay_of(db, to=sent).drain()
        await time_passes(db)
    await announce(db, waits)
    assert [row.seal_no for row in await rows(db)] == [None, 1, None]
    report = await audited(db)
    assert (report.intact, report.events, report.parked, report.waiting) == (True, 1, 1, 1)
    relay = relay_of(db, to=Sent())
    assert await relay.revive() == 1
    await relay.drain()
    assert [row.seal_no for row in await rows(db)] == [2, 1, 2]
    report = await audited(db)
    assert (report.intact, report.events, report.parked, report.waiting) == (True, 3, 0, 0)


async def test_an_event_that_is_committed_late_under_a_lower_number_is_not_skipped(
    postgres: Database,
) -> None:
    slow, quick = changed(ANN), changed(BEN)
    relay, sent = relay_of(postgres, to=(to := Sent())), to.got
    async with postgres.begin() as tx:
        await tx.announce(slow)
        await announce(postgres, quick)
        await relay.drain()
        assert sent == [quick.id]
        assert (await audited(postgres)).intact, "nobody misses what is not committed yet"
    await relay.drain()
    assert sent == [quick.id, slow.id]
    assert [(r.seq, r.id, r.seal_no) for r in await rows(postgres)] == [
        (1, slow.id, 2),
        (2, quick.id, 1),
    ]
    report = await audited(postgres)
    assert (report.intact, report.events, report.seals) == (True, 2, 2)


async def test_what_is_delivered_again_keeps_its_seal(db: Database) -> None:
    told = await three_seals(db)
    before = await seals(db)
    await time_passes(db, published_at=None)
    sent = Sent()
    await relay_of(db, to=sent).drain()
    assert sent.got == [event.id for event in told]
    assert await seals(db) == before
    assert [row.seal_no for row in await rows(db)] == [1, 1, 2, 2, 3, 3]
    assert all(row.published_at for row in await rows(db))
    assert (await audited(db)).intact


async def test_who_is_overtaken_seals_only_what_is_left(db: Database) -> None:
    """Its lease ran out while it delivered; another relay has delivered one of its two events."""
    told = [changed(ANN), changed(BEN)]
    await announce(db, *told)
    other = Database(db.url, TABLES)
    quick = relay_of(other, to=Sent())

    class Slow(Sent):
        async def send(self, events: Any) -> None:
            await super().send(events)
            async with other.begin() as tx:
                past = datetime.now(UTC) - timedelta(seconds=1)
                await tx.run(update(log).where(log.c.id == told[0].id).values(claimed_until=past))
            await quick.drain()

    await relay_of(db, to=(slow := Slow())).drain()
    assert slow.got == [event.id for event in told]
    assert quick.transport.got == [told[0].id]  # type: ignore[attr-defined]
    assert [row.seal_no for row in await rows(db)] == [1, 2]
    assert [(s.no, s.events) for s in await seals(db)] == [(1, 1), (2, 1)]
    assert (await audited(db)).intact
    await other.close()


async def test_fingerprints_are_made_a_few_at_a_time(db: Database) -> None:
    """Others get their turn in between: the desk does not wait for a batch to be reckoned up."""
    await announce(db, *[changed(new_id()) for _ in range(chain.AT_ONCE * 3 + 1)])
    async with db.read() as session:
        found = await session.rows(FACTS)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    desk = asyncio.create_task(others())
    await asyncio.sleep(0)
    made = await fingerprints(found)
    desk.cancel()
    assert made == {row.seq: fingerprint(row) for row in found}
    assert turns == 3


# --- its guards -------------------------------------------------------------------------------


async def test_a_sealed_event_stays_in_its_seal_and_a_seal_as_it_is(db: Database) -> None:
    await three_seals(db)
    before = await rows(db), await seals(db)
    refused = [
        (update(log).values(seal_no=9), "a sealed event stays in its seal"),
        (update(log).where(log.c.seq == 1).values(seal_no=None), "a sealed event stays"),
        *[
            (update(seal).where(seal.c.no == 2).values({name: value}), "the log is append-only")
            for name, value in (
                ("no", 9), ("prev", "f" * 64), ("hash", "f" * 64), ("events", 1),
                ("at", LATER), ("late", True), ("contents", ""),
            )
        ],
        (delete(seal).where(seal.c.no == 3), "the log is append-only"),
    ]  # fmt: skip
    for statement, says in refused:
        with pytest.raises(REFUSED, match=says):
            async with db.begin() as tx:
                await tx.run(statement)
    assert (await rows(db), await seals(db)) == before


# --- what was delivered before there was a chain ----------------------------------------------


async def before_the_chain(db: Database, count: int) -> None:
    """As a Lendery leaves it that does not seal; it runs on these tables too."""
    await announce(db, *[changed(new_id()) for _ in range(count)])
    async with db.begin() as tx:
        unsealed = update(log).where(log.c.published_at.is_(None))
        await tx.run(unsealed.values(published_at=NOW, claimed_until=None, error=None))


async def test_what_was_delivered_before_there_was_a_chain_is_sealed_late(db: Database) -> None:
    await before_the_chain(db, LATE + 1)
    await deliver(db, changed(ANN))
    report = await audited(db)
    assert (report.intact, report.events, report.unsealed, report.late) == (True, 1, LATE + 1, 0)
    relay = relay_of(db, to=(sent := Sent()))
    assert [await relay.seal_late() for _ in range(3)] == [LATE, 1, 0]
    assert sent.got == [], "it was delivered"
    assert {row.published_at for row in await rows(db) if row.seal_no != 1} == {NOW}
    assert [(s.no, s.events, s.late) for s in await seals(db)] == [
        (1, 1, False),
        (2, LATE, True),
        (3, 1, True),
    ]
    report = await audited(db)
    assert (report.intact, report.events, report.unsealed, report.late) == (
        True,
        LATE + 2,
        0,
        LATE + 1,
    )
    await behind_our_back(db, event(5).values(body={}))
    assert (await audited(db)).found == 1


async def test_who_puts_an_event_into_the_past_is_told_by_when_it_was_sealed(db: Database) -> None:
    """The log takes what is appended: but not unseen, and never back among the sealed."""
    await before_the_chain(db, 3)
    relay = relay_of(db, to=Sent())
    await relay.seal_late()
    upgraded = await audited(db)
    await behind_our_back(db, put_in(seq=-5, at=NOW - timedelta(days=900)))
    assert (await audited(db)).unsealed == 1
    await relay.seal_late()
    report = await audited(db)
    assert (upgraded.late, report.late) == (3, 4)
    assert report.late_at > upgraded.late_at, "long after the upgrade: ask why"


async def test_a_relay_seals_late_by_itself_when_it_has_nothing_else_to_do(db: Database) -> None:
    await before_the_chain(db, LATE * 2)
    relay = relay_of(db, to=Sent(), pause=30.0)
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(5):
        while (await audited(db)).unsealed:
            await asyncio.sleep(0.01)
    relay.stop()
    await asyncio.wait_for(running, 5)
    assert (await audited(db)).late == LATE * 2


async def test_two_relays_that_seal_late_at_once_seal_each_event_once(db: Database) -> None:
    await before_the_chain(db, LATE * 3)
    others = [Database(db.url, TABLES) for _ in range(3)]

    async def work(on: Database) -> None:
        relay = relay_of(on, to=Sent())
        while (await audited(on)).unsealed:
            await relay.seal_late()

    await asyncio.wait_for(asyncio.gather(*[work(on) for on in others]), 30)
    report = await audited(db)
    assert (report.named, report.late, report.events) == ([], LATE * 3, LATE * 3)
    for other in others:
        await other.close()
