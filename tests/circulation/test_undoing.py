"""A desk makes a mistake and undoes it: all is as it was, unless something was built on it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.circulation.desk import Desk, euros, everything
from tests.circulation.town import LIBRARIAN, NOW, READER, Town

from lendery.circulation.models import TABLES, copy, hold, loan
from lendery.circulation.replay import replay
from lendery.circulation.undoing import UndoDesk
from lendery.contracts.base import NotAllowed, new_id
from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import NoSuchEvent, UndoRefused
from lendery.platform.db import Database

A_MINUTE, LATE = timedelta(minutes=1), NOW + timedelta(days=30)


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


def who(desk: Desk, card: str) -> UUID:
    return next(each.id for each in desk.town.patrons.known.values() if each.card_number == card)


async def opened(desk: Desk, **rules: Any) -> tuple[BareCopy, UUID, UUID]:
    """Middlemarch, where it lives, and another branch."""
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(**{"loan_period": 21, "holds_per_book": None, "fine": 20} | rules)
    return desk.town.copies.add("b1", home.id), home.id, away.id


async def standing(desk: Desk) -> dict[Any, Any]:
    """Loans, holds and copies as they stand, what was undone left out; and what is owed."""
    rows = await everything(desk.town)
    found: dict[Any, Any] = {
        key: row
        for key, row in rows.items()
        if key[0] in (loan.name, hold.name, copy.name) and getattr(row, "ended_as", "") != "undone"
    }
    for card in ("ANN", "BEN", "CLEO"):
        found[card] = await desk.stands(who(desk, card))
    return found


async def replayed(desk: Desk) -> None:
    report = await replay(desk.town.db)
    assert (report.found, report.named) == (0, [])


# check-outs


async def test_a_check_out_that_was_wrong_never_was(desk: Desk) -> None:
    thing, _, _ = await opened(desk)
    await desk.bring("b1")
    lent = await desk.lend("b1", "BEN")
    await desk.undo(lent)
    before = await standing(desk)
    lent = await desk.lend("b1", "ANN")
    seen = len(await desk.told())
    undone = await desk.at(NOW + A_MINUTE).undo(lent)
    assert (undone.what, undone.loan_id, undone.status) == ("check-out", lent.id, "available")
    assert await standing(desk) == before
    assert await desk.names(seen) == ["CheckOutUndone"]
    shown = await desk.loan(lent)
    assert (shown.ended_as, shown.returned_at) == ("undone", NOW + A_MINUTE)
    assert (await desk.lend("b1", "CLEO")).copy_id == thing.id
    await replayed(desk)


async def test_the_hold_it_fulfilled_is_ready_again_and_costs_nothing(desk: Desk) -> None:
    thing, home, _ = await opened(desk, hold_fee=50)
    await desk.wait("ANN", home, book_id=thing.book_id)
    await desk.bring("b1")
    before = await standing(desk)
    lent = await desk.lend("b1", "ANN")
    assert (await desk.stands(who(desk, "ANN")))[0] == 50
    seen = len(await desk.told())
    assert (await desk.undo(lent)).status == "on-hold-shelf"
    assert await standing(desk) == before
    names = await desk.names(seen)
    assert sorted(names) == ["CheckOutUndone", "FineCancelled", "HoldRestored"]
    await replayed(desk)


async def test_whom_it_was_kept_for_gets_it_back(desk: Desk) -> None:
    thing, home, _ = await opened(desk)
    await desk.wait("ANN", home, book_id=thing.book_id)
    await desk.bring("b1")
    before = await standing(desk)
    lent = await desk.lend("b1", "BEN", waive=frozenset({"on-hold"}), reason="By mistake")
    await desk.undo(lent)
    assert await standing(desk) == before
    await replayed(desk)


async def test_the_copy_that_was_kept_is_kept_again(desk: Desk) -> None:
    thing, home, _ = await opened(desk)
    other = desk.town.copies.add("b2", home, book_id=thing.book_id)
    await desk.wait("ANN", home, book_id=thing.book_id)
    await desk.bring("b2")
    await desk.bring("b1")
    before = await standing(desk)
    lent = await desk.lend("b1", "ANN")
    assert await desk.status(other) == "available"
    seen = len(await desk.told())
    await desk.undo(lent)
    assert await standing(desk) == before
    assert (await desk.names(seen))[-1] == "CopyKept"
    lent = await desk.lend("b1", "ANN")
    await desk.lend("b2", "BEN")
    async with desk.refuses(UndoRefused, "kept-copy-gone"):
        await desk.undo(lent)
    await replayed(desk)


async def test_what_was_missing_is_missing_again(desk: Desk) -> None:
    thing, _, _ = await opened(desk)
    await desk.bring("b1")
    await desk.town.shelf.flag(copy_id=thing.id, flag="missing", **desk.here)
    before = await standing(desk)
    lent = await desk.at(NOW + A_MINUTE).lend("b1", "ANN")
    undone = await desk.undo(lent)
    assert undone.status == "missing"
    assert await standing(desk) == before


async def test_what_was_built_on_a_check_out(desk: Desk) -> None:
    thing, home, _ = await opened(desk, hold_fee=50, renew_from="due-date")
    desk.town.copies.add("b2", home)
    await desk.wait("ANN", home, book_id=thing.book_id)
    await desk.bring("b1")
    lent = await desk.lend("b1", "ANN")
    async with desk.refuses(UndoRefused, "too-late"):
        await desk.at(NOW + 16 * A_MINUTE).undo(lent)
    await desk.pay(who(desk, "ANN"), 50)
    async with desk.refuses(UndoRefused, "settled-since"):
        await desk.undo(lent)
    other = await desk.lend("b2", "BEN")
    await desk.renew(other)
    async with desk.refuses(UndoRefused, "renewed-since"):
        await desk.undo(other)
    await desk.bring("b1")
    async with desk.refuses(UndoRefused, "returned-since"):
        await desk.undo(lent)


# check-ins


async def test_a_late_check_in_is_undone_with_its_fine(desk: Desk) -> None:
    _, _, away = await opened(desk)
    lent = await desk.lend("b1", "ANN")
    before = await standing(desk)
    late = desk.at(LATE)
    back = await late.bring("b1", branch_id=away)
    assert back.fine is not None and back.next == "transit"
    undone = await late.undo(back)
    assert (undone.what, undone.loan_id, undone.status) == ("check-in", lent.id, "on-loan")
    assert await standing(desk) == before
    assert (await late.bring("b1")).fine == back.fine.model_copy(
        update={"id": (await late.account(who(desk, "ANN"))).fines[0].id}
    )
    await replayed(desk)


@pytest.mark.parametrize("pickup", ["home", "away"])
async def test_who_was_given_the_copy_waits_again_in_the_old_place(desk: Desk, pickup: str) -> None:
    thing, home, away = await opened(desk)
    await desk.lend("b1", "ANN")
    await desk.wait("BEN", home if pickup == "home" else away, book_id=thing.book_id)
    await desk.wait("CLEO", home, book_id=thing.book_id)
    before = await standing(desk)
    seen = len(await desk.told())
    back = await desk.bring("b1")
    told = await desk.names(seen)
    await desk.undo(back)
    assert await standing(desk) == before
    assert await desk.names(seen + len(told)) == ["HoldRestored", "CheckInUndone"]
    await replayed(desk)


async def test_what_arrived_is_on_its_way_again(desk: Desk) -> None:
    thing, home, away = await opened(desk)
    await desk.wait("ANN", away, book_id=thing.book_id)
    await desk.bring("b1", branch_id=home)
    before = await standing(desk)
    arrived = await desk.at(NOW + A_MINUTE).bring("b1", branch_id=away)
    assert arrived.next == "hold"
    undone = await desk.at(NOW + 2 * A_MINUTE).undo(arrived)
    assert undone.status == "in-transit"
    assert await standing(desk) == before
    await replayed(desk)


async def test_what_expired_meanwhile_stays_so(desk: Desk) -> None:
    thing, home, _ = await opened(desk)
    await desk.wait("ANN", home, book_id=thing.book_id)
    await desk.bring("b1")
    seen_again = await desk.at(LATE).bring("b1")
    assert await desk.town.holds.expire(now=LATE) == 1
    undone = await desk.at(LATE + A_MINUTE).undo(seen_again)
    assert undone.status == "available"
    await replayed(desk)


async def test_check_ins_are_undone_last_first(desk: Desk) -> None:
    _, _, away = await opened(desk)
    await desk.lend("b1", "ANN")
    before = await standing(desk)
    first = await desk.bring("b1")
    second = await desk.at(NOW + A_MINUTE).bring("b1", branch_id=away)
    async with desk.refuses(UndoRefused, "moved-since"):
        await desk.undo(first)
    await desk.undo(second)
    await desk.undo(first)
    assert await standing(desk) == before


async def test_what_was_built_on_a_check_in(desk: Desk) -> None:
    thing, home, _ = await opened(desk)
    other = desk.town.copies.add("b2", home, book_id=thing.book_id)
    await desk.lend("b1", "ANN")
    late = desk.at(LATE)
    back = await late.bring("b1")
    assert back.fine is not None
    async with desk.refuses(UndoRefused, "too-late"):
        await desk.at(LATE + 16 * A_MINUTE).undo(back)
    waived = await late.waive(back.fine, 1)
    async with desk.refuses(UndoRefused, "settled-since"):
        await late.undo(back)
    await late.undo(waived)
    await late.town.shelf.flag(copy_id=thing.id, flag="missing", **late.here)
    async with desk.refuses(UndoRefused, "flagged-since"):
        await late.undo(back)
    await late.town.shelf.flag(copy_id=thing.id, flag="found", **late.here)
    again = await late.lend("b1", "BEN")
    async with desk.refuses(UndoRefused, "lent-since"):
        await late.undo(back)
    await late.undo(again)
    await late.undo(back)
    await late.wait("CLEO", home, book_id=thing.book_id)
    given = await late.bring("b1")
    assert given.hold is not None
    await late.lend("b2", "CLEO")
    assert other.book_id == thing.book_id
    async with desk.refuses(UndoRefused, "collected-since"):
        await late.undo(given)
    await replayed(desk)


async def test_a_charge_that_was_cancelled_stands_in_nobodys_way(desk: Desk) -> None:
    await opened(desk)
    await desk.lend("b1", "ANN")
    late = desk.at(LATE)
    back = await late.bring("b1")
    assert back.fine is not None
    await late.take_back(back.fine)
    await late.undo(back)
    assert await desk.stands(who(desk, "ANN")) == (0, 0, 0, [])


# money


async def test_a_payment_is_taken_back_as_a_whole(desk: Desk) -> None:
    ann = who(desk, "ANN")
    await desk.charge(ann, 300)
    await desk.charge(ann, 500)
    before = await desk.stands(ann)
    paid = await desk.pay(ann, 400)
    seen = len(await desk.told())
    undone = await desk.undo(paid)
    assert (undone.what, undone.amount) == ("payment", euros(400))
    assert await desk.stands(ann) == before
    assert await desk.names(seen) == ["PaymentReversed", "PaymentReversed"]
    assert (await desk.pay(ann, 800)).balance == euros(0)
    await replayed(desk)


async def test_a_waiver_is_taken_back_and_the_charge_can_be_cancelled_in_full(desk: Desk) -> None:
    ann = who(desk, "ANN")
    fine = await desk.charge(ann, 300)
    waived = await desk.waive(fine, 100)
    undone = await desk.undo(waived)
    assert (undone.what, undone.amount) == ("waiver", euros(100))
    assert await desk.stands(ann) == (300, 300, 0, [300])
    waived = await desk.waive(fine, 100)
    await desk.take_back(fine)
    assert await desk.stands(ann) == (0, 0, 0, [])
    async with desk.refuses(UndoRefused, "cancelled-since"):
        await desk.undo(waived)
    await replayed(desk)


async def test_money_that_was_paid_out_is_not_taken_back_too(desk: Desk) -> None:
    ann = who(desk, "ANN")
    fine = await desk.charge(ann, 300)
    paid = await desk.pay(ann, 300)
    await desk.take_back(fine)
    await desk.refund(ann, 300)
    async with desk.refuses(UndoRefused, "paid-out-since"):
        await desk.undo(paid)


# twice, at once, and by whom


async def test_undone_twice_is_undone_once(desk: Desk) -> None:
    thing, _, _ = await opened(desk)
    fine = await desk.charge(who(desk, "BEN"), 300)
    lent, paid = await desk.lend("b1", "ANN"), await desk.pay(who(desk, "BEN"), 100)
    waived = await desk.waive(fine, 50)
    for done in (lent, paid, waived):
        first = await desk.undo(done)
        async with desk.nothing_changes():
            assert await desk.at(NOW + timedelta(days=1)).undo(done) == first
    back = await desk.bring("b1")
    first = await desk.undo(back)
    async with desk.nothing_changes():
        assert await desk.undo(back) == first
    assert first.status == await desk.status(thing) == "available"


async def test_two_desks_that_undo_at_once_undo_once(postgres_url: str) -> None:
    db = Database(postgres_url, [TABLES], size=8)
    desk = Desk(Town(db))
    for card in ("ANN", "BEN", "CLEO"):
        desk.town.patrons.add(card)
    thing, home, _ = await opened(desk)
    await desk.wait("BEN", home, book_id=thing.book_id)
    await desk.lend("b1", "ANN")
    late = desk.at(LATE)
    back = await late.bring("b1")
    paid_for = await late.charge(who(desk, "BEN"), 100)
    paid = await late.pay(who(desk, "BEN"), 100)
    assert paid.allocated[0].fine_id == paid_for.id
    seen = len(await desk.told())
    answers = await asyncio.gather(*[late.undo(done) for done in (back, paid) for _ in range(4)])
    assert len(set(answers)) == 2
    told = sorted(await desk.names(seen))
    assert told == ["CheckInUndone", "FineCancelled", "HoldRestored", "PaymentReversed"]
    await replayed(desk)
    await db.close()


async def test_undoing_against_lending_on_has_one_winner(postgres_url: str) -> None:
    """The copy is taken back, and at once one desk lends it on and another undoes the return."""
    db = Database(postgres_url, [TABLES], size=8)
    desk = Desk(Town(db))
    for card in ("ANN", "BEN", "CLEO"):
        desk.town.patrons.add(card)
    await opened(desk)
    await desk.lend("b1", "ANN")
    for _ in range(10):
        back = await desk.bring("b1")
        done = await asyncio.gather(desk.undo(back), desk.lend("b1", "BEN"), return_exceptions=True)
        assert [isinstance(each, Exception) for each in done].count(True) == 1, done
        async with db.read() as session:
            out = await session.rows(select(loan).where(loan.c.returned_at.is_(None)))
        assert len(out) == 1
    await replayed(desk)
    await db.close()


async def test_only_staff_undo_and_only_what_happened(desk: Desk) -> None:
    await opened(desk)
    lent = await desk.lend("b1", "ANN")
    assert lent.event_id is not None
    corrections, at = desk.town.corrections, {"now": NOW}
    async with desk.nothing_changes():
        with pytest.raises(NotAllowed):
            await corrections.undo(event_id=lent.event_id, actor=READER, **at)
        with pytest.raises(NoSuchEvent):
            await corrections.undo(event_id=new_id(), actor=LIBRARIAN, **at)
        renewed = (await desk.told())[0]
        assert renewed.id == lent.event_id
    fine = await desk.charge(who(desk, "ANN"), 5)
    charged = (await desk.told())[-1]
    async with desk.refuses(UndoRefused, "not-undoable"):
        await corrections.undo(event_id=charged.id, actor=LIBRARIAN, **at)
    assert fine.event_id is None


async def test_a_library_may_undo_nothing(desk: Desk) -> None:
    await opened(desk)
    lent = await desk.lend("b1", "ANN")
    assert lent.event_id is not None
    never = UndoDesk(desk.town.db, minutes=0)
    async with desk.refuses(UndoRefused, "too-late"):
        await never.undo(event_id=lent.event_id, actor=LIBRARIAN, now=NOW + A_MINUTE)
