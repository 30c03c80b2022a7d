"""Two years of lending, planned before a single row is written.

The shape is that of seven English library services (134 branches, 2019-20): 2.2 loans for each
member and month, 0.64 renewals for each loan, busy weekdays and quiet Sundays, and a popularity
that falls with a title's rank as a power law. What is drawn here is only who takes and brings back
what, and when; whether a library allows it is for its rules to say. The plan keeps to opening
hours, never lends a copy that is out, and never lends on a card that has run out.
"""

import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial

from .copies import ItemType, PlannedCopy, copies
from .habits import Habits
from .hours import Hours, Opening
from .people import Category, Reader
from .shelves import Shelves
from .titles import Title

__all__ = ["Event", "Lend", "LoanDays", "Opening", "PlannedCopy", "Renew", "Return"]
__all__ += ["copies", "lending"]

# For how many days such a reader may have such a thing; None if not at all.
LoanDays = Callable[[Category, ItemType], int | None]

LOANS_A_MONTH = 2.2  # of a reader, on average
MOST_OUT_AT_ONCE = 12
TRANSIT = timedelta(days=3)  # until a copy given back elsewhere stands on its own shelf again

_DAYS_IN_A_MONTH = 30.44
# Nowhere on earth does a day begin more than 14 hours before it does in UTC.
_EARLIEST_DAYBREAK = timedelta(hours=-14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lend:
    """A reader takes a copy home. `loan` numbers the loans from 0 in the order they are made."""

    at: datetime
    loan: int
    reader: int
    copy: int
    branch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Renew:
    """A loan is made longer, before it is overdue."""

    at: datetime
    loan: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Return:
    """A copy comes back, not always to the branch it was taken from."""

    at: datetime
    loan: int
    branch: int


Event = Lend | Renew | Return
_Act = Callable[[datetime], Event | None]


def lending(
    *,
    titles: Sequence[Title],
    copies: Sequence[PlannedCopy],
    readers: Sequence[Reader],
    opening: Opening,
    loan_days: LoanDays,
    today: date,
    seed: int,
    days: int = 730,
) -> Iterator[Event]:
    """What happens at the desks in the `days` before today, in the order of time.

    `titles` come most popular first; readers, copies and branches are named by their place in
    their lists. A copy is lent by its own branch only. A loan without a `Return` is still out.
    A renewal counts the loan's days anew from the day it is made.

    Everything happens on days before `today` as `opening` counts days: where clocks are behind
    UTC, the last evening may bear today's date in UTC.
    """
    rng = random.Random(seed)
    desks = _Desks(
        copies=copies,
        readers=readers,
        hours=Hours(opening, days=days, today=today),
        habits=Habits(readers, rng),
        shelves=Shelves(titles, copies),
        loan_days=cache(loan_days),
        rng=rng,
    )
    return desks.events(round(LOANS_A_MONTH * len(readers) * days / _DAYS_IN_A_MONTH))


class _Desks:
    """The branches' desks as time goes by: who has what, and what is going to happen."""

    def __init__(
        self,
        *,
        copies: Sequence[PlannedCopy],
        readers: Sequence[Reader],
        hours: Hours,
        habits: Habits,
        shelves: Shelves,
        loan_days: LoanDays,
        rng: random.Random,
    ) -> None:
        self._copies = copies
        self._readers = readers
        self._hours = hours
        self._habits = habits
        self._shelves = shelves
        self._loan_days = loan_days
        self._rng = rng
        self._branches = range(1 + max((copy.branch_index for copy in copies), default=-1))
        self._titles_out: list[set[int]] = [set() for _ in readers]
        self._loans = 0
        self._to_come: list[tuple[datetime, int, _Act]] = []
        self._acts = 0

    def events(self, loans: int) -> Iterator[Event]:
        """The whole plan, aiming at so many loans."""
        budget = 0.0
        each_day = self._hours.loans_each_day(loans, self._branches)
        for day, usual in zip(self._hours.days, each_day, strict=True):
            yield from self._until(datetime.combine(day, time.min, UTC) + _EARLIEST_DAYBREAK)
            budget += usual * self._rng.uniform(0.75, 1.25)
            while usual and budget > 0:
                budget -= self._visit(day)
        yield from self._until(datetime.max.replace(tzinfo=UTC))

    def _until(self, end: datetime) -> Iterator[Event]:
        while self._to_come and self._to_come[0][0] < end:
            at, _, act = heapq.heappop(self._to_come)
            if event := act(at):
                yield event

    def _later(self, at: datetime, act: _Act) -> None:
        self._acts += 1  # of two things at one instant, the one planned first comes first
        heapq.heappush(self._to_come, (at, self._acts, act))

    def _visit(self, day: date) -> int:
        """Plan one visit on that day; gives how many loans it is meant to make, or 1 for none."""
        reader = self._habits.visitor(day)
        if reader is None:
            return 1
        armful = min(self._habits.armful(), MOST_OUT_AT_ONCE - len(self._titles_out[reader]))
        if armful > 0:
            branch = self._branch_visited(self._readers[reader].home_branch, day)
            at = self._hours.instant(branch, day, self._habits.part_of_day())
            closing = self._hours.instant(branch, day, 1.0)
            for _ in range(armful):
                if at < closing:
                    self._later(at, partial(self._lend, reader, branch, day))
                at += timedelta(seconds=self._rng.randint(8, 40))
        return max(1, armful)

    def _branch_visited(self, home: int, day: date) -> int:
        """The reader's own branch, unless it is closed or the reader happens to be elsewhere."""
        at_home = home in self._branches and self._hours.open_on(home, day)
        if at_home and not self._habits.visits_elsewhere():
            return home
        return self._rng.choice(self._other_branches(home, day) or [home])

    def _other_branches(self, home: int, day: date) -> list[int]:
        return [b for b in self._branches if b != home and self._hours.open_on(b, day)]

    def _lend(self, reader: int, branch: int, day: date, at: datetime) -> Lend | None:
        category, out = self._readers[reader].category, self._titles_out[reader]
        if len(out) >= MOST_OUT_AT_ONCE:
            return None
        copy = self._shelves.take(
            branch,
            self._habits.looks_for(reader),
            but_not=out,
            may_have=lambda one: self._loan_days(category, one.item_type) is not None,
            rng=self._rng,
        )
        if copy is None:
            return None
        out.add(self._copies[copy].title_index)
        loan, self._loans = self._loans, self._loans + 1
        self._plan_the_rest(loan, reader, copy, day)
        return Lend(at=at, loan=loan, reader=reader, copy=copy, branch=branch)

    def _plan_the_rest(self, loan: int, reader: int, copy: int, lent_on: date) -> None:
        """The renewals and the return of a new loan, as far as they come before today."""
        branch = self._copies[copy].branch_index
        item_type = self._copies[copy].item_type
        allowed = self._loan_days(self._readers[reader].category, item_type) or 0
        since = lent_on
        for _ in range(self._habits.renewals(item_type)):
            wanted = since + timedelta(days=allowed - self._habits.days_before_renewal())
            day = self._hours.open_day(branch, wanted, after=since)
            in_time = day is not None and day <= since + timedelta(days=allowed)
            if day is None or not in_time or day > self._readers[reader].expires_on:
                break
            at = self._hours.instant(branch, day, self._habits.part_of_day())
            self._later(at, lambda at: Renew(at=at, loan=loan))
            since = day
        kept = self._habits.days_kept(reader, allowed)
        if kept is None:
            return
        day = self._hours.open_day(branch, since + timedelta(days=kept), after=since)
        if day is not None:
            back_at = branch
            if self._habits.returns_elsewhere():
                back_at = self._rng.choice(self._other_branches(branch, day) or [branch])
            at = self._hours.instant(back_at, day, self._habits.part_of_day())
            self._later(at, partial(self._return, loan, reader, copy, back_at))

    def _return(self, loan: int, reader: int, copy: int, branch: int, at: datetime) -> Return:
        planned = self._copies[copy]
        self._titles_out[reader].remove(planned.title_index)
        if branch == planned.branch_index:
            self._shelves.put_back(copy)
        else:
            self._later(at + TRANSIT, partial(self._arrive, copy))
        return Return(at=at, loan=loan, branch=branch)

    def _arrive(self, copy: int, at: datetime) -> None:
        self._shelves.put_back(copy)
