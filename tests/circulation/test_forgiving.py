"""What is forgiven, what was wrong and is taken back, and credit that is used or paid out."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from tests.circulation.desk import Desk, a_key, euros
from tests.circulation.town import Town

from lendery.circulation.models import ledger_line
from lendery.circulation.replay import replay
from lendery.contracts.base import Money
from lendery.contracts.circulation import (
    Cancellation,
    CreditRefunded,
    FineCancelled,
    FineWaived,
    FineWrittenOff,
    NewWaiver,
    RefundRefused,
    UndoRefused,
    WaiverRefused,
)

WRONG = Cancellation(reason="It was on the shelf")
DOLLAR = Money(amount=100, currency="USD")


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest.fixture
def ann(town: Town) -> UUID:
    return town.patrons.add("ANN").id


# forgiving


async def test_a_charge_is_forgiven_in_part_and_then_the_rest(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 500)
    assert (await desk.waive(fine, 200)).outstanding == euros(300)
    assert (await desk.waive(fine)).outstanding == euros(0)
    assert await desk.stands(ann) == (0, 0, 0, [])
    told = [event for event in await desk.told() if isinstance(event, FineWaived)]
    assert [(event.fine_id, event.amount) for event in told] == [(fine.id, 200), (fine.id, 300)]
    async with desk.refuses(WaiverRefused, "nothing-owed"):
        await desk.waive(fine)


async def test_what_nobody_will_pay_is_written_off_and_stays_so(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 500)
    assert (await desk.waive(fine, 100)).outstanding == euros(400)
    key = a_key("off")
    off = await desk.write_off(fine, 150, key=key)
    assert off.outstanding == euros(250) and off.event_id is None
    assert await desk.write_off(fine, 150, key=key) == off, "the same answer, and nothing twice"
    assert (await desk.write_off(fine)).outstanding == euros(0)
    assert await desk.stands(ann) == (0, 0, 0, [])
    told = [event for event in await desk.told() if isinstance(event, FineWrittenOff)]
    assert [(event.fine_id, event.amount) for event in told] == [(fine.id, 150), (fine.id, 250)]
    async with desk.refuses(WaiverRefused, "nothing-owed"):
        await desk.write_off(fine)
    for code, amount in (("not-positive", 0), ("wrong-currency", DOLLAR)):
        async with desk.refuses(WaiverRefused, code):
            await desk.write_off(fine, amount)
    async with desk.refuses(UndoRefused, "not-undoable"):
        await desk.town.corrections.undo(event_id=told[0].id, **desk.here)
    async with desk.refuses(WaiverRefused, "nothing-owed"):
        await desk.town.fees.cancel(
            fine_id=fine.id, cancellation=Cancellation(reason="Wrong"), **desk.here
        )
    assert (await replay(desk.town.db)).found == 0


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (501, "more-than-owed"),
        (0, "not-positive"),
        (-1, "not-positive"),
        (DOLLAR, "wrong-currency"),
    ],
)
async def test_only_what_is_owed_is_forgiven(
    desk: Desk, ann: UUID, amount: int | Money, code: str
) -> None:
    fine = await desk.charge(ann, 500)
    async with desk.refuses(WaiverRefused, code):
        await desk.waive(fine, amount)


@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": "  "}, {"reason": None}])
def test_nothing_is_forgiven_without_a_reason(reason: dict[str, Any]) -> None:
    for kind in (NewWaiver, Cancellation):
        with pytest.raises(ValidationError):
            kind(**reason)


async def test_why_it_was_forgiven_stays_out_of_the_log(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 500)
    await desk.waive(fine, 200)
    told = (await desk.told())[-1]
    assert isinstance(told, FineWaived)
    assert "First time" not in str(told)
    assert (await desk.town.row(ledger_line, told.line_id)).note == "First time"


# taking back


async def test_a_wrong_charge_is_taken_back(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 500)
    assert (await desk.take_back(fine)).outstanding == euros(0)
    assert await desk.stands(ann) == (0, 0, 0, [])
    told = (await desk.told())[-1]
    assert isinstance(told, FineCancelled) and (told.fine_id, told.amount) == (fine.id, 500)
    async with desk.refuses(WaiverRefused, "cancelled-before"):
        await desk.take_back(fine)
    async with desk.refuses(WaiverRefused, "nothing-owed"):
        await desk.waive(fine)


@pytest.mark.parametrize(("paid", "credit"), [(0, 0), (200, 200), (500, 500)])
async def test_what_was_paid_of_it_is_credit(desk: Desk, ann: UUID, paid: int, credit: int) -> None:
    fine = await desk.charge(ann, 500)
    if paid:
        await desk.pay(ann, paid)
    await desk.take_back(fine)
    assert await desk.stands(ann) == (-credit, 0, credit, [])


@pytest.mark.parametrize(("waived", "paid"), [(200, 300), (200, 100), (200, 0), (499, 1)])
async def test_what_was_forgiven_of_it_is_not_paid_out(
    desk: Desk, ann: UUID, waived: int, paid: int
) -> None:
    fine = await desk.charge(ann, 500)
    await desk.waive(fine, waived)
    if paid:
        await desk.pay(ann, paid)
    await desk.take_back(fine)
    assert await desk.stands(ann) == (-paid, 0, paid, [])


async def test_what_was_forgiven_altogether_cannot_be_taken_back(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 500)
    await desk.waive(fine)
    async with desk.refuses(WaiverRefused, "nothing-owed"):
        await desk.take_back(fine)


# credit


async def test_credit_serves_the_oldest_charge_and_then_the_next(desk: Desk, ann: UUID) -> None:
    wrong = await desk.charge(ann, 500)
    await desk.pay(ann, 500)
    await desk.take_back(wrong)
    assert await desk.stands(ann) == (-500, 0, 500, [])
    await desk.charge(ann, 300)
    assert await desk.stands(ann) == (-200, 0, 200, [])
    last = await desk.charge(ann, 300)
    assert await desk.stands(ann) == (100, 100, 0, [100])
    assert last.outstanding == euros(300), "as the charge was made"
    assert (await desk.pay(ann, 100)).allocated[0].fine_id == last.id
    assert await desk.stands(ann) == (0, 0, 0, [])


async def test_credit_is_paid_out_and_no_more_than_that(desk: Desk, ann: UUID) -> None:
    wrong = await desk.charge(ann, 500)
    async with desk.refuses(RefundRefused, "more-than-credit"):
        await desk.refund(ann, 1)
    await desk.pay(ann, 500)
    await desk.take_back(wrong)
    for amount, code in (
        *((501, "more-than-credit"), (0, "not-positive"), (-1, "not-positive")),
        (DOLLAR, "wrong-currency"),
    ):
        async with desk.refuses(RefundRefused, code):
            await desk.refund(ann, amount)
    out = await desk.refund(ann, 200)
    assert (out.balance, out.amount) == (euros(-300), euros(200))
    assert await desk.stands(ann) == (-300, 0, 300, [])
    told = (await desk.told())[-1]
    assert isinstance(told, CreditRefunded) and (told.line_id, told.amount) == (out.id, 200)
    async with desk.refuses(RefundRefused, "more-than-credit"):
        await desk.refund(ann, 301)
    await desk.charge(ann, 1000)
    assert await desk.stands(ann) == (700, 700, 0, [700])
