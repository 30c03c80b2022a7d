"""The demo library's past under other rules, against sums that are done here a second time."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.demo.standing import NOW, Standing

from lendery.contracts.base import Window
from lendery.contracts.circulation import Difference, RuleDraft, Simulation
from lendery.contracts.permissions import SYSTEM
from lendery.demo import house
from lendery.main import wire
from lendery.platform.settings import Settings

pytestmark = pytest.mark.xdist_group("demo library")
DAY = timedelta(days=1)
HERE = ZoneInfo(house.ZONE)


def simulated(town: Standing, change: Any) -> tuple[Simulation, list[Difference]]:
    """All of the library's past, under the table in force with its text changed."""

    async def run() -> tuple[Simulation, list[Difference]]:
        wiring = wire(Settings(database_url=town.url), durable=False)
        told = await wiring.rule_versions.text(number=None, actor=SYSTEM, at=NOW)
        text = change(told.text)
        assert (text == told.text) == (change is unchanged)
        draft = RuleDraft(text=text, since=NOW - 400 * DAY, until=NOW + DAY)
        asked = await wiring.simulations.start(draft=draft, actor=SYSTEM, now=datetime.now(UTC))
        while await wiring.queue.once():
            pass
        done = await wiring.simulations.get(simulation_id=asked.id, actor=SYSTEM)
        every: list[Difference] = []
        after = None
        while True:
            page = await wiring.simulations.differences(
                simulation_id=asked.id,
                kind=None,
                window=Window(limit=1000, after=after),
                actor=SYSTEM,
            )
            every += page.items
            after = page.next_cursor
            if after is None:
                break
        await wiring.close()
        return done, every

    return asyncio.run(run())


def unchanged(text: str) -> str:
    return text


def test_the_table_in_force_makes_no_difference(town: Standing) -> None:
    done, differences = simulated(town, unchanged)
    assert (done.state, differences) == ("done", [])
    assert done.counts["check_outs"] == len(town.loans)
    assert done.counts["renewals"] == town.built.renewals
    assert done.counts["check_ins"] == town.built.returns
    late = sum(each.amount for each in town.lines if each.reason == "late")
    assert done.counts["fines_were"] == done.counts["fines_would_be"] == late > 0


def test_a_shorter_period_moves_what_was_lent_as_a_calendar_on_the_wall_says(
    town: Standing,
) -> None:
    done, differences = simulated(
        town,
        lambda text: text.replace("item=book:\n  loan_period = 21", "item=book: loan_period=14"),
    )
    loans = {each.id: each for each in town.loans}
    moved = {
        d.loan_id: date.fromisoformat(_day(d.would_be["due_at"]))
        for d in differences
        if (d.kind, d.event) == ("due-date", "check-out")
    }
    plain = [
        each
        for each in town.loans
        if each.item_type == "book" and not each.renewals and each.id in moved
    ]
    assert len(plain) > 100 and not any(loans[i].item_type != "book" for i in moved)
    for each in plain:
        due = each.lent_at.astimezone(HERE).date() + 14 * DAY
        while house.opening(town.branches[each.home_branch_id], due) is None:
            due += DAY
        assert moved[each.id] == due
    assert done.counts["due_dates"] == sum(d.kind == "due-date" for d in differences)


def test_a_lower_limit_would_have_stopped_who_had_as_many_out(town: Standing) -> None:
    done, differences = simulated(
        town, lambda text: text.replace("max_loans_total = 30", "max_loans_total = 4")
    )
    stopped = {d.loan_id for d in differences if d.kind == "block"}
    assert done.counts["blocks"] == len(stopped) == len(differences) > 0
    of = {d.category for d in differences}
    assert "child" not in of, "children have a limit of their own"
    for each in town.loans:
        had = sum(
            other.patron_id == each.patron_id
            and other.lent_at <= each.lent_at
            and other.id < each.id
            and (other.returned_at is None or other.returned_at > each.lent_at)
            for other in town.loans
        )
        if each.id in stopped:
            assert had >= 4
        elif had >= 4:
            assert town.categories[each.patron_id] == "child"


def _day(instant: str) -> str:
    return str(datetime.fromisoformat(instant).astimezone(HERE).date())
