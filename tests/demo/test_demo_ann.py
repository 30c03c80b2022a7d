"""Ann, who may sign in, has an account that shows something, whatever the day."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.demo.standing import TODAY, Standing

from lendery.demo import ann, house
from lendery.demo.agenda import AskForOut, AskForStanding, Browse, Pay
from lendery.demo.hours import Hours
from lendery.demo.plan import Lend, Renew, Return

pytestmark = pytest.mark.xdist_group("demo library")
A_DAY = timedelta(days=1)


def test_ann_has_a_loan_that_is_late_and_one_that_is_not(town: Standing) -> None:
    late = [each for each in town.ann.loans if each.overdue]
    in_time = [each for each in town.ann.loans if not each.overdue and each.returned_at is None]

    assert [each.accrued.amount for each in late if each.accrued] == [300]
    assert len(late) == len(in_time) == 1
    assert any(each.returned_at for each in town.ann.loans)


def test_ann_has_a_hold_to_collect_and_one_to_wait_for(town: Standing) -> None:
    waiting, ready = town.ann.holds

    assert (ready.state, waiting.state) == ("ready", "waiting")
    assert ready.expires_on and TODAY < ready.expires_on <= TODAY + timedelta(days=10)
    assert waiting.position == 2


def test_ann_owes_one_fine_and_has_paid_another(town: Standing) -> None:
    money = town.ann.money

    assert [fine.amount for fine in money.fines] == [fine.outstanding for fine in money.fines]
    assert money.owed.amount == money.fines[0].amount.amount == 240
    assert [each.amount.amount for each in money.accruing] == [300]
    assert [each.kind for each in money.items[:3]] == ["charge", "payment", "charge"]


def story(home: int, today: date) -> list[Any]:
    lasting = SimpleNamespace(reader=SimpleNamespace(expires_on=today + A_DAY))
    town = SimpleNamespace(ann=0, seed=1, home_of=lambda reader: home, readers=[lasting] * 5)
    hours = Hours(house.opening, days=60, today=today)
    work = SimpleNamespace(town=town, stock=None, hours=hours)
    told: list[Any] = ann.Ann(cast(Any, work), cast(Any, None), cast(Any, None)).story()
    return told


def open_days(home: int, after: date, until: date) -> int:
    days = [after + number * A_DAY for number in range(1, (until - after).days + 1)]
    return sum(house.opening(home, day) is not None for day in days)


def next_open(home: int, day: date) -> date:
    while house.opening(home, day) is None:
        day += A_DAY
    return day


@pytest.mark.parametrize("home", range(len(house.BRANCHES)))
def test_anns_story_keeps_to_the_calendar_of_her_branch_on_every_day(home: int) -> None:
    for today in (date(2026, 1, 1) + number * A_DAY for number in range(0, 731, 2)):
        told = story(home, today)
        lent = {step.loan: step.at.date() for step in told if isinstance(step, Browse)}
        back = {step.loan: step.at.date() for step in told if isinstance(step, Return)}
        paid = [step.at.date() for step in told if isinstance(step, Pay)]
        for step in told:
            hours = house.opening(home, step.at.date())
            assert isinstance(step, (AskForOut, AskForStanding)) or (
                hours and hours[0] < step.at < hours[1]
            )
        for loan in (ann._PAID, ann._OWED, ann._LATE):
            due_on = next_open(home, lent[loan] + timedelta(days=21))
            assert open_days(home, due_on, back.get(loan, today - A_DAY)) > 1, "the grace"
        assert back[ann._PAID] in paid
        assert max(paid) <= back[ann._OWED] and max(lent.values()) <= back[ann._OWED]
        assert lent[ann._NEW] + timedelta(days=21) > today


@pytest.mark.parametrize("home", range(len(house.BRANCHES)))
def test_anns_copy_is_fetched_before_today_and_kept_beyond(home: int) -> None:
    for today in (date(2026, 1, 1) + number * A_DAY for number in range(0, 731, 2)):
        (asked,) = [
            step.at.date()
            for step in story(home, today)
            if isinstance(step, AskForStanding) and step.reader == 0
        ]
        fetched = next_open(home, asked + A_DAY)
        assert fetched < today
        assert open_days(home, fetched, today) < 7, "the days it is kept"


def test_what_ann_would_never_bring_back_is_not_planned() -> None:
    at = house.day_begins(TODAY)
    kept = [Lend(at=at, loan=1, reader=7, copy=1, branch=0), Renew(at=at, loan=1)]
    brought = [Lend(at=at, loan=2, reader=7, copy=2, branch=0), Return(at=at, loan=2, branch=0)]
    bens = [Lend(at=at, loan=3, reader=8, copy=3, branch=0)]

    assert ann.nothing_kept([*kept, *brought, *bens], 7) == [*brought, *bens]
