"""The tables every context has: a log nobody can rewrite, an inbox, answers kept for keys."""

import sqlite3
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import delete, select, update

from lendery.contracts.accounts import PatronChanged
from lendery.contracts.base import Event, KeyReused, RequestKey, new_id
from lendery.contracts.circulation import CheckOutRefused, RenewalRefused
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate
from lendery.platform.db.log import ContextTables, context_tables

from .toy import ACCOUNTS, CIRCULATION, NOW, announce, changed, registered

REFUSED = (sqlite3.IntegrityError, asyncpg.RaiseError)
event = ACCOUNTS.event

FORBIDDEN: list[tuple[str, Any]] = [
    ("seq", 99),
    ("id", new_id()),
    ("name", "accounts.PatronRemoved"),
    ("aggregate", new_id()),
    ("at", NOW),
    ("body", {"patron_id": "somebody else"}),
]


async def the_log(db: Database) -> list[Any]:
    async with db.read() as session:
        return await session.rows(select(event).order_by(event.c.seq))


async def test_what_happened_is_written_as_it_was_told(db: Database) -> None:
    ann, ben = new_id(), new_id()
    told = [registered(ann), changed(ben), changed(ann, later=5)]
    await announce(db, told[0])
    await announce(db, *told[1:])
    rows = await the_log(db)
    assert [row.seq for row in rows] == sorted({row.seq for row in rows})
    assert [(r.id, r.name, r.aggregate, r.at) for r in rows] == [
        (told[0].id, "accounts.PatronRegistered", ann, NOW),
        (told[1].id, "accounts.PatronChanged", ben, NOW),
        (told[2].id, "accounts.PatronChanged", ann, NOW + timedelta(seconds=5)),
    ]
    assert rows[0].body == {"patron_id": str(ann)}
    assert {(r.published_at, r.claimed_until, r.attempts, r.parked_at) for r in rows} == {
        (None, None, 0, None)
    }
    loaded = Event.load(rows[2].name, {**rows[2].body, "id": rows[2].id, "at": rows[2].at})
    assert loaded == told[2] and type(loaded) is PatronChanged


async def test_the_facts_of_the_log_never_change(db: Database) -> None:
    await announce(db, changed(new_id()))
    before = await the_log(db)
    for column, value in FORBIDDEN:
        with pytest.raises(REFUSED, match="the log is append-only"):
            async with db.begin() as tx:
                await tx.run(update(event).values({column: value}))
    with pytest.raises(REFUSED, match="the log is append-only"):
        async with db.begin() as tx:
            await tx.run(delete(event).where(event.c.id == before[0].id))
    assert await the_log(db) == before


async def test_how_far_its_delivery_has_come_may_change(db: Database) -> None:
    await announce(db, changed(new_id()))
    moved = {
        "published_at": NOW,
        "claimed_until": NOW,
        "attempts": 3,
        "next_at": NOW,
        "parked_at": NOW,
        "error": "RuntimeError: no",
    }
    async with db.begin() as tx:
        assert await tx.run(update(event).values(**moved)) == 1
    (row,) = await the_log(db)
    assert {name: getattr(row, name) for name in moved} == moved


async def test_the_same_event_is_never_written_twice(db: Database) -> None:
    once = changed(new_id())
    await announce(db, once)
    with pytest.raises(Duplicate) as told:
        await announce(db, once)
    assert told.value.columns == {"id"}


async def test_an_event_of_another_context_cannot_be_announced_here(db: Database) -> None:
    here = Database(db.url, [CIRCULATION])
    with pytest.raises(KeyError):
        async with here.begin() as tx:
            await tx.announce(changed(new_id()))
    await here.close()
    assert await the_log(db) == []


async def test_the_inbox_lets_each_reaction_act_once(db: Database) -> None:
    one, other = changed(new_id()), changed(new_id())
    asked = [(one, "refresh"), (one, "refresh"), (one, "count"), (other, "refresh")]
    async with db.begin() as tx:
        said = [await tx.is_first("circulation", e, r, now=NOW) for e, r in asked]
    assert said == [True, False, True, True]
    async with db.begin() as tx:
        assert not await tx.is_first("circulation", one, "count", now=NOW)
        assert await tx.is_first("accounts", one, "count", now=NOW)


