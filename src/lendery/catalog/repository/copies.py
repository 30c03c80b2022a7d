"""Copies, and the status that circulation told."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, case, delete, func, insert, select, update

from lendery.catalog.models import copy
from lendery.contracts.base import Money
from lendery.contracts.catalog import BareCopy, CopyFilter, CopyStatus
from lendery.platform.db import Session, Statement, Tx, any_of
from lendery.platform.db.session import Write

IDLE = ("available", "reference")  # what a copy is by its type, while nothing happens to it
NOT_SHOWN = ("created_at", "updated_at")
SHOWN = tuple(column for column in copy.c if column.name not in NOT_SHOWN)

BY_ID = Statement(select(*SHOWN).where(copy.c.id == bindparam("id")))
BY_BARCODE = Statement(select(*SHOWN).where(copy.c.barcode == bindparam("barcode")))
BY_IDS = Statement(select(*SHOWN).where(any_of(copy.c.id, "ids")))
OF_BOOK = Statement(
    select(*SHOWN).where(copy.c.book_id == bindparam("book_id")).order_by(copy.c.id)
)
TAKEN = Statement(select(copy.c.barcode, copy.c.id).where(any_of(copy.c.barcode, "barcodes")))
HOLDING = Statement(
    select(copy.c.branch_id, func.count(copy.c.book_id.distinct()).label("books"))
    .where(any_of(copy.c.book_id, "ids"))
    .group_by(copy.c.branch_id)
)
PUT = Statement(insert(copy))
REPLACE = Statement(
    update(copy)
    .where(copy.c.id == bindparam("at_id"))
    .values(
        {
            column.name: bindparam(f"to_{column.name}", type_=column.type)
            for column in copy.c
            if column.name not in ("id", "book_id", "status", "created_at")
        }
        # Decided in the row itself: circulation's word may arrive while a copy is edited.
        | {"status": case((copy.c.status.in_(IDLE), bindparam("idle")), else_=copy.c.status)}
    )
)
TOLD = Statement(
    update(copy)
    .where(copy.c.id == bindparam("at_id"))
    .values(status=bindparam("to_status", type_=copy.c.status.type))
)
DESTROY = Statement(delete(copy).where(copy.c.id == bindparam("id")))


def copy_of(row: Any) -> BareCopy:
    price = None
    if row.price_amount is not None:
        price = Money(amount=row.price_amount, currency=row.price_currency)
    return BareCopy(
        id=row.id,
        barcode=row.barcode,
        book_id=row.book_id,
        branch_id=row.branch_id,
        item_type=row.item_type,
        location=row.location,
        call_number=row.call_number,
        price=price,
        version=row.version,
    )


async def copy_row(session: Session, *, copy_id: UUID) -> Any | None:
    return await session.row(BY_ID, id=copy_id)


async def copy_with_barcode(session: Session, *, barcode: str) -> BareCopy | None:
    row = await session.row(BY_BARCODE, barcode=barcode)
    return copy_of(row) if row else None


async def copies_with(session: Session, *, ids: list[UUID]) -> list[BareCopy]:
    return [copy_of(row) for row in await session.rows(BY_IDS, ids=ids)]


async def copies_of_book(session: Session, *, book_id: UUID) -> list[BareCopy]:
    return [copy_of(row) for row in await session.rows(OF_BOOK, book_id=book_id)]


async def taken_barcodes(session: Session, *, barcodes: list[str]) -> dict[str, UUID]:
    return {row.barcode: row.id for row in await session.rows(TAKEN, barcodes=barcodes)}


def idle_status(item_type: str) -> CopyStatus:
    return "reference" if item_type == "reference" else "available"


def _columns(shown: BareCopy, now: datetime) -> dict[str, Any]:
    return {
        **shown.model_dump(exclude={"id", "book_id", "price"}),
        "price_amount": shown.price.amount if shown.price else None,
        "price_currency": shown.price.currency if shown.price else None,
        "updated_at": now,
    }


def added(shown: BareCopy, *, now: datetime) -> Write:
    keys = {"id": shown.id, "book_id": shown.book_id, "created_at": now}
    return PUT, {**_columns(shown, now), **keys, "status": idle_status(shown.item_type)}


def replaced(shown: BareCopy, *, now: datetime) -> Write:
    columns = {f"to_{name}": value for name, value in _columns(shown, now).items()}
    return REPLACE, {"at_id": shown.id, "idle": idle_status(shown.item_type), **columns}


async def branches_holding(session: Session, *, book_ids: Sequence[str | UUID]) -> dict[UUID, int]:
    """At which branches copies of these books are, of how many books.

    The ids as their rows gave them.
    """
    return {row.branch_id: row.books for row in await session.rows(HOLDING, ids=book_ids)}


async def note_status(tx: Tx, *, copy_id: UUID, status: str) -> None:
    """What circulation told of a copy. No change of the catalog: its version stays."""
    await tx.run(TOLD, at_id=copy_id, to_status=status)


async def destroy(tx: Tx, *, copy_id: UUID) -> None:
    await tx.run(DESTROY, id=copy_id)


@lru_cache(maxsize=64)
def _listed(filters: tuple[str, ...], after: bool, counted: bool) -> Statement:
    wanted = and_(True, *(copy.c[name] == bindparam(name) for name in filters))
    if counted:
        return Statement(select(func.count()).select_from(copy).where(wanted))
    found = select(*SHOWN).where(wanted)
    if after:
        found = found.where(copy.c.id > bindparam("after"))
    return Statement(found.order_by(copy.c.id).limit(bindparam("many")))


async def listed(
    session: Session, *, like: CopyFilter, after: UUID | None, many: int
) -> list[BareCopy]:
    """In the order they were made."""
    given = like.model_dump(exclude_none=True)
    place = {"after": after} if after else {}
    statement = _listed(tuple(given), after is not None, False)
    return [copy_of(row) for row in await session.rows(statement, many=many, **place, **given)]


async def how_many(session: Session, *, like: CopyFilter) -> int:
    given = like.model_dump(exclude_none=True)
    found: int = await session.value(_listed(tuple(given), False, True), **given)
    return found
