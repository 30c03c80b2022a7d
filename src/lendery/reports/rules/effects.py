"""What an event changes in the read model: the one meaning it has, live and in a rebuild.

Effects that count commute, so it does not matter in which order the events of two books come.
Those on a hold or a copy follow the order of its own log.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID

from lendery.contracts.base import Event
from lendery.contracts.catalog import (
    BookChanged,
    BookMerged,
    BookUnmerged,
    BookWithdrawn,
    CopyAdded,
    CopyChanged,
    CopyRemoved,
)
from lendery.contracts.circulation import (
    CancellationReversed,
    CheckInUndone,
    CheckOutUndone,
    CopyFlagged,
    CreditRefunded,
    FineCancelled,
    FineCharged,
    FinePaid,
    FineWaived,
    FineWrittenOff,
    HoldCancelled,
    HoldChanged,
    HoldExpired,
    HoldFulfilled,
    HoldMoved,
    HoldPlaced,
    HoldPutBack,
    HoldReady,
    HoldRestored,
    HoldSentOn,
    ItemCheckedIn,
    ItemCheckedOut,
    LoanRenewed,
    PaymentReversed,
    WaiverReversed,
)

NOWHERE = UUID(int=0)
GONE = frozenset({"withdrawn", "lost", "missing", "claimed-returned"})


@dataclass(frozen=True, slots=True)
class Lending:
    """So many more were lent, renewed, taken back."""

    day: date
    branch_id: UUID
    category: str = ""
    lent: int = 0
    renewed: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """The copy was lent once more; -1: it was not, after all."""

    copy_id: UUID
    day: date
    branch_id: UUID
    lent: int = 1


@dataclass(frozen=True, slots=True)
class Posted:
    """One more line of this kind in the ledger."""

    day: date
    branch_id: UUID
    kind: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class HoldOpened:
    """A hold there is now; or one that had ended, but that was undone."""

    id: UUID
    book_id: UUID
    branch_id: UUID
    waiting: bool = True


@dataclass(frozen=True, slots=True)
class HoldIs:
    """What changed of an open hold; None: that stays."""

    id: UUID
    waiting: bool | None = None
    branch_id: UUID | None = None
    book_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class HoldClosed:
    id: UUID


@dataclass(frozen=True, slots=True)
class CopyMet:
    """There is such a copy, since that day. The rest the catalog is asked for."""

    id: UUID
    book_id: UUID
    added_on: date


@dataclass(frozen=True, slots=True)
class CopyMarked:
    id: UUID
    book_id: UUID
    gone: bool


@dataclass(frozen=True, slots=True)
class CopySeen:
    """It was in somebody's hand: found again, if it was gone. `gone`: withdrawn all the same."""

    id: UUID
    gone: bool


@dataclass(frozen=True, slots=True)
class CopyDropped:
    id: UUID


@dataclass(frozen=True, slots=True)
class ToLearn:
    """What the catalog has to be asked about again, if it is known at all."""

    copies: tuple[UUID, ...] = ()
    books: tuple[UUID, ...] = ()


Effect = (
    Lending
    | Used
    | Posted
    | HoldOpened
    | HoldIs
    | HoldClosed
    | CopyMet
    | CopyMarked
    | CopySeen
    | CopyDropped
    | ToLearn
)
KINDS: dict[type[Event], str] = {
    FineCharged: "charge",
    FinePaid: "payment",
    FineWaived: "waiver",
    FineWrittenOff: "write-off",
    FineCancelled: "cancellation",
    CreditRefunded: "refund",
    PaymentReversed: "payment-undone",
    WaiverReversed: "waiver-undone",
    CancellationReversed: "charge",
}


def _lent(e: ItemCheckedOut, day: date) -> list[Effect]:
    return [
        Lending(day, e.branch_id, e.category or "", lent=1),
        Used(e.copy_id, day, e.branch_id),
        CopySeen(e.copy_id, gone=False),
    ]


def _renewed(e: LoanRenewed, day: date) -> list[Effect]:
    return [Lending(day, e.branch_id or NOWHERE, renewed=1)]


