"""Copies: the things on the shelves. What they are; circulation says whether they are in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import copies as kept
from lendery.catalog.repository import record
from lendery.catalog.repository.changes import next_turn
from lendery.catalog.repository.requests import made_before, made_now
from lendery.catalog.version import fresh, not_empty
from lendery.contracts.base import AlreadyTaken, Invalid, Page, RequestKey, Window, new_id
from lendery.contracts.catalog import (
    BareCopy,
    CopyAdded,
    CopyChanged,
    CopyChanges,
    CopyFilter,
    CopyHasPast,
    CopyRemoved,
    NewCopy,
    NoSuchCopy,
)
from lendery.contracts.circulation import Branches, CopyStates, NoSuchBranch
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session
from lendery.platform.http.answers import make_cursor, read_cursor


@dataclass(frozen=True)
class CopyRegister:
    """Implements contracts.catalog.Copies."""

    db: Database
    states: CopyStates
    branches: Branches

    async def add(
        self, *, copy: NewCopy, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> BareCopy:
        actor.must(Permission.CATALOGUE)
        return (await self._add([copy], now, pointer="#", key=key))[0]

    async def add_many(self, *, copies: list[NewCopy], actor: Actor, now: datetime) -> list[UUID]:
        """All or none. Problems name the copy by its place in the list."""
        actor.must(Permission.CATALOGUE)
        return [each.id for each in await self._add(copies, now, pointer="")]

    async def _add(
        self,
        copies: Sequence[NewCopy],
        now: datetime,
        *,
        pointer: str,
        key: RequestKey | None = None,
    ) -> list[BareCopy]:
        places = [pointer or f"#/{at}" for at in range(len(copies))]
        stands_at = {new.branch_id: place for new, place in zip(copies, places, strict=True)}
        for branch_id, place in stands_at.items():
            await self._must_exist(branch_id, f"{place}/branch_id")
        added = [BareCopy(**dict(new), id=new_id(), version=1) for new in copies]
        async with self.db.begin() as tx:
            turn = await next_turn(tx)
            if (made := await made_before(tx, key)) is not None:
                await tx.write(turn.touches())
                return [await _found(tx, made)]
            known = await books_kept.known_books(tx, ids=list({new.book_id for new in copies}))
            for new, place in zip(copies, places, strict=True):
                if new.book_id not in known:
                    raise _wrong(f"{place}/book_id", "There is no such book.")
            await _are_free(tx, [new.barcode for new in copies])
            writes = [kept.added(each, now=now) for each in added]
            writes += made_now(key, added[0].id, now=now) if added else []
            await record(tx, [*writes, turn.touches()])
            await tx.announce(
                *(CopyAdded(copy_id=each.id, book_id=each.book_id, at=now) for each in added)
            )
        return added

    async def get(self, *, copy_id: UUID) -> BareCopy:
        async with self.db.read() as session:
            return await _found(session, copy_id)

    async def by_barcode(self, *, barcode: str) -> BareCopy | None:
        async with self.db.read() as session:
            return await kept.copy_with_barcode(session, barcode=barcode)

    async def by_ids(self, *, ids: list[UUID]) -> list[BareCopy]:
        async with self.db.read() as session:
            return await kept.copies_with(session, ids=ids)

    async def of_book(self, *, book_id: UUID) -> list[BareCopy]:
        async with self.db.read() as session:
            return await kept.copies_of_book(session, book_id=book_id)

    async def find(self, *, like: CopyFilter, window: Window) -> Page[BareCopy]:
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            found = await kept.listed(session, like=like, after=after, many=window.limit + 1)
            total = await kept.how_many(session, like=like) if window.total else None
        more = len(found) > window.limit
        shown = found[: window.limit]
        return Page(
            items=shown, next_cursor=make_cursor(shown[-1].id) if more else None, total=total
        )

    async def change(
        self,
        *,
        copy_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> BareCopy:
        actor.must(Permission.CATALOGUE)
        wanted = CopyChanges.model_validate(changes)
        not_empty(wanted, "barcode", "branch_id", "item_type")
        if wanted.branch_id:
            await self._must_exist(wanted.branch_id, "#/branch_id")
        async with self.db.begin() as tx:
            turn = await next_turn(tx)
            before = await _found(tx, copy_id)
            fresh(before.version, version)
            if not wanted.model_fields_set:
                return before
            after = before.model_copy(
                update={name: getattr(wanted, name) for name in wanted.model_fields_set}
                | {"version": before.version + 1}
            )
            if after.barcode != before.barcode:
                await _are_free(tx, [after.barcode])
            told = CopyChanged(copy_id=copy_id, book_id=after.book_id, at=now)
            await record(tx, [kept.replaced(after, now=now), turn.touches(), tx.announcement(told)])
        return after

    async def remove(
        self, *, copy_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        """Only a copy that was never lent: what is lost of another is its history."""
        actor.must(Permission.CATALOGUE)
        async with self.db.read() as session:
            fresh((await _found(session, copy_id)).version, version)
        if await self.states.has_past(copy_ids=[copy_id]):
            raise CopyHasPast("This copy was lent before. Flag it withdrawn instead.")
        async with self.db.begin() as tx:
            turn = await next_turn(tx)
            await tx.write(turn.touches())
            copy = await _found(tx, copy_id)
            fresh(copy.version, version)
            await kept.destroy(tx, copy_id=copy_id)
            await tx.announce(CopyRemoved(copy_id=copy_id, book_id=copy.book_id, at=now))

    async def _must_exist(self, branch_id: UUID, pointer: str) -> None:
        try:
            await self.branches.get(branch_id=branch_id)
        except NoSuchBranch as unknown:
            raise _wrong(pointer, "There is no such branch.") from unknown


async def _found(session: Session, copy_id: UUID) -> BareCopy:
    row = await kept.copy_row(session, copy_id=copy_id)
    if row is None:
        raise NoSuchCopy("There is no such copy.")
    return kept.copy_of(row)


async def _are_free(session: Session, barcodes: list[str]) -> None:
    taken = await kept.taken_barcodes(session, barcodes=barcodes)
    for barcode, holder in taken.items():
        says = f"Another copy has the barcode {barcode}."
        raise AlreadyTaken(says, field="barcode", existing=str(holder), barcode=barcode)
    if twice := _first_twice(barcodes):
        says = f"Two copies of this list have the barcode {twice}."
        raise AlreadyTaken(says, field="barcode", barcode=twice)


def _first_twice(barcodes: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for each in barcodes:
        if each in seen:
            return each
        seen.add(each)
    return None


def _wrong(pointer: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": pointer, "says": says}])
