"""Two years of lending have the shape of real lending and break no law of nature."""

import time as clock
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from lendery.demo.copies import ItemType
from lendery.demo.people import Category, Reader, readers
from lendery.demo.plan import (
    MOST_OUT_AT_ONCE,
    Event,
    Lend,
    PlannedCopy,
    Renew,
    Return,
    copies,
    lending,
)
from lendery.demo.titles import Title, titles

TODAY = date(2026, 3, 2)
DAYS = {"book": 28, "audiobook": 21, "dvd": 7, "magazine": 7}
WEEKDAYS = (17, 18, 18, 15, 17, 13, 2)


def opening(branch: int, day: date) -> tuple[datetime, datetime] | None:
    """The first branch opens on Sundays too; nobody works at Christmas."""
    if (day.weekday() == 6 and branch > 0) or (day.month, day.day) == (12, 25):
        return None
    opens = datetime.combine(day, time(8 + branch), UTC)
    return opens, opens + timedelta(hours=9)


def loan_days(category: Category, item_type: ItemType) -> int | None:
    return None if item_type == "dvd" and category == "child" else DAYS.get(item_type)


@dataclass(frozen=True)
class Town:
    titles: Sequence[Title]
    copies: Sequence[PlannedCopy]
    readers: Sequence[Reader]
    events: Sequence[Event]
    seconds: float

    @property
    def loans(self) -> list[Lend]:
        return [event for event in self.events if isinstance(event, Lend)]


def a_town(*, books: int | None, owned: int, people: int, seed: int, days: int = 730) -> Town:
    listed = list(titles(books))
    bought = copies(listed, count=owned, seed=seed)
    everybody = readers(count=people, seed=seed, today=TODAY)
    began = clock.process_time()
    events = list(
        lending(
            titles=listed,
            copies=bought,
            readers=everybody,
            opening=opening,
            loan_days=loan_days,
            today=TODAY,
            seed=seed,
            days=days,
        )
    )
    return Town(listed, bought, everybody, events, clock.process_time() - began)


@pytest.fixture(scope="module")
def town() -> Town:
    return a_town(books=None, owned=45_000, people=800, seed=11)


@pytest.fixture(scope="module")
def village() -> Town:
    return a_town(books=400, owned=800, people=60, seed=5, days=200)


def test_the_same_seed_gives_the_same_plan(village: Town) -> None:
    again = a_town(books=400, owned=800, people=60, seed=5, days=200)
    other = a_town(books=400, owned=800, people=60, seed=6, days=200)

    assert again.copies == village.copies
    assert again.events == village.events
    assert other.copies != village.copies
    assert other.events != village.events


def test_two_years_make_the_expected_number_of_loans(town: Town) -> None:
    assert 40_000 <= len(town.loans) <= 45_000


def test_a_plan_is_drawn_in_seconds(town: Town) -> None:
    assert town.seconds < 6  # about two on a quiet machine


def test_everything_happens_in_order_and_before_today(town: Town) -> None:
    assert all(one.at <= other.at for one, other in pairwise(town.events))
    assert town.events[0].at.date() >= TODAY - timedelta(days=730)
    assert town.events[-1].at.date() < TODAY
    assert [event.loan for event in town.loans] == list(range(len(town.loans)))


def test_no_copy_is_out_twice_and_nobody_has_too_many(town: Town) -> None:
    lent: dict[int, Lend] = {}
    copies_out: set[int] = set()
    out: Counter[int] = Counter()
    for event in town.events:
        if isinstance(event, Lend):
            assert event.copy not in copies_out
            lent[event.loan] = event
            copies_out.add(event.copy)
            out[event.reader] += 1
            assert out[event.reader] <= MOST_OUT_AT_ONCE
        elif isinstance(event, Return):
            loan = lent.pop(event.loan)  # a loan ends once
            copies_out.remove(loan.copy)
            out[loan.reader] -= 1
        else:
            assert event.loan in lent


def test_a_copy_is_lent_by_its_own_branch_to_a_valid_card(town: Town) -> None:
    for loan in town.loans:
        copy, reader = town.copies[loan.copy], town.readers[loan.reader]
        assert copy.branch_index == loan.branch
        assert loan.at.date() <= reader.expires_on
        assert loan_days(reader.category, copy.item_type) is not None


def test_a_copy_given_back_elsewhere_travels_home_first(town: Town) -> None:
    travelling: dict[int, datetime] = {}
    lent: dict[int, Lend] = {}
    journeys = 0
    for event in town.events:
        if isinstance(event, Lend):
            lent[event.loan] = event
            if event.copy in travelling:
                assert event.at - travelling.pop(event.copy) >= timedelta(days=3)
        elif isinstance(event, Return) and event.branch != lent[event.loan].branch:
            travelling[lent[event.loan].copy] = event.at
            journeys += 1
    assert 0.05 < journeys / len(lent) < 0.11


