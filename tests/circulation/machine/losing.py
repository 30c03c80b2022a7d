"""What the model says of copies that are lost, and of those that turn up."""

from dataclasses import dataclass

from tests.circulation.machine.model import Charge, Copy, Loan, Model

GONE = {"lost", "missing", "claimed-returned"}
GIVEN_BACK = {"none": (), "price": ("lost",), "price-and-fee": ("lost", "lost-fee")}


@dataclass
class TurnsUp:
    """`loan` is that which had ended because the copy was lost."""

    loan: Loan | None


def turns_up(model: Model, copy: Copy) -> TurnsUp | None:
    """Is this a find? Asked before the flags fall, and before it is lent again."""
    if not copy.flags & {"lost", "missing"}:
        return None
    last = model.last_loan(copy) if "lost" in copy.flags else None
    return TurnsUp(last if last is not None and last.lost else None)


def tell_of_find(model: Model, copy: Copy, was: TurnsUp | None) -> int:
    """What of the charges is taken back, in all."""
    if was is None:
        return 0
    loan, back = was.loan, 0
    model.tell("CopyFound", copy_id=copy.id, loan_id=loan.id if loan else None)
    for charge in model.charges if loan else ():
        assert loan is not None
        if charge.loan is loan and charge.reason in GIVEN_BACK[loan.policy["lost_refund"]]:
            back += _taken_back(model, charge)
    return back


def _taken_back(model: Model, charge: Charge) -> int:
    left = 0 if charge.cancelled else charge.amount - charge.waived
    if left:
        charge.cancelled = left
        model.tell("FineCancelled", fine_id=charge.id, amount=left)
    return left
