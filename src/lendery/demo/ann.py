"""Ann Reed, who may sign in: an account that shows what an account can show.

Two loans, one of them late; a hold to collect and one to wait for; a fine that is owed and one
that was paid. Until two months ago she borrows as the plan says.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from lendery.demo import plan
from lendery.demo.agenda import Ask, AskForAny, Browse, Pay, Step
from lendery.demo.people import Reader
from lendery.demo.town import Work
from lendery.demo.waiting import WaitingList

NAME = "Ann Reed"
_PAID, _OWED, _LATE, _NEW = -1, -2, -3, -4  # her last loans
_BY_PLAN_UNTIL = 60  # days before today
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

    def __init__(self, work: Work, waiting: WaitingList) -> None:
        self._town, self._stock, self._hours = work.town, work.stock, work.hours
        self._waiting, self._today = waiting, work.hours.days[-1] + timedelta(days=1)
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
        """What she will find, and what she will wait for, somebody else before her."""
        evening = self._evening(1)
        neighbour = next(
            number
            for number, each in enumerate(self._town.readers)
            if number != self._number and each.reader.expires_on > self._today
        )
        asks: list[Step] = [
            AskForAny(at=evening - timedelta(minutes=9), reader=neighbour, others=0),
            AskForAny(at=evening, reader=self._number, others=1),
        ]
        if found_on := self._open_on(3):  # when staff fetch it for her
            before = self._evening((self._today - found_on).days + 1)
            asks.append(AskForAny(at=before, reader=self._number, others=None))
        return asks

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
        copy = self._found()
        if copy is None:
            return None
        return plan.Lend(
            at=step.at, loan=step.loan, reader=step.reader, copy=copy, branch=self._home
        )

    def _found(self) -> int | None:
        """A copy of some known book that she finds on the shelf of her branch."""
        known = range(min(_KNOWN, len(self._town.titles)))
        for title in self._rng.sample(known, len(known)):
            if self._town.titles[title].audience == "adult" and not self._waiting.has(
                self._number, title
            ):
                for copy in self._stock.standing(title, self._home):
                    if self._town.shelved[copy].planned.item_type == "book":
                        return copy
        return None

    def ask(self, step: AskForAny) -> Ask | None:
        """What is held: found at once on Ann's branch's shelf, or with others before."""
        if step.others is None:
            copy = self._found()
            return None if copy is None else self._ask(step, self._town.title_of(copy))
        queues, wanted = self._waiting.queues, step.others
        out = {self._town.title_of(copy) for copy in self._stock.away}
        nearest = sorted(out, key=lambda title: (abs(len(queues[title]) - wanted), title))
        asks = (self._ask(step, title) for title in nearest if self._all_out(title))
        return next((ask for ask in asks if self._waiting.makes_sense(ask)), None)

    def _all_out(self, title: int) -> bool:
        return next(self._stock.standing(title), None) is None

    def _ask(self, step: AskForAny, title: int) -> Ask:
        return Ask(at=step.at, reader=step.reader, title=title, pickup=self._home, comes=False)
