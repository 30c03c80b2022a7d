"""Everybody at work in the demo library, day by day: what is on the agenda is prepared and done.

Most steps go together with others that they do not touch; the agenda is kept in the order of time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from lendery.demo import agenda, plan
from lendery.demo.agenda import Step
from lendery.demo.ann import Ann
from lendery.demo.lending import Lending
from lendery.demo.paying import Cashier
from lendery.demo.town import Work
from lendery.demo.waiting import WaitingList

AT_ONCE = 64
Mark = tuple[str, int]


def _as_it_is(step: Any) -> Any:
    return step


def _nothing(step: Any, outcome: Any) -> None:
    return None


@dataclass(frozen=True)
class Act:
    """How a kind of step is done, and what is noted of its outcome, in the order of time.

    `prepare` looks whether there is still something to do, and with what: the step that is done,
    maybe of another kind, or None.
    """

    prepare: Callable[[Any], Step | None] = _as_it_is
    do: Callable[[Any], Awaitable[Any]] | None = None
    note: Callable[[Any, Any], None] = _nothing


class Desk:
    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting = waiting = WaitingList(work)
        cashier = Cashier(work)
        self._lending = lending = Lending(work, waiting, cashier)
        ann = Ann(work, lending, waiting)
        work.agenda.add(*ann.story())
        self._acts: dict[type, Act] = {
            plan.Lend: Act(lending.lend, lending.check_out, lending.lent),
            plan.Renew: Act(lending.still_out, lending.renew, lending.renewed),
            plan.Return: Act(lending.still_out, lending.take_back, lending.came_back),
            agenda.TakeIn: Act(do=lending.take_in, note=lending.taken_in),
            agenda.Collect: Act(lending.collect),
            agenda.Ask: Act(waiting.ask, waiting.place, waiting.placed),
            agenda.Suspend: Act(waiting.still_waits, waiting.suspend, waiting.suspended),
            agenda.Cancel: Act(waiting.is_open, waiting.cancel, waiting.cancelled),
            agenda.Pull: Act(waiting.pull),
            agenda.Midnight: Act(do=waiting.expire, note=waiting.expired),
            agenda.Charge: Act(do=cashier.charge, note=cashier.charged_by_hand),
            agenda.Pay: Act(do=cashier.pay_all),
            agenda.Browse: Act(ann.browse),
            agenda.AskForStanding: Act(ann.ask_for_standing),
            agenda.AskForOut: Act(ann.ask_for_out),
        }

    async def work(self, *, a_day_begins: Callable[[], None]) -> None:
        """All of the agenda, and what comes on it meanwhile."""
        while self._work.agenda.next is not None:
            together = self._together()
            outcomes = await asyncio.gather(*[self._do(step) for step in together])
            for step, outcome in zip(together, outcomes, strict=True):
                self._acts[type(step)].note(step, outcome)
                if isinstance(step, agenda.Midnight):
                    a_day_begins()

    async def _do(self, step: Step) -> Any:
        do = self._acts[type(step)].do
        assert do is not None, f"{step} is only prepared"
        return await do(step)

    def _together(self) -> list[Step]:
        """The next steps of which none needs an earlier one's outcome, so they may go together.

        They are of one day, since what follows from an outcome comes on a later one.
        """
        found: list[Step] = []
        touched: set[Mark] = set()
        while len(found) < AT_ONCE and (step := self._work.agenda.next) is not None:
            alone, marks = isinstance(step, agenda.ALONE), self._marks(step)
            if found and (alone or marks & touched or step.at.date() != found[0].at.date()):
                break
            self._work.agenda.take()
            if (ready := self._acts[type(step)].prepare(step)) is not None:
                found.append(ready)
                touched |= marks
            if alone:
                break
        return found

    def _marks(self, step: Step) -> set[Mark]:
        """The reader and the title that a step is about."""
        title_of = self._work.town.title_of
        match step:
            case plan.Lend(reader=reader, copy=copy):
                return {("reader", reader), ("title", title_of(copy))}
            case plan.Renew(loan=loan) | plan.Return(loan=loan):
                known = self._lending.who_and_what(loan)
                return {("reader", known[0]), ("title", known[1])} if known else set()
            case agenda.Ask(reader=reader, title=title):
                return {("reader", reader), ("title", title)}
            case (
                agenda.Suspend(hold=number)
                | agenda.Cancel(hold=number)
                | agenda.Collect(hold=number)
            ):
                ask = self._waiting.hold(number).ask
                return {("reader", ask.reader), ("title", ask.title)}
            case agenda.Pull(title=title):
                return {("title", title)}
            case agenda.TakeIn(copy=copy):
                return {("title", title_of(copy))}
            case agenda.Charge(reader=reader) | agenda.Pay(reader=reader):
                return {("reader", reader)}
        return set()
