"""At the till: what is charged by hand, and what is paid, to the cent; each of it once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import EVERYTHING, Desk, a_key, euros
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.contracts.base import KeyReused, Money, NotAllowed
from lendery.contracts.circulation import (
    Cancellation,
    ChargeRefused,
    FinePaid,
    NewCharge,
    NewWaiver,
    NoSuchFine,
    NoSuchPatron,
    PaymentRefused,
)
from lendery.contracts.permissions import Actor

WRONG = Cancellation(reason="It was on the shelf")
DOLLAR = Money(amount=100, currency="USD")


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest.fixture
def ann(town: Town) -> UUID:
    return town.patrons.add("ANN").id


# charging by hand


async def test_a_charge_by_hand_is_owed(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 300)
    assert (fine.reason, fine.amount, fine.outstanding) == ("card", euros(300), euros(300))
    assert await desk.stands(ann) == (300, 300, 0, [300])
    assert await desk.town.fees.fine(fine_id=fine.id, actor=LIBRARIAN) == fine
    (owed,) = await desk.town.fees.owed(patron_ids=[ann, UUID(int=404)], actor=LIBRARIAN)
    assert (owed.patron_id, owed.amount) == (ann, euros(300))


@pytest.mark.parametrize(
    ("amount", "code"),
    [(euros(0), "not-positive"), (euros(-1), "not-positive"), (DOLLAR, "wrong-currency")],
)
async def test_no_charge_of_nothing_or_in_other_money(
    desk: Desk, ann: UUID, amount: Money, code: str
) -> None:
    await desk.charge(ann, 300)
    charge = NewCharge(patron_id=ann, amount=amount)
    async with desk.refuses(ChargeRefused, code):
        await desk.town.fees.charge(charge=charge, **desk.here)


async def test_nobody_is_charged_whom_nobody_knows(desk: Desk) -> None:
    async with desk.refuses(NoSuchPatron):
        await desk.charge(UUID(int=404), 300)


# paying


async def test_the_oldest_is_paid_first(desk: Desk, ann: UUID) -> None:
    first = await desk.charge(ann, 300)
    second = await desk.at(NOW + timedelta(days=1)).charge(ann, 500)
    seen = len(await desk.told())
    paid = await desk.pay(ann, 400, method="card")
    assert [(part.fine_id, part.amount.amount) for part in paid.allocated] == [
        (first.id, 300),
        (second.id, 100),
    ]
    assert (paid.balance, paid.method, paid.at) == (euros(400), "card", NOW)
    assert await desk.stands(ann) == (400, 400, 0, [400])
    told = await desk.told(seen)
    assert [(e.fine_id, e.amount) for e in told if isinstance(e, FinePaid)] == [
        (first.id, 300),
        (second.id, 100),
    ]
    assert {e.settlement_id for e in told if isinstance(e, FinePaid)} == {paid.id}


async def test_charges_that_are_named_are_paid_in_that_order(desk: Desk, ann: UUID) -> None:
    first, second, third = [await desk.charge(ann, amount) for amount in (300, 500, 200)]
    paid = await desk.pay(ann, 600, fine_ids=[third.id, second.id, third.id])
    assert [(part.fine_id, part.amount.amount) for part in paid.allocated] == [
        (third.id, 200),
        (second.id, 400),
    ]
    left = {fine.id: fine.outstanding.amount for fine in (await desk.account(ann)).fines}
    assert left == {first.id: 300, second.id: 100}


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (301, "more-than-owed"),
        (0, "not-positive"),
        (-300, "not-positive"),
        (DOLLAR, "wrong-currency"),
        (300, None),
    ],
)
async def test_no_more_is_taken_than_is_owed(
    desk: Desk, ann: UUID, amount: int | Money, code: str | None
) -> None:
    await desk.charge(ann, 300)
    if code is None:
        assert (await desk.pay(ann, amount)).balance == euros(0)
        async with desk.refuses(PaymentRefused, "more-than-owed"):
            await desk.pay(ann, 1)
        return
    async with desk.refuses(PaymentRefused, code):
        await desk.pay(ann, amount)


async def test_what_is_named_must_be_owed_by_this_reader(desk: Desk, ann: UUID) -> None:
    ben = desk.town.patrons.add("BEN").id
    mine, theirs = await desk.charge(ann, 300), await desk.charge(ben, 300)
    settled = await desk.charge(ann, 100)
    await desk.pay(ann, 100, fine_ids=[settled.id])
    for named in ([theirs.id], [mine.id, theirs.id], [settled.id], [UUID(int=404)]):
        async with desk.refuses(PaymentRefused, "unknown-fine"):
            await desk.pay(ann, 100, fine_ids=named)
    async with desk.refuses(PaymentRefused, "more-than-owed"):
        await desk.pay(ann, 301, fine_ids=[mine.id])


# sent again


async def test_each_settlement_sent_again_happens_once(desk: Desk, ann: UUID) -> None:
    fine = await desk.charge(ann, 500)
    charge = NewCharge(patron_id=ann, amount=euros(100))
    later = desk.at(NOW + timedelta(hours=1))
    steps: list[Any] = [
        lambda at, key: at.town.fees.charge(charge=charge, key=key, **at.here),
        lambda at, key: at.waive(fine, 200, key=key),
        lambda at, key: at.pay(ann, 250, key=key),
        lambda at, key: at.take_back(fine, key=key),
        lambda at, key: at.refund(ann, 50, key=key),
    ]
    for number, step in enumerate(steps):
        first = await step(desk, a_key(f"step {number}"))
        async with desk.nothing_changes():
            assert await step(later, a_key(f"step {number}")) == first
            with pytest.raises(KeyReused):
                await step(desk, a_key(f"step {number}", "that"))
    assert (await desk.account(ann)).balance.amount == 500 + 100 - 200 - 250 - 300 + 50


async def test_a_refusal_sent_again_is_the_same_refusal(desk: Desk, ann: UUID) -> None:
    await desk.charge(ann, 50)
    async with desk.refuses(PaymentRefused, "more-than-owed"):
        await desk.pay(ann, 100, key=a_key("pay"))
    await desk.charge(ann, 450)
    async with desk.refuses(PaymentRefused, "more-than-owed"):
        await desk.pay(ann, 100, key=a_key("pay"))
    assert (await desk.pay(ann, 100, key=a_key("pay now"))).balance == euros(400)


# who may


async def test_readers_see_their_own_account_and_settle_nothing(desk: Desk, ann: UUID) -> None:
    ben = desk.town.patrons.add("BEN").id
    fine = await desk.charge(ann, 500)
    own, other = Actor(id=ann, role="reader"), Actor(id=ben, role="reader")
    fees = desk.town.fees
    account = await fees.account(patron_id=ann, window=EVERYTHING, actor=own, now=NOW)
    assert account == await desk.account(ann)
    assert await fees.fine(fine_id=fine.id, actor=own) == fine
    async with desk.nothing_changes():
        for asked in (
            fees.account(patron_id=ann, window=EVERYTHING, actor=other, now=NOW),
            fees.fine(fine_id=fine.id, actor=other),
            fees.fine(fine_id=UUID(int=404), actor=other),
            fees.fines(patron_id=ann, window=EVERYTHING, actor=other),
            fees.owed(patron_ids=[ann], actor=own),
            fees.waive(fine_id=fine.id, waiver=NewWaiver(reason="!"), actor=own, now=NOW),
            fees.cancel(fine_id=fine.id, cancellation=WRONG, actor=own, now=NOW),
        ):
            with pytest.raises(NotAllowed):
                await asked


async def test_there_is_nothing_to_settle_of_what_there_is_not(desk: Desk, ann: UUID) -> None:
    paid = await desk.charge(ann, 100)
    payment = await desk.pay(ann, 100)
    for nothing in (UUID(int=404), payment.id):
        ghost = paid.model_copy(update={"id": nothing})
        for settle in (desk.waive, desk.take_back):
            async with desk.refuses(NoSuchFine):
                await settle(ghost)
    async with desk.refuses(NoSuchPatron):
        await desk.pay(UUID(int=404), 100)
