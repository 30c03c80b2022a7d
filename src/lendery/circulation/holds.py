"""The holds port: place, look, suspend, move, cancel; and what happens when nobody comes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lendery.circulation import filling, hold_steps
from lendery.circulation.collecting import ended
from lendery.circulation.facts import hold_value
from lendery.circulation.hold_steps import Step
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.looks import note_look
from lendery.circulation.placing import HoldDesk, must_be_collectable
from lendery.circulation.repository import holds
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Invalid, NotAllowed, Page, RequestKey, Window
from lendery.contracts.circulation import (
    Hold,
    HoldChanged,
    HoldChanges,
    HoldFilter,
    HoldHasEnded,
    HoldNotWaiting,
    HoldResumed,
    HoldSuspended,
    NewHold,
    NoSuchHold,
    Pull,
    QueueLength,
    Suspension,
    Transfer,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx
from lendery.platform.paging import make_cursor, read_cursor

A_DAY = timedelta(days=1)
Change = Callable[[Tx, Any, House], Awaitable[Step]]


@dataclass(frozen=True)
class HoldShelf:
    db: Database
    met: Memory
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def place(
        self, *, hold: NewHold, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Hold:
        desk = HoldDesk(self.db, self.met, self.keeper)
        return await desk.place(wanted=hold, actor=actor, now=now, key=key)

    async def get(self, *, hold_id: UUID, actor: Actor, now: datetime) -> Hold:
        actor.must(Permission.PLACE_HOLDS)
        async with self.db.read() as session:
            row = await holds.hold_by_id(session, hold_id)
            house = await self.keeper.now(session, now)
        known = _must_be_allowed(row, actor, "You can see your own holds only.")
        await note_look(self.db, actor, [known.patron_id], "holds")
        return _shown(row, house, now)

    async def find(
        self, *, like: HoldFilter, window: Window, actor: Actor, now: datetime
    ) -> Page[Hold]:
        actor.must_be(like.patron_id, Permission.MANAGE_HOLDS)
        after = None
        if window.after:
            placed_at, last = read_cursor(window.after, str, UUID)
            after = _instant(placed_at), last
        async with self.db.read() as session:
            rows = await holds.holds(session, like=like, after=after, limit=window.limit + 1)
            total = await holds.count_holds(session, like=like) if window.total else None
            house = await self.keeper.now(session, now)
        shown = rows[: window.limit]
        more = len(rows) > window.limit
        whose = [like.patron_id] if like.patron_id else [row.patron_id for row in shown]
        await note_look(self.db, actor, whose, "holds")
        return Page[Hold](
            items=[_shown(row, house, now) for row in shown],
            next_cursor=make_cursor(shown[-1].placed_at, shown[-1].id) if more else None,
            total=total,
        )

    async def change(
        self, *, hold_id: UUID, changes: HoldChanges, actor: Actor, now: datetime
    ) -> Hold:
        """Collected elsewhere, as long as it waits."""

        async def moved(tx: Tx, row: Any, house: House) -> Step:
            to = changes.pickup_branch_id
            await must_be_collectable(tx, row, to, house=house, now=now)
            told = HoldChanged(
                at=now,
                hold_id=row.id,
                book_id=row.book_id,
                pickup_branch_id=to,
                by=_staff(actor),
            )
            return Step(row, {"state": "waiting", "pickup_branch_id": to}, told)

        return await self._while_waiting(hold_id, actor, now, moved)

    async def suspend(
        self, *, hold_id: UUID, suspension: Suspension, actor: Actor, now: datetime
    ) -> Hold:
        """It keeps its place, and others are served meanwhile."""

        async def suspended(tx: Tx, row: Any, house: House) -> Step:
            until = suspension.until
            told = HoldSuspended(
                at=now, hold_id=row.id, book_id=row.book_id, until=until, by=_staff(actor)
            )
            becomes = {"state": "waiting", "suspended": True, "suspended_until": until}
            return Step(row, becomes, told)

        return await self._while_waiting(hold_id, actor, now, suspended)

    async def resume(self, *, hold_id: UUID, actor: Actor, now: datetime) -> Hold:
        async def resumed(tx: Tx, row: Any, house: House) -> Step:
            told = HoldResumed(at=now, hold_id=row.id, book_id=row.book_id, by=_staff(actor))
            becomes = {"state": "waiting", "suspended": False, "suspended_until": None}
            return Step(row, becomes, told)

        return await self._while_waiting(hold_id, actor, now, resumed)

    async def cancel(self, *, hold_id: UUID, actor: Actor, now: datetime) -> Hold:
        """A copy that was kept for it is free from now on."""
        book_id = await self._book_of(hold_id, actor)
        async with self.db.begin() as tx:
            row = await _open_hold(tx, hold_id, book_id)
            step = hold_steps.cancelled(row, by=_staff(actor), now=now)
            await tx.write(*await ended(tx, step, now=now))
            house = await self.keeper.now(tx, now)
        return _shown(row._replace(**step.becomes), house, now)

    async def expire(self, *, now: datetime) -> int:
        """Ends what nobody collected by its last day; that day is one of the pick-up branch."""
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            past = await holds.past_their_day(session, (now + A_DAY).date())
        count = 0
        for each in past:
            if house.hours_of(each.pickup_branch_id).local_date(now) <= each.expires_on:
                continue
            async with self.db.begin() as tx:
                try:
                    row = await _open_hold(tx, each.id, each.book_id)
                except HoldHasEnded:
                    continue
                if row.state == "ready" and row.expires_on == each.expires_on:
                    step = hold_steps.expired(row, now=now)
                    await tx.write(*await ended(tx, step, now=now))
                    count += 1
        return count

    async def waiting(self, *, book_ids: list[UUID]) -> list[QueueLength]:
        if not book_ids:
            return []
        async with self.db.read() as session:
            rows = await holds.lengths(session, book_ids)
        return [QueueLength(book_id=row.book_id, waiting=row.waiting) for row in rows]

    async def to_pull(self, *, branch_id: UUID | None, actor: Actor, now: datetime) -> list[Pull]:
        actor.must(Permission.MANAGE_HOLDS)
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            found = await filling.pulls(session, house=house, now=now)
        return [each for each in found if branch_id in (None, each.branch_id)]

    async def transfers(
        self, *, to_branch_id: UUID | None, window: Window, actor: Actor
    ) -> Page[Transfer]:
        actor.must(Permission.MANAGE_HOLDS)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await holds.on_their_way(
                session, to_branch_id=to_branch_id, after=after, limit=window.limit + 1
            )
        shown = rows[: window.limit]
        return Page[Transfer](
            items=[_transfer(row) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
        )

    async def _while_waiting(
        self, hold_id: UUID, actor: Actor, now: datetime, change: Change
    ) -> Hold:
        book_id = await self._book_of(hold_id, actor)
        async with self.db.begin() as tx:
            row = await _open_hold(tx, hold_id, book_id)
            if row.state != "waiting":
                says = "A copy was found for this hold. It can be collected or cancelled."
                raise HoldNotWaiting(says, state=row.state)
            house = await self.keeper.now(tx, now)
            step = await change(tx, row, house)
            await tx.write(*step.writes(tx))
        return _shown(row._replace(**step.becomes), house, now)

    async def _book_of(self, hold_id: UUID, actor: Actor) -> UUID:
        """Whose queue must stand still; refuses who may not touch this hold."""
        actor.must(Permission.PLACE_HOLDS)
        async with self.db.read() as session:
            row = await holds.hold_by_id(session, hold_id)
        known = _must_be_allowed(row, actor, "You can change your own holds only.")
        book_id: UUID = known.book_id
        return book_id


async def _open_hold(tx: Tx, hold_id: UUID, book_id: UUID) -> Any:
    """The hold, its queue standing still until the transaction ends."""
    await holds.lock_queue(tx, book_id)
    row = await holds.hold_by_id(tx, hold_id)
    if row is not None and row.book_id != book_id:  # its book was merged while we asked
        await holds.lock_queue(tx, row.book_id)
        row = await holds.hold_by_id(tx, hold_id)
    if row is None or row.ended_at is not None:
        state = row.state if row else "gone"
        raise HoldHasEnded("This hold has ended. Place a new one.", state=state)
    return row


def _shown(row: Any, house: House, now: datetime) -> Hold:
    """As it stands today where it is collected."""
    return hold_value(row, house.hours_of(row.pickup_branch_id).local_date(now))


def _must_be_allowed(row: Any | None, actor: Actor, otherwise: str) -> Any:
    """A reader is not told whether a hold of somebody else exists."""
    if actor.may(Permission.MANAGE_HOLDS):
        if row is None:
            raise NoSuchHold("There is no such hold.")
    elif row is None or row.patron_id is None or row.patron_id != actor.id:
        raise NotAllowed(otherwise)
    return row


def _staff(actor: Actor) -> UUID | None:
    return actor.id if actor.staff else None


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        says = "This is not a cursor of this list."
        raise Invalid(says, errors=[{"parameter": "cursor", "says": says}]) from None


def _transfer(row: Any) -> Transfer:
    return Transfer(
        copy_id=row.id,
        book_id=row.book_id,
        from_branch_id=row.current_branch_id,
        to_branch_id=row.in_transit_to,
        since=row.last_seen_at,
        hold_id=row.hold_id,
    )
