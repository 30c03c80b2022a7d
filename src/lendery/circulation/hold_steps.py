"""A hold's life, step by step: each step is the write that makes it true and the event that tells.

Whoever takes a step has locked the book's queue, so the row it starts from is the row that is.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lendery.circulation.repository import holds
from lendery.contracts.base import Event
from lendery.contracts.circulation import (
    HoldCancelled,
    HoldExpired,
    HoldFulfilled,
    HoldPutBack,
    HoldReady,
    HoldSentOn,
    HoldState,
)
from lendery.platform.db import Tx
from lendery.platform.db.session import Write

MAY_BECOME: dict[HoldState, frozenset[HoldState]] = {
    "waiting": frozenset({"waiting", "in-transit", "ready", "fulfilled", "cancelled"}),
    "in-transit": frozenset({"in-transit", "ready", "waiting", "fulfilled", "cancelled"}),
    "ready": frozenset({"ready", "in-transit", "waiting", "fulfilled", "cancelled", "expired"}),
    "fulfilled": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
NOTHING_GIVEN = {"given_copy_id": None, "ready_at": None, "expires_on": None}


@dataclass(frozen=True)
class Step:
    """What is to be written and told; `becomes` are the columns as they are afterwards."""

    row: Any
    becomes: dict[str, Any]
    event: Event = field(repr=False)

    def writes(self, tx: Tx) -> list[Write]:
        state: HoldState = self.becomes["state"]
        assert state in MAY_BECOME[self.row.state], f"{self.row.state} cannot become {state}"
        return [holds.changing(self.row, **self.becomes), tx.announcement(self.event)]


def ready(
    row: Any, *, copy_id: UUID, branch_id: UUID, expires_on: date | None, now: datetime
) -> Step:
    """The copy stands on the hold shelf."""
    becomes = {
        "state": "ready",
        "given_copy_id": copy_id,
        "ready_at": now,
        "expires_on": expires_on,
    }
    told = HoldReady(
        at=now,
        hold_id=row.id,
        book_id=row.book_id,
        copy_id=copy_id,
        branch_id=branch_id,
        expires_on=expires_on,
    )
    return Step(row, becomes, told)


def sent_on(row: Any, *, copy_id: UUID, now: datetime) -> Step:
    """The copy is on its way to where it is collected."""
    becomes = {**NOTHING_GIVEN, "state": "in-transit", "given_copy_id": copy_id}
    told = HoldSentOn(
        at=now,
        hold_id=row.id,
        book_id=row.book_id,
        copy_id=copy_id,
        to_branch_id=row.pickup_branch_id,
    )
    return Step(row, becomes, told)


def put_back(row: Any, *, by: UUID | None, now: datetime) -> Step:
    """It waits again, in its old place."""
    told = HoldPutBack(
        at=now, hold_id=row.id, book_id=row.book_id, copy_id=row.given_copy_id, by=by
    )
    return Step(row, {**NOTHING_GIVEN, "state": "waiting"}, told)


def fulfilled(row: Any, *, loan_id: UUID, now: datetime) -> Step:
    told = HoldFulfilled(at=now, hold_id=row.id, book_id=row.book_id, loan_id=loan_id)
    return Step(row, {"state": "fulfilled", "ended_at": now}, told)


def cancelled(row: Any, *, by: UUID | None, now: datetime) -> Step:
    told = HoldCancelled(at=now, hold_id=row.id, book_id=row.book_id, by=by)
    return Step(row, {"state": "cancelled", "ended_at": now}, told)


def expired(row: Any, *, now: datetime) -> Step:
    told = HoldExpired(at=now, hold_id=row.id, book_id=row.book_id)
    return Step(row, {"state": "expired", "ended_at": now}, told)
