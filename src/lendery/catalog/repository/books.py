"""Records: read by key as one row of one table, written with their links and their words."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from lendery.catalog.models import book, book_author, book_subject, copy
from lendery.catalog.repository import ratings
from lendery.catalog.repository.search import forget_all as forget_index
from lendery.catalog.repository.search import indexed, tidy, unindexed
from lendery.catalog.repository.variants import variants_of
from lendery.catalog.repository.words import forget_all as forget_words
from lendery.catalog.repository.words import note_words
from lendery.catalog.rules import isbn, works
from lendery.catalog.rules.filing import LAST, NO_YEAR, name_key, title_key
from lendery.catalog.rules.ratings import UNRATED
from lendery.contracts.catalog import AuthorRef, Book
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write


class BookRow(Protocol):
    """A record as it stands in its row: the lists still JSON text, the id as the driver gave it."""

    number: int
    id: str | UUID
    title: str
    subtitle: str | None
    authors: str
    isbn: str | None
    publisher: str | None
    published_year: int | None
    language: str | None
    subjects: str
    description: str | None
    series: str | None
    series_number: str | None
    call_number: str | None
    material: str
    work_id: str | UUID | None
    work_by_hand: bool | int
    merged_into: str | UUID | None
    withdrawn: bool | int
    version: int


UNSHOWN = {"sort_title", "sort_author", "sort_year", "sort_rating", "series_key", "series_place"}
UNSHOWN |= {"popularity", "place", "created_at", "updated_at"}
# Not converted by column types: a page of twenty would spend more on that than on reading.
AS_IT_STANDS: tuple[ColumnElement[Any], ...] = tuple(
    type_coerce(column, Text).label(column.name) for column in book.c if column.name not in UNSHOWN
)
# Only writes of their own change these.
BY_OTHERS = ("work_by_hand", "merged_into", "sort_rating", "popularity", "place")
AT = bindparam("at_number", type_=book.c.number.type)

BY_ID = Statement(select(*AS_IT_STANDS).where(book.c.id == bindparam("id")))
BY_IDS = Statement(select(*AS_IT_STANDS).where(any_of(book.c.id, "ids")))
BY_NUMBERS = Statement(
    select(*AS_IT_STANDS).where(any_of(book.c.number, "numbers")).order_by(book.c.number)
)
AFTER = Statement(
    select(*AS_IT_STANDS)
    .where(book.c.number > bindparam("number", type_=book.c.number.type))
    .order_by(book.c.number)
    .limit(500)
)
# Who looks for the number of a book that was merged means the one it was merged into.
HOLDER = func.coalesce(book.c.merged_into, book.c.id, type_=book.c.id.type).label("id")
WITH_ISBN = Statement(select(HOLDER, book.c.title).where(book.c.isbn == bindparam("isbn")))
WITH_ISBNS = Statement(
    select(book.c.isbn, HOLDER, book.c.title).where(any_of(book.c.isbn, "isbns"))
)
KNOWN = Statement(select(book.c.id).where(any_of(book.c.id, "ids"), book.c.merged_into.is_(None)))
HAS_COPIES = Statement(select(copy.c.id).where(copy.c.book_id == bindparam("id")).limit(1))
NUMBERS_BY_AUTHOR = Statement(
    select(book_author.c.book_number).where(book_author.c.author_id == bindparam("author_id"))
)
PUT = Statement(insert(book))
REPLACE = Statement(
    update(book)
    .where(book.c.number == AT)
    .values(
        {
            column.name: bindparam(f"to_{column.name}", type_=column.type)
            for column in book.c
            if column.name not in ("number", "id", "created_at", *BY_OTHERS)
        }
    )
)
LINK_AUTHOR = Statement(insert(book_author))
LINK_SUBJECT = Statement(insert(book_subject))
UNLINK_AUTHORS = Statement(delete(book_author).where(book_author.c.book_number == AT))
UNLINK_SUBJECTS = Statement(delete(book_subject).where(book_subject.c.book_number == AT))
DESTROY = Statement(
    delete(book).where(book.c.number == AT, ~exists().where(copy.c.book_id == book.c.id))
)


def uuid_of(raw: str | UUID) -> UUID:
    return raw if isinstance(raw, UUID) else UUID(raw)


def work_id_of(row: BookRow) -> UUID:
    """As it was decided, or for a record of an older program as the rules say."""
    if row.work_id is not None:
        return uuid_of(row.work_id)
    authors = json.loads(row.authors)
    author_id = UUID(authors[0]["id"]) if authors else None
    return works.work_of(uuid_of(row.id), row.title, row.language, author_id)


def book_of(row: BookRow) -> Book:
    return Book(
        id=uuid_of(row.id),
        title=row.title,
        subtitle=row.subtitle,
        authors=tuple(AuthorRef(**each) for each in json.loads(row.authors)),
        isbn=row.isbn,
        publisher=row.publisher,
        published_year=row.published_year,
        language=row.language,
        subjects=tuple(json.loads(row.subjects)),
        description=row.description,
        series=row.series,
        series_number=row.series_number,
        call_number=row.call_number,
        material=row.material,
        work_id=work_id_of(row),
        withdrawn=bool(row.withdrawn),
        version=row.version,
    )


async def book_row(session: Session, *, book_id: UUID) -> BookRow | None:
    return await session.row(BY_ID, id=book_id)


async def books_with(session: Session, *, ids: list[UUID]) -> list[Book]:
    return [book_of(row) for row in await session.rows(BY_IDS, ids=ids)]


async def book_rows(session: Session, *, numbers: list[int]) -> list[BookRow]:
    return await session.rows(BY_NUMBERS, numbers=numbers) if numbers else []


async def books_numbered(session: Session, *, numbers: list[int]) -> dict[int, BookRow]:
    return {row.number: row for row in await book_rows(session, numbers=numbers)}


async def rows_by_author(session: Session, *, author_id: UUID) -> list[BookRow]:
    rows = await session.rows(NUMBERS_BY_AUTHOR, author_id=author_id)
    return await book_rows(session, numbers=[row.book_number for row in rows])


async def books_by_author(session: Session, *, author_id: UUID) -> list[tuple[int, Book]]:
    rows = await rows_by_author(session, author_id=author_id)
    return [(row.number, book_of(row)) for row in rows]


async def holders_of(session: Session, *, isbns: list[str]) -> dict[str, Any]:
    """Which books (id, title) have these ISBNs already."""
    if len(isbns) == 1:
        row = await session.row(WITH_ISBN, isbn=isbns[0])
        return {isbns[0]: row} if row else {}
    return {row.isbn: row for row in await session.rows(WITH_ISBNS, isbns=isbns)} if isbns else {}


async def known_books(session: Session, *, ids: list[UUID]) -> set[UUID]:
    return {row.id for row in await session.rows(KNOWN, ids=ids)}


async def has_copies(session: Session, *, book_id: UUID) -> bool:
    return await session.row(HAS_COPIES, id=book_id) is not None


def _columns(shown: Book, sort_author: str | None, now: datetime) -> dict[str, Any]:
    """`sort_author`: the filing form of the first author's name, None without authors."""
    return {
        **shown.model_dump(include=_PLAIN),
        "authors": [{"id": str(each.id), "name": each.name} for each in shown.authors],
        "subjects": list(shown.subjects),
        "sort_title": title_key(shown.title, shown.language),
        "sort_author": LAST if sort_author is None else name_key(sort_author),
        "series_key": works.series_key(shown.series),
        "series_place": works.series_place(shown.series_number),
        "sort_year": NO_YEAR if shown.published_year is None else shown.published_year,
        "updated_at": now,
    }


