"""Records as they came, whose number they carry, and which import brought them."""

import json
import zlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from lendery.catalog.models import book, copy, import_copy, import_note, source
from lendery.catalog.repository.books import AS_IT_STANDS
from lendery.catalog.rules.matching import Known
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

FOUND = (book.c.number, book.c.id, book.c.title, book.c.merged_into)
WITH_NUMBERS = Statement(
    select(source.c.control_number, *FOUND)
    .join_from(source, book, source.c.book_number == book.c.number)
    .where(any_of(source.c.control_number, "numbers"))
)
WITH_ISBNS = Statement(select(book.c.isbn, *FOUND).where(any_of(book.c.isbn, "isbns")))
WITH_TITLES = Statement(
    select(book.c.sort_title, book.c.sort_author, book.c.sort_year, *FOUND).where(
        any_of(book.c.sort_title, "titles")
    )
)
WITH_IDS = Statement(select(*FOUND).where(any_of(book.c.id, "ids")))
OF_BOOKS = Statement(select(source).where(any_of(source.c.book_number, "numbers")))
REPLACE = Statement(
    update(source)
    .where(source.c.book_number == bindparam("at_number", type_=source.c.book_number.type))
    .values(
        {
            column.name: bindparam(f"to_{column.name}", type_=column.type)
            for column in source.c
            if column.name != "book_number"
        }
    )
)
PUT = Statement(insert(source))
DROP = Statement(
    delete(source).where(
        source.c.book_number == bindparam("at_number", type_=source.c.book_number.type)
    )
)
NOTE = Statement(insert(import_note))
MADE = Statement(insert(import_copy))
COPIES_OF = Statement(
    select(copy.c.barcode, copy.c.id, copy.c.book_id).where(any_of(copy.c.barcode, "barcodes"))
)
JOB = bindparam("job", type_=source.c.job_id.type)
AFTER = bindparam("after", type_=source.c.book_number.type)
MANY: BindParameter[int] = bindparam("many", type_=Integer())
_other = book.alias("other")
_MERGED_INTO_IT = exists().where(_other.c.merged_into == book.c.id)
# Of one import: its books with what it overlaid. `edited`: they stand no more as it left them.
BROUGHT = Statement(
    select(
        source.c.book_number,
        or_(book.c.version != source.c.version, _MERGED_INTO_IT).label("edited"),
        source.c.before,
        source.c.prior_job_id,
        book.c.id,
        book.c.title,
    )
    .join_from(source, book, source.c.book_number == book.c.number)
    .where(source.c.job_id == JOB, source.c.book_number > AFTER)
    .order_by(source.c.book_number)
    .limit(MANY)
)
BROUGHT_COPIES = Statement(
    select(copy.c.id, copy.c.barcode, copy.c.version, copy.c.book_id, import_copy.c.book_number)
    .join_from(import_copy, copy, import_copy.c.copy_id == copy.c.id)
    .where(import_copy.c.job_id == JOB, import_copy.c.book_number > AFTER)
    .order_by(import_copy.c.book_number, copy.c.id)
    .limit(MANY)
)
OVERLAID_SINCE = Statement(
    select(book.c.id, book.c.title)
    .join_from(source, book, source.c.book_number == book.c.number)
    .where(source.c.prior_job_id == JOB)
    .limit(MANY)
)
COPIES_AT = Statement(
    select(
        copy.c.id,
        copy.c.barcode,
        copy.c.version,
        copy.c.book_id,
        book.c.number.label("book_number"),
        import_copy.c.job_id,
    )
    .join_from(copy, book, copy.c.book_id == book.c.id)
    .outerjoin(import_copy, import_copy.c.copy_id == copy.c.id)
    .where(any_of(book.c.number, "numbers"))
)
WITH_SOURCE = (
    select(*AS_IT_STANDS, source.c.raw, source.c.packed, source.c.format,
           source.c.version.label("as_brought"), source.c.edited, source.c.control_number)
    .select_from(book)
    .outerjoin(source, source.c.book_number == book.c.number)
    .where(book.c.merged_into.is_(None))
    .order_by(book.c.number)
)  # fmt: skip
WITH_SOURCES = select(func.count()).select_from(book).where(book.c.merged_into.is_(None))


def known(row: Any) -> Known:
    return Known(row.number, row.id, row.title, row.merged_into)


