"""What happened in one step is told in the order in which it happened, on every database."""

from typing import Any

from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.contracts.base import Money
from lendery.contracts.circulation import (
    FinePaid,
    LoanRequest,
    NewCharge,
    NewHold,
    NewPayment,
    ReturnRequest,
)

DESK: Any = {"actor": LIBRARIAN, "now": NOW}


async def test_a_return_is_told_before_what_it_led_to(town: Town) -> None:
    home, away = await town.branch(), await town.branch("away")
    await town.rule("loan_period", 21)
    town.patrons.add("ANN"), town.patrons.add("BEN")
    copy = town.copies.add("b1", home.id)
    await town.desk.check_out(request=LoanRequest(barcode="b1", card_number="ANN"), **DESK)
    wanted = NewHold(book_id=copy.book_id, card_number="BEN", pickup_branch_id=away.id)
    await town.holds.place(hold=wanted, **DESK)
    seen = len(await town.events())
    for branch in (home, away):
        request = ReturnRequest(barcode="b1", branch_id=branch.id)
        await town.desk.check_in(request=request, **DESK)
    assert [type(event).__name__ for event in (await town.events())[seen:]] == [
        "ItemCheckedIn",
        "TransferStarted",
        "HoldSentOn",
        "ItemCheckedIn",
        "TransferReceived",
        "HoldReady",
    ]


async def test_a_payment_is_told_charge_by_charge(town: Town) -> None:
    ann = town.patrons.add("ANN")
    fines = []
    for amount in (100, 200, 300, 400):
        charge = NewCharge(patron_id=ann.id, amount=Money(amount=amount))
        fines.append(await town.fees.charge(charge=charge, **DESK))
    paid = await town.fees.pay(
        payment=NewPayment(patron_id=ann.id, amount=Money(amount=1000)), **DESK
    )
    told = [event for event in await town.events() if isinstance(event, FinePaid)]
    assert [event.fine_id for event in told] == [part.fine_id for part in paid.allocated]
    assert [event.amount for event in told] == [part.amount.amount for part in paid.allocated]