NEW = {
    **{"sort_rating": UNRATED, "popularity": 0, "place": None},
    **{"work_by_hand": False, "merged_into": None},
}
_PLAIN = set(Book.model_fields) - {"id", "authors", "subjects"}


def added(
    dialect: str,
    number: int,
    shown: Book,
    *,
    sort_author: str | None,
    variants: Iterable[str] = (),
    now: datetime,
) -> list[Write]:
    columns = _columns(shown, sort_author, now)
    return [
        (PUT, {**columns, "number": number, "id": shown.id, "created_at": now, **NEW}),
        indexed(dialect, number, shown, isbn_forms(shown.isbn), variants, new=True),
    ]


def replaced(
    dialect: str,
    number: int,
    shown: Book,
    *,
    sort_author: str | None,
    variants: Iterable[str] = (),
    now: datetime,
) -> list[Write]:
    columns = _columns(shown, sort_author, now)
    return [
        (REPLACE, {"at_number": number, **{f"to_{name}": v for name, v in columns.items()}}),
        indexed(dialect, number, shown, isbn_forms(shown.isbn), variants),
    ]


def linked(number: int, *, authors: Iterable[UUID], subjects: Iterable[UUID]) -> list[Write]:
    by = [
        (LINK_AUTHOR, {"book_number": number, "author_id": each, "position": position})
        for position, each in enumerate(authors)
    ]
    on = [(LINK_SUBJECT, {"book_number": number, "subject_id": each}) for each in subjects]
    return [*by, *on]


def unlinked(number: int) -> list[Write]:
    return [(UNLINK_AUTHORS, {"at_number": number}), (UNLINK_SUBJECTS, {"at_number": number})]


async def destroy(tx: Tx, *, number: int) -> None:
    """The record and all that pointed from it. Only for a book without copies."""
    await tx.write(*unlinked(number), unindexed(tx.dialect, number), ratings.forgotten(number))
    await tx.run(DESTROY, at_number=number)


def isbn_forms(number: str | None) -> tuple[str | None, ...]:
    return (number, isbn.ten(number)) if number else ()


def called(shown: Book, variants: Mapping[UUID, Iterable[str]]) -> list[str]:
    """The other forms of the names of its authors, by which it is found too."""
    return [name for each in shown.authors for name in variants.get(each.id, ())]


def worded(
    dialect: str,
    number: int,
    shown: Book,
    variants: Mapping[UUID, Iterable[str]],
    *,
    new: bool = False,
) -> Write:
    """The words of a record, by which it is found."""
    names = called(shown, variants)
    return indexed(dialect, number, shown, isbn_forms(shown.isbn), names, new=new)


async def make_findable(tx: Tx) -> None:
    """The words of all records, from the records: after a restore."""
    await forget_index(tx)
    await forget_words(tx)
    last = 0
    while rows := await tx.rows(AFTER, number=last):
        books = {row.number: book_of(row) for row in rows}
        found = await variants_of(tx, (a.id for each in books.values() for a in each.authors))
        writes = [worded(tx.dialect, n, each, found, new=True) for n, each in books.items()]
        await note_words(tx, writes)
        await tx.many(writes[0][0], [given for _, given in writes])
        last = rows[-1].number
    await tidy(tx)
