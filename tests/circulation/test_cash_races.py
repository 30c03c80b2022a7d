"""Two who open one desk, and payments while it is counted: everything is in one count, once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from tests.circulation.desk import EVERYTHING, Desk, euros
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.models import TABLES, cash_session, ledger_line
from lendery.circulation.replay import replay
from lendery.contracts.base import new_id
from lendery.contracts.circulation import (
    CashSession,
    CashSessionFilter,
    CashSessionRefused,
    Payment,
    PaymentRefused,
)
from lendery.platform.db import Database

READERS = 12


async def _lines(town: Town) -> list[Any]:
    async with town.db.read() as session:
        settled = ledger_line.c.method.is_not(None)
        return await session.rows(select(ledger_line).where(settled))


async def test_twenty_open_one_desk_and_one_of_them_does(url: str) -> None:
    db = Database(url, [TABLES], size=10)
    desk = Desk(Town(db))
    home = (await desk.town.branch()).id
    done = await asyncio.gather(
        *[desk.open(home, "front", number) for number in range(20)], return_exceptions=True
    )
    (opened,) = [each for each in done if isinstance(each, CashSession)]
    refused = [each for each in done if isinstance(each, CashSessionRefused)]
    assert len(refused) == 19 and {each.extra["reason"] for each in refused} == {"open-already"}
    found = await desk.town.cash.find(like=CashSessionFilter(), window=EVERYTHING, actor=LIBRARIAN)
    assert found.items == [opened]
    assert (await desk.names()).count("CashSessionOpened") == 1
    await db.close()


async def test_twenty_close_one_session_and_one_count_stands(url: str) -> None:
    db = Database(url, [TABLES], size=10)
    desk = Desk(Town(db))
    opened = await desk.open((await desk.town.branch()).id, "front", 100)
    done = await asyncio.gather(
        *[desk.close(opened, number) for number in range(20)], return_exceptions=True
    )
    (closed,) = [each for each in done if isinstance(each, CashSession)]
    assert sum(isinstance(each, CashSessionRefused) for each in done) == 19
    assert await desk.session(opened) == closed
    assert (await desk.names()).count("CashSessionClosed") == 1
    await db.close()


async def test_a_payment_that_meets_the_count_is_in_it_or_was_not_taken(url: str) -> None:
    """Twelve pay while the desk is counted and opened again, ten times."""
    db = Database(url, [TABLES], size=10)
    desk = Desk(Town(db))
    home = (await desk.town.branch()).id
    people = [desk.town.patrons.add(f"READER-{number}").id for number in range(READERS)]
    for each in people:
        await desk.charge(each, 10_000)
    opened, ended = await desk.open(home, "front", 500), Counter[str]()
    taken: list[Payment] = []

    async def pay(number: int) -> None:
        await asyncio.sleep(number % 4 * 0.001)
        try:
            taken.append(await desk.pay(people[number], 10, branch_id=home, desk="front"))
        except PaymentRefused as refused:
            ended[refused.extra["reason"]] += 1

    async def count(session: CashSession) -> tuple[CashSession, CashSession]:
        await asyncio.sleep(0.001)
        closed = await desk.close(session, 500)
        return closed, await desk.open(home, "front", 500)

    closed = []
    for _ in range(10):
        *_, (before, opened) = await asyncio.gather(
            *[pay(number) for number in range(READERS)], count(opened)
        )
        closed.append(before)
    closed.append(await desk.close(opened, 500))
    assert len(taken) + ended.total() == 10 * READERS and set(ended) <= {"desk-closed"}
    assert {each.cash_session_id for each in taken} <= {each.id for each in closed}
    lines = await _lines(desk.town)
    assert len(lines) == len(taken)
    for session in closed:
        theirs = [line for line in lines if line.cash_session_id == session.id]
        assert session.expected == euros(500 - sum(line.amount for line in theirs))
        assert session == await desk.session(session), "nothing came after the count"
    assert (await replay(db)).found == 0
    await db.close()


async def test_payments_that_name_no_desk_are_never_in_a_count_that_is_over(
    postgres_url: str,
) -> None:
    """Whoever takes cash while nobody has a session takes it outside; and then it is told there."""
    db = Database(postgres_url, [TABLES], size=10)
    desk = Desk(Town(db))
    home = (await desk.town.branch()).id
    people = [desk.town.patrons.add(f"READER-{number}").id for number in range(READERS)]
    for each in people:
        await desk.charge(each, 10_000)
    closed = []
    for _ in range(10):
        opened = await desk.open(home, "front")
        *_, counted = await asyncio.gather(
            *[desk.pay(each, 10, branch_id=home) for each in people],
            *[desk.pay(each, 10, branch_id=home, method="card") for each in people],
            desk.close(opened, 0),
        )
        closed.append(counted)
    day = await desk.town.cash.day(on=NOW.date(), branch_id=None, actor=LIBRARIAN, now=NOW)
    (front,) = day.desks
    outside = sum(total.amount.amount for total in day.outside)
    inside = sum(total.amount.amount for total in front.totals)
    assert inside + outside == 10 * READERS * 2 * 10
    assert front.cash.amount == -sum(each.difference.amount for each in closed if each.difference)
    assert {each.id for each in closed} == {each.id for each in front.sessions}
    await db.close()


async def test_a_session_that_is_held_is_closed_afterwards(postgres_url: str) -> None:
    """A payment that has not committed yet holds the count up; it does not fall out of it."""
    db = Database(postgres_url, [TABLES], size=4)
    desk = Desk(Town(db))
    opened = await desk.open((await desk.town.branch()).id, "front")
    held = select(cash_session.c.id).with_for_update(read=True)
    async with db.begin() as tx:
        await tx.run(held)
        closing = asyncio.create_task(desk.at(NOW + timedelta(hours=1)).close(opened, 30))
        await asyncio.sleep(0.2)
        assert not closing.done()
        line = {"id": new_id(), "borrower": new_id(), "kind": "payment", "amount": -30}
        more = {"currency": "EUR", "method": "cash", "at": NOW, "cash_session_id": opened.id}
        await tx.load(ledger_line, [line | more])
    closed = await closing
    assert (closed.expected, closed.difference) == (euros(30), euros(0))
    await db.close()
