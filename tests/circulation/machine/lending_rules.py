"""Steps at the lending desk: out, longer, in, and flags."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from tests.circulation.machine import lending, returning
from tests.circulation.machine.holding_rules import must_be_hold
from tests.circulation.machine.model import Copy, Loan, Patron
from tests.circulation.machine.play import ONE_OF, WHERE, WHICH, WHO, Play, newest, step
from tests.circulation.machine.world import HOUR

from lendery.contracts.base import Problem
from lendery.contracts.circulation import ClaimResolution, LoanRequest, ReturnRequest

WAIVED = st.one_of(
    st.just(frozenset[str]()),
    st.just(lending.WAIVABLE),
    st.frozensets(st.sampled_from(sorted(lending.WAIVABLE)), max_size=3),
)
FLAGS = ("lost", "found", "damaged", "missing", "withdrawn", "claimed-returned")
AGO = (None, None, None, -1, 0, 1, 30, 200)  # hours that a return is dated back


class LendingRules(Play):
    @step(8, who=WHO, which=WHICH, where=WHERE, waive=WAIVED, renew=st.booleans())
    def check_out(self, who: int, which: int, where: str, waive: Any, renew: bool) -> None:
        self._check_out(self.patron(who), self.copy(which), where, waive, renew)

    @step(4, one=ONE_OF, waive=WAIVED)
    def collect(self, one: int, waive: Any) -> None:
        """Who waits takes a copy: the one that is kept, or any that stands there."""
        if hold := newest(self.model.open_holds(), one):
            there = hold.given or next(c for c in self.model.copies if c.book == hold.book)
            self._check_out(hold.patron, there, hold.pickup, waive, False)

    def _check_out(
        self, patron: Patron, copy: Copy, where: str, waive: frozenset[Any], renew: bool
    ) -> None:
        request = LoanRequest(
            barcode=copy.barcode,
            patron_id=patron.id,
            branch_id=self.model.branch_ids[where],
            waive=waive,
            reason="Seen a proof of age" if waive else None,
            renew=renew,
        )

        def model(told: Any) -> Loan:
            theirs = self.model.open_loan(copy)
            if renew and theirs is not None and theirs.patron is patron:
                lending.renew(self.model, theirs, self.now)
                return theirs
            return lending.check_out(self.model, patron, copy, where, waive, self.now)

        was = self.model.as_it_is()
        if both := self.both(self.town.desk.check_out, model, request=request):
            told, loan = both
            if loan.id == UUID(int=0):
                loan.id = told.id
                self.may_be_undone("check-out", told, was)
            must_be_loan(told, loan)

    @step(5, one=ONE_OF)
    def renew(self, one: int) -> None:
        out = [each for each in self.model.loans if each.is_open]
        if (loan := newest(out if one % 4 else self.model.loans, one)) is None:
            return

        def model(told: Any) -> None:
            lending.renew(self.model, loan, self.now)

        if both := self.both(self.town.desk.renew, model, loan_id=loan.id):
            must_be_loan(both[0], loan)

    @step(7, which=WHICH, where=WHERE)
    def check_in(self, which: int, where: str) -> None:
        self._check_in(self.copy(which), where, None)

    @step(7, one=ONE_OF, where=WHERE, ago=st.sampled_from(AGO))
    def bring_back(self, one: int, where: str, ago: int | None) -> None:
        """What is on loan, now or some hours ago."""
        if loan := newest([each for each in self.model.loans if each.is_open], one):
            self._check_in(loan.copy, where, ago)

    def _check_in(self, copy: Copy, where: str, ago: int | None) -> None:
        returned_at = None if ago is None else self.now - ago * HOUR
        request = ReturnRequest(
            barcode=copy.barcode, branch_id=self.model.branch_ids[where], returned_at=returned_at
        )

        def model(told: Any) -> returning.CameIn:
            took = None if isinstance(told, Problem) or not told.hold else told.hold.id
            return returning.check_in(self.model, copy, where, returned_at, self.now, took)

        was = self.model.as_it_is()
        if both := self.both(self.town.desk.check_in, model, request=request):
            self._must_be_return(*both)
            self.may_be_undone("check-in", both[0], was)

    def _must_be_return(self, told: Any, came: returning.CameIn) -> None:
        assert (told.next, told.copy_here.status) == (came.next, came.status)
        assert told.to_branch == (came.to and self.model.branch_ids[came.to])
        assert (told.loan and told.loan.id) == (came.loan and came.loan.id)
        assert (told.fine.amount.amount if told.fine else 0) == came.fine
        assert (told.refunded.amount if told.refunded else 0) == came.refunded
        assert told.suspended_until == came.suspended_until
        assert (told.hold is None) == (came.hold is None)
        if came.hold is not None:
            must_be_hold(self.model, told.hold, came.hold)

    @step(3, which=WHICH, flag=st.sampled_from(FLAGS), raised=st.booleans())
    def flag(self, which: int, flag: Any, raised: bool) -> None:
        self._flag(self.copy(which), flag, raised or flag == "found")

    def _flag(self, copy: Copy, flag: Any, raised: bool) -> None:
        def model(told: Any) -> None:
            returning.flag(self.model, copy, flag, self.now, raised=raised)

        asked = {"copy_id": copy.id, "flag": flag, "raised": raised}
        if both := self.both(self.town.shelf.flag, model, keyed=False, **asked):
            out = self.model.open_loan(copy)
            assert (both[0].status, both[0].due_at) == (self.model.status(copy), out and out.due_at)

    @step(3, one=ONE_OF, raised=st.sampled_from((True, True, False)))
    def claim(self, one: int, raised: bool) -> None:
        """Of what is on loan somebody says that it was returned, or that this was a mistake."""
        if loan := newest([each for each in self.model.loans if each.is_open], one):
            self._flag(loan.copy, "claimed-returned", raised)

    @step(3, one=ONE_OF, how=st.sampled_from(("paid", "forgiven")))
    def a_claim_ends(self, one: int, how: Any) -> None:
        claimed = [each for each in self.model.loans if each.is_open and each.claimed_at]
        if (loan := newest(claimed or self.model.loans, one)) is None:
            return

        def model(told: Any) -> None:
            returning.resolve(self.model, loan, how, self.now)

        asked = {"loan_id": loan.id, "how": ClaimResolution(how=how)}
        self.both(self.town.desk.resolve_claim, model, keyed=False, **asked)

    @step(2)
    def the_hour_comes(self) -> None:
        """What falls due soon renews itself."""
        self.mistake = None
        told = self.ground.run(self.town.desk.renew_by_themselves(now=self.now))
        assert told == lending.renew_by_themselves(self.model, self.now)

    @step(2)
    def the_night_comes(self) -> None:
        self.mistake = None
        told = self.ground.run(self.town.desk.declare_lost(now=self.now))
        assert told == returning.declare_lost(self.model, self.now)


def must_be_loan(told: Any, loan: Loan) -> None:
    assert (told.id, told.copy_id, told.patron_id) == (loan.id, loan.copy.id, loan.patron.id)
    assert (told.due_at, told.renewals, told.overdue) == (loan.due_at, loan.renewals, False)
