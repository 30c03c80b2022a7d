"""Whatever desks do, at once or one after the other: no cent is in two counts, and none in none.

The totals of the sessions and what was settled outside add up to the ledger; a count, once made,
stays; and the log says the same.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from tests.circulation.desk import EVERYTHING, Desk
from tests.circulation.machine.ground import IN_MEMORY, Ground
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, Town
from tests.databases import Shelter

from lendery.circulation.models import TABLES, cash_session, ledger_line
from lendery.circulation.replay import replay
from lendery.contracts.base import Problem
from lendery.contracts.circulation import CashSession, CashSessionFilter, Payment
from lendery.contracts.permissions import Actor

log = TABLES.event
STAFF = (LIBRARIAN, ADMIN, Actor(id=UUID(int=9), role="librarian"))
WHO, WHERE, DESK = st.integers(0, 2), st.integers(0, 1), st.sampled_from(["front", "back"])
NAMED = st.sampled_from([None, "front", "back"])
METHOD = st.sampled_from(["cash", "cash", "cash", "card", "transfer"])
STEP = st.one_of(
    st.tuples(st.just("open"), WHO, WHERE, DESK),
    st.tuples(st.just("close"), WHO, st.integers(0, 3), st.integers(-20, 20)),
    st.tuples(st.just("pay"), WHO, WHERE, NAMED, METHOD, st.integers(1, 40)),
    st.tuples(st.just("pay"), WHO, WHERE, NAMED, METHOD, st.integers(1, 40)),
    st.tuples(st.just("undo"), WHO, WHERE, NAMED, st.integers(0, 4)),
    st.tuples(st.just("credit"), WHO, st.integers(1, 40)),
    st.tuples(st.just("refund"), WHO, WHERE, NAMED, METHOD, st.integers(1, 20)),
)
INTERLEAVING = st.lists(st.lists(STEP, min_size=1, max_size=5), min_size=1, max_size=12)


class Desks:
    """Three members of staff at two branches, a reader for each, and Dan, who has credit."""

    def __init__(self, town: Town, branches: list[UUID], people: list[UUID], dan: UUID) -> None:
        self.town, self.branches, self.people, self.dan = town, branches, people, dan
        self.paid: list[Payment] = []
        self.counted: dict[UUID, CashSession] = {}
        self.done = Counter[str]()

    async def at_once(self, steps: list[tuple[Any, ...]]) -> None:
        await asyncio.gather(*[self.step(*each) for each in steps])

    async def step(self, what: str, who: int, *how: Any) -> None:
        with suppress(Problem):
            await getattr(self, what)(Desk(self.town, actor=STAFF[who]), self.people[who], *how)
            self.done[what] += 1

    async def open(self, desk: Desk, _: UUID, where: int, name: str) -> None:
        await desk.open(self.branches[where], name, 100)

    async def close(self, desk: Desk, _: UUID, which: int, more: int) -> None:
        like = CashSessionFilter(open=True)
        found = (await self.town.cash.find(like=like, window=EVERYTHING, actor=ADMIN)).items
        if found:
            session = found[which % len(found)]
            closed = await desk.close(session, max(0, session.expected.amount + more))
            self.counted[closed.id] = closed

    async def pay(
        self, desk: Desk, who: UUID, where: int, name: str | None, method: Any, amount: int
    ) -> None:
        at = {"branch_id": self.branches[where], "desk": name, "method": method}
        self.paid.append(await desk.pay(who, amount, **at))

    async def undo(self, desk: Desk, _: UUID, where: int, name: str | None, which: int) -> None:
        if self.paid:
            at = {"branch_id": self.branches[where], "desk": name}
            await desk.undo(self.paid[-1 - which % len(self.paid)], **at)

    async def credit(self, desk: Desk, _: UUID, amount: int) -> None:
        """Something is charged, paid by transfer, and was wrong: it is credit."""
        fine = await desk.charge(self.dan, amount)
        await desk.pay(self.dan, amount, fine_ids=[fine.id], method="transfer")
        await desk.take_back(fine)

    async def refund(
        self, desk: Desk, _: UUID, where: int, name: str | None, method: Any, amount: int
    ) -> None:
        at = {"branch_id": self.branches[where], "desk": name, "method": method}
        await desk.refund(self.dan, amount, **at)

    async def must_add_up(self) -> None:
        async with self.town.db.snapshot() as session:
            lines = await session.rows(select(ledger_line).where(ledger_line.c.method.is_not(None)))
            rows = await session.rows(select(cash_session))
            events = await session.rows(select(log).order_by(log.c.seq))
        everything = await self.town.cash.find(
            like=CashSessionFilter(), window=EVERYTHING, actor=ADMIN
        )
        told = {each.id: each for each in everything.items}
        assert told.keys() == {row.id for row in rows}
        for session_id, counted in self.counted.items():
            assert told[session_id] == counted, "a count stays as it was made"
        for found in told.values():
            theirs = [line for line in lines if line.cash_session_id == found.id]
            assert _amounts(found.totals) == _sums(theirs)
            cash = -sum(line.amount for line in theirs if line.method == "cash")
            assert found.expected.amount == found.opening_float.amount + cash
        day = await self.town.cash.day(on=NOW.date(), branch_id=None, actor=ADMIN, now=NOW)
        by_desk = Counter[Any]()
        for each in day.desks:
            by_desk.update(_amounts(each.totals))
        by_branch = Counter[Any]()
        for branch in day.branches:
            by_branch.update(_amounts(branch.totals))
        assert by_desk == by_branch
        by_desk.update(_amounts(day.outside))
        assert by_desk == _sums(lines), "by day, by session and in the ledger it is the same"
        for payment in self.paid:
            sessions = {
                x.cash_session_id
                for x in lines
                if x.settlement_id == payment.id and x.kind == "payment"
            }
            assert sessions == {payment.cash_session_id}
        _in_order(events)


def _amounts(totals: Any) -> Counter[Any]:
    return Counter({(t.kind, t.method): t.amount.amount for t in totals})


def _sums(lines: list[Any]) -> Counter[Any]:
    found = Counter[Any]()
    for line in lines:
        found[line.kind, line.method] -= line.amount
    return found


def _in_order(events: list[Any]) -> None:
    """Whatever names a session was told while it was open."""
    open_: set[str] = set()
    for row in events:
        if row.name.endswith("CashSessionOpened"):
            open_.add(row.body["session_id"])
        elif row.name.endswith("CashSessionClosed"):
            open_.remove(row.body["session_id"])
        elif named := row.body.get("cash_session_id"):
            assert named in open_, row


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest, houses: Shelter) -> Iterator[Ground]:
    with ExitStack() as stack:
        sqlite = request.param == "sqlite"
        url = IN_MEMORY if sqlite else stack.enter_context(houses.url("postgres"))
        yield stack.enter_context(closing(Ground(url)))


def test_totals_are_the_ledger_under_any_interleaving(ground: Ground) -> None:
    examples = 100 if ground.url == IN_MEMORY else 30
    done = Counter[str]()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(INTERLEAVING)
    def play(rounds: list[list[tuple[Any, ...]]]) -> None:
        async def live() -> None:
            town, model = await ground.opened(NOW)
            *people, dan = [each.id for each in model.patrons]
            desks = Desks(town, list(model.branch_ids.values())[:2], people, dan)
            for each in people:
                await Desk(town).charge(each, 200)
            for steps in rounds:
                await desks.at_once(steps)
                await desks.must_add_up()
            assert (await replay(town.db)).found == 0
            done.update(desks.done)

        ground.run(live())

    play()
    assert set(done) == {"open", "close", "pay", "undo", "credit", "refund"}, done
