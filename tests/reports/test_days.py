"""Which day it was, and which days are meant."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from lendery.contracts.base import Invalid
from lendery.contracts.circulation import NewOfflineBatch, NewOfflineDesk
from lendery.contracts.permissions import SYSTEM
from lendery.contracts.reports import Asked
from lendery.reports.rules.kinds import BY_NAME
from lendery.reports.rules.period import Order, Period, months_before, order_of, period_of
from tests.notebook import Notebook
from tests.reports.town import Town

TODAY = date(2026, 3, 31)
# Local clocks of Auckland (+13, from 5 April +12), New York (-5, from 8 March -4) and UTC.
BOUNDARIES = [
    (0, datetime(2026, 3, 1, 10, 59, 59, tzinfo=UTC), "2026-03-01"),
    (0, datetime(2026, 3, 1, 11, 0, 0, tzinfo=UTC), "2026-03-02"),
    (0, datetime(2026, 4, 5, 11, 59, 59, tzinfo=UTC), "2026-04-05"),
    (0, datetime(2026, 4, 5, 12, 0, 0, tzinfo=UTC), "2026-04-06"),
    (1, datetime(2026, 3, 8, 4, 59, 59, tzinfo=UTC), "2026-03-07"),
    (1, datetime(2026, 3, 8, 5, 0, 0, tzinfo=UTC), "2026-03-08"),
    (1, datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC), "2026-03-08"),
    (1, datetime(2026, 3, 9, 4, 0, 0, tzinfo=UTC), "2026-03-09"),
    (2, datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), "2026-02-28"),
    (2, datetime(2026, 3, 1, 0, 0, 0, tzinfo=UTC), "2026-03-01"),
]


async def test_a_loan_is_of_the_day_that_it_is_at_the_branch(town: Town) -> None:
    await town.settle(readers=2, copies=len(BOUNDARIES))
    for (desk, at, _), copy in zip(BOUNDARIES, town.copies, strict=True):
        town.now = at
        await town.lend(copy, list(town.readers)[desk % 2], desk)
    for desk, branch in enumerate(town.branches):
        days = [day for number, _, day in BOUNDARIES if number == desk]
        asked = {"since": date(2026, 1, 1), "until": date(2026, 12, 31), "branch_id": branch}
        rows = await town.rows("loans-by-day", "day", "lent", **asked)
        assert rows == [(day, days.count(day)) for day in sorted(set(days))]


async def test_both_ends_of_a_period_are_in_it(town: Town) -> None:
    await town.settle(readers=1, copies=4)
    (reader,) = town.readers
    for day, copy in zip((1, 2, 3, 4), town.copies, strict=True):
        town.now = datetime(2026, 3, day, 12, tzinfo=UTC)
        await town.lend(copy, reader, 2)
    asked = {"since": date(2026, 3, 2), "until": date(2026, 3, 3)}
    assert await town.rows("loans-by-day", "day", **asked) == [("2026-03-02",), ("2026-03-03",)]
    assert await town.rows("top-titles", "lent", **asked) == [(2,)]
    assert await town.rows("loans-by-category", "category", "lent", **asked) == [("adult", 2)]


async def test_what_is_left_out_ends_today_where_the_branch_is(town: Town) -> None:
    town.now = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
    here = await town.read("loans-by-day", branch_id=town.branches[0])
    assert (here.since, here.until) == (date(2026, 2, 1), date(2026, 3, 2))
    everywhere = await town.read("loans-by-day")
    assert everywhere.until == date(2026, 3, 1)
    assert here.branch == "Aotea" and everywhere.branch is None
    assert (await town.read("overdue")).since is None


async def test_a_book_from_the_drop_came_back_when_it_was_dropped(town: Town) -> None:
    await town.settle(copies=1)
    (copy,), (reader,) = town.copies, town.readers
    await town.lend(copy, reader, 2)
    town.now += timedelta(days=2)
    await town.take_back(copy, 2, back=timedelta(days=1))
    asked = {"since": date(2026, 1, 1)}
    rows = await town.rows("loans-by-day", "day", "lent", "returned", **asked)
    assert rows == [("2026-01-05", 1, 0), ("2026-01-06", 0, 1)]


async def test_what_a_desk_did_offline_is_of_the_day_when_it_did_it(town: Town) -> None:
    await town.settle(copies=1)
    (copy,), (reader,) = town.copies, town.readers
    branch, at = town.branches[2], town.now
    (who,) = await town.wiring.patrons.by_ids(ids=[reader])
    new = NewOfflineDesk(name="Bus", branch_id=branch)
    made = await town.wiring.offline_desks.register(desk=new, actor=SYSTEM, now=at)
    notes, barcode = Notebook.of(made.model_dump(mode="json")), town.copies[copy].barcode
    notes.write("check-out", barcode, who.card_number, at=at)
    notes.write("renewal", barcode, at=at + timedelta(days=1))
    notes.write("check-in", barcode, at=at + timedelta(days=2))
    town.now += timedelta(days=5)
    batch = {"id": uuid4(), "desk_id": made.id, "transactions": notes.pages}
    sent = NewOfflineBatch.model_validate(batch)
    await town.wiring.offline_batches.upload(batch=sent, actor=SYSTEM, now=town.now)
    rows = await town.rows("loans-by-day", "day", "lent", "renewed", "returned", since=at.date())
    assert rows == [("2026-01-05", 1, 0, 0), ("2026-01-06", 0, 1, 0), ("2026-01-07", 0, 0, 1)]


@pytest.mark.parametrize(
    ("since", "until", "period"),
    [
        (None, None, (date(2026, 3, 2), TODAY)),
        (date(2026, 3, 31), None, (TODAY, TODAY)),
        (date(2026, 4, 2), None, (date(2026, 4, 2), date(2026, 4, 2))),
        (None, date(2026, 1, 30), (date(2026, 1, 1), date(2026, 1, 30))),
        (None, date.min, (date.min, date.min)),
        (date.min, date.max, (date.min, date.max)),
    ],
)
def test_a_period_is_a_month_if_nothing_is_said(
    since: date | None, until: date | None, period: tuple[date, date]
) -> None:
    assert period_of(Asked(name="x", since=since, until=until), TODAY) == Period(*period)


def test_a_period_does_not_end_before_it_begins() -> None:
    asked = Asked(name="x", since=TODAY, until=TODAY - timedelta(days=1))
    with pytest.raises(Invalid) as refused:
        period_of(asked, TODAY)
    assert refused.value.extra["errors"][0]["parameter"] == "to"


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 3, 31), 24, date(2024, 3, 31)),
        (date(2026, 12, 1), 12, date(2025, 12, 1)),
        (date(2, 1, 1), 12, date(1, 1, 1)),
        (date(1, 12, 31), 11, date(1, 1, 31)),
        (date(1, 12, 31), 12, date.min),
    ],
)
def test_months_before(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, Order("lent", True)),
        ("lent", Order("lent", False)),
        ("-title", Order("title", True)),
    ],
)
def test_an_order(sort: str | None, order: Order) -> None:
    assert order_of(Asked(name="top-titles", sort=sort), BY_NAME["top-titles"]) == order


@pytest.mark.parametrize("sort", ["-", "--lent", "branch", "Lent", "lent;--", "lent desc", "1"])
def test_an_order_by_something_else_is_refused(sort: str) -> None:
    with pytest.raises(Invalid) as refused:
        order_of(Asked(name="loans-by-branch", sort=sort), BY_NAME["loans-by-branch"])
    assert refused.value.extra["errors"][0]["parameter"] == "sort"