def _returned(e: ItemCheckedIn, day: date) -> list[Effect]:
    """What was not on loan is no return: a shelf check."""
    seen: list[Effect] = [CopySeen(e.copy_id, gone=e.status in GONE)]
    return seen if e.loan_id is None else [Lending(day, e.branch_id, returned=1), *seen]


def _never_lent(e: CheckOutUndone, day: date) -> list[Effect]:
    where = e.branch_id or NOWHERE
    return [
        Lending(day, where, e.category or "", lent=-1),
        Used(e.copy_id, day, where, lent=-1),
        CopySeen(e.copy_id, gone=e.status in GONE),
    ]


def _never_returned(e: CheckInUndone, day: date) -> list[Effect]:
    seen: list[Effect] = [CopySeen(e.copy_id, gone=e.status in GONE)]
    if e.loan_id is None:
        return seen
    return [Lending(day, e.branch_id or NOWHERE, returned=-1), *seen]


def _posted(e: Any, day: date) -> list[Effect]:
    return [Posted(day, e.branch_id or NOWHERE, KINDS[type(e)], e.currency, e.amount)]


def _merged(e: BookMerged | BookUnmerged, day: date) -> list[Effect]:
    return [ToLearn(copies=e.copy_ids, books=(e.book_id, e.into))]


def _closed(e: HoldCancelled | HoldExpired | HoldFulfilled, day: date) -> list[Effect]:
    return [HoldClosed(e.hold_id)]


def _restored(e: HoldRestored, day: date) -> list[Effect]:
    where = e.pickup_branch_id or NOWHERE
    return [HoldOpened(e.hold_id, e.book_id, where, e.state == "waiting")]


def _found(e: HoldReady | HoldSentOn, day: date) -> list[Effect]:
    return [HoldIs(e.hold_id, waiting=False)]


MEANINGS: dict[type[Event], Callable[[Any, date], list[Effect]]] = {
    ItemCheckedOut: _lent,
    LoanRenewed: _renewed,
    ItemCheckedIn: _returned,
    CheckOutUndone: _never_lent,
    CheckInUndone: _never_returned,
    **dict.fromkeys(KINDS, _posted),
    HoldPlaced: lambda e, day: [HoldOpened(e.hold_id, e.book_id, e.pickup_branch_id)],
    HoldChanged: lambda e, day: [HoldIs(e.hold_id, branch_id=e.pickup_branch_id)],
    HoldMoved: lambda e, day: [HoldIs(e.hold_id, book_id=e.into)],
    HoldPutBack: lambda e, day: [HoldIs(e.hold_id, waiting=True)],
    HoldReady: _found,
    HoldRestored: _restored,
    HoldSentOn: _found,
    HoldFulfilled: _closed,
    HoldCancelled: _closed,
    HoldExpired: _closed,
    CopyFlagged: lambda e, day: [CopyMarked(e.copy_id, e.book_id, e.status in GONE)],
    CopyAdded: lambda e, day: [CopyMet(e.copy_id, e.book_id, day)],
    CopyChanged: lambda e, day: [ToLearn(copies=(e.copy_id,))],
    CopyRemoved: lambda e, day: [CopyDropped(e.copy_id)],
    BookChanged: lambda e, day: [ToLearn(books=(e.book_id,))],
    BookWithdrawn: lambda e, day: [ToLearn(books=(e.book_id,))],
    BookMerged: _merged,
    BookUnmerged: _merged,
}


def branch_of(event: Event) -> UUID | None:
    """The branch whose clock says on which day this happened; None: UTC."""
    found: UUID | None = getattr(event, "branch_id", None)
    return found


def happened_at(event: Event) -> datetime:
    """A book from the drop came back when it was dropped; what a desk lent offline was lent then;
    what is undone was done before.
    """
    match event:
        case ItemCheckedOut():
            return event.lent_at or event.at
        case LoanRenewed():
            return event.renewed_at or event.at
        case ItemCheckedIn():
            return event.returned_at
        case CheckOutUndone():
            return event.lent_at or event.at
        case CheckInUndone():
            return event.returned_at or event.at
        case _:
            return event.at


def effects(event: Event, zone: tzinfo = UTC) -> Iterable[Effect]:
    """What it changes; `zone` is that of its branch."""
    return MEANINGS[type(event)](event, happened_at(event).astimezone(zone).date())
