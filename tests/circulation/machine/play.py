"""What every step has: a town, the model of it, and both asked the same."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from tests.circulation.machine.ground import STAFF, Ground
from tests.circulation.machine.model import Copy, Model, Patron, Refused
from tests.circulation.machine.proof import Proof
from tests.circulation.machine.world import BRANCHES, READERS, STARTS, THINGS, TUNINGS, Scope
from tests.circulation.town import Town

from lendery.circulation.replay import replay
from lendery.contracts.base import Problem, RequestKey, new_id

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., None])
WHO = st.integers(0, 2 * len(READERS) - 1)
WHICH = st.integers(0, 4 * len(THINGS) - 1)
WHERE = st.sampled_from(list(BRANCHES))
TUNED = st.tuples(st.sampled_from(TUNINGS), st.integers(0, 4))
ONE_OF = st.integers(0, 11)  # of the loans, holds, charges there are: 0 is the newest


def step(often: int, **given: st.SearchStrategy[Any]) -> Callable[[F], F]:
    """Marks what may happen, and how often beside all the rest.

    One rule of the machine chooses among them all: of Hypothesis's own rules one is as likely as
    any other, and whole runs go without some of them.
    """

    def mark(method: F) -> F:
        method.step = often, given  # type: ignore[attr-defined]
        return method

    return mark


HOLD_STEPS = ("HoldPutBack", "HoldFulfilled", "HoldReady", "HoldSentOn")


@dataclass
class Mistake:
    """`told` is the desk's answer, `was` the model before; `holds` went a step further by it."""

    what: str
    told: Any
    was: Model
    at: datetime
    holds: tuple[UUID, ...]


class Play(RuleBasedStateMachine):
    """`steps`, `games`, `told` and `refused` count over all examples of a subclass."""

    ground: ClassVar[Ground]
    given: ClassVar[dict[tuple[str, Scope], Any]] = {}  # rules that hold from the beginning
    steps: ClassVar[int]
    games: ClassVar[int]
    told: ClassVar[Counter[str]]  # events by name
    refused: ClassVar[Counter[str]]  # by code

    town: Town
    model: Model
    proof: Proof
    now: datetime
    begun = False

    @initialize(start=st.sampled_from(STARTS), rules=st.lists(TUNED), more=st.lists(TUNED))
    def opens(self, start: datetime, rules: list[Any], more: list[Any]) -> None:
        self.now, self.begun = start, True
        self.town, self.model = self.ground.run(self.ground.opened(start))
        self.proof = Proof(self.town, self.model)
        self.last: tuple[Callable[[], Awaitable[Any]], Any] | None = None
        self.mistake: Mistake | None = None  # what was done last, while it can be undone
        for tuning, chosen in rules + more:
            self.tune(tuning, chosen)
        for (parameter, scope), value in self.given.items():
            self.tune((parameter, scope, (value,)), 0)

    def tune(self, tuning: Any, chosen: int) -> None:
        """Another value in the rule table, here and in the model."""
        parameter, scope, values = tuning
        value = values[chosen % len(values)]
        self.ground.run(self._write_rule(parameter, scope, value))
        self.model.rules[parameter, scope] = value

    async def _write_rule(self, parameter: str, scope: Any, value: Any) -> None:
        known = self.model.rule_ids.get((parameter, scope))
        if known is not None:
            change = {"rule_id": known, "changes": {"value": value}}
            await self.town.rules.change(actor=STAFF, now=self.now, **change)
            return
        branch, category, item_type = scope
        branch_id = branch and self.model.branch_ids[branch]
        self.model.rule_ids[parameter, scope] = await self.town.rule(
            parameter, value, branch_id=branch_id, category=category, item_type=item_type
        )

    def both(
        self, desk: Callable[..., Any], model: Callable[[Any], T], *, keyed: bool = True, **of: Any
    ) -> tuple[Any, T] | None:
        """The desk's answer and the model's; None where both refuse, and for the same reasons."""
        self.mistake = None
        if keyed:
            of["key"] = RequestKey(scope="desk", key=str(new_id()), fingerprint="same")
        now = self.now

        def ask() -> Awaitable[Any]:
            answer: Awaitable[Any] = desk(actor=STAFF, now=now, **of)
            return answer

        told = self.ground.run(_answer(ask()))
        self.last = (ask, told) if keyed and is_kept(told) else None
        try:
            expected = model(told)
        except Refused as refused:
            assert isinstance(told, Problem), f"allowed, but {set(refused.codes)}"
            assert codes_of(told) == refused.codes
            self.refused.update(refused.codes)
            return None
        assert not isinstance(told, Problem), f"refused: {told.code} {told.extra}"
        return told, expected

    def may_be_undone(self, what: str, told: Any, was: Model) -> None:
        """What was just done at a desk, and how the model was before."""
        steps = tuple(facts["hold_id"] for name, facts in self.model.told if name in HOLD_STEPS)
        self.mistake = Mistake(what, told, was, self.now, steps)

    def patron(self, who: int) -> Patron:
        """Half of the time one who is late."""
        patrons = self.model.patrons
        late = [loan.patron for loan in self.model.loans if loan.is_open and loan.due_at < self.now]
        some = late if late and who >= len(patrons) else patrons
        return some[who % len(some)]

    def copy(self, which: int) -> Copy:
        """Mostly one that somebody has or waits for: more happens to those."""
        copies = self.model.copies
        busy = [each for each in copies if self._is_busy(each)]
        return (
            busy[which % len(busy)]
            if busy and which >= len(copies)
            else copies[which % len(copies)]
        )

    def _is_busy(self, copy: Copy) -> bool:
        return not self.model.on_shelf(copy) or bool(self.model.waiting(copy.book))

    @step(2)
    def send_the_same_again(self) -> None:
        """A desk that heard no answer gets the one it did not hear, and nothing happens twice."""
        if self.last is not None:
            ask, told = self.last
            again = self.ground.run(_answer(ask()))
            if isinstance(told, Problem):
                assert isinstance(again, Problem)
                assert (again.code, again.extra) == (told.code, told.extra)
            else:
                assert again == told

    @invariant()
    def both_say_the_same(self) -> None:
        if self.begun:
            type(self).steps += 1
            self.told.update(name for name, _ in self.model.told)
            self.ground.run(self.proof.look(self.now))

    def teardown(self) -> None:
        """Now and then: does the log alone tell all that the tables say?"""
        if self.begun:
            type(self).games += 1
        if self.begun and self.games % 10 == 0:
            report = self.ground.run(replay(self.town.db))
            assert (report.found, report.named, report.unknown) == (0, [], {})


async def _answer(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except Problem as problem:
        return problem


def codes_of(problem: Problem) -> set[str]:
    """Why: the codes of its blocks, its reason, or what kind of problem it is."""
    if "blocks" in problem.extra:
        return {block["code"] for block in problem.extra["blocks"]}
    return {problem.extra.get("reason", problem.code)}


def is_kept(told: Any) -> bool:
    """Is this the answer that the same key gets again?"""
    return not isinstance(told, Problem) or "blocks" in told.extra or "reason" in told.extra


def newest(things: Sequence[T], one: int) -> T | None:
    return things[-1 - one % len(things)] if things else None
