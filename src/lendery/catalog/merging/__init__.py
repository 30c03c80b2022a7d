"""Merging what is the same: recorded, and undone as long as nothing else became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.authors import found as found_author
from lendery.catalog.books import found as found_book
from lendery.catalog.merging.authors import merge_authors, unmerge_authors
from lendery.catalog.merging.books import merge_books, unmerge_books
from lendery.catalog.merging.subjects import merge_subjects, unmerge_subjects
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import duplicates as duplicates_kept
from lendery.catalog.repository import merges as kept
from lendery.catalog.repository import record
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.repository.changes import next_turn
from lendery.contracts.authorities import (
    CannotMerge,
    CannotUndo,
    Merge,
    NewMerge,
    NoSuchMerge,
    NoSuchSubject,
    SubjectWasMerged,
)
from lendery.contracts.base import Page, Window, new_id
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Tx
from lendery.platform.http.answers import make_cursor, read_cursor

Names = tuple[str, str]


@dataclass(frozen=True)
class MergeDesk:
    """Implements contracts.authorities.Merges."""

    db: Database

    async def merge(self, *, wanted: NewMerge, actor: Actor, now: datetime) -> Merge:
        """Raises CannotMerge for one and the same; what is not there is named by its problem."""
        actor.must(Permission.CATALOGUE)
        if wanted.loser_id == wanted.winner_id:
            raise CannotMerge("This is one and the same. Choose two.")
        async with self.db.begin() as tx:
            await next_turn(tx)
            (loser_name, winner_name), moved = await _merged(tx, wanted, now)
            merge = Merge(
                **wanted.model_dump(),
                id=new_id(),
                loser_name=loser_name,
                winner_name=winner_name,
                books=len(moved["books"]),
                copies=len(moved.get("copies", ())),
                at=now,
                by=actor.id,
            )
            await record(tx, [kept.recorded(merge, moved)])
            await kept.forget_pairs(tx, gone=wanted.loser_id)
        return merge

    async def get(self, *, merge_id: UUID, actor: Actor) -> Merge:
        actor.must(Permission.CATALOGUE)
        async with self.db.read() as session:
            return kept.merge_of(_found(await kept.merge_row(session, merge_id=merge_id)))

    async def find(self, *, window: Window, actor: Actor) -> Page[Merge]:
        actor.must(Permission.CATALOGUE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await kept.listed(session, after=after, many=window.limit + 1)
        shown = rows[: window.limit]
        more = len(rows) > window.limit
        return Page(
            items=[kept.merge_of(row) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if more else None,
        )

    async def undo(self, *, merge_id: UUID, actor: Actor, now: datetime) -> Merge:
        """All or nothing. Raises CannotUndo where it is not clear what belongs to whom."""
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            await next_turn(tx)
            row = _found(await kept.merge_row(tx, merge_id=merge_id))
            if not await kept.undone(tx, merge_id=merge_id, by=actor.id, now=now):
                raise CannotUndo("This merge was undone already.", changed=[])
            await _unmerged(tx, row, now)
            if row.kind != "subject":  # somebody has decided that they are two
                pair = row.loser_id, row.winner_id
                await duplicates_kept.set_apart(tx, row.kind, pair, by=actor.id, now=now)
        return kept.merge_of(row._replace(undone_at=now, undone_by=actor.id))


async def _merged(tx: Tx, wanted: NewMerge, now: datetime) -> tuple[Names, dict[str, Any]]:
    """The names of both, and what was moved."""
    loser_id, winner_id = wanted.loser_id, wanted.winner_id
    if wanted.kind == "author":
        loser = await found_author(tx, loser_id)
        winner = await found_author(tx, winner_id)
        return (loser.name, winner.name), await merge_authors(tx, loser, winner, now)
    if wanted.kind == "subject":
        one, other = await found_subject(tx, loser_id), await found_subject(tx, winner_id)
        names = one.name, other.name
        moved = await merge_subjects(tx, (loser_id, names[0]), (winner_id, names[1]), now)
        return names, moved
    row = found_book(await books_kept.book_row(tx, book_id=loser_id))
    into = found_book(await books_kept.book_row(tx, book_id=winner_id))
    if into.withdrawn:
        raise CannotMerge("The book that would stay is withdrawn. Bring it back first.")
    return (row.title, into.title), await merge_books(tx, row, into, now)


async def _unmerged(tx: Tx, row: Any, now: datetime) -> None:
    if row.kind == "author":
        await unmerge_authors(tx, row.winner_id, row.moved, now)
    elif row.kind == "subject":
        await unmerge_subjects(tx, row.loser_id, row.winner_id, row.moved, now)
    else:
        await unmerge_books(tx, row.loser_id, row.winner_id, row.moved, now)


async def found_subject(session: Session, subject_id: UUID) -> Any:
    """Its row. Raises NoSuchSubject, or SubjectWasMerged, which names what it is now."""
    row = await subjects_kept.subject_with(session, subject_id=subject_id)
    if row is None:
        merged = await kept.merged_into(session, loser_id=subject_id)
        if merged is None:
            raise NoSuchSubject("There is no such subject.")
        says = f"\u201c{merged.loser_name}\u201d is \u201c{merged.winner_name}\u201d now."
        raise SubjectWasMerged(says, into=str(merged.winner_id))
    return row


def _found(row: Any | None) -> Any:
    if row is None:
        raise NoSuchMerge("There is no such merge.")
    return row
