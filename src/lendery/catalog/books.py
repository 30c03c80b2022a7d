"""Books: the bibliographic records, from adding to withdrawing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.finding import BookFinder
from lendery.catalog.headings import Headings, named, once, subjects_found
from lendery.catalog.repository import books as kept
from lendery.catalog.repository import record
from lendery.catalog.repository import subjects as subjects_kept
from lendery.catalog.repository.changes import book_key, next_turn
from lendery.catalog.repository.ratings import ratings_of
from lendery.catalog.repository.requests import made_before, made_now
from lendery.catalog.repository.search import tidy
from lendery.catalog.rules import isbn
from lendery.catalog.rules.works import work_of
from lendery.catalog.version import fresh, not_empty
from lendery.contracts.base import Page, RequestKey, Window, new_id
from lendery.contracts.catalog import (
    Author,
    AuthorRef,
    Book,
    BookAdded,
    BookChanged,
    BookChanges,
    BookWasMerged,
    BookWithdrawn,
    IsbnTaken,
    NewBook,
    NoSuchBook,
    Subject,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reviews import Rating
from lendery.platform.db import Session, Tx
from lendery.platform.db.session import Write

BULK = 1_000


@dataclass(frozen=True)
class BookCatalog(BookFinder):
    """Implements contracts.catalog.Books."""

    async def add(
        self, *, book: NewBook, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Book:
        actor.must(Permission.CATALOGUE)
        [added] = await self._add([book], [isbn.checked(book.isbn)], now, pointer="#", key=key)
        return added

    async def add_many(self, *, books: list[NewBook], actor: Actor, now: datetime) -> list[UUID]:
        """All or none. Problems name the book by its place in the list."""
        actor.must(Permission.CATALOGUE)
        numbers = [isbn.checked(each.isbn, pointer=f"#/{at}/isbn") for at, each in enumerate(books)]
        return [each.id for each in await self._add(books, numbers, now, pointer="")]

    async def _add(
        self,
        books: Sequence[NewBook], isbns: list[str | None], now: datetime,
        *, pointer: str, key: RequestKey | None = None,
    ) -> list[Book]:  # fmt: skip
        given = [[named(author) for author in each.authors] for each in books]
        _differ(isbns)
        async with self.db.begin() as tx:
            turn = await next_turn(tx, numbers=len(books))
            if (made := await made_before(tx, key)) is not None:
                return [kept.book_of(found(await kept.book_row(tx, book_id=made)))]
            await _are_free(tx, [each for each in isbns if each])
            headings = await Headings.of(
                tx,
                authors=(author for each in given for author in each),
                subjects=(name for each in books for name in each.subjects),
                now=now,
            )
            added, writes = [], []
            for at, (new, names, number) in enumerate(zip(books, given, isbns, strict=True)):
                place = pointer or f"#/{at}"
                authors = headings.authors(names, f"{place}/authors")
                subjects = headings.subject_names(once(new.subjects, f"{place}/subjects"))
                book = _new_book(new, authors, subjects, number)
                added.append(book)
                writes += _recorded(tx, turn.first_number + at, book, authors, headings, now)
                if at % BULK == BULK - 1:
                    await asyncio.sleep(0)  # readers go on while a library is loaded
            writes += made_now(key, added[0].id, now=now) if added else []
            told = [BookAdded(book_id=each.id, at=now) for each in added]
            if len(told) == 1:
                writes.append(tx.announcement(told.pop()))
            await record(tx, [*headings.made, *writes, turn.touches()])
            await tx.announce(*told)
            if len(added) >= BULK:
                await tidy(tx)
        return added

    async def get(self, *, book_id: UUID) -> Book:
        return kept.book_of(await self.row(book_id=book_id))

    async def row(self, *, book_id: UUID) -> kept.BookRow:
        """The record as it stands, for those who show it without looking inside."""
        async with self.db.read() as session:
            return found(await kept.book_row(session, book_id=book_id))

    async def by_ids(self, *, ids: list[UUID]) -> list[Book]:
        async with self.db.read() as session:
            return await kept.books_with(session, ids=ids)

    async def ratings(self, *, ids: list[UUID]) -> list[Rating]:
        async with self.db.read() as session:
            return await ratings_of(session, ids=ids)

    async def change(
        self,
        *,
        book_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Book:
        actor.must(Permission.CATALOGUE)
        wanted = BookChanges.model_validate(changes)
        not_empty(wanted, "title", "material", "withdrawn")
        number = isbn.checked(wanted.isbn)
        async with self.db.begin() as tx:
            turn = await next_turn(tx)
            row = found(await kept.book_row(tx, book_id=book_id))
            fresh(row.version, version)
            before, touches = kept.book_of(row), turn.touches(book_key(book_id))
            if not wanted.model_fields_set:
                return before
            if number and number != before.isbn:
                await _are_free(tx, [number])
            return await rewrite(tx, row, before, wanted, number, now, touches)

    async def remove(
        self, *, book_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        """With copies it is withdrawn and stays readable; without, it is gone."""
        actor.must(Permission.CATALOGUE)
        async with self.db.begin() as tx:
            turn = await next_turn(tx)
            await tx.write(turn.touches(book_key(book_id)))
            row = found(await kept.book_row(tx, book_id=book_id))
            fresh(row.version, version)
            book = kept.book_of(row)
            if not await kept.has_copies(tx, book_id=book_id):
                await kept.destroy(tx, number=row.number)
                await subjects_kept.forget_unused(tx, names=list(book.subjects))
                await tx.announce(BookWithdrawn(book_id=book_id, at=now))
            elif not book.withdrawn:
                await rewrite(tx, row, book, BookChanges(withdrawn=True), None, now)

    async def subjects(self, *, q: str | None, window: Window) -> Page[Subject]:
        return await subjects_found(self.db, q, window)


def found(row: kept.BookRow | None) -> kept.BookRow:
    if row is None:
        raise NoSuchBook("There is no such book.")
    if row.merged_into is not None:
        into = kept.uuid_of(row.merged_into)
        says = f"\u201c{row.title}\u201d was merged into another book."
        raise BookWasMerged(says, into=str(into))
    return row


def _differ(isbns: list[str | None]) -> None:
    seen: set[str] = set()
    for at, each in enumerate(isbns):
        if each and each in seen:
            raise IsbnTaken(f"Two books of this list have the ISBN {each}.", field="isbn", at=at)
        seen.add(each or "")


async def _are_free(session: Session, isbns: list[str]) -> None:
    for number, holder in (await kept.holders_of(session, isbns=isbns)).items():
        raise IsbnTaken(
            f"\u201c{holder.title}\u201d has the ISBN {number} already.",
            field="isbn",
            isbn=number,
            book_id=str(holder.id),
            existing=holder.title,
        )


def _new_book(
    new: NewBook, authors: Sequence[Author], subjects: tuple[str, ...], number: str | None
) -> Book:
    book_id = new_id()
    return Book(
        **new.model_dump(exclude={"authors", "subjects", "isbn"}),
        id=book_id,
        work_id=work_of(book_id, new.title, new.language, authors[0].id if authors else None),
        authors=tuple(AuthorRef(id=each.id, name=each.name) for each in authors),
        subjects=subjects,
        isbn=number,
        withdrawn=False,
        version=1,
    )


def _recorded(
    tx: Tx, number: int, book: Book, authors: Sequence[Author], headings: Headings, now: datetime
) -> list[Write]:
    sort_author = authors[0].sort_name if authors else None
    subject_ids = headings.subject_ids(book.subjects)
    return [
        *kept.added(
            tx.dialect,
            number,
            book,
            sort_author=sort_author,
            variants=headings.variants(book.authors),
            now=now,
        ),
        *kept.linked(number, authors=(each.id for each in authors), subjects=subject_ids),
    ]


async def rewrite(
    tx: Tx,
    row: kept.BookRow, before: Book, wanted: BookChanges, isbn13: str | None, now: datetime,
    *more: Write,
) -> Book:  # fmt: skip
    """The record as it is wanted, with its links and words, told to the world."""
    changed = wanted.model_fields_set
    given = [named(each) for each in wanted.authors or ()]
    if "authors" not in changed:
        given = [named(str(each.id)) for each in before.authors[:1]]  # whose name it is filed by
    names = once(wanted.subjects or ()) if "subjects" in changed else before.subjects
    relinks = bool(changed & {"authors", "subjects", "withdrawn"})
    headings = await Headings.of(
        tx,
        authors=given,
        subjects=names if relinks else (),
        shown=[each.id for each in before.authors],
        now=now,
    )
    authors, names = headings.authors(given), headings.subject_names(names)
    refs = tuple(AuthorRef(id=each.id, name=each.name) for each in authors)
    plain = wanted.model_dump(include=changed - {"authors", "subjects", "isbn"})
    after = before.model_copy(
        update=plain
        | {"subjects": names, "version": before.version + 1}
        | ({"isbn": isbn13} if "isbn" in changed else {})
        | ({"authors": refs} if "authors" in changed else {})
    )
    if not row.work_by_hand:
        main = after.authors[0].id if after.authors else None
        work_id = work_of(after.id, after.title, after.language, main)
        after = after.model_copy(update={"work_id": work_id})
    number, sort_author = row.number, authors[0].sort_name if authors else None
    variants = headings.variants(after.authors)
    writes = kept.replaced(
        tx.dialect, number, after, sort_author=sort_author, variants=variants, now=now
    )
    about = () if after.withdrawn else names
    if relinks:
        await tx.write(*kept.unlinked(number))
        ids = [each.id for each in after.authors]
        writes += kept.linked(number, authors=ids, subjects=headings.subject_ids(about))
    withdraws = after.withdrawn and not before.withdrawn
    told = (BookWithdrawn if withdraws else BookChanged)(book_id=before.id, at=now)
    unused = subjects_kept.unused(set(before.subjects) - set(about))  # no link of its own is left
    await record(tx, [*headings.made, *writes, *unused, tx.announcement(told), *more])
    return after
