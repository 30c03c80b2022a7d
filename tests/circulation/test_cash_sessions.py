"""A desk begins with a float, takes and gives money, and is counted; then nothing changes it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import delete, update
from tests.circulation.desk import EVERYTHING, Desk, a_key, euros
from tests.circulation.town import ADMIN, NOW, READER, Town

from lendery.circulation.models import cash_session, ledger_line
from lendery.circulation.replay import replay
from lendery.contracts.base import Invalid, KeyReused, Money, NotAllowed, Window, new_id
from lendery.contracts.circulation import (
    BranchInUse,
    CashCount,
    CashSession,
    CashSessionFilter,
    CashSessionRefused,
    NewCashSession,
    NoSuchCashSession,
    PaymentRefused,
    RefundRefused,
    UndoRefused,
)
from lendery.contracts.permissions import Actor

DOLLAR = Money(amount=100, currency="USD")
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest_asyncio.fixture
async def central(town: Town) -> UUID:
    return (await town.branch("central")).id


@pytest.fixture
def ann(town: Town) -> UUID:
    return town.patrons.add("ANN").id


def somebody(desk: UUID | None = None) -> Actor:
    return Actor(id=new_id(), role="librarian", desk=desk)


def says(session: CashSession) -> dict[tuple[str, str], tuple[int, int]]:
    return {(t.kind, t.method): (t.count, t.amount.amount) for t in session.totals}


# a day at a desk


async def test_a_day_at_a_desk_adds_up(desk: Desk, central: UUID, ann: UUID) -> None:
    opened = await desk.open(central, "front", 5_000)
    assert (opened.desk, opened.branch_id, opened.opened_at) == ("front", central, NOW)
    assert (opened.opened_by, opened.expected) == (desk.actor.id, euros(5_000))
    assert (opened.counted, opened.difference, opened.closed_at) == (None, None, None)
    await desk.charge(ann, 2_000)
    at = {"branch_id": central, "desk": "front"}
    paid = await desk.pay(ann, 700, **at)
    assert paid.cash_session_id == opened.id
    await desk.pay(ann, 300, method="card", **at)
    await desk.undo(await desk.pay(ann, 150, **at))
    wrong = await desk.charge(ann, 50)
    await desk.pay(ann, 50, fine_ids=[wrong.id], **at)
    await desk.take_back(wrong)
    left = (await desk.account(ann)).owed.amount
    await desk.pay(ann, left, method="transfer", **at)
    back = await desk.charge(ann, 25)
    await desk.pay(ann, 25, fine_ids=[back.id], method="card", **at)
    await desk.take_back(back)
    refund = await desk.refund(ann, 25, **at)
    assert refund.cash_session_id == opened.id

    so_far = await desk.session(opened)
    assert says(so_far) == {
        ("payment", "cash"): (3, 900),
        ("payment", "card"): (2, 325),
        ("payment", "transfer"): (1, left),
        ("refund", "cash"): (1, -25),
        ("reversal", "cash"): (1, -150),
    }
    assert so_far.expected == euros(5_000 + 900 - 25 - 150)
    closed = await desk.at(LATER).of(ADMIN).close(opened, 5_720)
    assert closed == so_far.model_copy(
        update={
            "closed_at": LATER,
            "closed_by": ADMIN.id,
            "counted": euros(5_720),
            "difference": euros(-5),
        }
    )
    assert await desk.session(opened) == closed
    assert (await replay(desk.town.db)).found == 0
    lines = await desk.town.cash.lines(session_id=opened.id, window=EVERYTHING, actor=ADMIN)
    assert sum(line.amount.amount for line in lines.items) == sum(
        amount for _, amount in says(closed).values()
    )
    assert {line.by for line in lines.items} == {desk.actor.id}
    assert str(ann) not in lines.model_dump_json() + closed.model_dump_json()


async def test_a_payment_of_two_fines_is_two_lines_of_one_session(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    opened = await desk.open(central, "front")
    await desk.charge(ann, 300)
    await desk.charge(ann, 200)
    await desk.pay(ann, 500)
    assert says(await desk.session(opened)) == {("payment", "cash"): (2, 500)}


async def test_a_charge_a_waiver_and_a_cancellation_are_no_money(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    opened = await desk.open(central, "front")
    await desk.waive(await desk.charge(ann, 300))
    await desk.take_back(await desk.charge(ann, 200))
    undone = await desk.waive(await desk.charge(ann, 100))
    await desk.undo(undone)
    assert (await desk.session(opened)).totals == []


# opening and closing


async def test_one_session_is_open_at_a_desk(desk: Desk, central: UUID) -> None:
    north = (await desk.town.branch("north")).id
    first = await desk.open(central, "Front", 1)
    assert first.desk == "front", "upper case makes no other desk"
    async with desk.refuses(CashSessionRefused, "open-already"):
        await desk.open(central, "FRONT", 2)
    await desk.open(central, "back")
    await desk.open(north, "front")
    await desk.close(first, 0)
    second = await desk.at(LATER).open(central, "front", 3)
    assert second.id != first.id and second.opening_float == euros(3)


async def test_a_session_is_closed_once(desk: Desk, central: UUID) -> None:
    opened = await desk.open(central, "front", 100)
    closed = await desk.close(opened, 0)
    assert (closed.counted, closed.difference) == (euros(0), euros(-100))
    for again in (desk, desk.of(ADMIN)):
        async with desk.refuses(CashSessionRefused, "closed-before"):
            await again.close(opened, 100)


@pytest.mark.parametrize(
    ("amount", "code"),
    [(euros(0), None), (euros(-1), "below-zero"), (DOLLAR, "wrong-currency")],
)
async def test_what_lies_in_a_drawer_is_money_of_the_library(
    desk: Desk, central: UUID, amount: Money, code: str | None
) -> None:
    opened = await desk.open(central, "front", 100)
    if code is None:
        await desk.open(central, "back", amount)
        await desk.close(opened, amount)
        return
    async with desk.refuses(CashSessionRefused, code):
        await desk.open(central, "back", amount)
    async with desk.refuses(CashSessionRefused, code):
        await desk.close(opened, amount)


async def test_a_desk_is_at_a_branch(desk: Desk, central: UUID) -> None:
    opened = await desk.of(somebody(central)).open(None, "front")
    assert opened.branch_id == central
    for branch_id in (None, new_id()):
        with pytest.raises(Invalid, match="branch"):
            await desk.open(branch_id, "back")
    with pytest.raises(BranchInUse):
        await desk.town.branches.remove(branch_id=central, actor=ADMIN, now=NOW)


async def test_what_there_is_not_is_not_closed(desk: Desk, central: UUID) -> None:
    opened = await desk.open(central, "front")
    ghost = opened.model_copy(update={"id": new_id()})
    async with desk.refuses(NoSuchCashSession):
        await desk.close(ghost, 0)
    for asked in (
        desk.session(ghost),
        desk.town.cash.lines(session_id=ghost.id, window=EVERYTHING, actor=ADMIN),
    ):
        with pytest.raises(NoSuchCashSession):
            await asked


async def test_sent_again_it_is_opened_and_closed_once(desk: Desk, central: UUID) -> None:
    opened = await desk.open(central, "front", 100, key=a_key("open"))
    async with desk.refuses(CashSessionRefused, "open-already"):
        await desk.open(central, "front", 100, key=a_key("other"))
    closed = await desk.close(opened, 90, key=a_key("close"))
    later = desk.at(LATER)
    async with desk.nothing_changes():
        assert await later.open(central, "front", 100, key=a_key("open")) == opened
        assert await later.close(opened, 90, key=a_key("close")) == closed
        with pytest.raises(KeyReused):
            await later.close(opened, 91, key=a_key("close", "that"))
        with pytest.raises(CashSessionRefused):
            await later.open(central, "front", 100, key=a_key("other"))


async def test_a_counted_session_cannot_be_changed_behind_anybodys_back(
    desk: Desk, central: UUID
) -> None:
    opened = await desk.open(central, "front", 100)
    await desk.close(opened, 100)
    other = await desk.open(central, "back", 100)
    counted = cash_session.c.id == opened.id
    for change in (
        update(cash_session).where(counted).values(counted=99),
        update(cash_session).where(counted).values(closed_at=None, counted=None, expected=None),
        delete(cash_session).where(counted),
        delete(cash_session).where(cash_session.c.id == other.id),
    ):
        async with desk.nothing_changes():
            with pytest.raises(Exception, match="stays as it was counted"):
                async with desk.town.db.begin() as tx:
                    await tx.run(change)


async def test_a_line_does_not_move_to_another_session(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    await desk.open(central, "front")
    await desk.charge(ann, 100)
    await desk.pay(ann, 100)
    async with desk.nothing_changes():
        with pytest.raises(Exception, match="only added to"):
            async with desk.town.db.begin() as tx:
                await tx.run(update(ledger_line).values(cash_session_id=None))


# in whose count


async def test_where_no_session_is_open_money_is_taken_as_ever(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    await desk.charge(ann, 300)
    here = desk.of(somebody(central))
    assert (await here.pay(ann, 100)).cash_session_id is None
    async with desk.refuses(PaymentRefused, "desk-closed"):
        await here.pay(ann, 100, desk="front")
    await desk.open(central, "front")
    assert (await here.pay(ann, 100)).cash_session_id is not None


async def test_with_two_drawers_cash_must_say_which(desk: Desk, central: UUID, ann: UUID) -> None:
    await desk.charge(ann, 500)
    here, front = desk.of(somebody(central)), await desk.open(central, "front")
    back = await desk.of(ADMIN).open(central, "back")
    async with desk.refuses(PaymentRefused, "which-desk"):
        await here.pay(ann, 100, key=a_key("pay"))
    async with desk.refuses(PaymentRefused, "which-desk"):
        await here.pay(ann, 100, key=a_key("pay"))
    assert (await here.pay(ann, 100, method="card")).cash_session_id is None
    assert (await here.pay(ann, 100, desk="back")).cash_session_id == back.id
    assert (await desk.pay(ann, 100)).cash_session_id == front.id, "whoever opened it"
    wrong = await desk.charge(ann, 50)
    await here.pay(ann, 50, fine_ids=[wrong.id], desk="front")
    await desk.take_back(wrong)
    left = (await desk.account(ann)).owed.amount
    await here.pay(ann, left, desk="front")
    paid_back = await desk.charge(ann, 70)
    await here.pay(ann, 70, desk="front")
    await desk.take_back(paid_back)
    async with desk.refuses(RefundRefused, "which-desk"):
        await here.refund(ann, 70)
    assert (await here.refund(ann, 70, desk="back")).cash_session_id == back.id


async def test_a_branch_there_is_not_takes_no_money(desk: Desk, ann: UUID) -> None:
    await desk.charge(ann, 500)
    async with desk.nothing_changes():
        with pytest.raises(Invalid, match="no such branch"):
            await desk.pay(ann, 100, branch_id=new_id())


async def test_the_log_says_at_which_branch_money_was_taken(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    north = (await desk.town.branch("north")).id
    await desk.charge(ann, 500)
    opened = await desk.open(north, "front")
    seen = len(await desk.told())
    here = desk.of(somebody(central))
    paid = await here.pay(ann, 100, branch_id=north)
    await here.undo(paid)
    await here.pay(ann, 100, branch_id=central)
    told = [(e.branch_id, e.cash_session_id) for e in await desk.told(seen)]
    assert told == [(north, opened.id), (north, opened.id), (central, None)]


# undone


async def test_what_is_undone_goes_back_over_the_desk_where_it_came(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    await desk.charge(ann, 500)
    front, back = await desk.open(central, "front"), await desk.open(central, "back")
    paid = await desk.pay(ann, 200, desk="front", branch_id=central)
    await desk.of(somebody(central)).undo(paid)
    paid = await desk.pay(ann, 300, desk="front", branch_id=central)
    await desk.undo(paid, desk="back", branch_id=central)
    assert says(await desk.session(front)) == {
        ("payment", "cash"): (2, 500),
        ("reversal", "cash"): (1, -200),
    }
    assert says(await desk.session(back)) == {("reversal", "cash"): (1, -300)}


async def test_what_is_undone_after_the_count_is_in_the_session_that_is_open_then(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    await desk.charge(ann, 500)
    first = await desk.open(central, "front", 1_000)
    paid, other = await desk.pay(ann, 200), await desk.pay(ann, 300)
    closed = await desk.close(first, 1_500)
    async with desk.refuses(UndoRefused, "desk-closed"):
        await desk.undo(paid, desk="front", branch_id=central)
    second = await desk.at(LATER).open(central, "front", 1_500)
    await desk.at(LATER).undo(paid)
    assert says(await desk.session(second)) == {("reversal", "cash"): (1, -200)}
    await desk.close(second, 1_300)
    await desk.at(LATER).undo(other)
    assert await desk.session(first) == closed, "what was counted stays"
    today = await desk.town.cash.day(on=NOW.date(), branch_id=None, actor=ADMIN, now=NOW)
    assert [(t.kind, t.amount.amount) for t in today.outside] == [("reversal", -300)]
    assert (await desk.account(ann)).owed == euros(500)
    assert (await replay(desk.town.db)).found == 0


# lists and days


async def test_sessions_are_listed_the_newest_first(desk: Desk, central: UUID, ann: UUID) -> None:
    north = (await desk.town.branch("north")).id
    made = [
        await desk.open(branch, name)
        for branch, name in ((central, "front"), (central, "back"), (north, "front"))
    ]
    await desk.charge(ann, 500)
    await desk.pay(ann, 100, branch_id=north)
    await desk.close(made[0], 0)

    async def found(window: Window = EVERYTHING, **like: Any) -> Any:
        filter = CashSessionFilter(**like)
        return await desk.town.cash.find(like=filter, window=window, actor=ADMIN)

    async def numbers(**like: Any) -> list[int]:
        ids = [each.id for each in made]
        return [ids.index(each.id) for each in (await found(**like)).items]

    assert await numbers() == [2, 1, 0]
    assert await numbers(open=True) == [2, 1] and await numbers(open=False) == [0]
    assert await numbers(branch_id=central) == [1, 0]
    assert await numbers(desk="FRONT") == [2, 0]
    assert await numbers(desk="front", branch_id=north, open=True) == [2]
    assert says((await found(branch_id=north)).items[0]) == {("payment", "cash"): (1, 100)}
    first = await found(Window(limit=2, total=True))
    assert [each.id for each in first.items] == [made[2].id, made[1].id] and first.total == 3
    rest = await found(Window(limit=2, after=first.next_cursor))
    assert [each.id for each in rest.items] == [made[0].id] and rest.next_cursor is None


async def test_a_day_is_that_of_the_branch(desk: Desk, central: UUID, ann: UUID) -> None:
    """Three in the afternoon in UTC is midnight in Tokyo."""
    tokyo = (await desk.town.branch("tokyo", time_zone="Asia/Tokyo")).id
    evening = datetime(2026, 3, 2, 14, 59, 59, tzinfo=UTC)
    await desk.charge(ann, 1_000)
    last = desk.at(evening)
    here, there = await last.open(central, "front", 500), await last.open(tokyo, "front", 700)
    for branch_id, amount in ((central, 10), (tokyo, 20)):
        await last.pay(ann, amount, branch_id=branch_id, desk="front")
    first = desk.at(evening + timedelta(seconds=1))
    for branch_id, amount in ((central, 40), (tokyo, 80)):
        await first.pay(ann, amount, branch_id=branch_id, desk="front")
    await first.pay(ann, 5, method="card", branch_id=tokyo, desk="front")
    await first.close(there, 800)

    async def day(number: int | None, branch_id: UUID | None = None) -> Any:
        on = number and date(2026, 3, number)
        return await desk.town.cash.day(
            on=on, branch_id=branch_id, actor=ADMIN, now=evening + timedelta(hours=1)
        )

    second, third = await day(2), await day(3)
    assert {d.branch_id: d.cash.amount for d in second.desks} == {central: 50, tokyo: 20}
    assert {d.branch_id: d.cash.amount for d in third.desks} == {tokyo: 80}
    assert [d.branch_id for d in third.desks] == [tokyo], "not open there on that day yet"
    totals = [(t.kind, t.method, t.count, t.amount.amount) for t in third.desks[0].totals]
    assert totals == [("payment", "cash", 1, 80), ("payment", "card", 1, 5)]
    (session,) = third.desks[0].sessions
    assert (session.id, session.difference) == (there.id, euros(0))
    assert [b.cash.amount for b in second.branches] == [d.cash.amount for d in second.desks]
    only = await day(None, tokyo)
    assert (only.on, [d.branch_id for d in only.desks]) == (date(2026, 3, 3), [tokyo])
    assert (await day(None)).on == date(2026, 3, 2)
    assert (await desk.session(here)).closed_at is None
    for on, branch_id in ((date(1899, 12, 31), None), (date.max, None), (NOW.date(), new_id())):
        with pytest.raises(Invalid):
            await desk.town.cash.day(on=on, branch_id=branch_id, actor=ADMIN, now=NOW)


async def test_two_sessions_of_one_desk_are_one_day_of_it(
    desk: Desk, central: UUID, ann: UUID
) -> None:
    await desk.charge(ann, 1_000)
    for _ in range(2):
        opened = await desk.open(central, "front", 100)
        await desk.pay(ann, 30)
        await desk.close(opened, 130)
    await desk.open(central, "back")
    await desk.pay(ann, 7, method="card")
    found = await desk.town.cash.day(on=NOW.date(), branch_id=central, actor=ADMIN, now=NOW)
    back, front = found.desks
    assert (front.desk, front.cash, len(front.sessions)) == ("front", euros(60), 2)
    assert [(t.count, t.amount.amount) for t in front.totals] == [(2, 60)]
    assert (back.desk, back.cash) == ("back", euros(0))
    (branch,) = found.branches
    assert branch.cash == euros(60)
    assert [(t.method, t.amount.amount) for t in branch.totals] == [("cash", 60), ("card", 7)]
    day_before = NOW.date() - timedelta(days=1)
    empty = await desk.town.cash.day(on=day_before, branch_id=None, actor=ADMIN, now=NOW)
    assert (empty.desks, empty.branches, empty.outside) == ([], [], [])


# who may


async def test_readers_have_nothing_to_do_with_drawers(desk: Desk, central: UUID) -> None:
    opened = await desk.open(central, "front")
    cash, new = desk.town.cash, NewCashSession(desk="back", opening_float=euros(1))
    async with desk.nothing_changes():
        for asked in (
            cash.open(opening=new, actor=READER, now=NOW),
            cash.close(
                session_id=opened.id, count=CashCount(counted=euros(0)), actor=READER, now=NOW
            ),
            cash.get(session_id=opened.id, actor=READER),
            cash.find(like=CashSessionFilter(), window=EVERYTHING, actor=READER),
            cash.lines(session_id=opened.id, window=EVERYTHING, actor=READER),
            cash.day(on=None, branch_id=None, actor=READER, now=NOW),
        ):
            with pytest.raises(NotAllowed):
                await asked
