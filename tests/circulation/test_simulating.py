"""Past loans replayed against a draft of the rules, as a job, on both databases."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, READER, Town

from lendery.circulation.jobs import LONG_JOBS, forget_simulations
from lendery.circulation.models import JOBS, difference, loan
from lendery.circulation.repository import simulated
from lendery.circulation.rule_versions import RuleRegister
from lendery.circulation.simulations import SimulationDesk
from lendery.contracts.base import Invalid, NotAllowed, Window, new_id
from lendery.contracts.circulation import (
    Difference,
    InvalidRuleTable,
    LoanRequest,
    NewRule,
    NoSuchRuleVersion,
    ReturnRequest,
    RuleDraft,
    Simulation,
)
from lendery.contracts.jobs import JobHasEnded, NoSuchJob
from lendery.platform.db import Database
from lendery.platform.queue import QueueRunner

DAY = timedelta(days=1)
EVERYTHING = Window(limit=100, total=True)
AFTERWARDS = NOW + 60 * DAY


@dataclass
class Lab:
    """A town with a past, and a queue that does what is asked."""

    town: Town
    settings: Any = field(default_factory=lambda: type("Settings", (), {"currency": "EUR"}))

    def __post_init__(self) -> None:
        self.db: Database = self.town.db
        self.queue = QueueRunner(self, self.db, {"circulation": (JOBS, LONG_JOBS)})
        self.desk = SimulationDesk(self.db, "EUR", self.queue.wake)

    async def live(self) -> None:
        """Ann is a week late with one of two books, Ben has a DVD; a shelf check besides."""
        home = (await self.town.branch("main")).id
        for parameter, value in (("loan_period", 21), ("fine", 20), ("max_loans_total", 9)):
            await self.town.rule(parameter, value)
        await self.town.rule("loan_period", 7, item_type="dvd")
        for card in ("ANN", "BEN"):
            self.town.patrons.add(card)
        for barcode, kind in (("b1", "book"), ("b2", "book"), ("d1", "dvd")):
            self.town.copies.add(barcode, home, item_type=kind)
        await self.lend("b1", "ANN", 0)
        await self.lend("b2", "ANN", 1)
        ben = await self.lend("d1", "BEN", 2)
        await self.town.desk.renew(loan_id=ben.id, actor=LIBRARIAN, now=NOW + 5 * DAY)
        for barcode, day in (("b1", 28), ("d1", 12), ("d1", 13)):
            request = ReturnRequest(barcode=barcode)
            await self.town.desk.check_in(request=request, actor=LIBRARIAN, now=NOW + day * DAY)

    async def lend(self, barcode: str, card: str, day: int) -> Any:
        request = LoanRequest(barcode=barcode, card_number=card)
        now = NOW + day * DAY
        return await self.town.desk.check_out(request=request, actor=LIBRARIAN, now=now)

    async def ask(self, text: str | None = None, **but: Any) -> Simulation:
        given: dict[str, Any] = {"text": text, "since": NOW - DAY, "until": AFTERWARDS} | but
        return await self.desk.start(draft=RuleDraft(**given), actor=ADMIN, now=datetime.now(UTC))

    async def simulate(self, text: str | None = None, **but: Any) -> Simulation:
        asked = await self.ask(text, **but)
        assert (asked.state, asked.counts) == ("queued", {})
        assert await self.queue.once()
        return await self.desk.get(simulation_id=asked.id, actor=LIBRARIAN)

    async def found(self, simulation: Simulation, kind: Any = None) -> list[Difference]:
        page = await self.desk.differences(
            simulation_id=simulation.id, kind=kind, window=EVERYTHING, actor=LIBRARIAN
        )
        assert page.total == len(page.items)
        return list(page.items)

    async def told(self, simulation: Simulation) -> list[tuple[str, str, Any, Any, bool]]:
        def plain(values: dict[str, Any]) -> Any:
            (value,) = values.values()
            return value[:10] if isinstance(value, str) else value

        return [
            (d.kind, d.event, plain(d.was), plain(d.would_be), d.certain)
            for d in await self.found(simulation)
        ]


@pytest.fixture
async def lab(town: Town) -> Lab:
    made = Lab(town)
    await made.live()
    return made


async def test_the_table_in_force_makes_no_difference(lab: Lab) -> None:
    told = await RuleRegister(lab.db).text(number=None, actor=ADMIN, at=NOW)
    for how in ({"text": told.text}, {"version": told.number}):
        done = await lab.simulate(**how)
        assert (done.state, done.progress, done.error) == ("done", 1.0, None)
        assert done.counts == {
            **{"check_outs": 3, "renewals": 1, "check_ins": 2},
            **{"fines_were": 140, "fines_would_be": 140},
        }
        assert await lab.found(done) == []


async def test_due_dates_blocks_and_fines_that_differ_are_listed(lab: Lab) -> None:
    done = await lab.simulate(
        "any: loan_period = 14, fine = 0.10 EUR, max_loans_total = 1\nitem=dvd: loan_period=7"
    )
    assert await lab.told(done) == [
        ("due-date", "check-out", "2026-03-23", "2026-03-16", True),
        ("due-date", "check-out", "2026-03-24", "2026-03-17", True),
        ("block", "check-out", [], ["loan-limit-total"], True),
    ], "fourteen days at ten cents are what seven at twenty were"
    assert done.counts == {
        **{"check_outs": 3, "renewals": 1, "check_ins": 2, "differences": 3},
        **{"due_dates": 2, "blocks": 1, "fines_were": 140, "fines_would_be": 140},
    }
    cheaper = await lab.simulate("any: loan_period = 21, fine = 0.10 EUR\nitem=dvd: loan_period=7")
    (fine,) = await lab.found(cheaper)
    assert (fine.kind, fine.was, fine.would_be) == ("fine", {"amount": 140}, {"amount": 70})
    assert (fine.category, fine.item_type, fine.no) == ("adult", "book", 1)
    assert (cheaper.counts["fines_were"], cheaper.counts["fines_would_be"]) == (140, 70)
    only = await lab.found(done, "block")
    assert [each.kind for each in only] == ["block"]


async def test_what_was_undone_never_was(lab: Lab) -> None:
    lent = await lab.lend("d1", "ANN", 50)
    came = await lab.town.desk.check_in(
        request=ReturnRequest(barcode="b2"), actor=LIBRARIAN, now=NOW + 50 * DAY
    )
    assert came.fine is not None
    for event_id in (lent.event_id, came.event_id):
        await lab.town.corrections.undo(event_id=event_id, actor=LIBRARIAN, now=NOW + 50 * DAY)
    done = await lab.simulate("any: loan_period = 21, fine = 0.20 EUR, max_loans_total = 9")
    counts = done.counts
    assert (counts["check_outs"], counts["check_ins"], counts["fines_were"]) == (3, 2, 140)
    assert [each.item_type for each in await lab.found(done)] == ["dvd"] * 2, "Ben's alone"


async def test_a_period_is_what_was_lent_in_it(lab: Lab) -> None:
    text = "any: loan_period = 14\nitem=dvd: loan_period=7"
    for since, until, due_dates in ((1, 2, 1), (1, 1.5, 1), (2, 60, 0), (0, 1, 1), (0, 60, 2)):
        done = await lab.simulate(text, since=NOW + since * DAY, until=NOW + until * DAY)
        assert done.counts.get("due_dates", 0) == due_dates, (since, until)


async def test_who_was_cut_off_cannot_be_judged(lab: Lab) -> None:
    async with lab.db.begin() as tx:
        await tx.run(update(loan).values(patron_id=None))
    done = await lab.simulate(
        "any: loan_period=21, fine = 0.20 EUR, max_loans_total = 1\nitem=dvd: loan_period=7"
    )
    assert {(d[0], *map(str, d[2:4])) for d in await lab.told(done)} == {
        ("undecidable", "[]", "['loan-limit-total']")
    }
    assert done.counts["undecidable"] == 3


async def test_a_simulation_that_was_interrupted_begins_again_and_finds_the_same(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "AT_ONCE", 2)
    text = "any: loan_period = 14\nitem=dvd: loan_period=3"
    whole = await lab.told(await lab.simulate(text))
    asked = await lab.ask(text)
    really, calls = simulated.add, 0

    async def breaks(tx: Any, rows: Any) -> None:
        nonlocal calls
        calls += 1
        await really(tx, rows)
        if calls == 3:
            lab.queue.stop()
            raise asyncio.CancelledError

    monkeypatch.setattr(simulated, "add", breaks)
    with pytest.raises(asyncio.CancelledError):
        await lab.queue.once()
    stopped = await lab.desk.get(simulation_id=asked.id, actor=ADMIN)
    assert stopped.state == "queued" and 0 < stopped.progress < 1
    assert 0 < len(await lab.found(stopped)) < len(whole)
    monkeypatch.setattr(simulated, "add", really)
    again = Lab(lab.town)
    assert await again.queue.once()
    assert await lab.told(stopped) == whole


async def test_a_simulation_is_stopped(lab: Lab) -> None:
    asked = await lab.ask("any: loan_period = 14")
    await lab.desk.cancel(simulation_id=asked.id, actor=ADMIN, now=AFTERWARDS)
    assert not await lab.queue.once()
    with pytest.raises(JobHasEnded):
        await lab.desk.cancel(simulation_id=asked.id, actor=ADMIN, now=AFTERWARDS)
    listed = await lab.desk.find(window=Window(), actor=LIBRARIAN)
    assert [(each.id, each.state) for each in listed.items] == [(asked.id, "cancelled")]


async def test_what_was_found_is_forgotten_after_a_month(lab: Lab) -> None:
    done = await lab.simulate("any: loan_period = 14")
    assert done.ended_at is not None
    for days, left in ((29, True), (31, False)):
        await forget_simulations(lab, done.ended_at + days * DAY)
        async with lab.db.read() as session:
            assert bool(await session.rows(select(difference))) is left
    assert (await lab.desk.get(simulation_id=done.id, actor=ADMIN)).counts == done.counts


async def test_a_draft_is_refused_before_anything_is_asked_for(lab: Lab) -> None:
    bad: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"text": "any: loan_period = x"}, InvalidRuleTable),
        ({"rows": [NewRule(parameter="fine", value=-1)]}, InvalidRuleTable),
        ({"version": 99}, NoSuchRuleVersion),
        ({}, Invalid),
        ({"text": "", "version": 1}, Invalid),
        ({"rows": [], "since": AFTERWARDS}, Invalid),
    ]
    for given, problem in bad:
        with pytest.raises(problem):
            await lab.ask(**given)
    for actor in (LIBRARIAN, READER):
        with pytest.raises(NotAllowed):
            draft = RuleDraft(rows=[], since=NOW)
            await lab.desk.start(draft=draft, actor=actor, now=AFTERWARDS)
    with pytest.raises(NoSuchJob):
        await lab.desk.get(simulation_id=new_id(), actor=ADMIN)
    assert (await lab.desk.find(window=Window(), actor=ADMIN)).items == []
