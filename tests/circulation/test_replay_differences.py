"""Whatever is changed in the tables or in the log shows when the log is replayed, and is named."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, update
from tests.circulation.life import Life, behind_our_back, event_of, log, says
from tests.circulation.town import NOW

from lendery.circulation.models import cash_session, hold, ledger_line, loan, suspension
from lendery.circulation.replay import replay
from lendery.contracts.base import new_id

WRONG: dict[tuple[Any, str], Any] = {
    (loan, "copy_id"): new_id(),
    (loan, "book_id"): new_id(),
    (loan, "item_type"): "dvd",
    (loan, "home_branch_id"): new_id(),
    (loan, "borrower"): new_id(),
    (loan, "branch_id"): new_id(),
    (loan, "lent_at"): NOW + timedelta(microseconds=1),
    (loan, "due_at"): NOW + timedelta(days=500),
    (loan, "returned_at"): NOW + timedelta(days=34, microseconds=123457),
    (loan, "returned_branch_id"): new_id(),
    (loan, "ended_as"): "lost",
    (loan, "recalled_at"): NOW,
    (loan, "claimed_at"): NOW,
    (loan, "renewals"): 2,
    (loan, "policy"): {"v": 1},
    (loan, "waived"): ["age"],
    (loan, "waived_by"): new_id(),
    (hold, "book_id"): new_id(),
    (hold, "copy_id"): new_id(),
    (hold, "borrower"): new_id(),
    (hold, "pickup_branch_id"): new_id(),
    (hold, "state"): "expired",
    (hold, "suspended"): True,
    (hold, "suspended_until"): date(2026, 6, 2),
    (hold, "given_copy_id"): new_id(),
    (hold, "placed_at"): NOW,
    (hold, "ready_at"): NOW,
    (hold, "expires_on"): date(2026, 6, 2),
    (hold, "asked_for"): new_id(),
    (hold, "ended_at"): None,
    (ledger_line, "borrower"): new_id(),
    (ledger_line, "kind"): "refund",
    (ledger_line, "amount"): 241,
    (ledger_line, "currency"): "USD",
    (ledger_line, "reason"): "other",
    (ledger_line, "method"): "cash",
    (ledger_line, "fine_id"): new_id(),
    (ledger_line, "settlement_id"): new_id(),
    (ledger_line, "loan_id"): new_id(),
    (ledger_line, "hold_id"): new_id(),
    (ledger_line, "at"): NOW,
    (ledger_line, "by"): None,
    (ledger_line, "reverses"): new_id(),
    (ledger_line, "cash_session_id"): new_id(),
    (suspension, "borrower"): new_id(),
    (suspension, "loan_id"): new_id(),
    (suspension, "began_at"): NOW,
    (suspension, "until"): NOW,
    (suspension, "ended_at"): None,
    (cash_session, "branch_id"): new_id(),
    (cash_session, "desk"): "attic",
    (cash_session, "opened_at"): NOW,
    (cash_session, "opened_by"): None,
    (cash_session, "opening_float"): 5_001,
    (cash_session, "currency"): "USD",
    (cash_session, "closed_at"): NOW,
    (cash_session, "closed_by"): None,
    (cash_session, "expected"): 5_041,
    (cash_session, "counted"): 5_034,
}
TABLES = (loan, hold, ledger_line, suspension, cash_session)
FREE = {"id", "patron_id", "waive_reason", "note"}


def test_no_column_is_left_out() -> None:
    columns = {(t, c.name) for t in TABLES for c in t.c if c.name not in FREE}
    assert columns == WRONG.keys()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_changed_column_is_named(life: Life, table: Any) -> None:
    rows = {loan: life.anns, hold: life.bens, ledger_line: life.late, suspension: life.lifted}
    row_id = (rows | {cash_session: life.counted})[table]
    right = (await life.town.row(table, row_id))._asdict()
    this = update(table).where(table.c.id == row_id)
    for column in [column for each, column in WRONG if each is table]:
        wrong = WRONG[table, column]
        await behind_our_back(life.town.db, this.values({column: wrong}))
        row, *sums = (await replay(life.town.db)).named
        assert (row.table, row.id, row.column) == (table.name, row_id, column)
        assert (row.log, row.kept) == (right[column], wrong)
        money = table is ledger_line and column in ("amount", "currency", "borrower")
        assert {(d.table, d.id) for d in sums} == ({("patron", life.ann)} if money else set())
        await behind_our_back(life.town.db, this.values({column: right[column]}))
    assert (await replay(life.town.db)).found == 0


Tampering = Callable[[Life], Any]
REMOVED: dict[str, tuple[Tampering, Tampering]] = {
    "a loan": (
        lambda life: delete(loan).where(loan.c.id == life.anns),
        lambda life: [("loan", life.anns, "")],
    ),
    "a hold": (
        lambda life: delete(hold).where(hold.c.id == life.bens),
        lambda life: [("hold", life.bens, "")],
    ),
    "a charge": (
        lambda life: delete(ledger_line).where(ledger_line.c.id == life.late),
        lambda life: [("ledger_line", life.late, "")],
    ),
}


@pytest.mark.parametrize("what", REMOVED)
async def test_a_removed_row_is_missed(life: Life, what: str) -> None:
    change, expected = REMOVED[what]
    await behind_our_back(life.town.db, change(life))
    report = await replay(life.town.db)
    assert says(report) == expected(life)
    assert "only in the log" in str(report.named[0])


async def test_a_row_that_the_log_does_not_know_is_named(life: Life) -> None:
    row = (await life.town.row(ledger_line, life.late))._asdict()
    forged = row | {"id": new_id(), "borrower": new_id(), "kind": "refund", "amount": 7}
    await behind_our_back(life.town.db, insert(ledger_line).values(**forged))
    report = await replay(life.town.db)
    assert [str(each) for each in report.named] == [
        f"circulation_ledger_line {forged['id']}: only in the table",
        f"patron {life.ann}, balance in EUR: -200 in the log, -193 in the table",
    ]


async def test_an_event_that_was_removed_is_missed(life: Life) -> None:
    balance = ("patron", life.ann, "balance in EUR")
    cases: list[tuple[str, dict[str, Any], list[tuple[str, Any, str]]]] = [
        ("LoanRenewed", {}, [("loan", life.anns, "due_at"), ("loan", life.anns, "renewals")]),
        ("HoldResumed", {}, [("hold", life.cass, c) for c in ("suspended", "suspended_until")]),
        ("HoldExpired", {}, [("hold", life.doras, c) for c in ("state", "ended_at")]),
        ("ItemCheckedOut", {"loan_id": life.waived}, [("loan", life.waived, "")]),
        ("FineCharged", {"fine_id": life.coffee}, [("ledger_line", life.coffee, ""), balance]),
        ("CopyReleased", {}, []),  # of a copy; `lendery events verify` misses it
    ]
    for kind, body, expected in cases:
        row = await event_of(life.town, kind, **body)
        await behind_our_back(life.town.db, delete(log).where(log.c.seq == row.seq))
        assert says(await replay(life.town.db)) == expected
        await behind_our_back(life.town.db, insert(log).values(**row._asdict()))
    assert (await replay(life.town.db)).found == 0


async def test_a_loan_without_its_beginning_is_named_at_each_event(life: Life) -> None:
    row = await event_of(life.town, "ItemCheckedOut", loan_id=life.anns)
    renewed = await event_of(life.town, "LoanRenewed")
    returned = await event_of(life.town, "ItemCheckedIn", loan_id=life.anns)
    await behind_our_back(life.town.db, delete(log).where(log.c.seq == row.seq))
    report = await replay(life.town.db)
    lost = f"circulation_loan {life.anns}"
    assert [str(each) for each in report.named] == [
        f"event {renewed.seq}: {lost} is not open at this point",
        f"event {returned.seq}: {lost} is not open at this point",
        f"{lost}: only in the table",
    ]


async def test_an_event_that_was_changed_put_in_or_spoilt_is_named(life: Life) -> None:
    db = life.town.db
    paid = await event_of(life.town, "FinePaid", settlement_id=life.paid)
    line = UUID(paid.body["line_id"])
    less = update(log).where(log.c.seq == paid.seq).values(body=paid.body | {"amount": 99})
    await behind_our_back(db, less)
    balance = ("patron", life.ann, "balance in EUR")
    assert says(await replay(db)) == [("ledger_line", line, "amount"), balance]

    again = paid._asdict() | {"seq": 1_000_000, "id": new_id()}
    whole = update(log).where(log.c.seq == paid.seq).values(body=paid.body)
    await behind_our_back(db, whole, insert(log).values(**again))
    report = await replay(db)
    assert [str(each) for each in report.named] == [
        f"circulation_ledger_line {line}: only in the log"
    ]
    for body in ({}, {**paid.body, "amount": "much"}, [], None):
        spoilt = update(log).where(log.c.seq == 1_000_000).values(body=body or "nothing")
        await behind_our_back(db, spoilt)
        assert says(await replay(db)) == [("event", 1_000_000, "")]
    await behind_our_back(
        db, update(log).where(log.c.seq == 1_000_000).values(name="circulation.CopyPainted")
    )
    report = await replay(db)
    assert (report.found, report.unknown) == (0, {"circulation.CopyPainted": 1})


async def test_twenty_differences_are_told_and_all_are_counted(life: Life) -> None:
    columns = {"branch_id": new_id(), "lent_at": NOW, "due_at": NOW, "returned_at": NOW}
    changed = {"book_id": new_id(), "renewals": 9, "policy": {}}
    four = update(loan).where(loan.c.lent_at < NOW + timedelta(days=70))
    await behind_our_back(life.town.db, four.values(**columns, **changed))
    report = await replay(life.town.db)
    assert (len(report.named), report.found) == (20, 7 * 4 - 1), "Ann's lent_at was NOW"
