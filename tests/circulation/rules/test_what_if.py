"""One past loan after the other, under other rules: what differs, and what does not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lendery.circulation.rules import CheckedOut, OpeningHours, Policy, Reader, WhatIf

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
HOME, LOAN, OTHER, COPY = (UUID(int=n) for n in range(1, 5))
ANN = Reader(UUID(int=9), "adult", date(2030, 1, 1), date(1990, 1, 1))
ALWAYS = OpeningHours(None, "UTC")
KEPT = Policy(loan_period=21, fine=20, renewals=2)


def at(day: int) -> datetime:
    return START + day * DAY


def end(day: int) -> datetime:
    return at(day).replace(hour=23, minute=59, second=59)


class Past:
    """A copy lent on day 0 and what came of it, heard under a draft."""

    def __init__(
        self, draft: Policy | dict[str | None, Policy], kept: Policy = KEPT, since: int = 0
    ) -> None:
        drafts = draft if isinstance(draft, dict) else {None: draft}
        categories = tuple(each for each in drafts if each)
        self.kept = kept
        self.what_if = WhatIf(
            draft=lambda branch_id, category, item_type: drafts.get(category, drafts[None]),
            categories=categories,
            hours=lambda branch_id: ALWAYS,
            since=at(since),
        )

    def lent(self, day: int = 0, loan: UUID = LOAN, **but: Any) -> "Past":
        lent = CheckedOut(
            loan_id=loan,
            copy_id=COPY,
            branch_id=HOME,
            item_type="book",
            at=at(day),
            due_at=end(day + (self.kept.loan_period or 0)),
            waived=frozenset(),
            kept=self.kept,
            reader=ANN,
        )
        self.what_if.lent(replace(lent, **but))
        return self

    def renewed(self, day: int, due: int, renewals: int = 1) -> "Past":
        self.what_if.renewed(LOAN, at=at(day), due_at=end(due), renewals=renewals, price=None)
        return self

    def returned(self, day: int, fined: int, price: int | None = None) -> "Past":
        self.what_if.returned(LOAN, at=at(day), returned_at=at(day), price=price, fined=fined)
        return self

    @property
    def told(self) -> list[tuple[str, str, Any, Any, bool]]:
        def plain(values: dict[str, Any]) -> Any:
            (value,) = values.values()
            if isinstance(value, str):
                return (datetime.fromisoformat(value).date() - START.date()).days
            return value

        return [
            (f.kind, f.event, plain(f.was), plain(f.would_be), f.certain)
            for f in self.what_if.found
        ]


def but(**changes: Any) -> Policy:
    return replace(KEPT, **changes)


LOANS: list[tuple[str, Any, list[Any]]] = [
    ("the same", Past(KEPT).lent().renewed(20, 41).returned(45, 80), []),
    ("other things only", Past(but(holds=1, floats=True, lost_fee=5)).lent().returned(25, 80), []),
    (
        "shorter, back before either",
        Past(but(loan_period=14)).lent().returned(10, 0),
        [("due-date", "check-out", 21, 14, True)],
    ),
    (
        "shorter, late by it alone",
        Past(but(loan_period=14)).lent().returned(15, 0),
        [("due-date", "check-out", 21, 14, True), ("fine", "check-in", 0, 20, True)],
    ),
    (
        "longer, late no more",
        Past(but(loan_period=28)).lent().returned(28, 140),
        [("due-date", "check-out", 21, 28, True), ("fine", "check-in", 140, 0, True)],
    ),
    (
        "dearer, in time",
        Past(but(fine=30)).lent().returned(21, 0),
        [],
    ),
    (
        "dearer, late",
        Past(but(fine=30)).lent().returned(22, 20),
        [("fine", "check-in", 20, 30, True)],
    ),
    (
        "dearer, but above a cap",
        Past(but(fine=30, fine_cap=20)).lent().returned(22, 20),
        [],
    ),
    (
        "a cap at the price",
        Past(but(cap_at_price=True)).lent().returned(31, 200, price=150),
        [("fine", "check-in", 200, 150, True)],
    ),
    (
        "lent before the period",
        Past(but(loan_period=14, fine=99), since=1).lent().returned(25, 80),
        [],
    ),
    (
        "no rule",
        Past(but(loan_period=None)).lent().returned(25, 80),
        [("block", "check-out", [], ["no-rule"], True)],
    ),
    (
        "a fixed date that had passed",
        Past(but(fixed_due_on=date(2026, 3, 1))).lent(),
        [("block", "check-out", [], ["no-due-date"], True)],
    ),
    (
        "renewed for longer",
        Past(but(renewal_period=28)).lent().renewed(20, 41).returned(45, 80),
        [("due-date", "renewal", 41, 48, True), ("fine", "check-in", 80, 0, True)],
    ),
    (
        "renewed once too often",
        Past(but(renewals=0)).lent().renewed(20, 41).returned(41, 0),
        [("block", "renewal", [], ["too-many-renewals"], True), ("fine", "check-in", 0, 400, True)],
    ),
    (
        "renewed as often as may be",
        Past(but(renewals=1)).lent().renewed(20, 41).returned(41, 0),
        [],
    ),
    (
        "renewed too early",
        Past(but(renew_not_before=0)).lent().renewed(20, 41).returned(20, 0),
        [("block", "renewal", [], ["too-early"], True)],
    ),
    (
        "renewed early enough",
        Past(but(renew_not_before=1)).lent().renewed(20, 41).returned(41, 0),
        [],
    ),
    (
        "renewed late, and dearer",
        Past(but(fine=30)).lent().renewed(23, 44).returned(45, 60),
        [("fine", "check-in", 60, 90, True)],
    ),
    (
        "refused late: its lateness is counted once",
        Past(but(renewals=0)).lent().renewed(23, 44).returned(44, 40),
        [
            ("block", "renewal", [], ["too-many-renewals"], True),
            ("fine", "check-in", 40, 460, True),
        ],
    ),
    (
        "capped by the card",
        Past(but(loan_period=28))
        .lent(reader=replace(ANN, expires_on=date(2026, 3, 25)))
        .returned(21, 0),
        [("due-date", "check-out", 21, 23, True)],
    ),
    (
        "a due date that the rules of today would not give",
        Past(but(loan_period=14)).lent(due_at=end(19)).returned(15, 0),
        [("due-date", "check-out", 19, 14, False), ("fine", "check-in", 0, 20, False)],
    ),
    (
        "a fine that the rules of today would not give",
        Past(but(fine=30)).lent().returned(22, 10),
        [("fine", "check-in", 10, 30, False)],
    ),
    (
        "whoever it was: shorter for all",
        Past(but(loan_period=14)).lent(reader=None).returned(10, 0),
        [("due-date", "check-out", 21, 14, False)],
    ),
    (
        "whoever it was: not the same for all",
        Past({None: KEPT, "child": but(loan_period=14)}).lent(reader=None).returned(25, 80),
        [
            (
                "undecidable",
                "check-out",
                [],
                [
                    *("age", "card-expired", "card-long-expired", "fines-owed", "loan-limit"),
                    *("loan-limit-total", "no-rule", "overdue-loans"),
                ],
                True,
            )
        ],
    ),
    (
        "whoever it was: limits",
        Past(but(owed_limit=500, max_loans_total=3)).lent(reader=None),
        [("undecidable", "check-out", [], ["fines-owed", "loan-limit-total"], True)],
    ),
    (
        "whoever it was: no limit any more",
        Past(KEPT, kept=but(owed_limit=500)).lent(reader=None),
        [],
    ),
]


@pytest.mark.parametrize(("past", "told"), [c[1:] for c in LOANS], ids=[c[0] for c in LOANS])
def test_a_loan_under_other_rules(past: Past, told: list[Any]) -> None:
    assert past.told == told


def blocks(past: Past) -> list[tuple[Any, Any, bool]]:
    return [(was, would_be, sure) for kind, _, was, would_be, sure in past.told if kind == "block"]


@pytest.mark.parametrize(
    ("owed", "limit", "blocked"), [(499, 500, False), (500, 500, False), (501, 500, True)]
)
def test_what_was_owed_then_counts(owed: int, limit: int, blocked: bool) -> None:
    past = Past(but(owed_limit=limit))
    past.what_if.owes(ANN.id, owed + 70)
    past.what_if.owes(ANN.id, -70)
    past.lent()
    past.what_if.owes(ANN.id, 1000)
    assert blocks(past) == ([([], ["fines-owed"], True)] if blocked else [])


@pytest.mark.parametrize(("had", "limit", "blocked"), [(0, 1, False), (1, 1, True), (1, 2, False)])
def test_what_a_reader_had_out_counts(had: int, limit: int, blocked: bool) -> None:
    past = Past(but(max_loans_total=limit), since=5)
    for number in range(had):
        past.lent(day=1, loan=UUID(int=50 + number))
    past.lent(day=2, loan=OTHER)
    past.what_if.gone(OTHER)
    past.lent(day=6)
    assert blocks(past) == ([([], ["loan-limit-total"], True)] if blocked else [])


@pytest.mark.parametrize(("day", "blocked"), [(14, False), (15, True)])
def test_loans_are_late_as_the_draft_has_them_due(day: int, blocked: bool) -> None:
    kept = replace(KEPT, overdue_block=1)
    past = Past(replace(kept, loan_period=14), kept=kept).lent(loan=OTHER).lent(day=day)
    assert blocks(past) == ([([], ["overdue-loans"], True)] if blocked else [])


def test_a_waiver_that_would_not_be_needed_is_told() -> None:
    waived = frozenset({"fines-owed", "damaged"})
    past = Past(but(owed_limit=900), kept=but(owed_limit=500))
    past.what_if.owes(ANN.id, 600)
    assert blocks(past.lent(waived=waived)) == [(["damaged", "fines-owed"], ["damaged"], True)]
    unlike = Past(but(owed_limit=900), kept=but(owed_limit=500))
    assert blocks(unlike.lent(waived=waived)) == [(["damaged", "fines-owed"], ["damaged"], False)]
    same = Past(but(owed_limit=300), kept=but(owed_limit=500))
    same.what_if.owes(ANN.id, 600)
    assert blocks(same.lent(waived=waived)) == []


def test_money_of_returned_loans_is_summed() -> None:
    past = Past(but(fine=30)).lent().returned(22, 20).lent(day=30).returned(52, 20)
    assert (past.what_if.fines_were, past.what_if.fines_would_be) == (40, 60)
    assert not past.what_if._out and not past.what_if._of_reader, "nothing is kept of what is over"
