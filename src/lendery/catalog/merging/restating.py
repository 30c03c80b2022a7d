"""Records whose headings change all at once: what they show, where they file, what finds them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from lendery.catalog.repository import authors as authors_kept
from lendery.catalog.repository import books as books_kept
from lendery.catalog.repository import record
from lendery.catalog.repository.variants import variants_of
from lendery.catalog.rules.works import work_of
from lendery.contracts.catalog import Author, AuthorRef, Book, BookChanged
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

Restated = tuple[books_kept.BookRow, Book]


async def restate(tx: Tx, changed: Sequence[Restated], *, now: datetime) -> None:
    """Writes the records as they are wanted, under the next version, and tells of each."""
    first = [book.authors[0].id for _, book in changed if book.authors]
    known = await authors_kept.authors_with(tx, ids=list(set(first)))
    forms = await variants_of(tx, (a.id for _, book in changed for a in book.authors))
    writes: list[Write] = []
    for row, book in changed:
        after = _with_its_work(row, book)
        filed = known[after.authors[0].id].sort_name if after.authors else None
        variants = books_kept.called(after, forms)
        writes += books_kept.replaced(
            tx.dialect, row.number, after, sort_author=filed, variants=variants, now=now
        )
        writes.append(tx.announcement(BookChanged(book_id=after.id, at=now)))
    await record(tx, writes)


def _with_its_work(row: books_kept.BookRow, book: Book) -> Book:
    changed: dict[str, object] = {"version": book.version + 1}
    if not row.work_by_hand:
        main = book.authors[0].id if book.authors else None
        changed["work_id"] = work_of(book.id, book.title, book.language, main)
    return book.model_copy(update=changed)


async def relink_authors(tx: Tx, changed: Iterable[Restated]) -> None:
    writes = []
    for row, book in changed:
        await tx.write((books_kept.UNLINK_AUTHORS, {"at_number": row.number}))
        authors = (each.id for each in book.authors)
        writes += books_kept.linked(row.number, authors=authors, subjects=())
    await record(tx, writes)


async def reword(tx: Tx, *, author_id: UUID, but: Iterable[int] = ()) -> None:
    """The words of an author's books, since other forms of the name came or went."""
    left = set(but)
    rows = [
        row
        for row in await books_kept.rows_by_author(tx, author_id=author_id)
        if row.number not in left
    ]
    books = [(row.number, books_kept.book_of(row)) for row in rows]
    forms = await variants_of(tx, (a.id for _, book in books for a in book.authors))
    await record(tx, [books_kept.worded(tx.dialect, n, book, forms) for n, book in books])


def under(book: Book, authors: Sequence[Author]) -> Book:
    """The record with these authors."""
    refs = tuple(AuthorRef(id=each.id, name=each.name) for each in authors)
    return book.model_copy(update={"authors": refs})
