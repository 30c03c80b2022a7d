"""How long holds waited, and the places of those that wait now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, bindparam, func, literal_column, or_, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from lendery.circulation.models import copy, hold
from lendery.circulation.repository.holds import LENDABLE
from lendery.platform.db import Session, Statement, UtcDateTime, any_of

SINCE = bindparam("since", type_=UtcDateTime())
LEFT = func.coalesce(hold.c.ready_at, hold.c.ended_at, type_=UtcDateTime())
SERVED = or_(hold.c.ready_at.is_not(None), hold.c.state == literal_column("'fulfilled'"))
ONE, ONE_LESS = literal_column("1", Integer), literal_column("-1", Integer)

# Who came and who left each queue, in the order of time: the sum up to a row is who waits then.
_held = (
    select(
        *(hold.c.id, hold.c.book_id, hold.c.copy_id, hold.c.placed_at),
        LEFT.label("left_at"),
        SERVED.label("served"),
    )
    .where(or_(LEFT.is_(None), LEFT >= SINCE))
    .cte("held")
)
_of_all = (_held.c.id, _held.c.book_id, _held.c.copy_id, _held.c.left_at, _held.c.served)
_steps = union_all(
    select(*_of_all, _held.c.placed_at.label("at"), ONE.label("step")),
    select(*_of_all, _held.c.left_at.label("at"), ONE_LESS.label("step")).where(
        _held.c.left_at.is_not(None)
    ),
).cte("steps")
_counted = select(
    _steps,
    func.sum(_steps.c.step)
    .over(
        partition_by=_steps.c.book_id,
        order_by=(_steps.c.at, _steps.c.step.desc(), _steps.c.id),
        rows=(None, 0),
    )
    .label("waiting"),
).cte("counted")
_copies = (
    select(copy.c.book_id, func.count().label("copies"))
    .where(*LENDABLE)
    .group_by(copy.c.book_id)
    .cte("copies_of")
)
PAST = Statement(
    select(
        _counted.c.at.label("placed_at"),
        _counted.c.left_at,
        _counted.c.served,
        (_counted.c.waiting - 1).label("ahead"),
        _copies.c.copies,
    )
    .select_from(_counted.join(_copies, _copies.c.book_id == _counted.c.book_id))
    .where(_counted.c.step == 1, _counted.c.at >= SINCE, _counted.c.copy_id.is_(None))
    .order_by(_counted.c.at, _counted.c.id)
)
before = hold.alias("before")
_left_before = func.coalesce(before.c.ready_at, before.c.ended_at, type_=UtcDateTime())


def _ahead(still: ColumnElement[bool]) -> Any:
    earlier = or_(
        before.c.placed_at < hold.c.placed_at,
        and_(before.c.placed_at == hold.c.placed_at, before.c.id < hold.c.id),
    )
    return (
        select(func.count())
        .where(before.c.book_id == hold.c.book_id, earlier, still)
        .correlate(hold)
        .scalar_subquery()
    )


PLACES = Statement(
    select(
        hold,
        _ahead(_left_before.is_(None)).label("ahead"),
        _ahead(or_(_left_before.is_(None), _left_before >= hold.c.placed_at)).label("ahead_then"),
        select(func.count())
        .where(copy.c.book_id == hold.c.book_id, *LENDABLE)
        .correlate(hold)
        .scalar_subquery()
        .label("copies"),
    ).where(any_of(hold.c.id, "hold_ids"))
)


async def past(session: Session, since: datetime) -> list[Any]:
    """Holds placed since then on any copy of a book that has copies, in the order of time.

    `ahead` is who waited for the book before it when it was placed. How many copies the book had
    then is not known: `copies` are those it has now.
    """
    return await session.rows(PAST, since=since)


async def places(session: Session, hold_ids: Sequence[UUID]) -> list[Any]:
    """Holds with who waits before them now, and who did when they were placed (`ahead_then`)."""
    return await session.rows(PLACES, hold_ids=list(hold_ids))