def test_everything_happens_in_opening_hours(town: Town) -> None:
    branch_of = {loan.loan: loan.branch for loan in town.loans}
    for event in town.events:
        branch = branch_of[event.loan] if isinstance(event, Renew) else event.branch
        hours = opening(branch, event.at.date())
        assert hours is not None
        assert hours[0] <= event.at < hours[1]


def test_weekdays_have_their_shares(town: Town) -> None:
    by_weekday = Counter(loan.at.weekday() for loan in town.loans)
    for weekday, share in enumerate(WEEKDAYS):
        assert 100 * by_weekday[weekday] / len(town.loans) == pytest.approx(share, abs=3)


def test_renewals_come_in_time_and_as_often_as_in_life(town: Town) -> None:
    due: dict[int, date] = {}
    allowed: dict[int, int] = {}
    renewals = late = returned = 0
    for event in town.events:
        day = event.at.date()
        if isinstance(event, Lend):
            allowed[event.loan] = DAYS[town.copies[event.copy].item_type]
        elif isinstance(event, Renew):
            assert day <= due[event.loan]
            renewals += 1
        else:
            returned += 1
            late += day > due[event.loan]
            continue
        due[event.loan] = day + timedelta(days=allowed[event.loan])
    assert 0.55 <= renewals / len(town.loans) <= 0.75
    assert 0.05 < late / returned < 0.2
    assert 0.02 < 1 - returned / len(town.loans) < 0.08  # still out today


def test_few_titles_take_most_of_the_loans(town: Town) -> None:
    taken = Counter(town.copies[loan.copy].title_index for loan in town.loans)
    ranked = sorted(taken.values(), reverse=True)
    tenth = sum(ranked[: len(ranked) // 10])

    assert 0.45 <= tenth / len(town.loans) <= 0.70
    assert sum(taken[title] for title in range(100)) > sum(
        taken[title] for title in range(1_000, 1_100)
    )


def test_children_borrow_childrens_books_and_make_over_a_third_of_lending(town: Town) -> None:
    childrens = 0
    for loan in town.loans:
        for_children = town.titles[town.copies[loan.copy].title_index].audience == "child"
        assert for_children or town.readers[loan.reader].category != "child"
        childrens += for_children
    assert 0.3 < childrens / len(town.loans) < 0.45


def test_not_everybody_comes_every_month(town: Town) -> None:
    active: dict[tuple[int, int], set[int]] = {}
    for loan in town.loans:
        active.setdefault((loan.at.year, loan.at.month), set()).add(loan.reader)
    assert all(len(visitors) < 700 for visitors in active.values())
    assert len(set.union(*active.values())) > 700


def test_a_village_with_few_copies_lends_what_it_has(village: Town) -> None:
    assert village.events
    assert {copy.title_index for copy in village.copies} == set(range(400))


def test_nobody_borrows_from_a_library_that_never_opens() -> None:
    listed = list(titles(10))
    events = lending(
        titles=listed,
        copies=copies(listed, count=10, seed=1),
        readers=readers(count=5, seed=1, today=TODAY),
        opening=lambda branch, day: None,
        loan_days=loan_days,
        today=TODAY,
        seed=1,
    )

    assert list(events) == []


def test_nobody_borrows_on_cards_that_all_ran_out_long_ago() -> None:
    listed = list(titles(10))
    events = lending(
        titles=listed,
        copies=copies(listed, count=10, seed=1),
        readers=readers(count=5, seed=1, today=date(2020, 1, 1)),
        opening=opening,
        loan_days=loan_days,
        today=TODAY,
        seed=1,
        days=100,
    )

    assert list(events) == []


def test_a_loan_nobody_could_renew_in_time_is_not_renewed() -> None:
    def once_a_month(branch: int, day: date) -> tuple[datetime, datetime] | None:
        return opening(0, day) if day.day == 1 else None

    listed = list(titles(300))
    events = list(
        lending(
            titles=listed,
            copies=copies(listed, count=600, seed=1),
            readers=readers(count=40, seed=1, today=TODAY),
            opening=once_a_month,
            loan_days=lambda category, item_type: 14,
            today=TODAY,
            seed=1,
        )
    )

    assert {type(event) for event in events} == {Lend, Return}


def test_a_day_far_east_of_greenwich_keeps_the_order() -> None:
    def in_auckland(branch: int, day: date) -> tuple[datetime, datetime] | None:
        opens = datetime.combine(day, time(9), UTC) - timedelta(hours=13)
        return opens, opens + timedelta(hours=9)

    listed = list(titles(300))
    events = list(
        lending(
            titles=listed,
            copies=copies(listed, count=600, seed=1),
            readers=readers(count=40, seed=1, today=TODAY),
            opening=in_auckland,
            loan_days=loan_days,
            today=TODAY,
            seed=1,
            days=120,
        )
    )

    assert events
    assert all(one.at <= other.at for one, other in pairwise(events))
