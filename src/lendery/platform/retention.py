"""What is too old is deleted or cut off, set by set, by night or by command.

A `Limit` says what is kept for how long, how many rows are past it now, and how they go. Rows go
some hundreds at a time, each time in a transaction of its own: the desk waits for milliseconds,
and a run that was killed goes on where it was.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Column, ColumnElement, Table, delete, func, select, tuple_, update

from lendery.platform.db import Database, Session
from lendery.platform.db.log import ContextTables
from lendery.platform.jobs import BEGINNING, Job
from lendery.platform.settings import Settings

AT_A_TIME = 500  # rows
RETENTION, OVERWRITING = "retention", "overwrite what was erased"
DAILY, LONGEST = timedelta(days=1), timedelta(hours=2)
log = structlog.get_logger("lendery.retention")


class Library(Protocol):
    @property
    def db(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...


Sweep = Callable[[Any, datetime, Callable[[int], None], bool], Awaitable[dict[str, int]]]


@dataclass(frozen=True)
class Limit:
    """`sweep(library, now, step, dry_run)` returns rows by what they are, and changes nothing when
    it is a dry run. `fate` is what becomes of them: deleted, unlinked or emptied. `days` is the
    setting.
    """

    what: tuple[str, ...]
    fate: str
    days: Callable[[Settings], int]
    sweep: Sweep


@dataclass(frozen=True)
class Past:
    """So many rows of one kind are past their limit, or were."""

    context: str
    what: str
    fate: str
    days: int
    rows: int


def aged(
    what: str,
    table: Table,
    column: ColumnElement[datetime | None],
    days: Callable[[Settings], int],
    *conditions: ColumnElement[bool],
    with_them: Sequence[tuple[ColumnElement[Any], ColumnElement[Any]]] = (),
) -> Limit:
    """Rows that are deleted when they are so old. `with_them`: what hangs on them, (its column,
    ours)."""

    async def sweep(
        library: Any, now: datetime, step: Callable[[int], None], dry_run: bool
    ) -> dict[str, int]:
        old = column < now - timedelta(days=days(library.settings))
        if dry_run:
            async with library.db.unhurried() as session:
                counted = select(func.count()).select_from(table).where(old, *conditions)
                return {what: int(await session.value(counted))}
        gone = 0
        key: list[ColumnElement[Any]] = list(table.primary_key)
        while True:
            async with library.db.begin() as tx:
                query = select(*key).where(old, *conditions).limit(AT_A_TIME)
                rows = [tuple(row) for row in await tx.rows(query)]
                if not rows:
                    return {what: gone}
                for theirs, ours in with_them:
                    at = key.index(ours)
                    hanging = theirs.in_([row[at] for row in rows])
                    await tx.run(delete(theirs.table).where(hanging))
                await tx.run(delete(table).where(_among(key, rows)))
            gone += len(rows)
            step(len(rows))

    return Limit((what,), "deleted", days, sweep)


def emptied(
    what: str,
    column: Column[Any],
    age: ColumnElement[datetime | None],
    days: Callable[[Settings], int],
) -> Limit:
    """Rows that stay, but for what stands in this column when they are so old."""
    table = column.table
    key: list[ColumnElement[Any]] = list(table.primary_key)

    async def sweep(
        library: Any, now: datetime, step: Callable[[int], None], dry_run: bool
    ) -> dict[str, int]:
        old = (column.is_not(None), age < now - timedelta(days=days(library.settings)))
        if dry_run:
            async with library.db.unhurried() as session:
                counted = select(func.count()).select_from(table).where(*old)
                return {what: int(await session.value(counted))}
        gone = 0
        while True:
            async with library.db.begin() as tx:
                found = await tx.rows(select(*key).where(*old).limit(AT_A_TIME))
                if not found:
                    return {what: gone}
                rows = [tuple(row) for row in found]
                empty = update(table).where(_among(key, rows)).values({column.name: None})
                await tx.run(empty)
            gone += len(rows)
            step(len(rows))

    return Limit((what,), "emptied", days, sweep)


def _among(key: Sequence[ColumnElement[Any]], rows: Sequence[tuple[Any, ...]]) -> Any:
    if len(key) == 1:
        return key[0].in_([row[0] for row in rows])
    return tuple_(*key).in_(rows)


def kept_answers(request: Table) -> Limit:
    """What a repeated request would be told. One that comes later is taken for a new one."""
    return aged("kept answers", request, request.c.at, lambda settings: settings.requests_days)


async def enforce(
    library: Any,
    limits: Mapping[str, Sequence[Limit]],
    now: datetime,
    *,
    dry_run: bool = False,
    step: Callable[[int], None] = lambda rows: None,
) -> list[Past]:
    """Each context's limits in turn."""
    found = []
    for context, each in limits.items():
        for limit in each:
            rows = await limit.sweep(library, now, step, dry_run)
            days = limit.days(library.settings)
            found += [
                Past(context, what, limit.fate, days, rows.get(what, 0)) for what in limit.what
            ]
    return found


def retention_job(tables: ContextTables, limits: Sequence[Limit]) -> Job:
    """By night. The first time is only noted: a library that has just been started is busy."""

    async def run(library: Any, now: datetime) -> None:
        if await _is_first(library.db, tables.slots.slot):
            return
        past = await enforce(library, {tables.context: limits}, now)
        if changed := {each.what: each.rows for each in past if each.rows}:
            log.info("retention", context=tables.context, rows=changed)

    return Job(RETENTION, DAILY, run, at=time(3, 15), limit=LONGEST, queue="long")


async def _is_first(db: Database, slot: Table) -> bool:
    query = select(func.count()).select_from(slot).where(slot.c.job == RETENTION)
    async with db.read() as session:
        return int(await session.value(query)) <= 1


def overwriting_job(here: Sequence[ContextTables], erasing: Mapping[str, frozenset[str]]) -> Job:
    """SQLite leaves what was deleted in the file until something else is written there. After an
    erasure the file is written anew, in the following night."""
    slot = here[0].slots.slot

    async def run(library: Any, now: datetime) -> None:
        done = select(func.max(slot.c.began_at)).where(slot.c.job == OVERWRITING)
        async with library.db.read() as session:
            since = await session.value(done.where(slot.c.state == "done")) or BEGINNING
            erased = [await _erased(session, each, erasing, since) for each in here]
        if any(erased):
            await library.db.overwrite()

    return Job(OVERWRITING, DAILY, run, at=time(3, 45), limit=LONGEST, queue="long")


async def _erased(
    session: Session, tables: ContextTables, by: Mapping[str, frozenset[str]], since: datetime
) -> bool:
    """Has this context told of, or acted on, the erasure of a person since then?"""
    names = sorted(by.get(tables.context, ()))
    event, inbox = tables.event, tables.inbox
    told = select(event.c.id).where(event.c.name.in_(names), event.c.at >= since)
    acted = select(inbox.c.event_id).where(inbox.c.reaction.in_(names), inbox.c.at >= since)
    return bool(
        await session.row(told.limit(1)) is not None
        or await session.row(acted.limit(1)) is not None
    )
