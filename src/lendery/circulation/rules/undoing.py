"""What still can be undone: a mistake at the desk, as long as nothing was built on it.

The first rule that objects is told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from uuid import UUID

from lendery.circulation.rules.ledger import ChargeSum
from lendery.circulation.rules.words import counted

UndoCode = Literal[
    "too-late",
    "returned-since",
    "renewed-since",
    "lent-since",
    "moved-since",
    "flagged-since",
    "collected-since",
    "kept-copy-gone",
    "settled-since",
    "cancelled-since",
    "paid-out-since",
]
UndoObjection = tuple[UndoCode, str]  # and the sentence for people


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """`at` it happened, and so many `minutes` later it cannot be undone any more."""

    at: datetime
    now: datetime
    minutes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SinceCheckOut(Since):
    """`fee_settled`: something of the fee for the hold was paid or waived. `kept_copy_gone`: the
    copy that had stood ready for the reader, who took another, went to somebody else.
    """

    is_open: bool
    renewals: int = 0
    fee_settled: bool = False
    kept_copy_gone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SinceCheckIn(Since):
    """`moved`: it came in again, somewhere. `collected`: the hold it was given to is over."""

    lent: bool = False
    moved: bool = False
    flagged: bool = False
    collected: bool = False
    charge_settled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SinceSettled(Since):
    """`cancelled`: the charge was. `paid_out`: more was paid out than would be left."""

    cancelled: bool = False
    paid_out: bool = False


F = TypeVar("F", bound=Since)
UndoRule = Callable[[F], UndoObjection | None]


def too_late(facts: Since) -> UndoObjection | None:
    """To the second. A clock that was set back makes nothing too late."""
    if facts.now - facts.at <= timedelta(minutes=facts.minutes):
        return None
    if facts.minutes == 0:
        return "too-late", "Not undone: this library undoes nothing."
    limit = counted(facts.minutes, "minute", "minutes")
    return "too-late", f"Not undone: it is longer ago than {limit}."


def came_back(facts: SinceCheckOut) -> UndoObjection | None:
    if facts.is_open:
        return None
    return "returned-since", "Not undone: this loan has ended since."


def was_renewed(facts: SinceCheckOut) -> UndoObjection | None:
    if facts.renewals == 0:
        return None
    return "renewed-since", "Not undone: this loan was renewed since. Check the copy in instead."


def fee_was_settled(facts: SinceCheckOut) -> UndoObjection | None:
    return _settled() if facts.fee_settled else None


def kept_copy_is_gone(facts: SinceCheckOut) -> UndoObjection | None:
    if not facts.kept_copy_gone:
        return None
    says = "the copy that stood ready for this reader went elsewhere since. Check this one in."
    return "kept-copy-gone", f"Not undone: {says}"


def lent_again(facts: SinceCheckIn) -> UndoObjection | None:
    if not facts.lent:
        return None
    return "lent-since", "Not undone: this copy was lent again since."


def collected(facts: SinceCheckIn) -> UndoObjection | None:
    if not facts.collected:
        return None
    return "collected-since", "Not undone: the hold that this copy was for was collected since."


def moved(facts: SinceCheckIn) -> UndoObjection | None:
    if not facts.moved:
        return None
    return "moved-since", "Not undone: this copy was scanned again since. Undo that first."


def flagged(facts: SinceCheckIn) -> UndoObjection | None:
    if not facts.flagged:
        return None
    return "flagged-since", "Not undone: this copy was marked lost or missing since."


def charge_was_settled(facts: SinceCheckIn) -> UndoObjection | None:
    return _settled() if facts.charge_settled else None


def charge_was_cancelled(facts: SinceSettled) -> UndoObjection | None:
    if not facts.cancelled:
        return None
    return "cancelled-since", "Not undone: the charge was cancelled since."


def was_paid_out(facts: SinceSettled) -> UndoObjection | None:
    if not facts.paid_out:
        return None
    return "paid-out-since", "Not undone: this money was paid out again since."


def _settled() -> UndoObjection:
    says = "what was charged then was paid or waived since. Undo that first."
    return "settled-since", f"Not undone: {says}"


CHECK_OUT_UNDO_RULES: tuple[UndoRule[SinceCheckOut], ...] = (
    came_back,
    was_renewed,
    too_late,
    fee_was_settled,
    kept_copy_is_gone,
)
CHECK_IN_UNDO_RULES: tuple[UndoRule[SinceCheckIn], ...] = (
    lent_again,
    collected,
    moved,
    flagged,
    too_late,
    charge_was_settled,
)
SETTLEMENT_UNDO_RULES: tuple[UndoRule[SinceSettled], ...] = (
    too_late,
    charge_was_cancelled,
    was_paid_out,
)


def undo_objection(rules: Sequence[UndoRule[F]], facts: F) -> UndoObjection | None:
    """The first objection in the order of the list, or None: it can be undone."""
    return next((found for rule in rules if (found := rule(facts))), None)


def overdrawn(charges: Sequence[ChargeSum], free: int, back: Mapping[UUID | None, int]) -> bool:
    """Would more have been paid out than came in, if so much that settled each were taken back?

    `free` is money that names no charge, less what was paid out; None in `back` is of that.
    """
    over = (max(0, each.settled - back.get(each.id, 0) - each.amount) for each in charges)
    return free - back.get(None, 0) + sum(over) < 0
