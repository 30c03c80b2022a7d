"""What the model says when a copy comes in, and when staff put a flag on one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tests.circulation.machine import queueing
from tests.circulation.machine.lending import charge_lateness, late_fee
from tests.circulation.machine.model import Copy, Hold, Loan, Model, Refused

NOBODY_CAN_COLLECT = {"lost", "missing", "damaged", "withdrawn"}


@dataclass
class CameIn:
    loan: Loan | None
    hold: Hold | None
    to: str | None
    status: str
    fine: int

    @property
    def next(self) -> str:
        return "transit" if self.to else "hold" if self.hold else "shelve"


def check_in(
    model: Model,
    copy: Copy,
    branch: str,
    returned_at: datetime | None,
    now: datetime,
    took: UUID | None,
) -> CameIn:
    """`took` is the hold the program chose, where the model has no reason to prefer another."""
    if returned_at is not None and returned_at > now:
        raise Refused("invalid")
    loan = model.open_loan(copy)
    if loan and returned_at is not None and returned_at < loan.lent_at:
        raise Refused("return-refused")
    at = returned_at or (max(now, loan.lent_at) if loan else now)
    received = copy.going_to == branch
    copy.flags -= {"lost", "missing", "claimed-returned"}
    copy.here, copy.going_to = branch, None
    if loan is not None:
        loan.is_open = False
    hold = model.kept_for(copy) or _taker(model, copy, took, now)
    step = queueing.hand_over(model, hold, copy, branch, now) if hold else []
    if hold is not None:
        copy.going_to = hold.pickup if hold.pickup != branch else None
    elif branch != copy.home and not _floats(model, copy, loan):
        copy.going_to = copy.home
    _tell(model, copy, loan, at, received)
    model.told += step
    fine = late_fee(loan, model.week(copy.home), at) if loan else 0
    if loan is not None:
        charge_lateness(model, loan, fine, now)
    return CameIn(loan, hold, copy.going_to, model.status(copy), fine)


def _tell(model: Model, copy: Copy, loan: Loan | None, at: datetime, received: bool) -> None:
    here = model.branch_ids[copy.here]
    model.tell(
        "ItemCheckedIn",
        loan_id=loan.id if loan else None,
        copy_id=copy.id,
        branch_id=here,
        returned_at=at,
        status=model.status(copy),
    )
    if received:
        model.tell("TransferReceived", copy_id=copy.id, branch_id=here)
    if copy.going_to:
        to = model.branch_ids[copy.going_to]
        model.tell("TransferStarted", copy_id=copy.id, from_branch_id=here, to_branch_id=to)


def _taker(model: Model, copy: Copy, took: UUID | None, now: datetime) -> Hold | None:
    fair = queueing.takers(model, copy, now)
    if len(fair) == 1:
        return fair[0]
    return next((hold for hold in fair if hold is not None and hold.id == took), fair[0])


def _floats(model: Model, copy: Copy, loan: Loan | None) -> bool:
    found: bool = loan.policy["floats"] if loan else model.rule("floats", copy, None)
    return found


def flag(model: Model, copy: Copy, name: str, *, raised: bool) -> None:
    if name == "claimed-returned" and raised and model.open_loan(copy) is None:
        raise Refused("not-on-loan")
    if name == "found":
        copy.flags -= {"lost", "missing", "claimed-returned"}
    elif raised:
        copy.flags.add(name)
    else:
        copy.flags.discard(name)
    kept = model.kept_for(copy)
    if kept is not None and copy.flags & NOBODY_CAN_COLLECT:
        queueing.put_back(model, kept)
    model.tell(
        "CopyFlagged",
        copy_id=copy.id,
        flag=name if raised else f"not-{name}",
        status=model.status(copy),
    )
