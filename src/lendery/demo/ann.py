"""Ann Reed, who may sign in: an account that shows what an account can show.

Two loans, one of them late; a hold to collect and one to wait for; a fine that is owed and one
that was paid. Until two months ago she borrows as the plan says. Neighbours of hers see to it that
on any day copies are on their way to somebody who waits.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice

from lendery.demo import plan
from lendery.demo.agenda import (
    Ask,
    AskForAny,
    AskForOut,
    AskForStanding,
    Browse,
    Pay,
    Step,
)
from lendery.demo.lending import Lending
from lendery.demo.people import Reader
from lendery.demo.town import Work
from lendery.demo.waiting import WaitingList

NAME = "Ann Reed"
_PAID, _OWED, _LATE, _NEW = -1, -2, -3, -4  # her last loans
_BY_PLAN_UNTIL = 60  # days before today
_MAIN = 0  # the branch that is open on all days but holidays
_KNOWN = 1000  # she takes one of the most popular


def by_plan(reader: Reader, today: date) -> Reader:
    """Ann as the plan knows her: after that day it leaves her alone."""
    return replace(reader, expires_on=today - timedelta(days=_BY_PLAN_UNTIL))


def nothing_kept(steps: list[plan.Event], ann: int) -> list[plan.Event]:
    """The plan without those loans of hers that would never come back."""
    back = {step.loan for step in steps if isinstance(step, plan.Return)}
    kept = {
        step.loan
        for step in steps
        if isinstance(step, plan.Lend) and step.reader == ann and step.loan not in back
    }
    return [step for step in steps if step.loan not in kept]


class Ann:
    """Her last weeks, day by day; what she takes depends on what is there."""

    def __init__(self, work: Work, lending: Lending, waiting: WaitingList) -> None:
        self._town, self._stock, self._hours = work.town, work.stock, work.hours
        self._lending, self._waiting = lending, waiting
        self._today = work.hours.days[-1] + timedelta(days=1)
        self._number, self._home = work.town.ann, work.town.home_of(work.town.ann)
        self._rng = random.Random(f"{work.town.seed} ann")

    def story(self) -> list[Step]:
        """All in opening hours, but for the holds, which she places at home."""
        ann = self._number
        told: tuple[tuple[int, Callable[[datetime], Step]], ...] = (
            (51, lambda at: Pay(at=at, reader=ann)),
            (50, lambda at: Browse(at=at, reader=ann, loan=_PAID)),
            (42, lambda at: Browse(at=at, reader=ann, loan=_OWED)),
            (36, lambda at: Browse(at=at, reader=ann, loan=_LATE)),
            (17, lambda at: plan.Return(at=at, loan=_PAID, branch=self._home)),
            (17, lambda at: Pay(at=at + timedelta(minutes=2), reader=ann)),
            (12, lambda at: Browse(at=at, reader=ann, loan=_NEW)),
            (10, lambda at: Pay(at=at, reader=ann)),
            (9, lambda at: plan.Return(at=at, loan=_OWED, branch=self._home)),
        )
        return [
            *[step(at) for days_ago, step in told if (at := self._open(days_ago))],
            *self._asks(),
        ]

    def _asks(self) -> list[Step]:
        """What she will find; what she will wait for, somebody before her; what others wait for."""
        first, *others = self._neighbours()
        evening = self._evening(1)
        asks: list[Step] = [
            AskForOut(at=evening - timedelta(minutes=9), reader=first, others=0),
            AskForOut(at=evening, reader=self._number, others=1),
        ]
        for reader, pickup in zip(others, cycle((_MAIN + 1, _MAIN + 2)), strict=False):
            at = self._evening(2)
            asks.append(AskForStanding(at=at, reader=reader, stands_at=_MAIN, pickup=pickup))
        if found_on := self._open_on(3):  # when staff fetch it for her
            at = self._evening((self._today - found_on).days + 1)
            ann, home = self._number, self._home
            asks.append(AskForStanding(at=at, reader=ann, stands_at=home, pickup=home))
        return asks

    def _neighbours(self) -> list[int]:
        """A few readers with a card that is still good."""
        good = (
            number
            for number, each in enumerate(self._town.readers)
            if number != self._number and each.reader.expires_on > self._today
        )
        return list(islice(good, 4))

    def _open(self, days_ago: int) -> datetime | None:
        """That day in the afternoon, if it belongs to the plan."""
        day = self._open_on(days_ago)
        return self._hours.instant(self._home, day, 0.6) if day else None

    def _open_on(self, days_ago: int) -> date | None:
        """That day or the last before it on which her branch is open; none before the plan."""
        wanted, first = self._today - timedelta(days=days_ago), self._hours.days[0]
        if wanted < first:
            return None
        earliest = max(first, wanted - timedelta(days=10))
        return self._hours.open_day(self._home, wanted, after=earliest - timedelta(days=1))

    def _evening(self, days_ago: int) -> datetime:
        return datetime.combine(self._today - timedelta(days=days_ago), time(20, 30), UTC)

    def browse(self, step: Browse) -> plan.Lend | None:
        copy = self._found(step.reader, self._home, self._home)
        if copy is None:
            return None
        lend = plan.Lend(
            at=step.at, loan=step.loan, reader=step.reader, copy=copy, branch=self._home
        )
        return self._lending.handed_out(lend)

    def ask_for_standing(self, step: AskForStanding) -> Ask | None:
        copy = self._found(step.reader, step.stands_at, step.pickup)
        if copy is None:
            return None
        return self._noted(step, self._town.title_of(copy), step.pickup)

    def _found(self, reader: int, stands_at: int, pickup: int) -> int | None:
        """A copy of some known book that is on one branch's shelf, and on no nearer one."""
        known = range(min(_KNOWN, len(self._town.titles)))
        for title in self._rng.sample(known, len(known)):
            adult = self._town.titles[title].audience == "adult"
            copy = self._waiting.nearest(title, pickup)
            if adult and copy is not None and not self._waiting.has(reader, title):
                planned = self._town.shelved[copy].planned
                if (planned.branch_index, planned.item_type) == (stands_at, "book"):
                    return copy
        return None

    def ask_for_out(self, step: AskForOut) -> Ask | None:
        queues, out = self._waiting.queues, map(self._town.title_of, self._stock.away)
        for title in sorted(set(out), key=lambda one: (abs(len(queues[one]) - step.others), one)):
            all_out = next(self._stock.standing(title), None) is None
            if all_out and not self._waiting.has(step.reader, title):
                return self._noted(step, title, self._home)
        return None

    def _noted(self, step: AskForAny, title: int, pickup: int) -> Ask:
        ask = Ask(at=step.at, reader=step.reader, title=title, pickup=pickup, comes=False)
        return self._waiting.noted(ask)
