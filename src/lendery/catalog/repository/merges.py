"""Merges: what became of what, what was moved, and whether it was undone."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, or_, select, update

from lendery.catalog.models import book, book_subject, copy, duplicate, merge
from lendery.contracts.authorities import Merge
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

BY_ID = Statement(select(merge).where(merge.c.id == bindparam("id")))
INTO = Statement(
    select(merge.c.winner_id, merge.c.loser_name, merge.c.winner_name)
    .where(merge.c.loser_id == bindparam("loser_id"), merge.c.undone_at.is_(None))
    .order_by(merge.c.id.desc())
    .limit(1)
)
PUT = Statement(insert(merge))
UNDO = Statement(
    update(merge)
    .where(merge.c.id == bindparam("at_id"), merge.c.undone_at.is_(None))
    .values(
        undone_at=bindparam("to_at", type_=merge.c.undone_at.type),
        undone_by=bindparam("to_by", type_=merge.c.undone_by.type),
    )
)
NUMBERS_ON = Statement(
    select(book_subject.c.book_number).where(book_subject.c.subject_id == bindparam("subject_id"))
)
COPIES = Statement(
    select(copy.c.id).where(copy.c.book_id == bindparam("book_id")).order_by(copy.c.id)
)
MOVE_COPIES = Statement(
    update(copy)
    .where(copy.c.book_id == bindparam("from_id"), any_of(copy.c.id, "ids"))
    .values(
        book_id=bindparam("to_id", type_=copy.c.book_id.type),
        version=copy.c.version + 1,
        updated_at=bindparam("to_at", type_=copy.c.updated_at.type),
    )
)
POINT = Statement(
    update(book)
    .where(book.c.number == bindparam("at_number", type_=book.c.number.type))
    .values(merged_into=bindparam("to_id", type_=book.c.merged_into.type))
)
POINTING = Statement(select(book.c.id).where(any_of(book.c.merged_into, "ids")))
FORGET_PAIRS = Statement(
    delete(duplicate).where(
        or_(duplicate.c.one_id == bindparam("gone"), duplicate.c.other_id == bindparam("gone"))
    )
)


def merge_of(row: Any) -> Merge:
    shown = {name: getattr(row, name, None) for name in Merge.model_fields}
    counted = {name: len(row.moved.get(name, ())) for name in ("books", "copies")}
    return Merge.model_validate(shown | counted)


async def merge_row(session: Session, *, merge_id: UUID) -> Any | None:
    return await session.row(BY_ID, id=merge_id)


async def merged_into(session: Session, *, loser_id: UUID) -> Any | None:
    """(winner_id, loser_name, winner_name) of what this was merged into, if that holds."""
    return await session.row(INTO, loser_id=loser_id)


@lru_cache(maxsize=2)
def _listed(after: bool) -> Statement:
    found = select(merge)
    if after:
        found = found.where(merge.c.id < bindparam("after", type_=merge.c.id.type))
    return Statement(found.order_by(merge.c.id.desc()).limit(bindparam("many")))


async def listed(session: Session, *, after: UUID | None, many: int) -> list[Any]:
    place = {"after": after} if after else {}
    return await session.rows(_listed(after is not None), many=many, **place)


def recorded(shown: Merge, moved: dict[str, Any]) -> Write:
    return PUT, {**shown.model_dump(exclude={"books", "copies"}), "moved": moved}


async def undone(tx: Tx, *, merge_id: UUID, by: UUID | None, now: datetime) -> bool:
    return await tx.run(UNDO, at_id=merge_id, to_at=now, to_by=by) > 0


async def numbers_on(session: Session, *, subject_id: UUID) -> list[int]:
    return [r.book_number for r in await session.rows(NUMBERS_ON, subject_id=subject_id)]


async def copies_of(session: Session, *, book_id: UUID) -> list[UUID]:
    return [row.id for row in await session.rows(COPIES, book_id=book_id)]


async def move_copies(
    tx: Tx, *, copy_ids: list[UUID], from_book: UUID, to_book: UUID, now: datetime
) -> None:
    """Those of them that are still of the one book, to the other."""
    if copy_ids:
        await tx.run(MOVE_COPIES, ids=copy_ids, from_id=from_book, to_id=to_book, to_at=now)


async def point(tx: Tx, *, number: int, into: UUID | None) -> None:
    """The record leads to another from now on, or (None) to itself again."""
    await tx.run(POINT, at_number=number, to_id=into)


async def merged_before(session: Session, *, book_id: UUID) -> list[UUID]:
    """The books that were merged into this one, and those that were merged into them."""
    found: list[UUID] = []
    last = [book_id]
    while last:
        last = [row.id for row in await session.rows(POINTING, ids=last)]
        found += last
    return found


async def forget_pairs(tx: Tx, *, gone: UUID) -> None:
    await tx.run(FORGET_PAIRS, gone=gone)
