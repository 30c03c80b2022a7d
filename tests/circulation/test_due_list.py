"""What is due, late or ready, and for whom, as those who write to readers ask."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update
from tests.circulation.desk import Desk, euros
from tests.circulation.town import NOW, Town

from lendery.circulation.due_list import DueBook
from lendery.circulation.models import hold, ledger_line, loan
from lendery.contracts.circulation import DueLoan, DuePlace

ANN, BEN = "1000000008", "1000000016"
FOR_EVER = NOW + timedelta(days=4000)


@pytest.fixture
def book(town: Town) -> DueBook:
    return DueBook(town.db)


async def _listed(book: DueBook, most: int = 100) -> list[DueLoan]:
    found: list[DueLoan] = []
    place = None
    while page := await book.due(until=FOR_EVER, after=place, most=most, now=NOW):
        found += page
        place = DuePlace(due_at=page[-1].due_at, loan_id=page[-1].loan_id)
    return found


async def test_open_loans_come_in_the_order_of_their_due_dates(town: Town, book: DueBook) -> None:
    home, desk = await town.branch(time_zone="America/New_York"), Desk(town)
    await desk.rules(loan_period=21)
    ann = town.patrons.add(ANN)
    town.patrons.add(BEN)
    copies = [town.copies.add(f"b{number}", home.id) for number in range(5)]
    lent = [
        await desk.at(NOW + timedelta(days=days)).lend(each.barcode, card)
        for each, days, card in zip(copies, (3, 0, 3, 1, 2), (ANN, BEN, ANN, ANN, BEN), strict=True)
    ]
    await desk.bring(copies[4].barcode)
    still = sorted(lent[:4], key=lambda each: (each.due_at, each.id))
    for most in (1, 2, 100):
        assert [each.loan_id for each in await _listed(book, most)] == [e.id for e in still]
    assert (
        await book.due(until=still[1].due_at, after=None, most=9, now=NOW)
        == (await _listed(book))[:2]
    )
    first = await book.loan(loan_id=lent[0].id, now=NOW)
    assert first is not None and first in await _listed(book)
    assert (first.patron_id, first.branch, first.time_zone) == (
        ann.id, home.name, "America/New_York",
    )  # fmt: skip
    assert first.due_at == lent[0].due_at
    assert first.due_on == (lent[0].due_at - timedelta(hours=12)).date(), "by the branch's clock"
    assert await book.loan(loan_id=lent[4].id, now=NOW) is None


async def test_a_hold_says_whose_it_is_and_where_it_waits(town: Town, book: DueBook) -> None:
    home, desk = await town.branch(), Desk(town)
    await desk.rules(loan_period=21, pickup_days=7)
    ann, copy = town.patrons.add(ANN), town.copies.add("b1", home.id)
    placed = await desk.wait(ANN, home.id, book_id=copy.book_id)
    waiting = await book.hold(hold_id=placed.id, now=NOW)
    assert waiting is not None and (waiting.state, waiting.expires_on) == ("waiting", None)
    await desk.bring("b1")
    ready = await book.hold(hold_id=placed.id, now=NOW)
    assert ready is not None and ready.expires_on is not None
    assert (ready.state, ready.patron_id, ready.branch) == ("ready", ann.id, home.name)
    until = ready.expires_on
    assert await book.expiring(until=until, after=None, most=9, now=NOW) == [ready]
    assert await book.expiring(until=until - timedelta(days=1), after=None, most=9, now=NOW) == []
    assert await book.expiring(until=until, after=placed.id, most=9, now=NOW) == []


async def test_a_payment_is_told_as_one(town: Town, book: DueBook) -> None:
    desk, ann = Desk(town), town.patrons.add(ANN)
    fines = [await desk.charge(ann.id, 300), await desk.charge(ann.id, 200)]
    charged = await book.charge(fine_id=fines[0].id)
    assert charged is not None
    assert (charged.patron_id, charged.reason) == (ann.id, "card")
    assert (charged.amount, charged.balance) == (euros(300), euros(500))
    paid = await desk.pay(ann.id, 400)
    told = await book.payment(settlement_id=paid.id)
    assert told is not None and (told.amount, told.balance) == (euros(400), euros(100))
    assert told.method == "cash"


async def test_whose_link_was_cut_is_told_of_no_more(town: Town, book: DueBook) -> None:
    home, desk = await town.branch(), Desk(town)
    await desk.rules(loan_period=21)
    ann, copy = town.patrons.add(ANN), town.copies.add("b1", home.id)
    town.patrons.add(BEN)
    lent = await desk.lend("b1", ANN)
    placed = await desk.wait(BEN, home.id, book_id=copy.book_id)
    fine = await desk.charge(ann.id, 300)
    paid = await desk.pay(ann.id, 300)
    async with town.db.begin() as tx:
        for table in (loan, hold, ledger_line):
            await tx.run(update(table).values(patron_id=None))
    assert await _listed(book) == []
    assert (
        await book.loan(loan_id=lent.id, now=NOW)
        is await book.hold(hold_id=placed.id, now=NOW)
        is None
    )
    assert await book.charge(fine_id=fine.id) is await book.payment(settlement_id=paid.id) is None
    assert await book.charge(fine_id=uuid4()) is None
