"""What keeps the demo library's two years in order: the agenda, the shelves, what is asked for."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from lendery.demo.agenda import Agenda, Ask, Collect, Pay, Pull
from lendery.demo.copies import PlannedCopy, copies
from lendery.demo.lending import Lending
from lendery.demo.plan import Lend
from lendery.demo.stock import Stock
from lendery.demo.titles import titles
from lendery.demo.town import Built
from lendery.demo.waiting import Waiting, WaitingList
from lendery.demo.wishes import Wishes

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_agenda_goes_by_time_and_then_by_what_was_put_down_first() -> None:
    planned = [Lend(at=NOON, loan=number, reader=0, copy=0, branch=0) for number in range(2)]
    agenda = Agenda(planned, until=NOON + HOUR)
    early, same, last = (
        Pull(at=NOON - HOUR, title=1),
        Pull(at=NOON, title=2),
        Pay(at=NOON + HOUR, reader=1),
    )
    agenda.add(last, same, early, Pay(at=NOON + HOUR + timedelta(seconds=1), reader=2))

    taken = []
    while agenda.next is not None:
        taken.append(agenda.take())
    assert taken == [early, *planned, same, last]


def copy_of(title: int, branch: int, item_type: str = "book") -> PlannedCopy:
    return PlannedCopy(title_index=title, branch_index=branch, item_type=item_type)  # type: ignore[arg-type]


def test_a_reader_takes_another_copy_that_is_like_the_one_planned() -> None:
    shelf = [
        copy_of(0, 0), copy_of(0, 0, "dvd"), copy_of(0, 1), copy_of(1, 0), copy_of(0, 0),
    ]  # fmt: skip
    stock = Stock(shelf)

    assert stock.one_like(0) == 0
    stock.away.add(0)
    assert stock.one_like(0) == 4
    stock.away.add(4)
    assert stock.one_like(0) is None
    assert list(stock.standing(0)) == [1, 2]
    assert list(stock.standing(0, 1)) == [2]


def test_nobody_waits_for_what_is_not_lent() -> None:
    stock = Stock([copy_of(0, 0, "reference")])

    assert stock.lent_of(0) == 0
    assert list(stock.standing(0)) == []


@pytest.mark.parametrize(
    ("owned", "before", "asks"), [(1, 4, True), (1, 5, False), (9, 7, True), (9, 8, False)]
)
def test_nobody_joins_a_queue_that_is_too_long(owned: int, before: int, asks: bool) -> None:
    shelf = [copy_of(0, 0) for _ in range(owned)]
    stock = Stock(shelf)
    stock.away.update(range(owned))
    town: Any = SimpleNamespace(
        titles=list(titles(1)), seed=1, readers=[], wiring=SimpleNamespace(holds=None)
    )
    work: Any = SimpleNamespace(town=town, stock=stock, at_home=set(), built=Built())
    waiting = WaitingList(work)
    waiting.queues[0] = [cast(Any, None)] * before

    assert waiting.makes_sense(Ask(at=NOON, reader=3, title=0, pickup=0)) is asks


@pytest.mark.parametrize("state", ["waiting", "in-transit", "ended"])
def test_what_does_not_stand_on_the_hold_shelf_is_not_collected(state: Any) -> None:
    stock = Stock([copy_of(0, 0)])
    ask = Ask(at=NOON, reader=3, title=0, pickup=0)
    hold = Waiting(0, ask, UUID(int=1), state=state, copy=0)
    town: Any = SimpleNamespace(seed=1, readers=[], wiring=SimpleNamespace(loans=None))
    work: Any = SimpleNamespace(town=town, stock=stock, at_home=set(), built=Built())
    waiting: Any = SimpleNamespace(hold=lambda number: hold)

    collected = Lending(work, waiting, cast(Any, None)).collect(Collect(at=NOON, hold=0))
    assert (collected, stock.away, work.at_home) == (None, set(), set())


def test_readers_ask_for_what_the_town_talks_about_and_it_changes() -> None:
    listed = list(titles(2_000))
    stock = Stock(copies(listed, count=4_000, seed=1))

    def asked(day: date) -> Counter[int]:
        rng = random.Random(5)
        wishes = Wishes(listed, stock, readers=800, seed=3, rng=rng)
        found = [wishes.one("adult", day) for _ in range(2_000)]
        return Counter(title for title in found if title is not None)

    spring, next_day, summer = (
        asked(date(2026, 3, 2)),
        asked(date(2026, 3, 3)),
        asked(date(2026, 7, 1)),
    )
    talk = {title for title, times in spring.items() if times > 80 and stock.lent_of(title) < 5}
    assert spring == next_day
    assert 8 <= len(talk) <= 9
    assert sum(spring[title] for title in talk) > 900
    assert sum(summer[title] for title in talk) < 200
    assert all(listed[title].audience == "adult" for title in spring)


def test_nobody_asks_a_library_without_books_for_one() -> None:
    wishes = Wishes([], Stock([]), readers=800, seed=1, rng=random.Random(1))

    assert wishes.one("adult", date(2026, 3, 2)) is None