def gathered(rows: Iterable[Any], key: Any) -> dict[Any, list[Known]]:
    found: dict[Any, list[Known]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(known(row))
    return found


async def with_control_numbers(session: Session, *, numbers: list[str]) -> dict[str, list[Known]]:
    rows = await session.rows(WITH_NUMBERS, numbers=numbers) if numbers else ()
    return gathered(rows, lambda row: row.control_number)


async def with_our_ids(session: Session, *, ids: dict[str, UUID]) -> dict[str, list[Known]]:
    """By the control numbers that carry our own ids, as our exports do."""
    rows = await session.rows(WITH_IDS, ids=list(ids.values())) if ids else ()
    by_id = {row.id: known(row) for row in rows}
    return {number: [by_id[each]] for number, each in ids.items() if each in by_id}


async def become(session: Session, *, ids: set[UUID]) -> dict[UUID, Known]:
    """What there is now instead of books that others were merged into: those, or theirs."""
    books: dict[UUID, Known] = {}
    asked = ids
    while asked:
        rows = await session.rows(WITH_IDS, ids=list(asked))
        books |= {row.id: known(row) for row in rows}
        asked = {row.merged_into for row in rows if row.merged_into} - books.keys()
    return {each: _last(books, books[each]) for each in ids if each in books}


def _last(books: dict[UUID, Known], book: Known) -> Known:
    while book.merged_into in books:
        book = books[book.merged_into]
    return book


async def with_isbns(session: Session, *, isbns: list[str]) -> dict[str, list[Known]]:
    rows = await session.rows(WITH_ISBNS, isbns=isbns) if isbns else ()
    return gathered(rows, lambda row: row.isbn)


async def with_titles(
    session: Session, *, titles: list[str]
) -> dict[tuple[str, str], list[tuple[int, Known]]]:
    """By filing title and filing author, each with its year."""
    found: dict[tuple[str, str], list[tuple[int, Known]]] = {}
    for row in await session.rows(WITH_TITLES, titles=titles) if titles else ():
        key = row.sort_title, row.sort_author
        found.setdefault(key, []).append((row.sort_year, known(row)))
    return found


async def sources_of(session: Session, *, numbers: list[int]) -> dict[int, Any]:
    if not numbers:
        return {}
    return {row.book_number: row for row in await session.rows(OF_BOOKS, numbers=numbers)}


async def holders_of_barcodes(session: Session, *, barcodes: list[str]) -> dict[str, UUID]:
    """The book of each barcode that is taken."""
    if not barcodes:
        return {}
    return {row.barcode: row.book_id for row in await session.rows(COPIES_OF, barcodes=barcodes)}


async def last_note(session: Session, *, job_id: UUID) -> int:
    found = select(func.max(import_note.c.no)).where(import_note.c.job_id == job_id)
    return await session.value(found) or 0


def later_than(after: int) -> ColumnElement[bool]:
    """A cursor may name any number, also one that no note can have."""
    return import_note.c.no > bindparam("later_than", after, type_=BigInteger())


async def notes(
    session: Session, *, job_id: UUID, severity: str | None, after: int, many: int
) -> list[Any]:
    shown = [column for column in import_note.c if column.name != "raw"]
    wanted = select(*shown).where(import_note.c.job_id == job_id, later_than(after))
    if severity:
        wanted = wanted.where(import_note.c.severity == severity)
    return await session.rows(wanted.order_by(import_note.c.no).limit(many))


async def rejects(session: Session, *, job_id: UUID, after: int, many: int) -> list[Any]:
    wanted = select(import_note.c.no, import_note.c.record, import_note.c.says, import_note.c.raw)
    mine = and_(
        import_note.c.job_id == job_id,
        later_than(after),
        import_note.c.severity == "rejected",
    )
    return await session.rows(wanted.where(mine).order_by(import_note.c.no).limit(many))


async def is_in_use(session: Session, *, job_id: UUID) -> bool:
    """Does any record or copy still stand as this import brought it?"""
    of_books = select(source.c.book_number).where(
        or_(source.c.job_id == job_id, source.c.prior_job_id == job_id)
    )
    of_copies = select(import_copy.c.copy_id).where(import_copy.c.job_id == job_id)
    return bool(await session.row(of_books.limit(1)) or await session.row(of_copies.limit(1)))


def packed_before(columns: dict[str, Any], authors: list[dict[str, str]], prior: Any) -> bytes:
    """What an overlay replaced: the book's fields, and the source that stood for it."""
    kept = None
    if prior is not None:
        kept = {
            "version": prior.version,
            "job_id": prior.job_id.hex,
            "prior_job_id": prior.prior_job_id.hex if prior.prior_job_id else None,
            "format": prior.format,
            "control_number": prior.control_number,
            "edited": bool(prior.edited),
            "packed": bool(prior.packed),
            "raw": prior.raw.hex(),
            "before": prior.before.hex() if prior.before else None,
        }
    said = {"book": columns, "authors": authors, "source": kept}
    return zlib.compress(json.dumps(said, ensure_ascii=False).encode(), 6)


def unpacked_before(packed: bytes) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The fields of a book, and the row of its source, as they were before an overlay."""
    said = json.loads(zlib.decompress(packed))
    kept = said["source"]
    if kept is not None:
        prior, before = kept["prior_job_id"], kept["before"]
        kept |= {
            "job_id": UUID(kept["job_id"]),
            "prior_job_id": UUID(prior) if prior else None,
            "raw": bytes.fromhex(kept["raw"]),
            "before": bytes.fromhex(before) if before else None,
        }
    return said["book"] | {"authors": said["authors"]}, kept


def replaced(number: int, columns: dict[str, Any]) -> Write:
    return REPLACE, {"at_number": number, **{f"to_{name}": v for name, v in columns.items()}}


async def drop(tx: Tx, *, number: int) -> None:
    await tx.run(DROP, at_number=number)
