"""Holds: queues of books, the copies that could serve them, and the writes of what was decided."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from lendery.circulation.models import copy, hold, loan, patron
from lendery.circulation.repository.loans import HOUSE_VERSION, KEY, key_values
from lendery.contracts.base import RequestKey
from lendery.contracts.circulation import HoldFilter
from lendery.platform.db import Session, Statement, Tx, UtcDateTime, any_of
from lendery.platform.db.session import Write

OPEN = hold.c.ended_at.is_(None)
# Spelled out, not bound: SQLite plans anew for each value that a partial index depends on.
WAITING = hold.c.state == literal_column("'waiting'")
IN_ORDER = (hold.c.placed_at, hold.c.id)
before = hold.alias("before")
POSITION = (
    select(func.count())
    .where(
        before.c.book_id == hold.c.book_id,
        before.c.state == literal_column("'waiting'"),
        or_(
            before.c.placed_at < hold.c.placed_at,
            (before.c.placed_at == hold.c.placed_at) & (before.c.id <= hold.c.id),
        ),
    )
    .correlate(hold)
    .scalar_subquery()
)
SHOWN = (hold, POSITION.label("position"))
BY_ID = Statement(select(*SHOWN).where(hold.c.id == bindparam("hold_id")))
# All that changes a book's queue takes turns, on PostgreSQL by this lock, on SQLite by itself.
QUEUE_LOCK = Statement(select(func.pg_advisory_xact_lock(bindparam("queue", type_=BigInteger))))
QUEUE = Statement(
    select(hold, patron.c.category, patron.c.born_on)
    .select_from(hold.outerjoin(patron, patron.c.id == hold.c.patron_id))
    .where(hold.c.book_id == bindparam("book_id"), WAITING)
    .order_by(*IN_ORDER)
    .limit(bindparam("most", type_=BigInteger))
    .offset(bindparam("skip", type_=BigInteger))
)
_on_loan = exists().where(loan.c.copy_id == copy.c.id, loan.c.returned_at.is_(None))
_kept = exists().where(hold.c.given_copy_id == copy.c.id, OPEN)
LENDABLE = (
    ~copy.c.withdrawn,
    ~copy.c.lost,
    ~copy.c.missing,
    ~copy.c.damaged,
    ~copy.c.claimed_returned,
)
FREE_NOW = (*LENDABLE, copy.c.in_transit_to.is_(None), ~_on_loan, ~_kept)
_FREE = (
    copy.c.id,
    copy.c.book_id,
    copy.c.item_type,
    copy.c.home_branch_id,
    func.coalesce(copy.c.current_branch_id, copy.c.home_branch_id).label("branch_id"),
)
FREE_COPIES = Statement(
    select(*_FREE).where(copy.c.book_id == bindparam("book_id"), *FREE_NOW).order_by(copy.c.id)
)
_wanted = exists().where(hold.c.book_id == copy.c.book_id, WAITING)
FREE_AND_WANTED = Statement(
    select(*_FREE).where(_wanted, *FREE_NOW).order_by(copy.c.book_id, copy.c.id)
)
COPIES_OF_BOOK = Statement(
    select(copy, (~_on_loan & ~_kept & copy.c.in_transit_to.is_(None)).label("on_shelf"))
    .where(copy.c.book_id == bindparam("book_id"))
    .order_by(copy.c.id)
)
GIVEN = Statement(
    select(*SHOWN, patron.c.category)
    .select_from(hold.outerjoin(patron, patron.c.id == hold.c.patron_id))
    .where(hold.c.given_copy_id == bindparam("copy_id"), OPEN)
    .limit(1)
)
theirs = hold.alias("theirs")


def _of_patron(*conditions: ColumnElement[bool]) -> Any:
    return (
        select(func.count())
        .where(
            theirs.c.patron_id == bindparam("patron_id"), theirs.c.ended_at.is_(None), *conditions
        )
        .scalar_subquery()
    )


PLACING = Statement(
    select(
        _of_patron().label("holds"),
        _of_patron(theirs.c.book_id == bindparam("book_id")).label("on_book"),
        _of_patron(theirs.c.copy_id == bindparam("copy_id")).label("on_copy"),
        select(func.count())
        .where(
            loan.c.patron_id == bindparam("patron_id"),
            loan.c.book_id == bindparam("book_id"),
            loan.c.returned_at.is_(None),
        )
        .scalar_subquery()
        .label("on_loan"),
        select(func.count())
        .where(hold.c.book_id == bindparam("book_id"), WAITING)
        .scalar_subquery()
        .label("waiting"),
        select(func.max(hold.c.placed_at))
        .where(hold.c.book_id == bindparam("book_id"), WAITING)
        .scalar_subquery()
        .label("last_waiting"),
        select(func.max(hold.c.placed_at))
        .where(hold.c.given_copy_id == copy.c.id, copy.c.book_id == bindparam("book_id"), OPEN)
        .scalar_subquery()
        .label("last_given"),
        HOUSE_VERSION.label("house_version"),
        *KEY,
    )
)
PLACE = Statement(insert(hold).values({c.name: bindparam(c.name, type_=c.type) for c in hold.c}))
CHANGE = Statement(
    update(hold)
    .where(hold.c.id == bindparam("h_id"), OPEN)
    .values(
        pickup_branch_id=bindparam("h_pickup_branch_id"),
        state=bindparam("h_state"),
        suspended=bindparam("h_suspended"),
        suspended_until=bindparam("h_suspended_until"),
        given_copy_id=bindparam("h_given_copy_id"),
        ready_at=bindparam("h_ready_at", type_=UtcDateTime()),
        expires_on=bindparam("h_expires_on"),
        ended_at=bindparam("h_ended_at", type_=UtcDateTime()),
    )
)
CHANGEABLE = (
    "pickup_branch_id",
    "state",
    "suspended",
    "suspended_until",
    "given_copy_id",
    "ready_at",
    "expires_on",
    "ended_at",
)
OVERDUE_ON_SHELF = Statement(
    select(hold.c.id, hold.c.book_id, hold.c.pickup_branch_id, hold.c.expires_on)
    .where(hold.c.state == "ready", hold.c.expires_on < bindparam("day"))
    .order_by(hold.c.expires_on, hold.c.id)
    .limit(500)
)
LENGTHS = Statement(
    select(hold.c.book_id, func.count().label("waiting"))
    .where(any_of(hold.c.book_id, "book_ids"), WAITING)
    .group_by(hold.c.book_id)
)


async def lock_queue(tx: Tx, book_id: UUID) -> None:
    """Holds the book's queue until the transaction ends. Always the last lock that is taken."""
    if tx.dialect == "postgresql":
        await tx.value(QUEUE_LOCK, queue=book_id.int & 0x7FFFFFFFFFFFFFFF)


