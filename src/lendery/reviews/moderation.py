"""Reports, and what staff decide about them."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from lendery.contracts.base import Invalid, new_id
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reviews import (
    AlreadyReported,
    Decision,
    NewReport,
    OwnReview,
    Review,
    ReviewApproved,
    ReviewHidden,
    ReviewReported,
)
from lendery.platform.db import Database
from lendery.reviews import rules, turns
from lendery.reviews.repository import reports
from lendery.reviews.repository import reviews as kept
from lendery.reviews.showing import shown


async def report(
    db: Database, review_id: UUID, report: NewReport, *, actor: Actor, now: datetime
) -> None:
    """Once for each person. It stays to be read until somebody has decided."""
    actor.must(Permission.REVIEW)
    before = await turns.seen(db, review_id, actor)
    if actor.id is None or before.patron_id == actor.id:
        raise OwnReview("This review is your own. You can change or remove it.")
    async with db.begin() as tx:
        _, before = await turns.taken(tx, before, actor)
        if await reports.has_reported(tx, review_id=review_id, patron_id=actor.id):
            raise AlreadyReported("You have reported this review already.")
        told = ReviewReported(
            review_id=review_id, book_id=before.book_id, reason=report.reason, at=now
        )
        await tx.write(
            reports.reported(
                id=new_id(), review_id=review_id, patron_id=actor.id, reason=report.reason,
                reported_at=now, settled_at=None,
            ),
            kept.replaced(replace(before, state=rules.after_report(before.state))),
            tx.announcement(told),
        )  # fmt: skip


async def decide(
    db: Database, review_id: UUID, decision: Decision, *, actor: Actor, now: datetime
) -> Review:
    """Settles every open report. Nobody decides about a review of one's own."""
    actor.must(Permission.MODERATE)
    hides = decision.decision == "hide"
    if hides and decision.reason is None:
        says = "Say why: the author reads it."
        raise Invalid(f"reason: {says}", errors=[{"pointer": "#/reason", "says": says}])
    before = await turns.seen(db, review_id, actor)
    if actor.id is not None and before.patron_id == actor.id:
        raise OwnReview("This review is your own. Somebody else must decide about it.")
    async with db.begin() as tx:
        turn, before = await turns.taken(tx, before, actor)
        why = decision.reason if hides else None
        state = rules.after_decision(decision.decision)
        after = replace(before, state=state, hidden_because=why)
        told = (ReviewHidden if hides else ReviewApproved)(
            review_id=review_id, book_id=before.book_id, by=actor.id, at=now
        )
        await tx.write(
            kept.replaced(after),
            reports.settled(review_id, now=now),
            tx.announcement(told),
            *turns.starred(tx, after.book_id, turn, before, after, now=now),
        )
    return shown(after, reports={})
