"""Lending a copy, and what that does to the holds on its book."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk, a_key
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.models import hold as holds
from lendery.contracts.circulation import (
    CheckOutRefused,
    CopyReleased,
    HoldFulfilled,
    HoldPutBack,
    Suspension,
)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


async def open_house(desk: Desk, **rules: Any) -> tuple[UUID, UUID]:
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(**{"loan_period": 21, "holds_per_book": None, **rules})
    return home.id, away.id


async def test_who_waited_takes_what_was_kept(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    loan = await desk.lend("b1", "ANN")
    done = await desk.hold(held)
    assert (done.state, done.ended_at) == ("fulfilled", NOW)
    assert await desk.names(seen) == ["ItemCheckedOut", "HoldFulfilled"]
    told = (await desk.told())[-1]
    assert isinstance(told, HoldFulfilled) and (told.hold_id, told.loan_id) == (held.id, loan.id)
    assert await desk.status(copy) == "on-loan"


async def test_any_copy_will_do_and_the_kept_one_is_free_again(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    desk.town.copies.add("b2", home, book_id=copy.book_id)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    await desk.lend("b2", "ANN")
    assert (await desk.hold(held)).state == "fulfilled"
    assert await desk.status(copy) == "available"
    told = await desk.told(seen)
    assert [type(event).__name__ for event in told[1:]] == ["HoldFulfilled", "CopyReleased"]
    assert isinstance(told[2], CopyReleased)
    assert (told[2].copy_id, told[2].status) == (copy.id, "available")
    assert (await desk.lend("b1", "BEN")).copy_id == copy.id, "kept for nobody"


async def test_what_was_on_its_way_to_somebody_goes_on_without_a_reader(desk: Desk) -> None:
    home, away = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    desk.town.copies.add("b2", home, book_id=copy.book_id)
    held = await desk.wait("ANN", away, book_id=copy.book_id)
    await desk.bring("b1")
    await desk.lend("b2", "ANN")
    told = (await desk.told())[-1]
    assert isinstance(told, CopyReleased) and told.status == "in-transit"
    assert (await desk.hold(held)).state == "fulfilled"
    back = await desk.bring("b1", branch_id=away)
    assert (back.next, back.to_branch) == ("transit", home)


async def test_a_place_in_the_queue_is_given_up_too(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    ann = await desk.wait("ANN", home, book_id=copy.book_id)
    ben = await desk.wait("BEN", home, book_id=copy.book_id)
    sleeping = Suspension(until=date(2027, 1, 1))
    await desk.town.holds.suspend(hold_id=ann.id, suspension=sleeping, **desk.here)
    await desk.lend("b1", "ANN")
    assert (await desk.hold(ann)).state == "fulfilled", "suspended or not"
    assert await desk.queue(copy.book_id) == [ben.id]


async def test_of_two_holds_the_one_that_was_served_is_fulfilled(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    desk.town.copies.add("b2", home, book_id=copy.book_id)
    older = await desk.wait("ANN", home, copy_id=copy.id)
    newer = await desk.wait("ANN", home, book_id=copy.book_id)
    back = await desk.bring("b2")
    assert back.hold is not None and back.hold.id == newer.id
    await desk.lend("b2", "ANN")
    assert ((await desk.hold(older)).state, (await desk.hold(newer)).state) == (
        "waiting",
        "fulfilled",
    )


async def test_kept_for_another_reader_it_is_refused(desk: Desk) -> None:
    home, away = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    await desk.wait("ANN", away, book_id=copy.book_id)
    for where in (home, away):  # on its way, then on the hold shelf
        await desk.bring("b1", branch_id=where)
        async with desk.refuses(CheckOutRefused, "on-hold"):
            await desk.lend("b1", "BEN")


@pytest.mark.parametrize("where", ["home", "away"])
async def test_where_staff_waive_it_that_reader_waits_again_in_the_old_place(
    desk: Desk, where: str
) -> None:
    home, away = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    ann = await desk.wait("ANN", home if where == "home" else away, book_id=copy.book_id)
    cleo = await desk.wait("CLEO", home, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    loan = await desk.lend("b1", "BEN", waive=["on-hold"], reason="Her daughter is ill")
    waits = await desk.hold(ann)
    assert (waits.state, waits.position, waits.given_copy_id) == ("waiting", 1, None)
    assert waits.ready_at is waits.expires_on is None
    assert await desk.queue(copy.book_id) == [ann.id, cleo.id]
    told = (await desk.told())[-1]
    assert await desk.names(seen) == ["ItemCheckedOut", "HoldPutBack"]
    assert isinstance(told, HoldPutBack) and told.by == LIBRARIAN.id
    assert await desk.status(copy) == "on-loan"

    back = await desk.at(NOW + timedelta(days=1)).bring("b1", branch_id=home)
    assert back.loan is not None and back.loan.id == loan.id
    assert back.hold is not None and back.hold.id == ann.id, "before Cleo, as before"


async def test_who_takes_what_is_kept_for_another_gives_up_the_own_place(desk: Desk) -> None:
    home, _ = await open_house(desk)
    copy = desk.town.copies.add("b1", home)
    ann = await desk.wait("ANN", home, book_id=copy.book_id)
    ben = await desk.wait("BEN", home, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    await desk.lend("b1", "BEN", waive=["on-hold"], reason="Agreed")
    assert ((await desk.hold(ann)).state, (await desk.hold(ben)).state) == ("waiting", "fulfilled")
    assert await desk.names(seen) == ["ItemCheckedOut", "HoldPutBack", "HoldFulfilled"]


# the fee


@pytest.mark.parametrize("fee", [0, 50])
async def test_a_hold_costs_its_fee_when_it_is_fulfilled(desk: Desk, fee: int) -> None:
    home, _ = await open_house(desk, hold_fee=fee)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    assert held.patron_id is not None
    assert (await desk.account(held.patron_id)).balance.amount == 0, "not before"
    loan = await desk.lend("b1", "ANN")
    account = await desk.account(held.patron_id)
    assert account.owed.amount == fee
    assert [(f.reason, f.amount.amount, f.hold_id, f.loan_id) for f in account.fines] == (
        [("hold", fee, held.id, loan.id)] if fee else []
    )


@pytest.mark.parametrize("how", ["cancelled", "without a hold"])
async def test_nobody_pays_for_a_hold_that_was_not_fulfilled(desk: Desk, how: str) -> None:
    home, _ = await open_house(desk, hold_fee=50)
    copy = desk.town.copies.add("b1", home)
    if how == "cancelled":
        await desk.cancel(await desk.wait("ANN", home, book_id=copy.book_id))
    loan = await desk.lend("b1", "ANN")
    assert loan.patron_id is not None
    assert (await desk.account(loan.patron_id)).balance.amount == 0


async def test_a_fee_is_charged_once_however_often_the_request_is_sent(desk: Desk) -> None:
    home, _ = await open_house(desk, hold_fee=50)
    copy = desk.town.copies.add("b1", home)
    held = await desk.wait("ANN", home, book_id=copy.book_id)
    first = await desk.lend("b1", "ANN", key=a_key("lend"))
    async with desk.nothing_changes():
        again = await desk.at(NOW + timedelta(hours=1)).lend("b1", "ANN", key=a_key("lend"))
    assert again == first
    assert (await desk.town.row(holds, held.id)).state == "fulfilled"
