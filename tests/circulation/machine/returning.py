"""What the model says when a copy comes in, and when staff put a flag on one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tests.circulation.machine import losing, queueing
from tests.circulation.machine.lending import charge_lateness, late_fee, post, suspend
from tests.circulation.machine.model import Charge, Copy, Hold, Loan, Model, Refused

NOBODY_CAN_COLLECT = {"lost", "missing", "damaged", "withdrawn"}


@dataclass
class CameIn:
    loan: Loan | None
    hold: Hold | None
    to: str | None
    status: str
    fine: int
    refunded: int
    suspended_until: datetime | None

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
    in_house = loan is None and _was_idle(model, copy, branch)
    was = losing.turns_up(model, copy)
    copy.flags -= losing.GONE
    copy.here, copy.going_to, copy.seen = branch, None, True
    if loan is not None:
        loan.is_open = False
    hold = model.kept_for(copy) or _taker(model, copy, took, now)
    step = queueing.hand_over(model, hold, copy, branch, now) if hold else []
    if hold is not None:
        copy.going_to = hold.pickup if hold.pickup != branch else None
    elif branch != copy.home and not _floats(model, copy, loan):
        copy.going_to = copy.home
    _tell(model, copy, loan, at, received, in_house)
    model.told += step
    refunded = losing.tell_of_find(model, copy, was)
    fine = late_fee(loan, model.week(copy.home), at) if loan else 0
    if loan is not None:
        charge_lateness(model, loan, fine, now)
    until = suspend(model, loan, at, now) if loan else None
    return CameIn(loan, hold, copy.going_to, model.status(copy), fine, refunded, until)


def _was_idle(model: Model, copy: Copy, branch: str) -> bool:
    """It stood on its shelf: whoever has it in hand now had used it there."""
    gone = copy.flags & {"lost", "missing"}
    return bool(copy.seen and copy.here == branch and not gone and model.on_shelf(copy))


def _tell(
    model: Model, copy: Copy, loan: Loan | None, at: datetime, received: bool, in_house: bool
) -> None:
    here = model.branch_ids[copy.here]
    model.tell(
        "ItemCheckedIn",
        loan_id=loan.id if loan else None,
        copy_id=copy.id,
        branch_id=here,
        returned_at=at,
        status=model.status(copy),
        in_house=in_house,
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


def flag(model: Model, copy: Copy, name: str, now: datetime, *, raised: bool) -> None:
    loan = model.open_loan(copy)
    if name == "claimed-returned" and raised and loan is None:
        raise Refused("not-on-loan")
    turned_up = name == "found" or (name == "lost" and not raised and "lost" in copy.flags)
    was = losing.turns_up(model, copy) if turned_up else None
    if name == "found":
        copy.flags -= losing.GONE
    elif raised:
        copy.flags.add(name)
    else:
        copy.flags.discard(name)
    is_lost = name == "lost" and raised and loan is not None
    if is_lost:
        copy.flags -= {"claimed-returned"}
        loan.is_open = False  # type: ignore[union-attr]
    kept = model.kept_for(copy)
    if kept is not None and copy.flags & NOBODY_CAN_COLLECT:
        queueing.put_back(model, kept)
    model.tell(
        "CopyFlagged",
        copy_id=copy.id,
        flag=name if raised else f"not-{name}",
        status=model.status(copy),
    )
    if is_lost:
        assert loan is not None
        give_up(model, loan, now)
    losing.tell_of_find(model, copy, was)
    if loan is not None and loan.is_open:
        _claim(model, loan, name, raised, now)


def _claim(model: Model, loan: Loan, name: str, raised: bool, now: datetime) -> None:
    if name == "claimed-returned" and raised and loan.claimed_at is None:
        loan.claimed_at = now
        model.tell("ReturnClaimed", loan_id=loan.id)
    dropped = name == "found" or (name == "claimed-returned" and not raised)
    if dropped and loan.claimed_at is not None:
        loan.claimed_at = None
        model.tell("ClaimDropped", loan_id=loan.id)


def give_up(model: Model, loan: Loan, now: datetime) -> None:
    """A loan ends because its copy is lost: lateness, price and fee are charged."""
    loan.is_open, loan.lost = False, True
    model.tell("CopyLost", copy_id=loan.copy.id, loan_id=loan.id)
    charge_lateness(model, loan, late_fee(loan, model.week(loan.copy.home), now), now)
    for reason, amount in (("lost", loan.copy.price or 0), ("lost-fee", loan.policy["lost_fee"])):
        if amount:
            post(model, Charge(loan.patron, amount, reason, now, loan))


def declare_lost(model: Model, now: datetime) -> int:
    """What is late for so many dates as its rules bear."""
    ended = 0
    for loan in sorted(model.loans, key=lambda each: each.id):
        week, limit = model.week(loan.copy.home), loan.policy["lost_after"]
        late = week.today(now) - week.today(loan.due_at)
        if loan.is_open and not loan.claimed_at and limit and late.days >= limit:
            ended += 1
            loan.is_open = False
            loan.copy.flags = (loan.copy.flags | {"lost"}) - {"claimed-returned"}
            status = model.status(loan.copy)
            model.tell("CopyFlagged", copy_id=loan.copy.id, flag="lost", status=status)
            give_up(model, loan, now)
    return ended


def resolve(model: Model, loan: Loan, how: str, now: datetime) -> None:
    """A claim that the copy was returned ends without it."""
    if not loan.is_open or loan.claimed_at is None:
        raise Refused("not-claimed")
    loan.is_open = False
    flag_ = "lost" if how == "paid" else "missing"
    loan.copy.flags = (loan.copy.flags | {flag_}) - {"claimed-returned"}
    model.tell("CopyFlagged", copy_id=loan.copy.id, flag=flag_, status=model.status(loan.copy))
    if how == "paid":
        give_up(model, loan, now)
    else:
        model.tell("ClaimForgiven", loan_id=loan.id)
