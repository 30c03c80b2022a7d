"""What the reports are made of: one question each, its columns named as the report's are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Uuid,
    case,
    func,
    null,
    or_,
    select,
)

from lendery.platform.db import Session
from lendery.reports.models import NOWHERE, book, copy, hold, lending, money, subject, use
from lendery.reports.rules.period import Order

MILLION = 1_000_000


@dataclass(frozen=True)
class Wanted:
    """What a question is about. `before`: the last day on which a dead copy may have been lent."""

    since: date
    until: date
    branch_id: UUID | None
    threshold: int
    before: date
    per_decade: bool

    def at(self, column: Any) -> list[ColumnElement[bool]]:
        return [] if self.branch_id is None else [column == self.branch_id]

    def days(self, table: FromClause) -> list[ColumnElement[bool]]:
        return [
            table.c.day >= self.since,
            table.c.day <= self.until,
            *self.at(table.c.branch_id),
        ]


def _sum(column: Any) -> Any:
    return func.coalesce(func.sum(column), 0)


def _ratio(part: Any, whole: Any) -> Any:
    """In millionths: whole numbers are the same on both databases."""
    return (part * MILLION) // whole


MOVED = tuple(_sum(lending.c[name]).label(name) for name in ("lent", "renewed", "returned"))


def loans_by_day(wanted: Wanted) -> Select[Any]:
    query = select(lending.c.day, *MOVED).where(*wanted.days(lending))
    return query.group_by(lending.c.day)


def loans_by_branch(wanted: Wanted) -> Select[Any]:
    query = select(lending.c.branch_id, *MOVED).where(*wanted.days(lending))
    return query.group_by(lending.c.branch_id)


def loans_by_category(wanted: Wanted) -> Select[Any]:
    lent = _sum(lending.c.lent)
    query = select(func.nullif(lending.c.category, "").label("category"), lent.label("lent"))
    return query.where(*wanted.days(lending)).group_by(lending.c.category).having(lent > 0)


def _uses(wanted: Wanted) -> Subquery:
    """How often each copy was lent."""
    query = select(use.c.copy_id, func.sum(use.c.lent).label("lent")).where(*wanted.days(use))
    return query.group_by(use.c.copy_id).having(func.sum(use.c.lent) > 0).subquery("uses")


def loans_by_subject(wanted: Wanted) -> Select[Any]:
    uses = _uses(wanted)
    there = uses.join(copy, copy.c.id == uses.c.copy_id)
    there = there.join(subject, subject.c.book_id == copy.c.book_id)
    query = select(subject.c.subject, _sum(uses.c.lent).label("lent")).select_from(there)
    return query.group_by(subject.c.subject)


def top_titles(wanted: Wanted) -> Select[Any]:
    uses = _uses(wanted)
    there = uses.join(copy, copy.c.id == uses.c.copy_id)
    lent = (
        select(copy.c.book_id, func.sum(uses.c.lent).label("lent"))
        .select_from(there)
        .group_by(copy.c.book_id)
        .subquery("lent")
    )
    named = lent.outerjoin(book, book.c.id == lent.c.book_id)
    return select(lent.c.book_id, *_words(), lent.c.lent).select_from(named)


def _words() -> tuple[Any, ...]:
    names = (book.c.title, book.c.authors)
    return tuple(func.nullif(each, "").label(each.name) for each in names)


def _turnover(wanted: Wanted, group: Any) -> Select[Any]:
    uses = (
        select(use.c.copy_id, func.sum(use.c.lent).label("lent"))
        .where(use.c.day >= wanted.since, use.c.day <= wanted.until)
        .group_by(use.c.copy_id)
        .having(func.sum(use.c.lent) > 0)
        .subquery("uses")
    )
    there = copy.outerjoin(uses, uses.c.copy_id == copy.c.id)
    copies, lent = func.count(), _sum(uses.c.lent)
    return (
        select(
            group,
            copies.label("copies"),
            lent.label("lent"),
            _ratio(lent, copies).label("turnover"),
        )
        .select_from(there)
        .where(copy.c.gone.is_(False), *wanted.at(copy.c.branch_id))
        .group_by(group)
    )


def turnover_by_branch(wanted: Wanted) -> Select[Any]:
    return _turnover(wanted, copy.c.branch_id)


def turnover_by_item_type(wanted: Wanted) -> Select[Any]:
    return _turnover(wanted, copy.c.item_type)


def hold_ratios(wanted: Wanted) -> Select[Any]:
    queue = (
        select(hold.c.book_id, func.count().label("waiting"))
        .where(hold.c.waiting, *wanted.at(hold.c.branch_id))
        .group_by(hold.c.book_id)
        .subquery("queue")
    )
    ours = (
        select(func.count())
        .where(
            copy.c.book_id == queue.c.book_id,
            copy.c.gone.is_(False),
            *wanted.at(copy.c.branch_id),
        )
        .scalar_subquery()
    )
    counted = select(queue.c.book_id, queue.c.waiting, ours.label("copies")).subquery("counted")
    waiting, copies = counted.c.waiting, counted.c.copies
    needed = (waiting + (wanted.threshold - 1)) // wanted.threshold
    return (
        select(
            counted.c.book_id,
            *_words(),
            waiting,
            copies,
            _ratio(waiting, func.nullif(copies, 0)).label("ratio"),
            (needed - copies).label("to_buy"),
        )
        .select_from(counted.outerjoin(book, book.c.id == counted.c.book_id))
        .where(waiting > copies * wanted.threshold)
    )


def money_by_day(wanted: Wanted) -> Select[Any]:
    return select(
        money.c.day,
        func.nullif(money.c.branch_id, NOWHERE, type_=Uuid).label("branch_id"),
        money.c.kind,
        money.c.currency,
        money.c.lines,
        money.c.amount,
    ).where(*wanted.days(money))


def money_by_kind(wanted: Wanted) -> Select[Any]:
    sums = (_sum(money.c[name]).label(name) for name in ("lines", "amount"))
    query = select(money.c.kind, money.c.currency, *sums).where(*wanted.days(money))
    return query.group_by(money.c.kind, money.c.currency)


def dead_stock(wanted: Wanted) -> Select[Any]:
    last = (
        select(func.max(use.c.day))
        .where(use.c.copy_id == copy.c.id, use.c.lent > 0)
        .correlate(copy)
        .scalar_subquery()
    )
    quiet = (
        select(copy, last.label("last_lent_on"))
        .where(
            copy.c.gone.is_(False),
            or_(copy.c.added_on.is_(null()), copy.c.added_on <= wanted.before),
            *wanted.at(copy.c.branch_id),
        )
        .subquery("quiet")
    )
    return (
        select(
            quiet.c.id.label("copy_id"),
            quiet.c.book_id,
            *_words(),
            quiet.c.branch_id,
            quiet.c.item_type,
            quiet.c.last_lent_on,
            quiet.c.added_on,
        )
        .select_from(quiet.outerjoin(book, book.c.id == quiet.c.book_id))
        .where(or_(quiet.c.last_lent_on.is_(null()), quiet.c.last_lent_on <= wanted.before))
    )


def collection_age(wanted: Wanted) -> Select[Any]:
    year = book.c.published_year
    decade = year - ((year % 10) + 10) % 10  # of years before our era too
    group = case((year.is_(null()), null()), else_=decade if wanted.per_decade else year)
    dated = (
        select(group.label("published"), copy.c.branch_id, copy.c.book_id)
        .select_from(copy.outerjoin(book, book.c.id == copy.c.book_id))
        .where(copy.c.gone.is_(False), *wanted.at(copy.c.branch_id))
        .subquery("dated")
    )
    return select(
        dated.c.published,
        dated.c.branch_id,
        func.count().label("copies"),
        func.count(dated.c.book_id.distinct()).label("titles"),
    ).group_by(dated.c.published, dated.c.branch_id)


QUESTIONS: dict[str, Callable[[Wanted], Select[Any]]] = {
    "loans-by-day": loans_by_day,
    "loans-by-branch": loans_by_branch,
    "loans-by-category": loans_by_category,
    "loans-by-subject": loans_by_subject,
    "top-titles": top_titles,
    "turnover-by-branch": turnover_by_branch,
    "turnover-by-item-type": turnover_by_item_type,
    "hold-ratios": hold_ratios,
    "money": money_by_day,
    "money-by-kind": money_by_kind,
    "dead-stock": dead_stock,
    "collection-age": collection_age,
}


async def rows(
    session: Session, query: Select[Any], order: Order, *, offset: int, limit: int
) -> list[dict[str, Any]]:
    """So many rows after the first `offset`, nothing where nothing is known at the end.

    What is equal stands in the order of the other columns, so that pages fit together.
    """
    answer = query.subquery("answer")
    wanted = answer.c[order.key]
    first = wanted.desc() if order.largest_first else wanted.asc()
    rest = [column.asc().nulls_last() for column in answer.c if column is not wanted]
    ordered = select(answer).order_by(first.nulls_last(), *rest).limit(limit).offset(offset)
    return [row._asdict() for row in await session.rows(ordered)]


async def count(session: Session, query: Select[Any]) -> int:
    return int(await session.value(select(func.count()).select_from(query.subquery("answer"))))
