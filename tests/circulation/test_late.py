"""Coming back late: what it costs, when it is posted, and what is only shown."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import EVERYTHING, Desk, a_key
from tests.circulation.town import ADMIN, LIBRARIAN, NOW, Town

from lendery.circulation.models import ledger_line
from lendery.contracts.base import KeyReused, Money
from lendery.contracts.circulation import CheckOutRefused, FineCharged, Loan, LoanFilter, NewWaiver

DUE = date(2026, 3, 9)  # a Monday, a week after


@pytest.fixture
def desk(town: Town) -> Desk:
    town.patrons.add("ANN")
    return Desk(town)


async def lent(desk: Desk, *, price: Money | None = None, **rules: Any) -> Loan:
    """For a week, at 20 cents a day."""
    home = await desk.town.branch()
    await desk.rules(**{"loan_period": 7, "fine": 20, **rules})
    desk.town.copies.add("b1", home.id, price=price)
    loan = await desk.lend("b1", "ANN")
    assert loan.due_at == datetime.fromisoformat("2026-03-09T23:59:59Z")
    return loan


def on(desk: Desk, day: int) -> Desk:
    return desk.at(NOW.replace(day=day))


def patron(loan: Loan) -> UUID:
    assert loan.patron_id is not None
    return loan.patron_id


@pytest.mark.parametrize(("day", "costs"), [(9, None), (10, 20), (14, 100), (31, 440)])
async def test_each_day_late_costs(desk: Desk, day: int, costs: int | None) -> None:
    loan = await lent(desk)
    seen = len(await desk.told())
    back = await on(desk, day).bring("b1")
    account = await desk.account(patron(loan))
    if costs is None:
        assert (back.fine, account.items) == (None, [])
        assert await desk.names(seen) == ["ItemCheckedIn"]
        return
    assert back.fine is not None
    assert (back.fine.reason, back.fine.amount.amount) == ("late", costs)
    assert (back.fine.loan_id, back.fine.book_id) == (loan.id, loan.book_id)
    assert account.fines == [back.fine] and account.owed == back.fine.outstanding
    told = (await desk.told())[-1]
    assert isinstance(told, FineCharged)
    assert (told.fine_id, told.amount, told.cause) == (back.fine.id, costs, "late")
    assert (told.loan_id, told.by) == (loan.id, LIBRARIAN.id)
    assert patron(loan).hex not in str(told).replace("-", "")


@pytest.mark.parametrize(
    ("hour", "costs"),
    [("2026-03-09T23:59:59", 0), ("2026-03-10T00:00:00", 20), ("2026-03-10T23:59:59", 20)],
)
async def test_a_day_late_begins_at_midnight(desk: Desk, hour: str, costs: int) -> None:
    await lent(desk)
    back = await desk.at(datetime.fromisoformat(f"{hour}Z")).bring("b1")
    assert (back.fine.amount.amount if back.fine else 0) == costs


@pytest.mark.parametrize(("day", "costs"), [(2, None), (9, None), (10, 20), (12, 60), (14, 100)])
async def test_what_lay_in_the_book_drop_costs_until_it_was_dropped(
    desk: Desk, day: int, costs: int | None
) -> None:
    await lent(desk)
    back = await on(desk, 14).bring("b1", returned_at=NOW.replace(day=day))
    assert (back.fine.amount.amount if back.fine else None) == costs
    assert back.loan is not None and back.loan.returned_at == NOW.replace(day=day)
    if back.fine is not None:
        assert back.fine.charged_at == NOW.replace(day=14), "posted when it was known"


@pytest.mark.parametrize(
    ("mode", "day", "costs"),
    [
        *(("threshold", 11, 0), ("threshold", 12, 60), ("threshold", 14, 100)),
        *(("deduct", 11, 0), ("deduct", 12, 20), ("deduct", 14, 60)),
    ],
)
async def test_two_days_of_grace(desk: Desk, mode: str, day: int, costs: int) -> None:
    await lent(desk, grace=2, grace_mode=mode)
    back = await on(desk, day).bring("b1")
    assert (back.fine.amount.amount if back.fine else 0) == costs


async def test_closed_days_cost_nothing_unless_the_rules_say_so(desk: Desk) -> None:
    home = await desk.branch("home", shut=(date(2026, 3, 12),))
    await desk.rules(loan_period=7, fine=20)
    await desk.town.rule("fine_closed_days", True, item_type="dvd")
    desk.town.copies.add("b1", home.id)
    desk.town.copies.add("d1", home.id, item_type="dvd")
    for barcode, costs in (("b1", 100), ("d1", 140)):  # a week, the 12th and a Sunday in it
        await desk.lend(barcode, "ANN")
        back = await on(desk, 16).bring(barcode)
        assert back.fine is not None and back.fine.amount.amount == costs


async def test_the_rules_of_the_day_it_was_lent_count(desk: Desk) -> None:
    await lent(desk)
    rules = await desk.town.rules.find(parameter="fine", window=EVERYTHING, actor=ADMIN, at=NOW)
    await desk.town.rules.change(
        rule_id=rules.items[0].id, changes={"value": 500}, actor=ADMIN, now=NOW
    )
    back = await on(desk, 10).bring("b1")
    assert back.fine is not None and back.fine.amount.amount == 20


# renewed late


async def test_a_late_renewal_is_charged_for_what_was_late_until_then(desk: Desk) -> None:
    loan = await lent(desk)
    seen = len(await desk.told())
    renewed = await on(desk, 11).renew(loan)
    assert renewed.due_at.date() == date(2026, 3, 18)
    assert await desk.names(seen) == ["LoanRenewed", "FineCharged"]
    (fine,) = (await desk.account(patron(loan))).fines
    assert (fine.reason, fine.amount.amount, fine.loan_id) == ("late", 40, loan.id)
    back = await on(desk, 18).bring("b1")
    assert back.fine is None, "in time now"


async def test_a_renewal_in_time_costs_nothing(desk: Desk) -> None:
    loan = await lent(desk)
    await on(desk, 9).renew(loan)
    assert (await desk.account(patron(loan))).items == []


@pytest.mark.parametrize(
    ("cap", "charges"), [(None, [40, 60]), (60, [40, 20]), (40, [40]), (30, [30]), (0, [])]
)
async def test_the_cap_is_for_one_loan_over_all_its_charges(
    desk: Desk, cap: int | None, charges: list[int]
) -> None:
    loan = await lent(desk, fine_cap=cap)
    await on(desk, 11).renew(loan)  # two days late, due on the 18th
    back = await on(desk, 21).bring("b1")
    fines = (await desk.account(patron(loan))).fines
    assert [fine.amount.amount for fine in fines] == charges
    assert (back.fine.amount.amount if back.fine else 0) == sum(charges[1:])


async def test_the_cap_is_not_filled_up_again_by_forgiving(desk: Desk) -> None:
    loan = await lent(desk, fine_cap=60)
    await on(desk, 11).renew(loan)
    (fine,) = (await desk.account(patron(loan))).fines
    waiver = NewWaiver(reason="First time")
    await desk.town.fees.waive(fine_id=fine.id, waiver=waiver, **desk.here)
    back = await on(desk, 21).bring("b1")
    assert back.fine is not None and back.fine.amount.amount == 20


@pytest.mark.parametrize(
    ("price", "costs"),
    [
        (Money(amount=50), 50),
        (Money(amount=100), 100),
        (Money(amount=101), 100),
        (Money(amount=50, currency="USD"), 100),  # nobody changes money at the desk
        (None, 100),
    ],
)
async def test_never_above_the_price_where_that_is_a_rule(
    desk: Desk, price: Money | None, costs: int
) -> None:
    await lent(desk, price=price, cap_at_price=True)
    back = await on(desk, 14).bring("b1")
    assert back.fine is not None and back.fine.amount.amount == costs


# shown, not posted


async def test_what_accrues_is_shown_and_not_owed(desk: Desk) -> None:
    loan = await lent(desk)
    late = on(desk, 12)
    async with desk.nothing_changes():
        shown = await late.loan(loan)
        assert (shown.overdue, shown.accrued) == (True, Money(amount=60))
        account = await late.account(patron(loan))
        page = await desk.town.desk.find(
            like=LoanFilter(patron_id=loan.patron_id), window=EVERYTHING, **late.here
        )
    assert page.items == [shown]
    assert (account.balance.amount, account.owed.amount, account.fines) == (0, 0, [])
    assert [(each.loan_id, each.amount.amount) for each in account.accruing] == [(loan.id, 60)]
    assert account.accruing[0].due_at == loan.due_at
    assert (await on(desk, 9).loan(loan)).accrued is None
    back = await late.bring("b1")
    assert back.fine is not None and back.fine.amount == shown.accrued, "and that is what it costs"
    assert (await late.account(patron(loan))).accruing == []


async def test_what_accrues_after_a_late_renewal_is_what_is_left_of_the_cap(desk: Desk) -> None:
    loan = await lent(desk, fine_cap=60)
    await on(desk, 11).renew(loan)
    account = await on(desk, 25).account(patron(loan))
    assert [each.amount.amount for each in account.accruing] == [20]


async def test_what_accrues_does_not_keep_anybody_from_borrowing(desk: Desk) -> None:
    loan = await lent(desk, owed_limit=0)
    desk.town.copies.add("b2", loan.branch_id)
    late = on(desk, 12)
    assert await late.lend("b2", "ANN")


@pytest.mark.parametrize(("limit", "refused"), [(60, False), (59, True), (None, False)])
async def test_what_was_posted_does_above_the_limit(
    desk: Desk, limit: int | None, refused: bool
) -> None:
    loan = await lent(desk, owed_limit=limit)
    desk.town.copies.add("b2", loan.branch_id)
    late = on(desk, 12)
    await late.bring("b1")
    if not refused:
        assert await late.lend("b2", "ANN")
        return
    async with late.refuses(CheckOutRefused, "fines-owed"):
        await late.lend("b2", "ANN")
    await late.pay(patron(loan), 1)
    assert await late.lend("b2", "ANN")


# sent again


async def test_a_late_return_sent_again_is_charged_once(desk: Desk) -> None:
    loan = await lent(desk)
    first = await on(desk, 12).bring("b1", key=a_key("back"))
    async with desk.nothing_changes():
        again = await on(desk, 20).bring("b1", key=a_key("back"))
        assert again == first
        with pytest.raises(KeyReused):
            await on(desk, 12).bring("b1", key=a_key("back", "something else"))
    assert (await desk.account(patron(loan))).owed.amount == 60


async def test_a_late_renewal_sent_again_is_charged_once(desk: Desk) -> None:
    loan = await lent(desk)
    first = await on(desk, 12).renew(loan, key=a_key("longer"))
    async with desk.nothing_changes():
        assert await on(desk, 30).renew(loan, key=a_key("longer")) == first
    assert (await desk.account(patron(loan))).owed.amount == 60


async def test_the_line_says_what_it_is_for_and_who_posted_it(desk: Desk) -> None:
    loan = await lent(desk)
    back = await on(desk, 12).bring("b1")
    assert back.fine is not None
    line = await desk.town.row(ledger_line, back.fine.id)
    assert (line.kind, line.amount, line.currency, line.reason) == ("charge", 60, "EUR", "late")
    assert (line.patron_id, line.loan_id, line.hold_id) == (loan.patron_id, loan.id, None)
    assert (line.at, line.by) == (NOW + timedelta(days=10), LIBRARIAN.id)
    assert line.borrower not in (loan.patron_id, loan.id)
