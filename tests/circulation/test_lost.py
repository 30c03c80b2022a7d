"""Lost, found, and claimed returned: what becomes of the loan, the copy and the money."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk, euros
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation import ageing
from lendery.circulation.models import TABLES
from lendery.circulation.models import loan as loans
from lendery.circulation.replay import replay
from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import (
    ClaimResolution,
    CopyFound,
    CopyLost,
    Loan,
    NotClaimed,
    RenewalRefused,
)
from lendery.platform.db import Database

PAID, FORGIVEN = ClaimResolution(how="paid"), ClaimResolution(how="forgiven")


def day(number: int) -> Any:
    """So many days after the loan began, which is due on the 21st."""
    return NOW + timedelta(days=number)


@pytest.fixture
def desk(town: Town) -> Desk:
    town.patrons.add("BEN")
    return Desk(town)


@pytest.fixture
def ann(town: Town) -> UUID:
    return town.patrons.add("ANN").id


async def lent(desk: Desk, **rules: Any) -> tuple[BareCopy, Loan]:
    home = await desk.town.branch()
    await desk.rules(**{"loan_period": 21, "fine": 20, "lost_fee": 30} | rules)
    thing = desk.town.copies.add("b1", home.id, price=euros(700))
    return thing, await desk.lend("b1", "ANN")


async def replayed(desk: Desk) -> None:
    report = await replay(desk.town.db)
    assert (report.found, report.named) == (0, [])


async def lose(desk: Desk, thing: BareCopy) -> None:
    await desk.town.shelf.flag(copy_id=thing.id, flag="lost", **desk.here)


# lost


async def test_a_lost_copy_ends_its_loan_and_costs_lateness_price_and_fee(
    desk: Desk, ann: UUID
) -> None:
    thing, loan = await lent(desk)
    seen = len(await desk.told())
    late = desk.at(day(23))
    state = await late.town.shelf.flag(copy_id=thing.id, flag="lost", **late.here)
    assert (state.status, state.due_at) == ("lost", None)
    shown = await late.loan(loan)
    assert (shown.ended_as, shown.returned_at, shown.overdue) == ("lost", day(23), False)
    account = await late.account(ann)
    charged = [(fine.reason, fine.amount.amount, fine.loan_id) for fine in account.fines]
    assert charged == [("late", 40, loan.id), ("lost", 700, loan.id), ("lost-fee", 30, loan.id)]
    names = await desk.names(seen)
    assert names == ["CopyFlagged", "CopyLost", *["FineCharged"] * 3]
    told = (await desk.told(seen))[1]
    assert isinstance(told, CopyLost)
    assert (told.loan_id, told.automatic, told.by) == (loan.id, False, LIBRARIAN.id)
    await replayed(desk)


async def test_what_nobody_knows_the_price_of_costs_the_fee(desk: Desk, ann: UUID) -> None:
    thing, _ = await lent(desk)
    other = desk.town.copies.add("b2", thing.branch_id)
    await desk.lend("b2", "ANN")
    await lose(desk, other)
    assert await desk.stands(ann) == (30, 30, 0, [30])


async def test_a_copy_that_is_not_on_loan_costs_nobody_anything(desk: Desk, ann: UUID) -> None:
    thing, _ = await lent(desk)
    await desk.bring("b1")
    seen = len(await desk.told())
    await lose(desk, thing)
    assert await desk.names(seen) == ["CopyFlagged"]
    found = await desk.bring("b1")
    assert found.refunded is None
    told = (await desk.told())[-1]
    assert isinstance(told, CopyFound) and told.loan_id is None


# found


@pytest.mark.parametrize(
    ("refund", "back", "owed"),
    [("none", None, 730), ("price", 700, 30), ("price-and-fee", 730, 0)],
)
async def test_what_comes_back_when_it_is_found(
    desk: Desk, ann: UUID, refund: str, back: int | None, owed: int
) -> None:
    thing, loan = await lent(desk, lost_refund=refund)
    await lose(desk, thing)
    assert (await desk.stands(ann))[0] == 730
    found = await desk.bring("b1")
    assert found.refunded == (None if back is None else euros(back))
    assert (found.loan, found.next, found.copy_here.status) == (None, "shelve", "available")
    assert (await desk.stands(ann))[0] == owed
    told = [event for event in await desk.told() if isinstance(event, CopyFound)]
    assert [(event.loan_id, event.copy_id) for event in told] == [(loan.id, thing.id)]
    assert (await desk.bring("b1")).refunded is None, "once"
    await replayed(desk)


async def test_what_was_paid_becomes_credit_and_what_was_waived_does_not(
    desk: Desk, ann: UUID
) -> None:
    thing, _ = await lent(desk, lost_fee=0)
    await lose(desk, thing)
    fine = (await desk.account(ann)).fines[0]
    await desk.waive(fine, 200)
    await desk.pay(ann, 500)
    assert (await desk.bring("b1")).refunded == euros(500)
    assert await desk.stands(ann) == (-500, 0, 500, [])
    await replayed(desk)


async def test_finding_it_is_undone_with_its_refund(desk: Desk, ann: UUID) -> None:
    thing, _ = await lent(desk)
    await lose(desk, thing)
    before = await desk.stands(ann)
    found = await desk.bring("b1")
    undone = await desk.undo(found)
    assert undone.status == "lost"
    assert await desk.stands(ann) == before
    assert (await desk.bring("b1")).refunded == euros(700), "and found again"
    await replayed(desk)


@pytest.mark.parametrize("how", ["lent", "found", "not lost"])
async def test_it_is_found_wherever_it_turns_up(desk: Desk, ann: UUID, how: str) -> None:
    thing, _ = await lent(desk)
    await lose(desk, thing)
    if how == "lent":
        await desk.lend("b1", "BEN")
    else:
        flag: Any = "found" if how == "found" else "lost"
        raised = how == "found"
        await desk.town.shelf.flag(copy_id=thing.id, flag=flag, raised=raised, **desk.here)
    assert (await desk.stands(ann))[0] == 30
    await replayed(desk)


async def test_only_who_lost_it_last_gets_anything_back(desk: Desk, ann: UUID) -> None:
    thing, _ = await lent(desk)
    ben = next(p.id for p in desk.town.patrons.known.values() if p.card_number == "BEN")
    await lose(desk, thing)
    await desk.lend("b1", "BEN")
    await lose(desk, thing)
    await desk.bring("b1")
    assert [(await desk.stands(who))[0] for who in (ann, ben)] == [30, 30]


# by age


async def test_what_is_late_for_too_long_is_lost_by_itself(
    desk: Desk, ann: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ageing, "LOOKED_AT", 2)
    monkeypatch.setattr(ageing, "AT_ONCE", 1)
    thing, first = await lent(desk, lost_after=10)
    for number in range(2, 7):
        desk.town.copies.add(f"b{number}", thing.branch_id)
        await desk.at(day(number % 3)).lend(f"b{number}", "ANN")
    assert await desk.town.desk.declare_lost(now=day(30)) == 0
    assert await desk.town.desk.declare_lost(now=day(31)) == 3
    assert await desk.town.desk.declare_lost(now=day(31)) == 0
    assert (await desk.loan(first)).ended_as == "lost"
    told = [event for event in await desk.told() if isinstance(event, CopyLost)]
    assert all(event.automatic and event.by is None for event in told) and len(told) == 3
    owed = (await desk.stands(ann))[0]
    assert owed == 3 * (10 * 20 + 30) + 700
    assert await desk.status(thing) == "lost"
    await replayed(desk)


async def test_what_is_claimed_or_has_no_limit_is_not_lost_by_age(desk: Desk, ann: UUID) -> None:
    thing, _ = await lent(desk, lost_after=10)
    await desk.town.rule("lost_after", None, item_type="dvd")
    desk.town.copies.add("d1", thing.branch_id, item_type="dvd")
    await desk.lend("d1", "ANN")
    await desk.town.shelf.flag(copy_id=thing.id, flag="claimed-returned", **desk.here)
    async with desk.nothing_changes():
        assert await desk.town.desk.declare_lost(now=day(400)) == 0


# claimed returned


async def test_no_fine_runs_while_the_library_looks_for_it(desk: Desk, ann: UUID) -> None:
    thing, loan = await lent(desk)
    claimed = desk.at(day(23))
    await claimed.town.shelf.flag(copy_id=thing.id, flag="claimed-returned", **claimed.here)
    later = desk.at(day(60))
    shown = await later.loan(loan)
    assert (shown.claimed_at, shown.accrued) == (day(23), euros(40))
    await later.town.shelf.flag(copy_id=thing.id, flag="claimed-returned", **later.here)
    assert (await later.loan(loan)).claimed_at == day(23), "the first word counts"
    async with desk.refuses(RenewalRefused, "claimed-returned"):
        await later.renew(loan)
    back = await later.bring("b1")
    assert back.fine is not None and back.fine.amount == euros(40)
    await later.undo(back)
    assert await desk.status(thing) == "claimed-returned"
    assert (await later.loan(loan)).claimed_at == day(23)
    await replayed(desk)


async def test_a_claim_that_was_a_mistake_stops_no_fine(desk: Desk, ann: UUID) -> None:
    thing, loan = await lent(desk)
    for raised in (True, False):
        await desk.town.shelf.flag(
            copy_id=thing.id, flag="claimed-returned", raised=raised, **desk.here
        )
    assert (await desk.at(day(23)).loan(loan)).accrued == euros(40)
    assert (await desk.names())[-2:] == ["CopyFlagged", "ClaimDropped"]
    await replayed(desk)


@pytest.mark.parametrize(
    ("how", "ended_as", "status", "owed"),
    [(PAID, "lost", "lost", 40 + 700 + 30), (FORGIVEN, "forgiven", "missing", 0)],
)
async def test_a_claim_ends_paid_or_forgiven(
    desk: Desk, ann: UUID, how: ClaimResolution, ended_as: str, status: str, owed: int
) -> None:
    thing, loan = await lent(desk)
    resolve = desk.town.desk.resolve_claim
    async with desk.nothing_changes():
        with pytest.raises(NotClaimed):
            await resolve(loan_id=loan.id, how=how, **desk.here)
    claimed, later = desk.at(day(23)), desk.at(day(90))
    await claimed.town.shelf.flag(copy_id=thing.id, flag="claimed-returned", **claimed.here)
    ended = await resolve(loan_id=loan.id, how=how, **later.here)
    assert (ended.ended_as, ended.returned_at) == (ended_as, day(90))
    assert await desk.status(thing) == status
    assert (await desk.stands(ann))[0] == owed
    async with desk.nothing_changes():
        with pytest.raises(NotClaimed):
            await resolve(loan_id=loan.id, how=how, **later.here)
    found = await later.bring("b1")
    assert found.refunded == (euros(700) if owed else None)
    assert (await desk.town.row(loans, loan.id)).ended_as == ended_as
    await replayed(desk)


async def test_lost_by_age_and_returned_at_once_is_one_of_them(postgres_url: str) -> None:
    """Two nightly runs and a desk, and each loan ends once."""
    db = Database(postgres_url, [TABLES], size=8)
    desk = Desk(Town(db))
    desk.town.patrons.add("ANN")
    home = await desk.town.branch()
    await desk.rules(loan_period=21, fine=20, lost_after=10, lost_fee=30)
    for number in range(12):
        desk.town.copies.add(f"b{number}", home.id)
        await desk.lend(f"b{number}", "ANN")
    late = desk.at(day(60))
    ended: list[Any] = await asyncio.gather(
        late.town.desk.declare_lost(now=late.now),
        late.town.desk.declare_lost(now=late.now),
        *[late.bring(f"b{number}") for number in range(6)],
    )
    lost = [event for event in await desk.told() if isinstance(event, CopyLost)]
    returned = [back.loan.id for back in ended[2:] if back.loan is not None]
    assert ended[0] + ended[1] == len(lost) == 12 - len(returned)
    assert not {event.loan_id for event in lost} & set(returned)
    await replayed(desk)
    await db.close()
