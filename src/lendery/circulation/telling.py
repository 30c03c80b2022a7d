"""What the log tells of loans, holds and suspensions; of money: `telling_money`.

Each event speaks of one row, or of none.

This says a second time what the desks write, and shares nothing with them: `replay` compares
the two. An event that says less than a newer one of its kind would leaves columns `untold`.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from lendery.circulation.models import hold, loan, suspension
from lendery.circulation.telling_money import TELLING_OF_MONEY, Told
from lendery.contracts.base import Event
from lendery.contracts.circulation import (
    CheckInUndone,
    CheckOutUndone,
    ClaimDropped,
    ClaimForgiven,
    CopyFlagged,
    CopyFound,
    CopyKept,
    CopyLost,
    CopyReleased,
    HoldCancelled,
    HoldChanged,
    HoldExpired,
    HoldFulfilled,
    HoldMoved,
    HoldPlaced,
    HoldPutBack,
    HoldReady,
    HoldRestored,
    HoldResumed,
    HoldSentOn,
    HoldSuspended,
    ItemCheckedIn,
    ItemCheckedOut,
    LoanMoved,
    LoanRecalled,
    LoanRenewed,
    OfflineConflictSettled,
    OfflineDeskRegistered,
    OfflineDeskRevoked,
    OfflineTransactionTaken,
    PatronSuspended,
    ReturnClaimed,
    RuleTableSaved,
    SuspensionLifted,
    TransferReceived,
    TransferStarted,
)

LOAN, HOLD, SUSPENSION = loan.name, hold.name, suspension.name
TOLD_LATER = ("item_type", "home_branch_id", "policy")  # of a loan: null in older logs


def _lent(e: ItemCheckedOut) -> Told:
    columns = {
        "copy_id": e.copy_id,
        "book_id": e.book_id,
        "item_type": e.item_type,
        "home_branch_id": e.home_branch_id,
        "borrower": e.borrower,
        "branch_id": e.branch_id,
        "lent_at": e.lent_at or e.at,
        "due_at": e.due_at,
        "renewals": 0,
        "policy": e.policy,
        "waived": list(e.waived) or None,
        "waived_by": e.by if e.waived else None,  # only staff may, and `by` names staff
        "untold": [name for name in TOLD_LATER if getattr(e, name) is None] or None,
    }
    return Told(LOAN, e.loan_id, columns, begins=True)


def _renewed(e: LoanRenewed) -> Told:
    return Told(LOAN, e.loan_id, {"due_at": e.due_at, "renewals": e.renewals})


def _called_back(e: LoanRecalled) -> Told:
    return Told(LOAN, e.loan_id, {"due_at": e.due_at, "recalled_at": e.at})


def _returned(e: ItemCheckedIn) -> Told | None:
    if e.loan_id is None:
        return None
    columns = {"returned_at": e.returned_at, "returned_branch_id": e.branch_id}
    return Told(LOAN, e.loan_id, columns, ends=True)


def _never_was(e: CheckOutUndone) -> Told:
    return Told(LOAN, e.loan_id, {"returned_at": e.at, "ended_as": "undone"}, ends=True)


def _not_returned(e: CheckInUndone) -> Told | None:
    if e.loan_id is None:
        return None
    columns = {"returned_at": None, "returned_branch_id": None}
    return Told(LOAN, e.loan_id, columns, goes_on=True)


def _lost(e: CopyLost) -> Told:
    return Told(LOAN, e.loan_id, {"returned_at": e.at, "ended_as": "lost"}, ends=True)


def _forgiven(e: ClaimForgiven) -> Told:
    return Told(LOAN, e.loan_id, {"returned_at": e.at, "ended_as": "forgiven"}, ends=True)


def _claimed(e: ReturnClaimed) -> Told:
    return Told(LOAN, e.loan_id, {"claimed_at": e.at})


def _not_claimed(e: ClaimDropped) -> Told:
    return Told(LOAN, e.loan_id, {"claimed_at": None})


def _placed(e: HoldPlaced) -> Told:
    columns = {
        "book_id": e.book_id,
        "copy_id": e.copy_id,
        "borrower": e.borrower,
        "pickup_branch_id": e.pickup_branch_id,
        "state": "waiting",
        "suspended": False,
        "placed_at": e.at,
    }
    return Told(HOLD, e.hold_id, columns, begins=True)


def _moved(e: HoldChanged) -> Told:
    return Told(HOLD, e.hold_id, {"pickup_branch_id": e.pickup_branch_id})


def _merged(e: HoldMoved) -> Told:
    return Told(HOLD, e.hold_id, {"book_id": e.into, "asked_for": e.asked_for})


def _found_to_be(e: LoanMoved) -> Told:
    return Told(LOAN, e.loan_id, {"book_id": e.book_id})


def _suspended(e: HoldSuspended) -> Told:
    return Told(HOLD, e.hold_id, {"suspended": True, "suspended_until": e.until})


def _resumed(e: HoldResumed) -> Told:
    return Told(HOLD, e.hold_id, {"suspended": False, "suspended_until": None})


def _sent_on(e: HoldSentOn) -> Told:
    return Told(HOLD, e.hold_id, _kept("in-transit", e.copy_id))


def _ready(e: HoldReady) -> Told:
    columns = _kept("ready", e.copy_id) | {"ready_at": e.at, "expires_on": e.expires_on}
    return Told(HOLD, e.hold_id, columns)


def _put_back(e: HoldPutBack) -> Told:
    return Told(HOLD, e.hold_id, _kept("waiting", None))


def _restored(e: HoldRestored) -> Told:
    columns = _kept(e.state, e.copy_id) | {
        "ready_at": e.ready_at,
        "expires_on": e.expires_on,
        "ended_at": None,
    }
    return Told(HOLD, e.hold_id, columns, goes_on=True)


def _kept(state: str, copy_id: UUID | None) -> dict[str, Any]:
    return {"state": state, "given_copy_id": copy_id, "ready_at": None, "expires_on": None}


def _over(state: str) -> Callable[[Any], Told]:
    """What was kept for it stays written on it."""
    return lambda e: Told(HOLD, e.hold_id, {"state": state, "ended_at": e.at}, ends=True)


def _suspended_patron(e: PatronSuspended) -> Told:
    columns = {"borrower": e.borrower, "loan_id": e.loan_id, "began_at": e.at, "until": e.until}
    return Told(SUSPENSION, e.suspension_id, columns, begins=True)


def _lifted(e: SuspensionLifted) -> Told:
    return Told(SUSPENSION, e.suspension_id, {"ended_at": e.at}, ends=True)


TELLING: dict[type[Event], Callable[[Any], Told | None]] = {
    ItemCheckedOut: _lent,
    LoanRenewed: _renewed,
    LoanRecalled: _called_back,
    LoanMoved: _found_to_be,
    ItemCheckedIn: _returned,
    CheckOutUndone: _never_was,
    CopyLost: _lost,
    ReturnClaimed: _claimed,
    ClaimDropped: _not_claimed,
    ClaimForgiven: _forgiven,
    CheckInUndone: _not_returned,
    HoldPlaced: _placed,
    HoldChanged: _moved,
    HoldMoved: _merged,
    HoldSuspended: _suspended,
    HoldResumed: _resumed,
    HoldSentOn: _sent_on,
    HoldReady: _ready,
    HoldPutBack: _put_back,
    HoldRestored: _restored,
    HoldFulfilled: _over("fulfilled"),
    HoldCancelled: _over("cancelled"),
    HoldExpired: _over("expired"),
    **TELLING_OF_MONEY,
    PatronSuspended: _suspended_patron,
    SuspensionLifted: _lifted,
}
GOES_ON: frozenset[type[Event]] = frozenset({CheckInUndone, HoldRestored})
# Where copies are, what is wrong with them, the rules, which desks were offline: nothing of a loan,
# a hold or a line.
SILENT: frozenset[type[Event]] = frozenset(
    {
        CopyFlagged,
        CopyFound,
        CopyKept,
        CopyReleased,
        OfflineConflictSettled,
        OfflineDeskRegistered,
        OfflineDeskRevoked,
        OfflineTransactionTaken,
        RuleTableSaved,
        TransferReceived,
        TransferStarted,
    }
)
