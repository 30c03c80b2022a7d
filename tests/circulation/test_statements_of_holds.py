"""How often the database is asked for a hold or a payment: counted, and never more than ten."""

from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.circulation.desk import Desk, a_key
from tests.circulation.test_statements import asked as asked  # the fixture
from tests.circulation.town import NOW, Town

from lendery.circulation.models import TABLES
from lendery.contracts.circulation import HoldChanges
from lendery.platform.db import Database

LATE = NOW + timedelta(days=30)
MOST = 10
HOLDS = {  # BEGIN and COMMIT are two of them
    "a hold is placed": 9,
    "a return for who waits": 8,
    "a check-out of what is kept": 8,
    "a check-out of another copy": 9,
    "a late renewal while others wait": 9,
    "a late return that is sent on": 8,
    "a hold is cancelled": 7,
    "a hold is moved": 9,
    "a hold is looked at": 2,
    "a queue is looked at": 2,
}
TILL = {
    "a charge by hand": 6,
    "a waiver": 7,
    "a payment of three charges": 7,
    "a cancellation": 9,
    "a refund": 7,
    "an account": 4,
}


class Counting:
    """A desk where everybody has met everybody, and what each request asked."""

    def __init__(self, desk: Desk, asked: list[str], keyed: bool) -> None:
        self.desk, self.asked, self.keyed = desk, asked, keyed
        self.counts: dict[str, int] = {}

    def key(self, what: str) -> Any:
        return a_key(what) if self.keyed else None

    async def count(self, what: str, call: Awaitable[Any]) -> Any:
        self.asked.clear()
        answer = await call
        words = [query.split()[0] for query in self.asked]
        assert "COMMIT" not in words or words[-1] == "COMMIT", words
        assert len(words) <= MOST, (what, words)
        self.counts[what] = len(words)
        return answer


@pytest_asyncio.fixture
async def desk(postgres_url: str, asked: list[str]) -> AsyncIterator[Desk]:
    db = Database(postgres_url, [TABLES])
    desk = Desk(Town(db))
    await desk.rules(loan_period=21, fine=20, hold_fee=50, renew_from="due-date")
    yield desk
    await db.close()


async def lending(c: Counting) -> None:
    desk = c.desk
    home, away = await desk.town.branch(), await desk.town.branch("away")
    for card in ("ANN", "BEN", "CLEO", "DAN"):
        desk.town.patrons.add(card)
    copy = desk.town.copies.add("b1", home.id)
    other = desk.town.copies.add("b2", home.id, book_id=copy.book_id)
    await desk.cancel(await desk.wait("DAN", home.id, book_id=copy.book_id))
    for barcode, card in (("b1", "CLEO"), ("b2", "DAN"), ("b1", "ANN"), ("b1", "BEN")):
        await desk.lend(barcode, card)  # everybody meets everybody
        await desk.bring(barcode)

    place = desk.wait("ANN", home.id, book_id=copy.book_id, key=c.key("place"))
    first = await c.count("a hold is placed", place)
    await desk.lend("b1", "CLEO")
    await c.count("a return for who waits", desk.bring("b1", key=c.key("for Ann")))
    assert (await desk.hold(first)).state == "ready"
    await c.count("a check-out of what is kept", desk.lend("b1", "ANN", key=c.key("kept")))
    await desk.bring("b1")

    second = await desk.wait("BEN", home.id, book_id=copy.book_id)
    await desk.bring("b1")
    await c.count("a check-out of another copy", desk.lend("b2", "BEN", key=c.key("other")))
    assert (await desk.hold(second)).state == "fulfilled"
    await desk.bring("b2")

    loan = await desk.lend("b1", "CLEO")
    third = await desk.wait("ANN", away.id, book_id=copy.book_id)
    late = desk.at(LATE)
    renew = late.renew(loan, key=c.key("renew"))
    renewed = await c.count("a late renewal while others wait", renew)
    assert renewed.renewals == 1
    later = desk.at(LATE + timedelta(days=60))
    await desk.town.shelf.flag(copy_id=other.id, flag="missing", **desk.here)
    back = await c.count("a late return that is sent on", later.bring("b1", key=c.key("late")))
    assert back.fine is not None and back.hold is not None and back.next == "transit"

    await c.count("a hold is cancelled", desk.cancel(third))
    fourth = await desk.wait("DAN", away.id, book_id=copy.book_id)
    changes = HoldChanges(pickup_branch_id=home.id)
    holds = desk.town.holds
    moved = holds.change(hold_id=fourth.id, changes=changes, **desk.here)
    await c.count("a hold is moved", moved)
    await desk.hold(fourth)  # the first look in ten minutes is written down
    await c.count("a hold is looked at", desk.hold(fourth))
    await c.count("a queue is looked at", desk.queue(copy.book_id))


async def paying(c: Counting) -> None:
    desk = c.desk
    ann = desk.town.patrons.add("ANN").id
    await desk.charge(ann, 100)
    await desk.account(ann)
    fine = await c.count("a charge by hand", desk.charge(ann, 100, key=c.key("charge")))
    await desk.charge(ann, 100)
    await c.count("a waiver", desk.waive(fine, 50, key=c.key("waive")))
    paid = await c.count("a payment of three charges", desk.pay(ann, 250, key=c.key("pay")))
    assert len(paid.allocated) == 3
    await c.count("a cancellation", desk.take_back(fine, key=c.key("wrong")))
    await c.count("a refund", desk.refund(ann, 50, key=c.key("out")))
    await c.count("an account", desk.account(ann))


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "with a key"])
async def test_holds_ask_no_more_than_they_must(desk: Desk, asked: list[str], keyed: bool) -> None:
    counting = Counting(desk, asked, keyed)
    await lending(counting)
    assert counting.counts == HOLDS


@pytest.mark.parametrize("keyed", [False, True], ids=["plain", "with a key"])
async def test_the_till_asks_no_more_than_it_must(
    desk: Desk, asked: list[str], keyed: bool
) -> None:
    counting = Counting(desk, asked, keyed)
    await paying(counting)
    assert counting.counts == TILL
