"""Holds with the words people know them by, and changing one that is somebody's own."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from lendery.contracts.base import Window
from lendery.contracts.catalog import BareCopy, Book
from lendery.contracts.circulation import (
    Expected,
    Hold,
    HoldFilter,
    HoldHasEnded,
    HoldNotWaiting,
    NoSuchHold,
    Suspension,
)
from lendery.contracts.permissions import Actor
from lendery.web.ports import Ports
from lendery.web.words import zone

MOST = 100  # of one reader, on one page


@dataclass(frozen=True)
class Queued:
    """A hold, what for, and how many wait for the same; `copy` is the one that was found.

    `expected`: when it is likely to be ready, where that was asked for and can be said.
    """

    hold: Hold
    book: Book | None
    copy: BareCopy | None
    waiting: int
    expected: Expected | None = None

    @property
    def title(self) -> str:
        return self.book.title if self.book else ""

    @property
    def of(self) -> int:
        """The 7 of "3rd of 7": never less than the place itself, whoever left meanwhile."""
        return max(self.waiting, self.hold.position or 0)


@dataclass(frozen=True)
class Change:
    """What became of a hold that somebody wanted changed; `says`: why it is as it was."""

    what: Literal["cancelled", "suspended", "resumed", "not-a-day", "unchanged"]
    title: str
    until: date | None = None
    says: str = ""

    @property
    def done(self) -> bool:
        return self.what in ("cancelled", "suspended", "resumed")


async def queued(ports: Ports, holds: Iterable[Hold]) -> list[Queued]:
    """Three calls, however many holds."""
    holds = list(holds)
    if not holds:
        return []
    book_ids = list({hold.book_id for hold in holds})
    found = list({hold.given_copy_id for hold in holds if hold.given_copy_id})
    books, copies, lengths = await asyncio.gather(
        ports.books.by_ids(ids=book_ids),
        _copies(ports, found),
        ports.holds.waiting(book_ids=book_ids),
    )
    by_book, by_copy = {b.id: b for b in books}, {c.id: c for c in copies}
    waiting = {each.book_id: each.waiting for each in lengths}
    return [
        Queued(
            hold,
            by_book.get(hold.book_id),
            by_copy.get(hold.given_copy_id) if hold.given_copy_id else None,
            waiting.get(hold.book_id, 0),
        )
        for hold in holds
    ]


async def _copies(ports: Ports, ids: list[UUID]) -> Sequence[BareCopy]:
    return await ports.copies.by_ids(ids=ids) if ids else []


async def open_holds(ports: Ports, patron_id: UUID, actor: Actor, now: datetime) -> list[Queued]:
    """What one person waits for: ready first, then on its way, then in the order placed."""
    found = await ports.holds.find(
        like=HoldFilter(patron_id=patron_id, state="open"),
        window=Window(limit=MOST),
        actor=actor,
        now=now,
    )
    order = ("ready", "in-transit", "waiting")
    holds = sorted(found.items, key=lambda hold: (order.index(hold.state), hold.placed_at))
    waiting = [hold.id for hold in holds if hold.state == "waiting"]
    rows, likely = await asyncio.gather(queued(ports, holds), _expected(ports, waiting, actor, now))
    return [replace(row, expected=likely.get(row.hold.id)) for row in rows]


async def _expected(
    ports: Ports, hold_ids: list[UUID], actor: Actor, now: datetime
) -> dict[UUID, Expected | None]:
    if not hold_ids:
        return {}
    found = await ports.queues.expected(hold_ids=hold_ids, actor=actor, now=now)
    return {each.hold_id: each.expected for each in found}


async def length(ports: Ports, book_id: UUID) -> int:
    """How many wait for one book."""
    found = await ports.holds.waiting(book_ids=[book_id])
    return found[0].waiting if found else 0


async def held_by(
    ports: Ports, patron_id: UUID, book_id: UUID, actor: Actor, now: datetime
) -> Queued | None:
    """The open hold that this person has on this book."""
    like = HoldFilter(patron_id=patron_id, book_id=book_id, state="open")
    found = await ports.holds.find(like=like, window=Window(limit=1), actor=actor, now=now)
    return next(iter(await queued(ports, found.items)), None)


async def change(
    ports: Ports,
    *,
    do: str,
    hold_id: UUID,
    whose: UUID,
    until: str,
    actor: Actor,
    now: datetime,
) -> Change:
    """Suspends, resumes or cancels a hold of this person. Asked twice, it says the same."""
    hold = await ports.holds.get(hold_id=hold_id, actor=actor, now=now)
    if hold.patron_id != whose:
        raise NoSuchHold("There is no such hold on this card.")
    books = await ports.books.by_ids(ids=[hold.book_id])
    title = books[0].title if books else ""
    try:
        if do == "cancel":
            await ports.holds.cancel(hold_id=hold_id, actor=actor, now=now)
            return Change("cancelled", title)
        if do == "resume":
            await ports.holds.resume(hold_id=hold_id, actor=actor, now=now)
            return Change("resumed", title)
        branch = await ports.branches.get(branch_id=hold.pickup_branch_id)
        day = _later(until, now.astimezone(zone(branch.time_zone)).date())
        if until and day is None:
            return Change("not-a-day", title)
        asked = Suspension(until=day)
        await ports.holds.suspend(hold_id=hold_id, suspension=asked, actor=actor, now=now)
        return Change("suspended", title, day)
    except HoldHasEnded as ended:
        if do == "cancel" and ended.extra.get("state") == "cancelled":
            return Change("cancelled", title)
        return Change("unchanged", title, says=ended.detail)
    except HoldNotWaiting as found:
        return Change("unchanged", title, says=found.detail)


def _later(text: str, today: date) -> date | None:
    """A day after today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day > today else None
