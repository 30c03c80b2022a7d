"""Lending in the demo library, by the loans port: as planned, and as far as the shelf has it.

Where a copy of the plan is not on its shelf (it is kept for somebody, or with whoever collected
it), its reader takes another copy of the title there, or goes without and may place a hold.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from lendery.contracts.circulation import (
    CheckOutRefused,
    Loan,
    LoanRequest,
    RenewalRefused,
    Return,
    ReturnRequest,
)
from lendery.contracts.permissions import SYSTEM
from lendery.demo import house, plan
from lendery.demo.agenda import Charge, Collect, TakeIn
from lendery.demo.habits import Habits
from lendery.demo.paying import Cashier
from lendery.demo.town import Work
from lendery.demo.waiting import WaitingList

ON_ITS_WAY = timedelta(days=2)  # between branches
_COLLECTED = -100  # loans of holds are numbered down from here; the plan's up from 0
_DAMAGED = 0.003  # of what comes back


@dataclass
class Lent:
    """A copy with a reader. `id` and `due_at` are known once it is lent."""

    reader: int
    copy: int
    branch: int
    collected: bool
    id: UUID | None = None
    due_at: datetime | None = None


class Lending:
    def __init__(self, work: Work, waiting: WaitingList, cashier: Cashier) -> None:
        self._work, self._town, self._built = work, work.town, work.built
        self._waiting, self._cashier = waiting, cashier
        self._loans = work.town.wiring.loans
        self._lent: dict[int, Lent] = {}
        self._numbers = count(_COLLECTED, -1)
        everybody = [each.reader for each in work.town.readers]
        # From the plan's own seed, so that whoever is late there is late here. One for what is
        # drawn before steps and one for after, so that it is all the same how many go together.
        self._before = Habits(everybody, random.Random(work.town.seed))
        self._after = random.Random(f"{work.town.seed} desk")

    def who_and_what(self, loan: int) -> tuple[int, int] | None:
        """The reader and the title of a loan; None: it was not made, or is over."""
        lent = self._lent.get(loan)
        return (lent.reader, self._town.title_of(lent.copy)) if lent else None

    # Taking home

    def lend(self, step: plan.Lend) -> plan.Lend | None:
        title = self._town.title_of(step.copy)
        copy = self._work.stock.one_like(step.copy)
        if copy is None or (step.reader, title) in self._work.at_home:
            self._built.missed += 1
            self._waiting.missed(step.reader, title, step.at)
            return None
        self._waiting.wish(step.reader, self._town.titles[title].audience, step.at)
        return self.handed_out(
            plan.Lend(at=step.at, loan=step.loan, reader=step.reader, copy=copy, branch=step.branch)
        )

    def collect(self, step: Collect) -> plan.Lend | None:
        """From the hold shelf; it will come back like anything else."""
        hold = self._waiting.hold(step.hold)
        if hold.state != "ready" or hold.copy is None:
            return None
        loan, ask = next(self._numbers), hold.ask
        self._plan_return(loan, ask.reader, hold.copy, ask.pickup, step.at.date())
        lend = plan.Lend(
            at=step.at, loan=loan, reader=ask.reader, copy=hold.copy, branch=ask.pickup
        )
        return self.handed_out(lend, collected=True)

    def handed_out(self, step: plan.Lend, *, collected: bool = False) -> plan.Lend:
        """Nobody else finds it on the shelf, from now on."""
        self._work.stock.away.add(step.copy)
        self._work.at_home.add((step.reader, self._town.title_of(step.copy)))
        self._lent[step.loan] = Lent(step.reader, step.copy, step.branch, collected)
        return step

    def _plan_return(self, loan: int, reader: int, copy: int, branch: int, lent_on: date) -> None:
        item_type = self._town.shelved[copy].planned.item_type
        category = self._town.readers[reader].reader.category
        kept = self._before.days_kept(reader, house.loan_days(category, item_type) or 1)
        if kept is not None:
            wanted, part = lent_on + timedelta(days=kept), self._before.part_of_day()
            self._bring_back(loan, branch, wanted, part, after=lent_on)

    def _bring_back(
        self, loan: int, branch: int, wanted: date, part: float, *, after: date
    ) -> None:
        day = self._work.hours.open_day(branch, wanted, after=after)
        if day is not None:
            at = self._work.hours.instant(branch, day, part)
            self._work.agenda.add(plan.Return(at=at, loan=loan, branch=branch))

    async def check_out(self, step: plan.Lend) -> Loan | None:
        """At the desk: first the money, then the book. None: refused."""
        await self._cashier.at_a_visit(step.reader, step.at)
        request = LoanRequest(
            barcode=self._town.shelved[step.copy].barcode,
            patron_id=self._town.readers[step.reader].id,
            branch_id=self._town.branches[step.branch],
        )
        try:
            return await self._loans.check_out(request=request, actor=SYSTEM, now=step.at)
        except CheckOutRefused as refusal:
            if {block["code"] for block in refusal.extra["blocks"]} != {"fines-owed"}:
                return None
        reason = await self._cashier.over_the_limit(step.reader, step.at)
        if reason is None:
            self._built.owing += 1
            return None
        if reason:
            waived = {"waive": frozenset({"fines-owed"}), "reason": reason}
            request = request.model_copy(update=waived)
        return await self._loans.check_out(request=request, actor=self._town.till, now=step.at)

    def lent(self, step: plan.Lend, loan: Loan | None) -> None:
        if loan is None:
            self._built.refused += 1
            lent = self._lent.pop(step.loan)
            self._work.at_home.discard((step.reader, self._town.title_of(step.copy)))
            if not lent.collected:
                self._work.stock.away.discard(step.copy)
            return
        self._lent[step.loan].id, self._lent[step.loan].due_at = loan.id, loan.due_at
        self._built.loans += 1
        item_type = self._town.shelved[step.copy].planned.item_type
        held = self._waiting.fulfilled(step.reader, step.copy, step.at)
        if held and house.hold_fee(item_type):
            self._cashier.charged(step.reader)

    # Keeping longer, and bringing back

    def still_out(self, step: plan.Renew | plan.Return) -> plan.Renew | plan.Return | None:
        return step if step.loan in self._lent else None

    async def renew(self, step: plan.Renew) -> Loan | None:
        loan_id = self._lent[step.loan].id
        assert loan_id is not None
        try:
            return await self._loans.renew(loan_id=loan_id, actor=SYSTEM, now=step.at)
        except RenewalRefused:
            return None

    def renewed(self, step: plan.Renew, loan: Loan | None) -> None:
        """Who may not keep it any longer brings it back in time."""
        lent, today = self._lent[step.loan], step.at.date()
        if loan is not None:
            self._built.renewals += 1
            lent.due_at = loan.due_at
            return
        self._built.refused += 1
        due_on = lent.due_at.date() if lent.due_at else today
        part = self._after.uniform(0.1, 0.9)
        self._bring_back(step.loan, lent.branch, due_on, part, after=today)

    async def take_back(self, step: plan.Return) -> Return:
        return await self._check_in(self._lent[step.loan].copy, step.branch, step.at)

    def came_back(self, step: plan.Return, taken: Return) -> None:
        lent = self._lent.pop(step.loan)
        self._work.at_home.discard((lent.reader, self._town.title_of(lent.copy)))
        self._built.returns += 1
        if taken.fine is not None:
            self._cashier.charged(lent.reader)
        if lent.reader != self._town.ann and self._after.random() < _DAMAGED:
            seen = step.at + timedelta(days=1)
            self._work.agenda.add(Charge(at=seen, reader=lent.reader))
        self._goes_on(lent.copy, taken, step.at)

    async def take_in(self, step: TakeIn) -> Return:
        return await self._check_in(step.copy, step.branch, step.at)

    def taken_in(self, step: TakeIn, taken: Return) -> None:
        self._goes_on(step.copy, taken, step.at)

    async def _check_in(self, copy: int, branch: int, at: datetime) -> Return:
        request = ReturnRequest(
            barcode=self._town.shelved[copy].barcode, branch_id=self._town.branches[branch]
        )
        return await self._loans.check_in(request=request, actor=SYSTEM, now=at)

    def _goes_on(self, copy: int, taken: Return, at: datetime) -> None:
        """To its shelf, to the hold shelf, or to another branch."""
        if taken.hold is not None:
            self._waiting.found(taken.hold, copy, at)
        if taken.next == "shelve":
            self._work.stock.away.discard(copy)
        elif taken.to_branch is not None:
            to = self._town.branches.index(taken.to_branch)
            self._work.agenda.add(TakeIn(at=at + ON_ITS_WAY, copy=copy, branch=to))
