"""Circulation against the model: whatever anybody does, both say the same.

A step does one thing at the desks of a small town and asks the model what should have come of
it. Then everything is compared: answers, loans, holds, queues, copies, ledger and log.
"""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.circulation.machine.ground import STAFF
from tests.circulation.machine.holding_rules import HoldingRules
from tests.circulation.machine.lending_rules import LendingRules
from tests.circulation.machine.play import ONE_OF, TUNED, WHERE, Play, newest, step
from tests.circulation.machine.till_rules import TillRules
from tests.circulation.machine.undoing_rules import UndoingRules
from tests.circulation.machine.week import DAY
from tests.circulation.machine.world import BRANCHES, CLOCKS_CHANGE, HOUR

from lendery.contracts.circulation import NewTransportCost, NewTransportCosts

WAYS = [(away, to) for away in BRANCHES for to in BRANCHES if away != to]
COSTS = st.fixed_dictionaries({way: st.none() | st.integers(0, 4) for way in WAYS})
AROUND = st.sampled_from((-1, 0, 1, 3600))  # seconds: just before, just then, just after


class TimeAndRules(Play):
    """What nobody does at a desk: time goes by, and the rules are changed."""

    @step(5, minutes=st.integers(1, 400), days=st.integers(0, 6))
    def time_passes(self, minutes: int, days: int) -> None:
        self.now += timedelta(days=days, minutes=minutes)

    @step(4, one=ONE_OF, seconds=AROUND, days=st.sampled_from((0, 0, 1, 1, 2, 7, 8, 20)))
    def a_loan_falls_due(self, one: int, seconds: int, days: int) -> None:
        if loan := newest([each for each in self.model.loans if each.is_open], one):
            self._forward(loan.due_at + timedelta(days=days, seconds=seconds))

    @step(5, one=ONE_OF, seconds=AROUND)
    def the_last_day_on_the_shelf_ends(self, one: int, seconds: int) -> None:
        ends = [(hold.pickup, hold.expires_on) for hold in self.model.open_holds()]
        if end := newest([each for each in ends if each[1]], one):
            pickup, expires_on = end
            assert expires_on is not None
            day = self.model.week(pickup).midnight(expires_on + DAY)
            self._forward(day + timedelta(seconds=seconds))

    @step(2, where=WHERE, seconds=AROUND)
    def midnight_comes(self, where: str, seconds: int) -> None:
        week = self.model.week(where)
        self._forward(week.midnight(week.today(self.now) + DAY) + timedelta(seconds=seconds))

    @step(2, minutes=st.sampled_from((-90, -30, 0, 30)))
    def the_clocks_change(self, minutes: int) -> None:
        """Or the clock of the machine is set back by an hour."""
        later = [at for at in CLOCKS_CHANGE if at > self.now + HOUR]
        if minutes == -90 or not later or later[0] - self.now > 40 * DAY:
            self.now -= HOUR
        else:
            self._forward(later[0] + timedelta(minutes=minutes))

    def _forward(self, to: datetime) -> None:
        self.now = max(self.now, to)

    @step(2, costs=COSTS)
    def the_ways_cost_something_else(self, costs: dict[tuple[str, str], int | None]) -> None:
        listed = {way: cost for way, cost in costs.items() if cost is not None}
        ids = self.model.branch_ids
        rows = [
            NewTransportCost(from_branch_id=ids[away], to_branch_id=ids[to], cost=cost)
            for (away, to), cost in listed.items()
        ]
        told = self.town.transport.replace(
            costs=NewTransportCosts(rows=tuple(rows)), actor=STAFF, now=self.now
        )
        assert len(self.ground.run(told)) == len(listed)
        self.model.costs.clear()
        self.model.costs.update(listed)

    @step(3, tuned=TUNED)
    def a_rule_changes(self, tuned: tuple[Any, int]) -> None:
        self.tune(*tuned)


class Desks(LendingRules, HoldingRules, TillRules, UndoingRules, TimeAndRules):
    """Everything that may happen."""


def _steps() -> list[st.SearchStrategy[tuple[str, dict[str, Any]]]]:
    """The plain ones first: a failing example is made of them as far as may be."""
    methods = [(name, getattr(Desks, name)) for name in sorted(dir(Desks))]
    marked = [(name, *each.step) for name, each in methods if hasattr(each, "step")]
    marked.sort(key=lambda each: len(each[2]))
    return [
        st.tuples(st.just(name), st.fixed_dictionaries(given))
        for name, often, given in marked
        for _ in range(often)
    ]


class CirculationMachine(Desks):
    """Make a subclass with a `ground` to play on."""

    @rule(step=st.one_of(_steps()))
    def happens(self, step: tuple[str, dict[str, Any]]) -> None:
        name, given = step
        getattr(self, name)(**given)