async def test_what_was_undone_may_be_acted_on_again(db: Database) -> None:
    event = changed(new_id())
    with pytest.raises(RuntimeError):
        async with db.begin() as tx:
            assert await tx.is_first("circulation", event, "refresh", now=NOW)
            raise RuntimeError
    async with db.begin() as tx:
        assert await tx.is_first("circulation", event, "refresh", now=NOW)


KEY = RequestKey(scope="ann", key="k-1", fingerprint="f")
OTHERS = [
    RequestKey(scope="ben", key="k-1", fingerprint="f"),
    RequestKey(scope="ann", key="k-2", fingerprint="f"),
]


async def kept(db: Database, tables: ContextTables, key: RequestKey) -> Any:
    """The row that circulation's questions carry beside their facts."""
    r = tables.request
    query = select(
        r.c.fingerprint.label("key_fingerprint"),
        r.c.status.label("key_status"),
        r.c.answer.label("key_answer"),
    ).where(r.c.scope == key.scope, r.c.key == key.key)
    async with db.read() as session:
        return await session.row(query)


async def test_a_key_gets_the_answer_it_got_before(db: Database) -> None:
    assert idempotency.told_before(await kept(db, CIRCULATION, KEY), KEY) is None
    async with db.begin() as tx:
        await tx.write(idempotency.kept(CIRCULATION, KEY, {"id": "loan 1"}, now=NOW))
    row = await kept(db, CIRCULATION, KEY)
    assert idempotency.told_before(row, KEY) == {"id": "loan 1"}
    assert idempotency.told_before(row, None) is None, "no key was sent"
    for other in OTHERS:
        assert idempotency.told_before(await kept(db, CIRCULATION, other), other) is None


async def test_a_key_with_another_request_is_refused(db: Database) -> None:
    async with db.begin() as tx:
        await tx.write(idempotency.kept(CIRCULATION, KEY, {}, now=NOW))
    row = await kept(db, CIRCULATION, KEY)
    with pytest.raises(KeyReused):
        idempotency.told_before(row, KEY.model_copy(update={"fingerprint": "g"}))


REFUSALS = [
    CheckOutRefused("Ann has it.", blocks=[{"code": "on-loan", "says": "x", "waivable": False}]),
    RenewalRefused("No more renewals.", reason="too-often"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.code)
async def test_a_refusal_is_kept_too_and_refused_again_in_the_same_words(
    db: Database, refusal: Any
) -> None:
    async with db.begin() as tx:
        await tx.write(idempotency.kept_refusal(CIRCULATION, KEY, refusal, now=NOW))
    row = await kept(db, CIRCULATION, KEY)
    with pytest.raises(type(refusal)) as told:
        idempotency.told_before(row, KEY)
    assert (told.value.detail, told.value.extra) == (refusal.detail, refusal.extra)


async def test_one_key_is_answered_once(db: Database) -> None:
    async with db.begin() as tx:
        await tx.write(idempotency.kept(CIRCULATION, KEY, {"first": 1}, now=NOW))
    with pytest.raises(Duplicate) as told:
        async with db.begin() as tx:
            await tx.write(idempotency.kept(CIRCULATION, KEY, {"second": 2}, now=NOW))
    assert told.value.columns == {"scope", "key"}


def test_each_context_has_its_own_five_tables() -> None:
    from sqlalchemy import MetaData

    metadata = MetaData()
    tables = context_tables("reviews", metadata)
    assert set(metadata.tables) == {
        "reviews_event",
        "reviews_seal",
        "reviews_inbox",
        "reviews_request",
        "reviews_slot",
    }
    assert tables.context == "reviews"
    index = next(i for i in tables.event.indexes if i.name == "reviews_event_by_id")
    assert index.unique
