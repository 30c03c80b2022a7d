"""What a desk did offline is recorded as it happened, and what it could not know is listed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.circulation.desk import Desk
from tests.circulation.far_desk import FarDesk, hours
from tests.circulation.town import ADMIN, NOW, Town, block

from lendery.circulation.models import loan as loans
from lendery.circulation.replay import replay
from lendery.contracts.circulation import ItemCheckedIn, ItemCheckedOut, Loan, NewRule

LATER = NOW + hours(6)  # when the desk is online again


@pytest_asyncio.fixture
async def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    desk = Desk(town)
    home = await town.branch()
    await desk.rules(loan_period=21, fine=20, holds_per_book=None)
    for barcode in ("b1", "b2"):
        town.copies.add(barcode, home.id)
    return desk


@pytest_asyncio.fixture
async def bus(desk: Desk) -> FarDesk:
    copy = next(iter(desk.town.copies.known.values()))
    return await FarDesk.open(desk.town, copy.branch_id, NOW - hours(24))


async def loan_of(desk: Desk, barcode: str) -> Any:
    copy = next(c for c in desk.town.copies.known.values() if c.barcode == barcode)
    async with desk.town.db.read() as session:
        rows = await session.rows(
            loans.select().where(loans.c.copy_id == copy.id).order_by(loans.c.id)
        )
    return rows[-1]


def who(desk: Desk, card: str) -> Any:
    return next(p.id for p in desk.town.patrons.known.values() if p.card_number == card)


async def replayed(desk: Desk) -> None:
    report = await replay(desk.town.db)
    assert (report.found, report.named) == (0, [])


async def test_what_was_lent_is_lent_since_then(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW)
    assert await bus.sent(now=LATER) == [(True, ())]
    row = await loan_of(desk, "b1")
    assert (row.patron_id, row.lent_at, row.waived) == (who(desk, "ANN"), NOW, None)
    assert row.due_at.date() == (NOW + timedelta(days=21)).date()
    told = next(e for e in await desk.told() if isinstance(e, ItemCheckedOut))
    assert (told.at, told.lent_at, told.due_at) == (LATER, NOW, row.due_at)
    assert await desk.names() == [
        "OfflineDeskRegistered",
        "ItemCheckedOut",
        "OfflineTransactionTaken",
    ]
    assert await bus.conflicts() == []
    await replayed(desk)


async def test_what_came_back_came_back_then(desk: Desk, bus: FarDesk) -> None:
    lent = await desk.lend("b1", "ANN")
    due = lent.due_at
    bus.bring("b1", due - hours(1))
    assert await bus.sent(now=due + hours(72)) == [(True, ())]
    row = await loan_of(desk, "b1")
    assert row.returned_at == due - hours(1)
    assert (await desk.at(due + hours(72)).stands(who(desk, "ANN")))[0] == 0  # it was in time
    told = next(e for e in await desk.told() if isinstance(e, ItemCheckedIn))
    assert (told.at, told.returned_at) == (due + hours(72), due - hours(1))
    await replayed(desk)


async def test_out_in_and_out_again_in_one_afternoon(desk: Desk, bus: FarDesk) -> None:
    for step, (kind, card) in enumerate([("out", "ANN"), ("in", ""), ("out", "BEN"), ("in", "")]):
        at = NOW + timedelta(minutes=step)
        bus.lend("b1", card, at) if kind == "out" else bus.bring("b1", at)
    assert await bus.sent(now=LATER) == [(True, ())] * 4
    row = await loan_of(desk, "b1")
    assert row.patron_id == who(desk, "BEN")
    assert row.returned_at == NOW + timedelta(minutes=3)
    assert await desk.status(desk.town.copies.known[row.copy_id]) == "available"
    await replayed(desk)


async def test_it_was_renewed_then(desk: Desk, bus: FarDesk) -> None:
    await desk.rules(renewals=2)
    lent = await desk.lend("b1", "ANN")
    bus.renew("b1", NOW + timedelta(days=5))
    assert await bus.sent(now=NOW + timedelta(days=9)) == [(True, ())]
    row = await loan_of(desk, "b1")
    assert (row.id, row.renewals) == (lent.id, 1)
    assert row.due_at == lent.due_at + timedelta(days=5)
    await replayed(desk)


async def test_each_rule_that_objects_is_listed_and_the_book_is_lent(
    desk: Desk, bus: FarDesk
) -> None:
    town = desk.town
    await desk.rules(max_loans_total=1, owed_limit=100)
    await desk.lend("b2", "ANN")
    await desk.charge(who(desk, "ANN"), 101)
    ann = town.patrons.known[who(desk, "ANN")]
    town.patrons.change(ann, blocks=(block("other"), block("stolen-card")))
    await town.memory.meet_patron(card="ANN", patron_id=None)
    bus.lend("b1", "ann", NOW + hours(1))
    codes = ("card-stolen", "patron-blocked", "fines-owed", "loan-limit-total")
    assert await bus.sent(now=LATER) == [(True, codes)]
    row = await loan_of(desk, "b1")
    assert row.patron_id == ann.id and row.waived == sorted(codes) and row.waived_by is not None
    (conflict,) = await bus.conflicts()
    assert [each.code for each in conflict.reasons] == list(codes)
    assert conflict.recorded and conflict.loan_id == row.id and conflict.patron_id == ann.id
    assert (conflict.state, conflict.proposal, conflict.sequence) == ("open", "look", 1)
    await replayed(desk)


async def test_an_expired_card_gets_a_date_that_lies_ahead(desk: Desk, bus: FarDesk) -> None:
    desk.town.patrons.add("OLD", expires_on=NOW.date() - timedelta(days=400))
    await desk.rules(expiry_grace=10)
    bus.lend("b1", "OLD", NOW)
    assert await bus.sent(now=LATER) == [(True, ("card-long-expired",))]
    assert (await loan_of(desk, "b1")).due_at.date() == (NOW + timedelta(days=21)).date()


async def test_who_had_it_before_has_it_no_more(desk: Desk, bus: FarDesk) -> None:
    held = desk.at(NOW - timedelta(days=30))
    first = await held.lend("b1", "ANN")
    await held.wait("CLEO", first.branch_id, book_id=first.book_id)
    bus.lend("b1", "BEN", NOW)
    assert await bus.sent(now=LATER) == [(True, ("on-loan",))]
    old = await desk.loan(first)
    assert (old.returned_at, old.ended_as) == (NOW, "returned")
    assert (await desk.stands(who(desk, "ANN")))[0] > 0  # late until then
    assert (await loan_of(desk, "b1")).patron_id == who(desk, "BEN")
    assert "HoldReady" not in await desk.names()  # nobody is told of a copy that is gone
    (conflict,) = await bus.conflicts()
    assert "earlier reader" in conflict.what_to_do
    await replayed(desk)


async def test_who_waited_for_it_waits_again(desk: Desk, bus: FarDesk) -> None:
    thing = next(c for c in desk.town.copies.known.values() if c.barcode == "b1")
    held = await desk.at(NOW - hours(2)).wait("ANN", thing.branch_id, book_id=thing.book_id)
    await desk.at(NOW - hours(1)).bring("b1")
    bus.lend("b1", "BEN", NOW)
    assert await bus.sent(now=LATER) == [(True, ("on-hold",))]
    assert (await desk.hold(held)).state == "waiting"
    await replayed(desk)


async def test_who_waited_for_it_took_it(desk: Desk, bus: FarDesk) -> None:
    thing = next(c for c in desk.town.copies.known.values() if c.barcode == "b1")
    held = await desk.at(NOW - hours(2)).wait("ANN", thing.branch_id, book_id=thing.book_id)
    await desk.at(NOW - hours(1)).bring("b1")
    bus.lend("b1", "ANN", NOW)
    assert await bus.sent(now=LATER) == [(True, ())]
    assert (await desk.hold(held)).state == "fulfilled"
    await replayed(desk)


async def test_what_came_back_for_somebody_is_to_be_fetched(desk: Desk, bus: FarDesk) -> None:
    first = await desk.lend("b1", "ANN")
    held = await desk.wait("BEN", first.branch_id, book_id=first.book_id)
    bus.bring("b1", NOW + hours(1))
    answer = await bus.send(now=LATER)
    assert (answer.results[0].next, answer.results[0].conflicts) == ("hold", ("kept-for-hold",))
    assert (await desk.hold(held)).state == "ready"
    (conflict,) = await bus.conflicts()
    assert (conflict.proposal, conflict.recorded) == ("fetch", True)
    await replayed(desk)


async def test_what_belongs_elsewhere_is_to_be_sent(desk: Desk, bus: FarDesk) -> None:
    away = await desk.town.branch("away")
    desk.town.copies.add("b3", away.id)
    bus.bring("b3", NOW)
    answer = await bus.send(now=LATER)
    (came,) = answer.results
    assert (came.next, came.to_branch, came.conflicts) == ("transit", away.id, ("to-send",))
    await replayed(desk)


async def nothing_recorded(desk: Desk, bus: FarDesk, *codes: str, now: datetime = LATER) -> Any:
    """One conflict, and neither loans nor copies nor holds nor money are any different."""
    seen = len(await desk.told())
    assert await bus.sent(now=now) == [(False, codes)]
    assert await desk.names(seen) == ["OfflineTransactionTaken"]
    (conflict,) = await bus.conflicts()
    assert (conflict.recorded, conflict.loan_id, conflict.state) == (False, None, "open")
    assert [each.code for each in conflict.reasons] == list(codes)
    await replayed(desk)
    return conflict


async def test_a_barcode_that_no_copy_has(desk: Desk, bus: FarDesk) -> None:
    bus.lend("nothing", "ANN", NOW)
    conflict = await nothing_recorded(desk, bus, "unknown-copy")
    assert (conflict.barcode, conflict.patron_id) == ("nothing", who(desk, "ANN"))
    assert (conflict.card_number, conflict.proposal) == (None, "correct")


async def test_a_card_that_nobody_has(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "NOBODY", NOW)
    conflict = await nothing_recorded(desk, bus, "unknown-card")
    assert (conflict.card_number, conflict.patron_id) == ("NOBODY", None)


async def test_neither_is_known(desk: Desk, bus: FarDesk) -> None:
    bus.lend("nothing", "NOBODY", NOW)
    await nothing_recorded(desk, bus, "unknown-copy", "unknown-card")


@pytest.mark.parametrize("kind", ["check-in", "renewal"])
async def test_nobody_knows_what_came(desk: Desk, bus: FarDesk, kind: str) -> None:
    bus.notes.write(kind, "nothing", at=NOW)
    await nothing_recorded(desk, bus, "unknown-copy")


async def test_no_rule_lends_it(desk: Desk, bus: FarDesk) -> None:
    await desk.town.rule("loan_period", None, item_type="map")
    copy = next(iter(desk.town.copies.known.values()))
    desk.town.copies.add("m1", copy.branch_id, item_type="map")
    bus.lend("m1", "ANN", NOW)
    await nothing_recorded(desk, bus, "no-rule")


async def test_the_rules_give_no_date(desk: Desk, bus: FarDesk) -> None:
    day = NOW.date() + timedelta(days=1)
    await desk.rules(fixed_due_on=day.isoformat(), fixed_due_rule="exactly")
    bus.lend("b1", "ANN", NOW + timedelta(days=2))
    await nothing_recorded(desk, bus, "no-due-date", now=NOW + timedelta(days=3))


async def test_the_reader_had_it_already(desk: Desk, bus: FarDesk) -> None:
    lent = await desk.at(NOW - hours(48)).lend("b1", "ANN")
    bus.lend("b1", "ANN", NOW)
    conflict = await nothing_recorded(desk, bus, "already-yours")
    assert conflict.proposal == "renew"
    assert (await desk.loan(lent)).returned_at is None


@pytest.mark.parametrize("kind", ["check-out", "check-in", "renewal"])
async def test_it_was_lent_again_since(desk: Desk, bus: FarDesk, kind: str) -> None:
    bus.notes.write(kind, "b1", "ANN" if kind == "check-out" else None, at=NOW)
    lent = await desk.at(NOW + hours(1)).lend("b1", "BEN")
    await nothing_recorded(desk, bus, "lent-since")
    assert (await desk.loan(lent)).returned_at is None


@pytest.mark.parametrize("kind", ["check-out", "check-in"])
async def test_it_was_checked_in_since(desk: Desk, bus: FarDesk, kind: str) -> None:
    bus.notes.write(kind, "b1", "ANN" if kind == "check-out" else None, at=NOW)
    await desk.at(NOW + hours(1)).bring("b1")
    conflict = await nothing_recorded(desk, bus, "seen-since")
    assert conflict.proposal == "dismiss"


async def test_it_is_not_on_loan_to_be_renewed(desk: Desk, bus: FarDesk) -> None:
    await desk.bring("b1")
    bus.renew("b1", NOW + hours(1))
    await nothing_recorded(desk, bus, "not-on-loan")


async def test_a_renewal_that_no_rule_allows(desk: Desk, bus: FarDesk) -> None:
    await desk.rules(renewals=0)
    await desk.lend("b1", "ANN")
    bus.renew("b1", NOW + hours(1))
    conflict = await nothing_recorded(desk, bus, "too-many-renewals")
    assert (conflict.proposal, conflict.patron_id) == ("renew", who(desk, "ANN"))


async def test_the_rules_of_then_decide(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW + hours(1))
    bus.lend("b2", "ANN", NOW + hours(3))
    shorter = NewRule(parameter="loan_period", value=7, category="adult")
    await desk.town.rules.add(rule=shorter, actor=ADMIN, now=NOW + hours(2))
    await bus.sent(now=LATER)
    periods = [(await loan_of(desk, barcode)).policy["loan_period"] for barcode in ("b1", "b2")]
    assert periods == [21, 7]


async def test_before_there_were_rules_nothing_could_be_lent(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW - hours(1))
    await nothing_recorded(desk, bus, "no-rule")


async def test_an_offline_loan_can_be_undone(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW)
    await bus.send(now=LATER)
    told = next(e for e in await desk.told() if isinstance(e, ItemCheckedOut))
    row = await loan_of(desk, "b1")
    lent = Loan.model_validate({**row._asdict(), "event_id": told.id})
    undone = await desk.at(LATER + timedelta(minutes=1)).undo(lent)
    assert undone.loan_id == row.id
    assert (await loan_of(desk, "b1")).ended_as == "undone"
    await replayed(desk)


async def test_an_offline_return_can_be_undone(desk: Desk, bus: FarDesk) -> None:
    lent = await desk.lend("b1", "ANN")
    bus.bring("b1", NOW + hours(1))
    await bus.send(now=LATER)
    came = next(e for e in await desk.told() if isinstance(e, ItemCheckedIn))
    after = desk.at(LATER + timedelta(minutes=1))
    await after.undo(Loan.model_validate({**lent.model_dump(), "event_id": came.id}))
    assert (await after.loan(lent)).returned_at is None
    await replayed(desk)


async def test_a_clock_that_went_backwards_does_no_harm(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW + hours(1))
    bus.bring("b1", NOW)  # somebody set the clock
    assert await bus.sent(now=LATER) == [(True, ()), (True, ())]
    row = await loan_of(desk, "b1")
    assert (row.lent_at, row.returned_at) == (NOW + hours(1), NOW + hours(1))


async def test_a_clock_a_little_ahead_does_no_harm(desk: Desk, bus: FarDesk) -> None:
    bus.lend("b1", "ANN", NOW + timedelta(minutes=4))
    assert await bus.sent(now=NOW) == [(True, ())]
    assert (await loan_of(desk, "b1")).lent_at == NOW