async def hold_by_id(session: Session, hold_id: UUID) -> Any | None:
    return await session.row(BY_ID, hold_id=hold_id)


async def given(session: Session, copy_id: UUID) -> Any | None:
    """The open hold that this copy is kept for, on its way or on the shelf; whose category."""
    return await session.row(GIVEN, copy_id=copy_id)


async def queue(session: Session, book_id: UUID, *, most: int, skip: int = 0) -> list[Any]:
    """Who waits for a book, in order."""
    return await session.rows(QUEUE, book_id=book_id, most=most, skip=skip)


async def free_copies(session: Session, book_id: UUID) -> list[Any]:
    """The copies of a book that stand on a shelf and are kept for nobody."""
    return await session.rows(FREE_COPIES, book_id=book_id)


async def free_and_wanted(session: Session) -> list[Any]:
    """The same of all books that somebody waits for."""
    return await session.rows(FREE_AND_WANTED)


async def copies_of_book(session: Session, book_id: UUID) -> list[Any]:
    return await session.rows(COPIES_OF_BOOK, book_id=book_id)


async def placing_facts(
    session: Session,
    *,
    patron_id: UUID,
    book_id: UUID,
    copy_id: UUID | None,
    key: RequestKey | None,
) -> Any:
    """What the patron holds and has, how many wait, and the key's answer."""
    given = {"patron_id": patron_id, "book_id": book_id, "copy_id": copy_id}
    return await session.row(PLACING, **given, **key_values(key))


def placing(**columns: Any) -> Write:
    return PLACE, columns


def changing(row: Any, **values: Any) -> Write:
    """The write of an open hold as it is from now on."""
    new = {name: values.get(name, getattr(row, name)) for name in CHANGEABLE}
    return CHANGE, {"h_id": row.id, **{f"h_{name}": value for name, value in new.items()}}


async def past_their_day(session: Session, day: date) -> list[Any]:
    """Ready holds whose last day is before `day`."""
    return await session.rows(OVERDUE_ON_SHELF, day=day)


async def lengths(session: Session, book_ids: Sequence[UUID]) -> list[Any]:
    return await session.rows(LENGTHS, book_ids=list(book_ids))


async def holds(
    session: Session, *, like: HoldFilter, after: tuple[datetime, UUID] | None, limit: int
) -> list[Any]:
    """Of one book in the order of its queue, else newest first."""
    query = select(*SHOWN).where(*_conditions(like)).limit(limit)
    if like.book_id is not None:
        query = query.order_by(*IN_ORDER)
        if after is not None:
            at, last = after
            query = query.where(
                (hold.c.placed_at > at) | ((hold.c.placed_at == at) & (hold.c.id > last))
            )
        return await session.rows(query)
    query = query.order_by(hold.c.id.desc())
    return await session.rows(query if after is None else query.where(hold.c.id < after[1]))


async def count_holds(session: Session, *, like: HoldFilter) -> int:
    query = select(func.count()).select_from(hold).where(*_conditions(like))
    return int(await session.value(query) or 0)


def _conditions(like: HoldFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("patron_id", "book_id", "pickup_branch_id"):
        value = getattr(like, name)
        if value is not None:
            found.append(hold.c[name] == value)
    if like.state == "open":
        found.append(OPEN)
    elif like.state is not None:
        found.append(hold.c.state == like.state)
        if like.state in ("waiting", "in-transit", "ready"):
            found.append(OPEN)  # for the index
    return found


async def on_their_way(
    session: Session, *, to_branch_id: UUID | None, after: UUID | None, limit: int
) -> list[Any]:
    """Copies between branches, with the hold that each is for."""
    query = (
        select(
            copy.c.id,
            copy.c.book_id,
            copy.c.current_branch_id,
            copy.c.in_transit_to,
            copy.c.last_seen_at,
            hold.c.id.label("hold_id"),
        )
        .select_from(copy.outerjoin(hold, (hold.c.given_copy_id == copy.c.id) & OPEN))
        .where(copy.c.in_transit_to.is_not(None))
        .order_by(copy.c.id)
        .limit(limit)
    )
    if to_branch_id is not None:
        query = query.where(copy.c.in_transit_to == to_branch_id)
    return await session.rows(query if after is None else query.where(copy.c.id > after))
