"""What the catalog said of copies and books, and what it has to be asked about."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql

from lendery.contracts.catalog import BareCopy, Book
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.reports.models import book, copy, subject
from lendery.reports.repository.counting import MEET_BOOK

MANY = bindparam("many", type_=Integer)
COPIES_TO_LEARN = Statement(
    select(copy.c.id, copy.c.changed).where(copy.c.learnt < copy.c.changed).limit(MANY)
)
BOOKS_TO_LEARN = Statement(
    select(book.c.id, book.c.changed).where(book.c.learnt < book.c.changed).limit(MANY)
)

AT_ID = bindparam("at_id", type_=copy.c.id.type)
LEARN_COPY = Statement(
    update(copy)
    .where(copy.c.id == AT_ID)
    .values(
        {
            name: bindparam(f"to_{name}", type_=copy.c[name].type)
            for name in ("book_id", "branch_id", "item_type", "learnt")
        }
    )
)
DROP_COPIES = Statement(delete(copy).where(any_of(copy.c.id, "ids")))

_told = ("title", "authors", "published_year", "learnt")
_book = postgresql.insert(book).values(
    {name: bindparam(name, type_=book.c[name].type) for name in ("id", *_told, "changed")}
)
LEARN_BOOK = Statement(
    _book.on_conflict_do_update(
        index_elements=["id"], set_={name: _book.excluded[name] for name in _told}
    )
)
FORGET_SUBJECTS = Statement(delete(subject).where(any_of(subject.c.book_id, "ids")))


async def copies_to_learn(session: Session, *, many: int) -> dict[UUID, int]:
    """Each with what was heard of it so far."""
    rows = await session.rows(COPIES_TO_LEARN, many=many)
    return {row.id: row.changed for row in rows}


async def books_to_learn(session: Session, *, many: int) -> dict[UUID, int]:
    """Those that changed, and those of copies and holds that nobody asked about yet."""
    rows = await session.rows(BOOKS_TO_LEARN, many=many)
    return {row.id: row.changed for row in rows}


async def learn_copies(tx: Tx, told: Sequence[BareCopy], asked: dict[UUID, int]) -> None:
    """What the catalog does not name is no more."""
    there = {each.id for each in told}
    await tx.run(DROP_COPIES, ids=[each for each in asked if each not in there])
    await tx.many(LEARN_COPY, [_copy(each, asked[each.id]) for each in sorted(told, key=_by_id)])
    books = sorted({each.book_id for each in told})
    await tx.many(MEET_BOOK, [{"id": each} for each in books])


def _by_id(told: BareCopy) -> UUID:
    """All who write lock in this order."""
    return told.id


def _copy(told: BareCopy, heard: int) -> dict[str, Any]:
    return {
        "at_id": told.id,
        "to_book_id": told.book_id,
        "to_branch_id": told.branch_id,
        "to_item_type": told.item_type,
        "to_learnt": heard,
    }


async def learn_books(tx: Tx, told: Sequence[Book], asked: dict[UUID, int]) -> None:
    """One that is no more keeps its row, without words, so that it is not asked about again."""
    words = {each.id: each for each in told}
    await tx.many(LEARN_BOOK, [_book_row(id, words.get(id), asked[id]) for id in sorted(asked)])
    await tx.run(FORGET_SUBJECTS, ids=list(asked))
    pairs = {(each.id, name[:500]) for each in told for name in each.subjects}
    await tx.load(subject, [{"book_id": id, "subject": name} for id, name in sorted(pairs)])


def _book_row(id: UUID, told: Book | None, heard: int) -> dict[str, Any]:
    return {
        "id": id,
        "title": told.title if told else "",
        "authors": "; ".join(each.name for each in told.authors) if told else "",
        "published_year": told.published_year if told else None,
        "changed": heard,
        "learnt": heard,
    }
