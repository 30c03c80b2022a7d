"""After a storm: what was announced is delivered, each of it acted on once, and the logs agree.

A relay that was killed leaves events behind that it had claimed for a minute. `lapse` lets that
minute pass at once; the programme also waits for it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update

from lendery.accounts.models import user
from lendery.catalog.models import copy as catalogued
from lendery.circulation.models import copy, patron
from lendery.main import REACTIONS, TABLES
from lendery.platform.db import Database
from tests.assurance.storm import Storm
from tests.assurance.storm_truth import Verdict, ask_all
from tests.system import System

PAUSE = 0.05
WITHIN = 20.0  # seconds: a neighbour that was away is called again within ten
LEASE = 80.0  # a dead relay has what it claimed for a minute
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
Logs = dict[str, Database]  # by context


@asynccontextmanager
async def logs_of(place: System) -> AsyncIterator[Logs]:
    async with AsyncExitStack() as stack:
        found: Logs = {}
        for unit, contexts in place.units.items():
            db = Database(place.databases[unit])
            stack.push_async_callback(db.close)
            found |= {context: db for context in contexts if context in TABLES}
        yield found


async def lapse(place: System) -> None:
    """The minute for which a dead relay had claimed events is over."""
    async with logs_of(place) as logs:
        for context, db in logs.items():
            event = TABLES[context].event
            async with db.begin() as tx:
                await tx.run(
                    update(event)
                    .where(event.c.published_at.is_(None), event.c.claimed_until.is_not(None))
                    .values(claimed_until=LONG_AGO)
                )


async def calm(place: System, storm: Storm, *, within: float = WITHIN) -> Verdict:
    """Waits until all is delivered, and looks whether it was acted on."""
    verdict = Verdict()
    async with logs_of(place) as logs:
        give_up = time.monotonic() + within
        while (left := await _undelivered(logs)) and time.monotonic() < give_up:
            await asyncio.sleep(PAUSE)
        for name, times in left.items():
            verdict.lost[f"{name} was not delivered in {within:.0f} seconds"] += times
        for name, times in (await _parked(logs)).items():
            verdict.odd[f"{name} was parked"] += times
        await _acted_on(logs, verdict)
        await _status(logs, storm, verdict)
        await _memory(logs, storm, verdict)
    return verdict


async def _undelivered(logs: Logs) -> Counter[str]:
    return await _count(logs, lambda e: (e.c.published_at.is_(None), e.c.parked_at.is_(None)))


async def _parked(logs: Logs) -> Counter[str]:
    return await _count(logs, lambda e: (e.c.parked_at.is_not(None),))


async def _count(logs: Logs, which: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for context, db in logs.items():
        event = TABLES[context].event
        async with db.read() as session:
            rows = await session.rows(select(event.c.name).where(*which(event)))
        found.update(row.name for row in rows)
    return found


async def _acted_on(logs: Logs, verdict: Verdict) -> None:
    """Each event that somebody reacts to has its one row in that one's inbox."""
    for context, reactions in REACTIONS.items():
        inbox = TABLES[context].inbox
        async with logs[context].read() as session:
            rows = await session.rows(select(inbox.c.event_id, inbox.c.reaction))
        acted = Counter((row.event_id, row.reaction) for row in rows)
        wanted: Counter[Any] = Counter()
        for reaction in reactions:
            source = reaction.to.name.split(".")[0]
            event = TABLES[source].event
            async with logs[source].read() as session:
                told = await session.rows(
                    select(event.c.id).where(event.c.name == reaction.to.name)
                )
            wanted.update((row.id, reaction.name) for row in told)
        for _, name in (wanted - acted).elements():
            verdict.lost[f"{context} never did {name}"] += 1
        for _, name in (acted - wanted).elements():
            verdict.doubled[f"{context} did {name} for nothing, or twice"] += 1


async def _status(logs: Logs, storm: Storm, verdict: Verdict) -> None:
    """What the catalogue shows of a copy is what circulation says of it."""
    ids = [each["id"] for each in storm.crowd.shelf]
    async with logs["catalog"].read() as session:
        rows = await session.rows(select(catalogued.c.id, catalogued.c.status))
    shown = {str(row.id): row.status for row in rows}
    for told in await ask_all(storm, [f"copies/{each}" for each in ids]):
        status = shown.get(told.body["id"])
        if status != told.body["status"]:
            verdict.odd[f"a copy is {told.body['status']}, and shown as {status}"] += 1


async def _memory(logs: Logs, storm: Storm, verdict: Verdict) -> None:
    """What circulation remembers of patrons and copies is what accounts and the catalog have."""
    for what, at, theirs, ours in (
        ("card", "accounts", user, patron),
        ("copy", "catalog", catalogued, copy),
    ):
        async with logs[at].read() as session:
            rows = await session.rows(select(theirs.c.id, theirs.c.version))
        now = {row.id: row.version for row in rows}
        async with logs["circulation"].read() as session:
            rows = await session.rows(select(ours.c.id, ours.c.version))
        for row in rows:
            if row.version != now.get(row.id):
                verdict.odd[f"a {what} is remembered as it was {now.get(row.id)=} {row=}"] += 1
    await _last_changes(storm, verdict)


async def _last_changes(storm: Storm, verdict: Verdict) -> None:
    """What the office did last to each card and copy stands; whom it took in is there once."""
    for kind, field, path in (
        ("change card", "expires_on", "users"),
        ("change price", "price", "copies"),
    ):
        last = {n.ask.path.split("/")[-1]: n.ask.body or {} for n in storm.notes if n.kind == kind}
        answers = await ask_all(storm, [f"{path}/{each}" for each in last])
        for told in answers:
            if told.body[field] != last[told.body["id"]][field]:
                verdict.lost[f"{kind}: {told.body[field]}, not {last[told.body['id']]}"] += 1
    taken_in = [n for n in storm.notes if n.kind in ("register", "shelve") and n.done]
    paths = [f"{note.ask.path.rsplit('/', 1)[-1]}/{note.told.body['id']}" for note in taken_in]
    for note, told in zip(taken_in, await ask_all(storm, paths), strict=True):
        name = "email" if note.kind == "register" else "barcode"
        if told.body[name] != (note.ask.body or {})[name]:
            verdict.lost[f"{note.kind}: {told.body} for {note.ask.body}"[:300]] += 1


def agree(place: System) -> Verdict:
    """`lendery events verify`, and what circulation's log says of its tables: no difference."""
    verdict = Verdict()
    for unit, contexts in place.units.items():
        commands: list[tuple[str, ...]] = [("events", "verify")]
        if "circulation" in contexts:
            commands.append(("events", "replay", "--verify"))
        for command in commands:
            try:
                place.cli(unit, *command)
            except AssertionError as error:
                verdict.odd[f"{unit}: lendery {' '.join(command)}: {error}"[:1000]] += 1
    return verdict
