"""The clock of a machine is set back, by an hour say, by whoever cares for it.

Nothing that stands in front of the desk is refused for it, and nobody loses a place.
"""

from datetime import timedelta
from typing import Any

import pytest
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.contracts.base import Window
from lendery.contracts.circulation import (
    HoldFilter,
    HoldPlaced,
    ItemCheckedIn,
    LoanRequest,
    NewHold,
    ReturnRefused,
    ReturnRequest,
)

HOUR = timedelta(hours=1)


async def test_a_copy_comes_back_though_the_clock_was_set_back(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    town.patrons.add("ANN")
    town.copies.add("b1", home.id)
    lend = LoanRequest(barcode="b1", card_number="ANN")
    loan = await town.desk.check_out(request=lend, actor=LIBRARIAN, now=NOW)
    earlier: Any = {"actor": LIBRARIAN, "now": NOW - HOUR}

    dated = ReturnRequest(barcode="b1", returned_at=NOW - HOUR)
    with pytest.raises(ReturnRefused):
        await town.desk.check_in(request=dated, **earlier)

    back = await town.desk.check_in(request=ReturnRequest(barcode="b1"), **earlier)
    assert back.loan is not None and back.loan.id == loan.id
    assert back.loan.returned_at == NOW, "not before it was lent"
    told = (await town.events())[-1]
    assert isinstance(told, ItemCheckedIn) and told.returned_at == NOW


async def test_who_came_first_stays_first_though_the_clock_was_set_back(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    book = town.copies.add("b1", home.id).book_id
    ids = []
    for card, now in (("ANN", NOW), ("BEN", NOW - HOUR), ("CLEO", NOW), ("DAN", NOW)):
        town.patrons.add(card)
        wanted = NewHold(book_id=book, card_number=card, pickup_branch_id=home.id)
        hold = await town.holds.place(hold=wanted, actor=LIBRARIAN, now=now)
        assert hold.position == len(ids) + 1
        ids.append(hold.id)

    queue = await town.holds.find(
        like=HoldFilter(book_id=book), window=Window(), actor=LIBRARIAN, now=NOW
    )
    assert [hold.id for hold in queue.items] == ids
    assert [hold.position for hold in queue.items] == [1, 2, 3, 4]
    told = [event for event in await town.events() if isinstance(event, HoldPlaced)]
    assert [event.at for event in told] == [hold.placed_at for hold in queue.items]


async def test_a_kept_hold_that_is_put_back_is_still_before_a_later_one(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    copy = town.copies.add("b1", home.id)
    earlier: Any = {"actor": LIBRARIAN, "now": NOW - HOUR}
    holds = []
    for card, now in (("ANN", NOW), ("BEN", NOW - HOUR)):
        town.patrons.add(card)
        wanted = NewHold(book_id=copy.book_id, card_number=card, pickup_branch_id=home.id)
        holds.append(await town.holds.place(hold=wanted, actor=LIBRARIAN, now=now))
        await town.desk.check_in(request=ReturnRequest(barcode="b1"), **earlier)
    await town.shelf.flag(copy_id=copy.id, flag="damaged", **earlier)

    ann, ben = [await town.holds.get(hold_id=hold.id, **earlier) for hold in holds]
    assert (ann.state, ann.position, ben.position) == ("waiting", 1, 2)
