"""What a person may ask about themself: a copy of everything, an end to it, and who looked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from lendery.accounts.models import LOOKUPS
from lendery.accounts.people import PeopleDesk
from lendery.accounts.repository import erasures
from lendery.accounts.repository import people as rows
from lendery.contracts.accounts import NoSuchUser, PatronRemoved
from lendery.contracts.base import NotFound, Page, PeerFailed, PeerUnavailable, Window
from lendery.contracts.catalog import Books
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.privacy import (
    Erasure,
    ErasureRefused,
    Holding,
    Lookup,
    Obstacle,
    Part,
    PersonalData,
    PersonExport,
)
from lendery.platform.db import Database
from lendery.platform.http.identity import LONGEST
from lendery.platform.lookups import note
from lendery.platform.paging import make_cursor, read_cursor

AGAIN = timedelta(days=1)  # who still has something is told so often
UNTIL_CLOSED = timedelta(seconds=LONGEST)  # no token of the person can write anything after that
LENDS = "circulation"  # without its word nobody is erased
TITLES = 500  # books asked about at a time
T = TypeVar("T")


@dataclass(frozen=True)
class PrivacyDesk:
    """Implements contracts.privacy.Privacy. `holders`: those who hold personal data, by context."""

    db: Database
    holders: Mapping[str, PersonalData]
    books: Callable[[], Books]

    async def export(self, *, user_id: UUID, actor: Actor, now: datetime) -> PersonExport:
        """Raises PeerUnavailable when a part does not answer: half an export would mislead."""
        actor.must_be(user_id, Permission.PRIVACY)
        async with self.db.read() as session:
            if await rows.person(session, user_id=user_id) is None:
                raise NoSuchUser("There is no such person.")
        await note(self.db, LOOKUPS, actor, [user_id], "export")
        asked = await asyncio.gather(
            *(holder.records(context=c, patron_id=user_id) for c, holder in self.holders.items())
        )
        found = dict(zip(self.holders, asked, strict=True))
        return PersonExport(
            user_id=user_id, made_at=now, records=found, books=await self._named(found)
        )

    async def _named(self, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = (row for part in found.values() for kind in part.values() for row in kind)
        ids = sorted({UUID(row["book_id"]) for row in rows if row.get("book_id")})
        named: list[dict[str, Any]] = []
        for start in range(0, len(ids), TITLES):
            books = await self.books().by_ids(ids=ids[start : start + TITLES])
            named += [{"id": str(book.id), "title": book.title} for book in books]
        return named

    async def erase(self, *, user_id: UUID, actor: Actor, now: datetime) -> Erasure:
        actor.must_be(user_id, Permission.EDIT_PEOPLE)
        async with self.db.read() as session:
            asked_before = await erasures.of(session, user_id)
            if asked_before is None and await rows.person(session, user_id=user_id) is None:
                raise NoSuchUser("There is no such person.")
        if asked_before is None:
            await self._must_be_free(user_id, actor, now)
            held = {context: await self._left(context, user_id) for context in self.holders}
            said = {
                context: None if found is None else [each.model_dump() for each in found]
                for context, found in held.items()
            }
            desk, own = PeopleDesk(self.db), actor.id == user_id
            await desk.erase(user_id=user_id, held=said, actor=actor, now=now, own=own)
        return await self._told(user_id)

    async def _must_be_free(self, user_id: UUID, actor: Actor, now: datetime) -> None:
        if LENDS not in self.holders:
            raise PeerUnavailable(f"Nobody can be erased here without {LENDS}. Say where it is.")
        found = await self._blocked(user_id, now)
        for context, holder in self.holders.items():
            try:
                found += await holder.obstacles(context=context, patron_id=user_id, now=now)
            except PeerUnavailable:
                if context == LENDS:  # the others have no say, and erase when they are back
                    raise
        if actor.id != user_id:
            found = [each for each in found if not each.staff_may]
        if found:
            raise ErasureRefused(
                "Not erased: " + " ".join(each.says for each in found),
                obstacles=[each.model_dump() for each in found],
            )

    async def _blocked(self, user_id: UUID, now: datetime) -> list[Obstacle]:
        async with self.db.read() as session:
            blocks = await rows.blocks(session, user_id=user_id)
        if all(each.until is not None and each.until <= now for each in blocks):
            return []
        says = "The card is blocked: only staff can erase you before the block is lifted."
        return [Obstacle(code="blocked", says=says, staff_may=True)]

    async def erasure(self, *, user_id: UUID, actor: Actor) -> Erasure:
        actor.must_be(user_id, Permission.SEE_PEOPLE)
        return await self._told(user_id)

    async def _told(self, user_id: UUID) -> Erasure:
        async with self.db.read() as session:
            row = await erasures.of(session, user_id)
        if row is None:
            raise NotFound("Nobody has asked to erase this person.")
        return await self._report(row)

    async def _report(self, row: Any) -> Erasure:
        parts = [await self._part(context, row) for context in self.holders]
        done = all(part.state == "done" for part in parts)
        finished_at = row.finished_at
        if finished_at is not None and any(part.left for part in parts):
            async with self.db.begin() as tx:  # it came after the end: they are told again
                await erasures.reopen(tx, row.user_id)
            finished_at = None
        return Erasure(
            user_id=row.user_id,
            state="done" if done else "pending",
            asked_at=row.asked_at,
            asked_by=row.asked_by,
            finished_at=finished_at,
            parts=parts,
        )

    async def _part(self, context: str, row: Any) -> Part:
        left = await self._left(context, row.user_id)
        held = row.held.get(context)
        if left is None:
            return Part(context=context, state="unreachable", held=held)
        return Part(context=context, state="pending" if left else "done", held=held, left=left)

    async def _left(self, context: str, user_id: UUID) -> list[Holding] | None:
        """None: it does not answer."""
        return await _or_nothing(self.holders[context].holdings(context=context, patron_id=user_id))

    async def finish(self, *, now: datetime) -> int:
        async with self.db.read() as session:
            waiting = await erasures.pending(session)
        still = 0
        for row in waiting:
            done = (await self._report(row)).state == "done"
            still += not done
            async with self.db.begin() as tx:
                if done and row.asked_at < now - UNTIL_CLOSED:
                    await erasures.finish(tx, row.user_id, now=now)
                elif (
                    not done
                    and row.told_at <= now - AGAIN
                    and await erasures.told_again(tx, row.user_id, now=now)
                ):
                    await erasures.forget(tx, row.user_id, now=now)
                    await tx.announce(PatronRemoved(at=now, patron_id=row.user_id))
        return still

    async def lookups(self, *, user_id: UUID, actor: Actor, window: Window) -> Page[Lookup]:
        actor.must_be(user_id, Permission.PRIVACY)
        before = read_cursor(window.after, UUID)[0] if window.after else None
        asked = await asyncio.gather(
            *(
                holder.lookups(
                    context=context, patron_id=user_id, before=before, most=window.limit + 1
                )
                for context, holder in self.holders.items()
            )
        )
        found = sorted((each for part in asked for each in part), key=lambda each: each.id)[::-1]
        shown = found[: window.limit]
        more = len(found) > window.limit
        return Page(items=shown, next_cursor=make_cursor(shown[-1].id) if more else None)


async def _or_nothing(question: Awaitable[T]) -> T | None:
    try:
        return await question
    except (PeerUnavailable, PeerFailed):
        return None
