"""Reports: who found that staff should look at a review, and why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, update

from lendery.platform.db import Session, Statement, UtcDateTime, any_of
from lendery.platform.db.session import Write
from lendery.reviews.models import report

AT_ID = bindparam("at_id", type_=report.c.review_id.type)
NOW = bindparam("now", type_=UtcDateTime())

REPORT = Statement(insert(report))
REPORTED = Statement(
    select(report.c.id).where(
        report.c.review_id == bindparam("review_id"), report.c.patron_id == bindparam("patron_id")
    )
)
OPEN_REPORTS = Statement(
    select(report.c.review_id, report.c.reason, func.count().label("many"))
    .where(any_of(report.c.review_id, "ids"), report.c.settled_at.is_(None))
    .group_by(report.c.review_id, report.c.reason)
    .order_by(report.c.review_id, report.c.reason)
)
SETTLE = Statement(
    update(report)
    .where(report.c.review_id == AT_ID, report.c.settled_at.is_(None))
    .values(settled_at=NOW)
)
DESTROY_REPORTS = Statement(delete(report).where(any_of(report.c.review_id, "ids")))
FORGET_REPORTER = Statement(
    update(report)
    .where(report.c.patron_id == bindparam("at_patron_id", type_=report.c.patron_id.type))
    .values(patron_id=None)
)


async def has_reported(session: Session, *, review_id: UUID, patron_id: UUID) -> bool:
    found = await session.row(REPORTED, review_id=review_id, patron_id=patron_id)
    return found is not None


def reported(**columns: Any) -> Write:
    return REPORT, columns


async def open_reports(session: Session, *, ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    """How many open reports these reviews have, by reason."""
    found: dict[UUID, dict[str, int]] = {}
    for row in await session.rows(OPEN_REPORTS, ids=ids):
        found.setdefault(row.review_id, {})[row.reason] = row.many
    return found


def settled(review_id: UUID, *, now: datetime) -> Write:
    return SETTLE, {"at_id": review_id, "now": now}


def destroyed(review_ids: list[UUID]) -> Write:
    return DESTROY_REPORTS, {"ids": review_ids}


def forgotten(patron_id: UUID) -> Write:
    """The reports stay; who made them is not known any more."""
    return FORGET_REPORTER, {"at_patron_id": patron_id}
