"""Conflicts are settled by people: accepted, recorded after all, or dismissed with a reason."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.circulation.desk import Desk, everything
from tests.circulation.far_desk import ALL, FarDesk, hours
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, READER, Town, block

from lendery.circulation.models import TABLES, loan, offline_conflict
from lendery.circulation.reactions import forget_patron
from lendery.circulation.replay import replay
from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import Invalid, NotAllowed
from lendery.contracts.circulation import (
    ConflictNotSettled,
    NoSuchOfflineConflict,
    OfflineConflictFilter,
    SettleConflict,
)

LATER, SETTLED = NOW + hours(6), NOW + hours(7)


@pytest_asyncio.fixture
async def desk(town: Town) -> Desk:
    town.patrons.add("ANN")
    desk = Desk(town)
    home = await town.branch()
    await desk.rules(loan_period=21)
    for barcode in ("b1", "b2"):
        town.copies.add(barcode, home.id)
    return desk


@pytest_asyncio.fixture
async def bus(desk: Desk) -> FarDesk:
    copy = next(iter(desk.town.copies.known.values()))
    return await FarDesk.open(desk.town, copy.branch_id, NOW - hours(1))


async def conflict(bus: FarDesk, barcode: str = "b1", card: str = "NOBODY") -> Any:
    bus.lend(barcode, card, NOW)
    await bus.send(now=LATER)
    return (await bus.conflicts())[-1]


async def loans(desk: Desk) -> list[Any]:
    async with desk.town.db.read() as session:
        return await session.rows(loan.select().order_by(loan.c.id))


async def replayed(desk: Desk) -> None:
    report = await replay(desk.town.db)
    assert (report.found, report.named) == (0, [])


async def test_it_is_recorded_with_the_right_card(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus)
    settled = await bus.settle(found, "record", card_number="ann", now=SETTLED)
    (row,) = await loans(desk)
    assert (row.lent_at, row.patron_id) == (NOW, next(iter(desk.town.patrons.known)))
    assert (settled.state, settled.settled_as, settled.recorded) == ("settled", "record", True)
    assert (settled.loan_id, settled.settled_at) == (row.id, SETTLED)
    assert settled.settled_by == LIBRARIAN.id
    assert (settled.card_number, settled.patron_id) == (None, None)
    assert await bus.conflicts() == [] and await bus.conflicts("settled") == [settled]
    assert (await desk.names())[-2:] == ["ItemCheckedOut", "OfflineConflictSettled"]
    await replayed(desk)


async def test_it_is_recorded_once_the_copy_is_catalogued(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus, "new", "ANN")
    copy = next(iter(desk.town.copies.known.values()))
    desk.town.copies.add("new", copy.branch_id)
    settled = await bus.settle(found, "record", now=SETTLED)
    assert settled.recorded and settled.copy_id != copy.id
    assert len(await loans(desk)) == 1
    await replayed(desk)


async def test_it_is_recorded_by_another_barcode(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus, "b11", "ANN")
    settled = await bus.settle(found, "record", barcode="b1", now=SETTLED)
    assert (settled.barcode, len(await loans(desk))) == ("b1", 1)


async def test_it_is_recorded_by_the_rules_of_today(desk: Desk, bus: FarDesk) -> None:
    copy = next(iter(desk.town.copies.known.values()))
    desk.town.copies.add("m1", copy.branch_id, item_type="map")
    await desk.town.rule("loan_period", None, item_type="map")
    found = await conflict(bus, "m1", "ANN")
    assert [each.code for each in found.reasons] == ["no-rule"]
    every = await desk.town.rules.find(parameter=None, window=ALL, actor=LIBRARIAN, at=NOW)
    (bad,) = [each for each in every.items if each.item_type == "map"]
    await desk.town.rules.remove(rule_id=bad.id, actor=ADMIN, now=NOW + hours(5))
    settled = await bus.settle(found, "record", now=SETTLED)
    (row,) = await loans(desk)
    assert (row.lent_at, row.policy["loan_period"], settled.loan_id) == (NOW, 21, row.id)


async def test_what_is_passed_over_then_is_named(desk: Desk, bus: FarDesk) -> None:
    await desk.rules(max_loans_total=0)
    found = await conflict(bus)
    settled = await bus.settle(found, "record", card_number="ANN", now=SETTLED)
    assert [each.code for each in settled.reasons] == ["unknown-card", "loan-limit-total"]


async def unsettled(desk: Desk, bus: FarDesk, found: Any, why: str, how: str, **but: Any) -> Any:
    before = await everything(desk.town), await bus.conflicts()
    with pytest.raises(ConflictNotSettled) as problem:
        await bus.settle(found, how, now=SETTLED, **but)
    assert problem.value.extra["reason"] == why
    assert (await everything(desk.town), await bus.conflicts()) == before
    return problem.value.extra


async def test_what_is_still_in_the_way_is_told(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus)
    told = await unsettled(desk, bus, found, "in-the-way", "record")
    assert told["codes"] == ["unknown-card"]
    await desk.at(NOW + hours(6)).lend("b1", "ANN")
    told = await unsettled(desk, bus, found, "in-the-way", "record", card_number="ANN")
    assert told["codes"] == ["lent-since"]
    await unsettled(desk, bus, found, "not-recorded", "accept")


async def test_it_is_dismissed_with_a_reason(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus)
    before = await loans(desk)
    with pytest.raises(Invalid):
        await bus.settle(found, "dismiss", now=SETTLED)
    settled = await bus.settle(found, "dismiss", reason="It is on the shelf", now=SETTLED)
    assert (settled.reason, settled.recorded) == ("It is on the shelf", False)
    assert settled.card_number is None and await loans(desk) == before
    again = await bus.settle(found, "dismiss", reason="Something else", now=SETTLED + hours(1))
    assert again == settled
    assert (await desk.names()).count("OfflineConflictSettled") == 1
    await unsettled(desk, bus, found, "settled-before", "record", card_number="ANN")


async def test_what_was_recorded_is_accepted(desk: Desk, bus: FarDesk) -> None:
    await desk.rules(max_loans_total=0)
    found = await conflict(bus, "b1", "ANN")
    for how in ("record", "dismiss"):
        await unsettled(desk, bus, found, "recorded", how, reason="No")
    settled = await bus.settle(found, "accept", now=SETTLED)
    assert (settled.settled_as, settled.loan_id) == ("accept", found.loan_id)
    assert found.patron_id is not None and settled.patron_id is None


async def test_what_nobody_may_waive_is_accepted_with_a_reason(desk: Desk, bus: FarDesk) -> None:
    desk.town.patrons.add("EVE", blocks=(block("stolen-card"),))
    found = await conflict(bus, "b1", "EVE")
    assert found.recorded and "card-stolen" in [each.code for each in found.reasons]
    assert found.what_to_do.endswith("with a reason.")
    before = await everything(desk.town), await bus.conflicts()
    with pytest.raises(Invalid) as told:
        await bus.settle(found, "accept", now=SETTLED)
    assert told.value.extra["errors"][0]["pointer"] == "#/reason"
    assert (await everything(desk.town), await bus.conflicts()) == before
    settled = await bus.settle(found, "accept", reason="She has it back", now=SETTLED)
    assert (settled.settled_as, settled.reason) == ("accept", "She has it back")
    assert await bus.settle(found, "accept", now=SETTLED) == settled


async def test_what_nobody_may_waive_is_recorded_with_a_reason(desk: Desk, bus: FarDesk) -> None:
    desk.town.patrons.add("EVE", blocks=(block("stolen-card"),))
    found = await conflict(bus)
    before = await everything(desk.town), await bus.conflicts()
    with pytest.raises(Invalid):
        await bus.settle(found, "record", card_number="EVE", now=SETTLED)
    assert (await everything(desk.town), await bus.conflicts()) == before
    settled = await bus.settle(found, "record", card_number="EVE", reason="Hers", now=SETTLED)
    assert settled.recorded and len(await loans(desk)) == 1
    await replayed(desk)


async def test_five_settle_it_at_once(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus)
    tries = [
        *(bus.settle(found, "record", card_number="ANN", now=SETTLED) for _ in range(4)),
        bus.settle(found, "dismiss", reason="Gone", now=SETTLED),
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert all(not isinstance(e, Exception) or isinstance(e, ConflictNotSettled) for e in done)
    (settled,) = await bus.conflicts("settled")
    assert len(await loans(desk)) == (1 if settled.settled_as == "record" else 0)
    assert (await desk.names()).count("OfflineConflictSettled") == 1
    await replayed(desk)


async def test_lists_and_single_ones(desk: Desk, bus: FarDesk) -> None:
    first, second = await conflict(bus), await conflict(bus, "b2")
    assert [each.id for each in await bus.conflicts()] == [first.id, second.id]
    assert await bus.desks.conflict(conflict_id=first.id, actor=LIBRARIAN) == first
    page = await bus.desks.conflicts(
        like=OfflineConflictFilter(desk_id=bus.desk.id),
        window=ALL.model_copy(update={"limit": 1}),
        actor=LIBRARIAN,
    )
    assert [each.id for each in page.items] == [first.id] and page.total == 2
    rest = await bus.desks.conflicts(
        like=OfflineConflictFilter(),
        window=ALL.model_copy(update={"after": page.next_cursor}),
        actor=LIBRARIAN,
    )
    assert [each.id for each in rest.items] == [second.id] and rest.next_cursor is None
    nobody = OfflineConflictFilter(desk_id=uuid4())
    assert (await bus.desks.conflicts(like=nobody, window=ALL, actor=LIBRARIAN)).total == 0


async def test_only_staff_see_and_settle_them(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus)
    settle = SettleConflict(how="dismiss", reason="Mine")
    for ask in (
        bus.desks.conflict(conflict_id=found.id, actor=READER),
        bus.desks.conflicts(like=OfflineConflictFilter(), window=ALL, actor=READER),
        bus.desks.settle(conflict_id=found.id, settle=settle, actor=READER, now=SETTLED),
    ):
        with pytest.raises(NotAllowed):
            await ask
    assert await bus.conflicts() == [found]
    for ask in (
        bus.desks.conflict(conflict_id=uuid4(), actor=LIBRARIAN),
        bus.desks.settle(conflict_id=uuid4(), settle=settle, actor=LIBRARIAN, now=SETTLED),
    ):
        with pytest.raises(NoSuchOfflineConflict):
            await ask


async def test_who_left_is_in_no_conflict(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus, "nothing", "ANN")
    assert found.patron_id is not None
    gone = PatronRemoved(at=LATER, patron_id=found.patron_id)
    async with desk.town.db.begin() as tx:
        await forget_patron(tx, gone, None)
    (now,) = await bus.conflicts()
    assert (now.patron_id, now.card_number) == (None, None)
    with pytest.raises(Invalid):
        await bus.settle(found, "record", barcode="b1", now=SETTLED)


async def test_neither_log_nor_answers_name_anybody(desk: Desk, bus: FarDesk) -> None:
    ann = next(iter(desk.town.patrons.known))
    found = await conflict(bus)
    await conflict(bus, "b1", "ANN")
    await bus.settle(found, "dismiss", reason="Mr Nobody", now=SETTLED)
    async with desk.town.db.read() as session:
        told = str(await session.rows(TABLES.event.select()))
        kept = str(await session.rows(offline_conflict.select()))
    for word in ("NOBODY", "Mr Nobody", str(ann)):
        assert word not in told
    assert "NOBODY" not in kept and repr(ann) not in kept
