"""Duplicates: pairs that look the same, for somebody to look at."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from lendery.catalog.merging import MergeDesk
from lendery.catalog.repository import duplicates as kept
from lendery.catalog.repository import record
from lendery.catalog.repository.duplicates import Pair
from lendery.catalog.rules import alike
from lendery.contracts.authorities import (
    CannotMerge,
    Duplicate,
    DuplicateKind,
    Merge,
    NewMerge,
    NoSuchDuplicate,
    Twin,
)
from lendery.contracts.base import Page, Window
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database
from lendery.platform.http.answers import make_cursor, read_cursor

Rows = AsyncIterator[list[Any]]
Alike = Callable[[Any, Any], int]
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DuplicateList:
    """Implements contracts.authorities.Duplicates."""

    db: Database

    async def look(self, *, actor: Actor, now: datetime) -> int:
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            await kept.claim_look(tx, now=now, before=now)
            before = await kept.how_many(tx)
        await self._compare(now)
        async with self.db.read() as session:
            return max(0, await kept.how_many(session) - before)

    async def look_daily(self, now: datetime) -> bool:
        """Once a day at most, and only after a change; a new library waits for a day."""
        async with self.db.begin() as tx:
            last = await kept.last_look(tx)
            if last.looked_at is not None and last.looked_version == last.version:
                return False
            if not await kept.claim_look(tx, now=now, before=now - A_DAY):
                return False
        if last.looked_at is None:
            return False
        await self._compare(now)
        return True

    async def _compare(self, now: datetime) -> None:
        """In one snapshot; found pairs are kept when the reading is over."""
        async with self.db.snapshot() as session:
            books = await _near(kept.books_by_title(session), alike.same_book)
            books |= await _of_one(kept.books_by_author(session), alike.same_book)
            people = await _near(kept.authors_filed(session), alike.same_person)
            people |= await _near(kept.authors_by_name(session), alike.same_person)
        async with self.db.begin() as tx:
            await record(
                tx,
                [
                    *(kept.found("book", pair, now=now) for pair in books),
                    *(kept.found("author", pair, now=now) for pair in people),
                ],
            )
            await kept.forget_unfound(tx, looked_at=now)

    async def find(
        self, *, kind: DuplicateKind | None, window: Window, actor: Actor
    ) -> Page[Duplicate]:
        actor.must(Permission.CATALOGUE)
        after = None
        if window.after:
            score, last = read_cursor(window.after, int, UUID)
            after = (score or 0, last)
        async with self.db.read() as session:
            rows = await kept.listed(session, kind=kind, after=after, many=window.limit + 1)
            shown = rows[: window.limit]
            said: dict[UUID, Twin] = {}
            for each in ("book", "author"):
                ids = [i for row in shown if row.kind == each for i in (row.one_id, row.other_id)]
                found = await kept.said_of(session, each, ids=ids)
                said |= {row.id: _twin(each, row) for row in found.values()}
        return Page(
            items=[
                Duplicate(
                    id=row.id,
                    kind=row.kind,
                    one=said[row.one_id],
                    other=said[row.other_id],
                    score=row.score,
                    found_at=row.found_at,
                )
                for row in shown
                if row.one_id in said and row.other_id in said  # removed since
            ],
            next_cursor=make_cursor(shown[-1].score, shown[-1].id)
            if len(rows) > window.limit
            else None,
        )

    async def dismiss(self, *, duplicate_id: UUID, actor: Actor, now: datetime) -> None:
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            if not await kept.dismissed(tx, duplicate_id=duplicate_id, by=actor.id, now=now):
                raise NoSuchDuplicate("There is no such pair on the list.")

    async def merge(
        self, *, duplicate_id: UUID, winner_id: UUID, actor: Actor, now: datetime
    ) -> Merge:
        actor.must(Permission.CATALOGUE)
        async with self.db.read() as session:
            row = await kept.open_pair(session, duplicate_id=duplicate_id)
        if row is None:
            raise NoSuchDuplicate("There is no such pair on the list.")
        pair = {row.one_id, row.other_id}
        if winner_id not in pair:
            raise CannotMerge("Choose one of the two as the one that stays.")
        [loser_id] = pair - {winner_id}
        wanted = NewMerge(kind=row.kind, loser_id=loser_id, winner_id=winner_id)
        return await MergeDesk(self.db).merge(wanted=wanted, actor=actor, now=now)


async def _near(chunks: Rows, alike_as: Alike) -> set[Pair]:
    """Pairs among neighbours; the last of a chunk are neighbours of the next chunk's first."""
    found: set[Pair] = set()
    tail: list[Any] = []
    async for rows in chunks:
        found |= _alike(alike.neighbours([*tail, *rows]), alike_as)
        tail = [*tail, *rows][-alike.NEAR :]
        await asyncio.sleep(0)  # readers go on while a library is compared
    return found


async def _of_one(chunks: Rows, alike_as: Alike) -> set[Pair]:
    """Pairs of books that are filed under the same name."""
    found: set[Pair] = set()
    held: list[Any] = []
    async for rows in chunks:
        groups = [list(g) for _, g in groupby([*held, *rows], lambda row: row.sort_author)]
        held = groups.pop()  # may go on in the next chunk
        for group in groups:
            found |= _alike(alike.of_one_author(group), alike_as)
        await asyncio.sleep(0)
    return found | _alike(alike.of_one_author(held), alike_as)


def _alike(pairs: Iterable[tuple[Any, Any]], alike_as: Alike) -> set[Pair]:
    """The ids in order, so that a pair is found once."""
    found = set()
    for one, other in pairs:
        if score := alike_as(one, other):
            first, second = sorted((one.id, other.id))
            found.add(Pair(first, second, score))
    return found


def _twin(kind: str, row: Any) -> Twin:
    if kind == "author":
        years = f"{row.born or ''}\u2013{row.died or ''}" if row.born or row.died else ""
        return Twin(id=row.id, name=row.name, said=years)
    authors = ", ".join(each["name"] for each in json.loads(row.authors))
    facts = (authors, row.published_year, row.isbn and f"ISBN {row.isbn}")
    return Twin(id=row.id, name=row.name, said=" \u00b7 ".join(str(f) for f in facts if f))
