"""Headings: the one form of a name under which all stands, and the others that lead there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.authors import found as found_author
from lendery.catalog.merging import found_subject
from lendery.catalog.merging.restating import reword
from lendery.catalog.repository import authors as authors_kept
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import record, series
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.repository import variants as kept
from lendery.catalog.repository.changes import next_turn
from lendery.catalog.rules.fold import folded_name
from lendery.contracts.authorities import (
    AuthorHeading,
    CannotMerge,
    HeadingKind,
    NoSuchVariant,
    SubjectHeading,
    Variant,
    VariantKnown,
)
from lendery.contracts.base import Page, Window, new_id
from lendery.contracts.catalog import Book
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Tx
from lendery.platform.db.session import Write
from lendery.platform.http.answers import make_cursor, read_cursor


@dataclass(frozen=True)
class HeadingFile:
    """Implements contracts.authorities.AuthorityFile."""

    db: Database

    async def author(self, *, author_id: UUID) -> AuthorHeading:
        async with self.db.read() as session:
            author = await found_author(session, author_id)
            return AuthorHeading(**dict(author), **await _forms(session, "author", author_id))

    async def subject(self, *, subject_id: UUID) -> SubjectHeading:
        async with self.db.read() as session:
            return await _subject(session, await found_subject(session, subject_id))

    async def subject_named(self, *, name: str) -> SubjectHeading | None:
        """By its very name, or by another form that is of no other subject too."""
        async with self.db.read() as session:
            known = await subjects_kept.subjects_named(session, names=[name])
            ids = list(known.values())
            if not ids:
                form = folded_name(name)
                _, found = await kept.headings_called(session, subjects=[form])
                ids = found.get(form, [])
            if len(ids) != 1:
                return None
            return await _subject(session, await found_subject(session, ids[0]))

    async def books_on(self, *, subject_id: UUID, window: Window) -> Page[Book]:
        """In the order they came."""
        after = read_cursor(window.after, int)[0] if window.after else None
        async with self.db.read() as session:
            await found_subject(session, subject_id)
            rows = await series.rows_on(
                session, subject_id=subject_id, after=after, many=window.limit + 1
            )
        shown = rows[: window.limit]
        return Page(
            items=[books_kept.book_of(row) for row in shown],
            next_cursor=make_cursor(shown[-1].number) if len(rows) > window.limit else None,
        )

    async def add_variant(
        self, *, kind: HeadingKind, heading_id: UUID, name: str, actor: Actor, now: datetime
    ) -> Variant:
        """From now on a search for it finds the heading, and of an author the books too."""
        actor.must(Permission.CATALOGUE)
        variant = Variant(id=new_id(), name=name)
        async with self.db.begin() as tx:
            await next_turn(tx)
            heading = await _heading(tx, kind, heading_id)
            known = await kept.variants(tx, heading_id=heading_id)
            if folded_name(name) in {folded_name(each) for each in _names(heading, known)}:
                raise VariantKnown(f"{heading.name} is called so already.")
            added = kept.added(kind, heading_id, variant, now=now)
            await _changed(tx, kind, heading, now, added)
        return variant

    async def remove_variant(
        self, *, kind: HeadingKind, heading_id: UUID, variant_id: UUID, actor: Actor, now: datetime
    ) -> None:
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            await next_turn(tx)
            heading = await _heading(tx, kind, heading_id)
            if not await kept.removed(tx, heading_id=heading_id, variant_id=variant_id):
                raise NoSuchVariant(f"This is no other form of {heading.name}.")
            await _changed(tx, kind, heading, now)

    async def relate(
        self, *, kind: HeadingKind, one: UUID, other: UUID, actor: Actor, now: datetime
    ) -> None:
        """Doing it again changes nothing."""
        actor.must(Permission.CATALOGUE)
        if one == other:
            raise CannotMerge("This is one and the same. Choose two.")
        async with self.db.begin() as tx:
            await next_turn(tx)
            both = [await _heading(tx, kind, each) for each in (one, other)]
            seen = await kept.seen_from(tx, kind, heading_id=one)
            if other not in {each.id for each in seen}:
                writes = [*kept.related(kind, one, other), *_next_versions(kind, both, now)]
                await record(tx, writes)

    async def part(
        self, *, kind: HeadingKind, one: UUID, other: UUID, actor: Actor, now: datetime
    ) -> None:
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            await next_turn(tx)
            both = [await _heading(tx, kind, each) for each in (one, other)]
            if await kept.parted(tx, one=one, other=other):
                await record(tx, _next_versions(kind, both, now))


async def _forms(session: Session, kind: HeadingKind, heading_id: UUID) -> dict[str, Any]:
    return {
        "variants": tuple(await kept.variants(session, heading_id=heading_id)),
        "see_also": tuple(await kept.seen_from(session, kind, heading_id=heading_id)),
    }


async def _subject(session: Session, row: Any) -> SubjectHeading:
    forms = await _forms(session, "subject", row.id)
    return SubjectHeading(id=row.id, name=row.name, books=row.books, **forms)


async def _heading(tx: Tx, kind: HeadingKind, heading_id: UUID) -> Any:
    if kind == "author":
        return await found_author(tx, heading_id)
    return await found_subject(tx, heading_id)


def _names(heading: Any, known: list[Variant]) -> list[str]:
    return [heading.name, *(each.name for each in known)]


async def _changed(tx: Tx, kind: HeadingKind, heading: Any, now: datetime, *writes: Write) -> None:
    await record(tx, [*writes, *_next_versions(kind, [heading], now)])
    if kind == "author":
        await reword(tx, author_id=heading.id)


def _next_versions(kind: HeadingKind, headings: list[Any], now: datetime) -> list[Write]:
    """What is read of an author has changed; subjects have no version of their own."""
    if kind == "subject":
        return []
    later = [each.model_copy(update={"version": each.version + 1}) for each in headings]
    return [authors_kept.replaced(each, now=now) for each in later]
