"""Authors: who wrote what is on the shelves, under one name each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.repository import authors as kept
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import record
from lendery.catalog.repository.changes import next_turn
from lendery.catalog.repository.merges import merged_into
from lendery.catalog.repository.variants import forget, variants_of
from lendery.catalog.rules.filing import family_first
from lendery.catalog.rules.fold import words
from lendery.catalog.version import fresh, not_empty
from lendery.contracts.base import Invalid, Page, Window, new_id
from lendery.contracts.catalog import (
    Author,
    AuthorChanges,
    AuthorHasBooks,
    AuthorRef,
    AuthorWasMerged,
    Book,
    BookChanged,
    NewAuthor,
    NoSuchAuthor,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Tx
from lendery.platform.db.session import Write
from lendery.platform.http.answers import make_cursor, read_cursor

MOST_WORDS = 8


@dataclass(frozen=True)
class AuthorFile:
    """Implements contracts.catalog.Authors."""

    db: Database

    async def add(self, *, author: NewAuthor, actor: Actor, now: datetime) -> Author:
        """Always a new one: two people may share a name."""
        actor.must(Permission.CATALOGUE)
        _lived(author.born, author.died)
        added = Author(
            **author.model_dump(exclude={"sort_name"}),
            id=new_id(),
            sort_name=author.sort_name or family_first(author.name),
            version=1,
        )
        async with self.db.begin() as tx:
            turn = await next_turn(tx)
            await record(tx, [kept.added(added, now=now), turn.touches()])
        return added

    async def get(self, *, author_id: UUID) -> Author:
        async with self.db.read() as session:
            return await found(session, author_id)

    async def find(self, *, q: str | None, window: Window) -> Page[Author]:
        """In alphabetical order; each word of `q` begins a word of the name."""
        typed = words(q or "")[:MOST_WORDS]
        after = None
        if window.after:
            filed, author_id = read_cursor(window.after, str, UUID)
            after = (filed or "", author_id)
        async with self.db.read() as session:
            rows = await kept.listed(session, words=typed, after=after, many=window.limit + 1)
            total = await kept.how_many(session, words=typed) if window.total else None
        shown = rows[: window.limit]
        more = len(rows) > window.limit
        return Page(
            items=[kept.author_of(row) for row in shown],
            next_cursor=make_cursor(shown[-1].filed, shown[-1].id) if more else None,
            total=total,
        )

    async def change(
        self,
        *,
        author_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Author:
        """A new name stands in all their books at once."""
        actor.must(Permission.CATALOGUE)
        wanted = AuthorChanges.model_validate(changes)
        not_empty(wanted, "name")
        async with self.db.begin() as tx:
            await next_turn(tx)
            before = await found(tx, author_id)
            fresh(before.version, version)
            if not wanted.model_fields_set:
                return before
            after = _changed(before, wanted)
            writes = [kept.replaced(after, now=now)]
            if (after.name, after.sort_name) != (before.name, before.sort_name):
                writes += await _in_their_books(tx, after, now)
            await record(tx, writes)
        return after

    async def remove(
        self, *, author_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            await next_turn(tx)
            author = await found(tx, author_id)
            fresh(author.version, version)
            if await kept.is_named_by_books(tx, author_id=author_id):
                raise AuthorHasBooks(f"Books name {author.name}; change or remove them first.")
            await forget(tx, heading_id=author_id)
            await kept.destroy(tx, author_id=author_id)


async def found(session: Session, author_id: UUID) -> Author:
    """Raises NoSuchAuthor, or AuthorWasMerged, which names who it is now."""
    author = await kept.author_with(session, author_id=author_id)
    if author is None:
        merged = await merged_into(session, loser_id=author_id)
        if merged is None:
            raise NoSuchAuthor("There is no such author.")
        says = f"{merged.loser_name} is {merged.winner_name} now."
        raise AuthorWasMerged(says, into=str(merged.winner_id))
    return author


def _lived(born: int | None, died: int | None) -> None:
    if born is not None and died is not None and died < born:
        says = "Nobody dies before being born."
        raise Invalid(says, errors=[{"pointer": "#/died", "says": says}])


def _changed(before: Author, wanted: AuthorChanges) -> Author:
    """A new name brings its filing form along, unless that was given or set by hand."""
    changes = wanted.model_dump(include=wanted.model_fields_set)
    name = changes.get("name", before.name)
    by_hand = before.sort_name != family_first(before.name)
    if changes.get("sort_name") is None:
        told = "sort_name" in changes  # null: back to the usual form
        keeps = by_hand and not told
        changes["sort_name"] = before.sort_name if keeps else family_first(name)
    after = before.model_copy(update=changes | {"version": before.version + 1})
    _lived(after.born, after.died)
    return after


async def _in_their_books(tx: Tx, author: Author, now: datetime) -> list[Write]:
    """The records that show this name: what they show, where they file, what finds them."""
    listed = await books_kept.books_by_author(tx, author_id=author.id)
    forms = await variants_of(tx, (each.id for _, book in listed for each in book.authors))
    others = [book.authors[0].id for _, book in listed if book.authors[0].id != author.id]
    known = await kept.authors_with(tx, ids=list(set(others))) | {author.id: author}
    writes: list[Write] = []
    for number, book in listed:
        renamed = _renamed(book, author)
        first = known[renamed.authors[0].id]
        writes += books_kept.replaced(
            tx.dialect,
            number,
            renamed,
            sort_author=first.sort_name,
            variants=books_kept.called(renamed, forms),
            now=now,
        )
        writes.append(tx.announcement(BookChanged(book_id=book.id, at=now)))
    return writes


def _renamed(book: Book, author: Author) -> Book:
    refs = tuple(
        AuthorRef(id=each.id, name=author.name) if each.id == author.id else each
        for each in book.authors
    )
    return book.model_copy(update={"authors": refs, "version": book.version + 1})
