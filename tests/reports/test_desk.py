"""Asking for reports: who may, in what order, in which pages, and where the lines are drawn."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lendery.contracts.base import Invalid, Money, NotAllowed, SignInNeeded, Window
from lendery.contracts.catalog import NewBook, NewCopy
from lendery.contracts.circulation import NewCharge, NewPayment, NewWaiver
from lendery.contracts.permissions import STRANGER, SYSTEM, Actor
from lendery.contracts.reports import Asked, NoSuchReport
from lendery.reports.rules.kinds import LISTED
from tests.reports.town import OPENED, Town

EARLY = {"since": OPENED.date() - timedelta(days=1)}


async def test_an_empty_library_has_empty_reports(town: Town) -> None:
    for info in LISTED:
        report = await town.read(info.name, total=True)
        if info.name == "overdue":
            assert [(row["branch"], row["overdue"]) for row in report.items] == [
                ("Aotea", 0),
                ("Brooklyn", 0),
                ("Central", 0),
            ]
        else:
            assert (report.items, report.total) == ([], 0)
        assert report.next_cursor is None
        assert report.columns == info.columns


async def test_reports_are_for_staff(town: Town) -> None:
    desk, reader = town.wiring.reports, Actor(id=uuid4(), role="reader")
    for actor, problem in ((STRANGER, SignInNeeded), (reader, NotAllowed)):
        with pytest.raises(problem):
            await desk.listed(actor=actor)
        with pytest.raises(problem):
            asked = Asked(name="overdue")
            await desk.read(asked=asked, window=Window(), actor=actor, as_of=OPENED)
    librarian = Actor(id=uuid4(), role="librarian")
    assert await desk.listed(actor=librarian) == list(LISTED)
    late = await desk.read(
        asked=Asked(name="overdue"), window=Window(), actor=librarian, as_of=OPENED
    )
    assert len(late.items) == 3


async def test_what_makes_no_sense_is_refused(town: Town) -> None:
    with pytest.raises(NoSuchReport):
        await town.read("loans")
    with pytest.raises(Invalid):
        await town.read("loans-by-day", sort="borrower")
    with pytest.raises(Invalid):
        await town.read("loans-by-day", since=date(2026, 2, 2), until=date(2026, 2, 1))
    with pytest.raises(Invalid):
        await town.read("loans-by-day", after="!!")


async def test_pages_fit_together_whatever_the_order(town: Town) -> None:
    await town.settle(readers=3, books=5, copies=3)
    readers = list(town.readers)
    for number, copy in enumerate(list(town.copies)[:9]):
        await town.lend(copy, readers[number % 3], number % 2)
    town.now += timedelta(days=900)
    for info in LISTED:
        for column in info.columns:
            if info.name in ("top-titles", "overdue") and column.sortable:
                await _in_pages(town, info.name, column.key, column.kind)


async def _in_pages(town: Town, name: str, key: str, kind: str) -> None:
    for sort in (key, f"-{key}"):
        asked: dict[str, Any] = {"sort": sort} | (EARLY if name == "top-titles" else {})
        whole = await town.read(name, **asked)
        assert len(whole.items) >= 3
        pages: list[Any] = []
        after = None
        while len(pages) < len(whole.items):
            page = await town.read(name, limit=4, after=after, total=True, **asked)
            assert page.total == len(whole.items)
            pages += page.items
            after = page.next_cursor
        assert pages == list(whole.items) and after is None
        values: list[Any] = [row[key] for row in whole.items if row[key] is not None]
        if kind in ("count", "day"):
            assert values == sorted(values, reverse=sort.startswith("-"))


NOON = datetime(2026, 3, 31, 12, tzinfo=OPENED.tzinfo)
STOCK = [
    (date(2024, 3, 31), date(2020, 1, 1), True),
    (date(2024, 4, 1), date(2020, 1, 1), False),
    (None, date(2024, 3, 31), True),
    (None, date(2024, 4, 1), False),
]


async def test_stock_is_dead_after_so_many_months(town: Town) -> None:
    dead = set()
    for lent_on, added_on, is_dead in STOCK:
        town.now = NOON.replace(year=added_on.year, month=added_on.month, day=added_on.day)
        await town.settle()
        copy, reader = list(town.copies)[-1], list(town.readers)[-1]
        if lent_on:
            town.now = NOON.replace(year=lent_on.year, month=lent_on.month, day=lent_on.day)
            await town.lend(copy, reader, 2)
        if is_dead:
            dead.add((str(copy), str(lent_on) if lent_on else None, str(added_on)))
    town.now = NOON
    rows = await town.rows("dead-stock", "copy_id", "last_lent_on", "added_on", months=24)
    assert len(rows) == 2 and set(rows) == dead


YEARS = {1989: 1980, 1990: 1990, 1999: 1990, 0: 0, 9: 0, -1: -10, -10: -10, -11: -20, None: None}


async def test_a_year_is_of_its_decade(town: Town) -> None:
    books = [NewBook(title=f"Of {year}", published_year=year) for year in YEARS]
    ids = await town.wiring.books.add_many(books=books, actor=SYSTEM, now=town.now)
    copies = [
        NewCopy(barcode=f"e{n}-{b}", book_id=id, branch_id=town.branches[n // 2])
        for b, id in enumerate(ids)
        for n in range(3)
    ]
    await town.wiring.copies.add_many(copies=copies, actor=SYSTEM, now=town.now)
    rows = await town.rows("collection-age", "published", "branch", "copies", "titles")
    many = {decade: list(YEARS.values()).count(decade) for decade in YEARS.values()}
    expected = {
        (None if decade is None else str(decade), branch, titles * each, titles)
        for decade, titles in many.items()
        for branch, each in (("Aotea", 2), ("Brooklyn", 1))
    }
    assert len(rows) == len(expected) and set(rows) == expected
    yearly = await town.rows("collection-age", "published", per="year", branch_id=town.branches[1])
    assert sorted(yearly, key=str) == sorted(
        ((str(y) if y is not None else None,) for y in YEARS), key=str
    )


async def test_money_is_told_by_the_desk_where_it_was_taken(town: Town) -> None:
    await town.settle()
    (copy,), (reader,) = town.copies, town.readers
    fees, branches = town.wiring.fees, town.branches

    def euros(amount: int) -> Money:
        return Money(amount=amount, currency="EUR")

    await town.lend(copy, reader, 0)
    town.now += timedelta(days=20)
    await town.take_back(copy, 1)  # late: charged where it came back
    late = (await fees.fines(patron_id=reader, window=Window(), actor=SYSTEM)).items[0]
    charge = NewCharge(patron_id=reader, amount=euros(500), reason="card")
    await fees.charge(charge=charge, actor=town.desk(2), now=town.now)
    paid = NewPayment(patron_id=reader, amount=euros(150))
    await fees.pay(payment=paid, actor=town.desk(2), now=town.now)
    waiver = NewWaiver(amount=euros(7), reason="Snow")
    nowhere = Actor(id=UUID(int=7), role="admin")
    open_one = (await fees.account(
        patron_id=reader, window=Window(), actor=SYSTEM, now=town.now)).fines[0]  # fmt: skip
    await fees.waive(fine_id=open_one.id, waiver=waiver, actor=nowhere, now=town.now)
    asked = {"since": town.now.date() - timedelta(days=2)}
    rows = await town.rows("money", "branch", "kind", "amount", **asked)
    assert sorted(rows, key=str) == [
        ("Brooklyn", "charge", late.amount.amount),
        ("Central", "charge", 500),
        ("Central", "payment", 150),
        (None, "waiver", 7),
    ]
    here = await town.rows("money-by-kind", "kind", "amount", branch_id=branches[2], **asked)
    assert here == [("charge", 500), ("payment", 150)]
