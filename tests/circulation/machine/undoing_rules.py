"""A desk undoes what was done last: the model is what it was before, money for money.

Only time and rules may have changed meanwhile; what is built on it is in `test_undoing.py`.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.circulation.machine.ground import STAFF
from tests.circulation.machine.model import Charge, Model, Refused
from tests.circulation.machine.play import Mistake, Play, step

QUARTER = timedelta(minutes=15)


class UndoingRules(Play):
    @step(5)
    def undo(self) -> None:
        if (mistake := self.mistake) is None:
            return

        def model(told: Any) -> None:
            if self.now - mistake.at > QUARTER:
                raise Refused("too-late")
            before = restored(self.model, mistake)
            self.model.__dict__.update(before.__dict__)

        undo, event_id = self.town.corrections.undo, mistake.told.event_id
        if both := self.both(undo, model, keyed=False, event_id=event_id):
            assert both[0].what == mistake.what
            again = self.ground.run(undo(event_id=event_id, actor=STAFF, now=self.now))
            assert again == both[0]


def restored(model: Model, mistake: Mistake) -> Model:
    """As it was, with the rules of now and what was posted meanwhile taken back."""
    was = mistake.was
    was.rules, was.rule_ids = model.rules, model.rule_ids
    if mistake.what in ("payment", "waiver"):
        _tell_of_money(was, mistake)
        return was
    _tell_of_holds(was, mistake)
    posted = _posted(model, was)
    for charge in posted:
        was.tell("FineCancelled", fine_id=charge.id, amount=charge.amount)
    if len(model.suspensions) > len(was.suspensions):
        was.tell("SuspensionLifted")
    for mine in was.charges:
        charge = next(each for each in model.charges if each.id == mine.id)
        if back := charge.cancelled - mine.cancelled:
            was.tell("CancellationReversed", fine_id=mine.id, amount=back)
    for charge in posted:
        owner = next(each for each in was.patrons if each.id == charge.patron.id)
        was.charges.append(
            replace(charge, patron=owner, loan=None, hold=None, cancelled=charge.amount)
        )
    told = mistake.told
    copy_id = told.copy_id if mistake.what == "check-out" else told.copy_here.id
    copy = next(each for each in was.copies if each.id == copy_id)
    loan_id = told.id if mistake.what == "check-out" else told.loan and told.loan.id
    name = "CheckOutUndone" if mistake.what == "check-out" else "CheckInUndone"
    was.tell(name, loan_id=loan_id, copy_id=copy_id, status=was.status(copy))
    _tell_what_is_kept(was, mistake)
    return was


def _posted(model: Model, was: Model) -> list[Charge]:
    known = {charge.id for charge in was.charges}
    return [charge for charge in model.charges if charge.id not in known]


def _tell_of_money(was: Model, mistake: Mistake) -> None:
    told = mistake.told
    if mistake.what == "waiver":
        charge = next(each for each in was.charges if each.id == told.id)
        assert charge.id is not None
        open_ = was.outstanding(charge.patron)[charge.id]
        was.tell("WaiverReversed", fine_id=told.id, amount=open_ - told.outstanding.amount)
        return
    for part in told.allocated:
        was.tell("PaymentReversed", fine_id=part.fine_id, amount=part.amount.amount)


def _tell_of_holds(was: Model, mistake: Mistake) -> None:
    for hold_id in mistake.holds:
        hold = next(each for each in was.holds if each.id == hold_id)
        given = hold.given and hold.given.id
        was.tell("HoldRestored", hold_id=hold_id, state=hold.state, copy_id=given)


def _tell_what_is_kept(was: Model, mistake: Mistake) -> None:
    """Another copy that is kept for the reader again."""
    for hold_id in mistake.holds:
        hold = next(each for each in was.holds if each.id == hold_id)
        if mistake.what == "check-in" or hold.state != "ready" or hold.given is None:
            continue
        if hold.given.id != mistake.told.copy_id:
            status = was.status(hold.given)
            was.tell("CopyKept", copy_id=hold.given.id, status=status)
