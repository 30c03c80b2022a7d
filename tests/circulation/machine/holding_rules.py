"""Steps at the hold shelf: place, move, suspend, resume, cancel, expire."""

from typing import Any

from hypothesis import strategies as st
from tests.circulation.machine import queueing
from tests.circulation.machine.model import Hold, Model
from tests.circulation.machine.play import ONE_OF, WHERE, WHICH, WHO, Play, newest, step
from tests.circulation.machine.week import DAY

from lendery.contracts.circulation import HoldChanges, NewHold, Suspension


class HoldingRules(Play):
    @step(8, who=WHO, which=WHICH, only=st.booleans(), where=WHERE)
    def place(self, who: int, which: int, only: bool, where: str) -> None:
        patron, copy = self.patron(who), self.copy(which)
        wanted = NewHold(
            **({"copy_id": copy.id} if only else {"book_id": copy.book}),
            patron_id=patron.id,
            pickup_branch_id=self.model.branch_ids[where],
        )

        def model(told: Any) -> Hold:
            named = copy if only else None
            return queueing.place(self.model, patron, copy.book, named, where, self.now)

        if both := self.both(self.town.holds.place, model, hold=wanted):
            told, hold = both
            hold.id = told.id
            must_be_hold(self.model, told, hold)
            assert told.position == len(self.model.waiting(hold.book))

    @step(2, one=ONE_OF, where=WHERE)
    def collect_elsewhere(self, one: int, where: str) -> None:
        def change(hold: Hold) -> None:
            queueing.collect_elsewhere(self.model, hold, where)

        changes = HoldChanges(pickup_branch_id=self.model.branch_ids[where])
        self._while_waiting(one, self.town.holds.change, change, changes=changes)

    @step(3, one=ONE_OF, days=st.sampled_from((None, -1, 0, 1, 2, 9, "resume", "resume")))
    def suspend_or_resume(self, one: int, days: int | str | None) -> None:
        if days == "resume":
            return self._while_waiting(one, self.town.holds.resume, self._resumed)
        until = self.now.date() + days * DAY if isinstance(days, int) else None

        def change(hold: Hold) -> None:
            hold.suspended, hold.until = True, until
            self.model.tell("HoldSuspended", hold_id=hold.id, until=until)

        suspension = Suspension(until=until)
        self._while_waiting(one, self.town.holds.suspend, change, suspension=suspension)

    def _resumed(self, hold: Hold) -> None:
        hold.suspended, hold.until = False, None
        self.model.tell("HoldResumed", hold_id=hold.id)

    def _while_waiting(self, one: int, desk: Any, change: Any, **given: Any) -> None:
        waiting = [hold for hold in self.model.holds if hold.state == "waiting"]
        if (hold := newest(waiting if one % 3 else self.model.holds, one)) is None:
            return

        def model(told: Any) -> None:
            queueing.must_wait(hold)
            change(hold)

        if both := self.both(desk, model, keyed=False, hold_id=hold.id, **given):
            must_be_hold(self.model, both[0], hold)

    @step(2, one=ONE_OF)
    def cancel(self, one: int) -> None:
        if hold := newest(self.model.open_holds() if one % 3 else self.model.holds, one):
            model = lambda told: queueing.end(self.model, hold, "cancelled")  # noqa: E731
            if both := self.both(self.town.holds.cancel, model, keyed=False, hold_id=hold.id):
                assert (both[0].id, both[0].state) == (hold.id, "cancelled")

    @step(5)
    def expire(self) -> None:
        ended = self.ground.run(self.town.holds.expire(now=self.now))
        assert ended == queueing.expire(self.model, self.now)
        if ended:
            self.mistake = None  # what expired stays so: tests/circulation/test_undoing.py


def must_be_hold(model: Model, told: Any, hold: Hold) -> None:
    assert (told.id, told.patron_id, told.state) == (hold.id, hold.patron.id, hold.state)
    assert told.pickup_branch_id == model.branch_ids[hold.pickup]
    assert told.given_copy_id == (hold.given and hold.given.id)
    assert told.expires_on == hold.expires_on
