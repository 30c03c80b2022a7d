"""Holds: who waits for which book, where it is collected, and where copies are on their way."""

from datetime import date, datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import StringConstraints

from lendery.contracts.base import (
    Event,
    Input,
    NotFound,
    Page,
    Problem,
    RequestKey,
    Value,
    Window,
)
from lendery.contracts.catalog import CopyStatus
from lendery.contracts.permissions import Actor

HoldState = Literal["waiting", "in-transit", "ready", "fulfilled", "cancelled", "expired"]
HoldBlockCode = Literal[
    "card-stolen",
    "card-expired",
    "card-long-expired",
    "patron-blocked",
    "already-on-loan",
    "already-held",
    "hold-limit",
    "hold-limit-book",
    "not-holdable",
    "age",
    "copies-on-shelf",
    "pickup-not-allowed",
    "pickup-closed",
]


class HoldBlock(Value):
    """One reason not to place a hold."""

    code: HoldBlockCode
    says: str


class Hold(Value):
    """A patron waits for a book, or for one copy of it.

    `position` counts the waiting from 1 and is null once a copy was found; who is suspended keeps
    the place. `given_copy_id` is the copy that was found. `expires_on` is the last day it waits
    on the hold shelf. `patron_id` is null once the link was cut (retention).
    """

    id: UUID
    book_id: UUID
    copy_id: UUID | None
    patron_id: UUID | None
    pickup_branch_id: UUID
    state: HoldState
    suspended: bool = False
    suspended_until: date | None = None
    position: int | None = None
    given_copy_id: UUID | None = None
    placed_at: datetime
    ready_at: datetime | None = None
    expires_on: date | None = None
    ended_at: datetime | None = None


class NewHold(Input):
    """One of `book_id` and `copy_id`. Without `patron_id` a reader holds for oneself."""

    book_id: UUID | None = None
    copy_id: UUID | None = None
    patron_id: UUID | None = None
    card_number: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    pickup_branch_id: UUID


class HoldChanges(Input):
    """Only a hold that still waits can be collected elsewhere."""

    pickup_branch_id: UUID


class Suspension(Input):
    """`until` is the first day that counts again; left out: until it is resumed."""

    until: date | None = None


class HoldFilter(Value):
    """`open` are those that wait, are on their way, or are ready."""

    patron_id: UUID | None = None
    book_id: UUID | None = None
    pickup_branch_id: UUID | None = None
    state: HoldState | Literal["open"] | None = None


class Pull(Value):
    """A copy to fetch from the shelf, for the hold that gets it."""

    hold_id: UUID
    book_id: UUID
    copy_id: UUID
    branch_id: UUID
    pickup_branch_id: UUID


class Transfer(Value):
    """A copy on its way between branches; `hold_id` when somebody waits for it there."""

    copy_id: UUID
    book_id: UUID
    from_branch_id: UUID | None
    to_branch_id: UUID
    since: datetime | None
    hold_id: UUID | None = None


class QueueLength(Value):
    book_id: UUID
    waiting: int


class HoldRefused(Problem):
    """Carries every block found, so that the reader hears all the reasons at once."""

    status = 409


class HoldHasEnded(Problem):
    """It was collected, cancelled or has expired: nothing can be changed about it."""

    status = 409


class HoldNotWaiting(Problem):
    """A copy was found for it already: it can be cancelled, but not suspended or moved."""

    status = 409


class NoSuchHold(NotFound):
    status = 404


class HoldPlaced(Event):
    """`borrower` is a random token of this hold; the log never names the patron."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    copy_id: UUID | None
    pickup_branch_id: UUID
    borrower: UUID
    by: UUID | None = None


class HoldChanged(Event):
    """It will be collected elsewhere."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    pickup_branch_id: UUID
    by: UUID | None = None


class HoldSuspended(Event):
    about = "book_id"
    hold_id: UUID
    book_id: UUID
    until: date | None
    by: UUID | None = None


class HoldResumed(Event):
    about = "book_id"
    hold_id: UUID
    book_id: UUID
    by: UUID | None = None


class HoldSentOn(Event):
    """A copy was found, and is on its way to where it is collected."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    copy_id: UUID
    to_branch_id: UUID


class HoldReady(Event):
    """The copy stands on the hold shelf, for the last time on `expires_on` (null: no end)."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    copy_id: UUID
    branch_id: UUID
    expires_on: date | None


class HoldPutBack(Event):
    """Its copy went to somebody else or away: it waits again, in its old place."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    copy_id: UUID
    by: UUID | None = None


class HoldFulfilled(Event):
    about = "book_id"
    hold_id: UUID
    book_id: UUID
    loan_id: UUID


class HoldCancelled(Event):
    about = "book_id"
    hold_id: UUID
    book_id: UUID
    by: UUID | None = None


class HoldExpired(Event):
    """Nobody came for it in time."""

    about = "book_id"
    hold_id: UUID
    book_id: UUID


class HoldMoved(Event):
    """Its book was found to be `into`, or not to be after all: it waits there, in its old place.

    `asked_for` is the book it was placed on, where that is another.
    """

    about = "book_id"
    hold_id: UUID
    book_id: UUID
    into: UUID
    asked_for: UUID | None = None


class CopyReleased(Event):
    """A copy is no longer kept for anybody, or no longer where it was kept."""

    about = "copy_id"
    copy_id: UUID
    book_id: UUID
    status: CopyStatus


class TransferStarted(Event):
    about = "copy_id"
    copy_id: UUID
    from_branch_id: UUID
    to_branch_id: UUID


class TransferReceived(Event):
    about = "copy_id"
    copy_id: UUID
    branch_id: UUID


class Holds(Protocol):
    async def place(
        self, *, hold: NewHold, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Hold: ...
    async def get(self, *, hold_id: UUID, actor: Actor, now: datetime) -> Hold: ...
    async def find(
        self, *, like: HoldFilter, window: Window, actor: Actor, now: datetime
    ) -> Page[Hold]:
        """Of a book: in the order of its queue; else newest first."""
        ...

    async def change(
        self, *, hold_id: UUID, changes: HoldChanges, actor: Actor, now: datetime
    ) -> Hold: ...
    async def suspend(
        self, *, hold_id: UUID, suspension: Suspension, actor: Actor, now: datetime
    ) -> Hold: ...
    async def resume(self, *, hold_id: UUID, actor: Actor, now: datetime) -> Hold: ...
    async def cancel(self, *, hold_id: UUID, actor: Actor, now: datetime) -> Hold: ...
    async def expire(self, *, now: datetime) -> int:
        """Ends what nobody collected in time; how many."""
        ...

    async def waiting(self, *, book_ids: list[UUID]) -> list[QueueLength]:
        """How many wait for each book. For everyone: it names nobody."""
        ...

    async def to_pull(self, *, branch_id: UUID | None, actor: Actor, now: datetime) -> list[Pull]:
        """The copies on shelves that a waiting hold gets, at one branch or at all."""
        ...

    async def transfers(
        self, *, to_branch_id: UUID | None, window: Window, actor: Actor
    ) -> Page[Transfer]: ...
