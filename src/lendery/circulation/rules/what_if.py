"""What past loans would have become under another rule table.

The same people borrow, renew and return the same copies at the same times. What the draft makes of
a loan is carried along with it: its due date, and what its lateness has cost. Where the draft says
of a decision what the loan's own copy of the rules says, the outcome is the same by definition and
is not worked out again. Otherwise both are worked out from the same facts, and what differs is
told; `certain` says whether the past came out as it really was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.loan_again import (
    BLOCKS,
    DUE,
    NO_DUE_DATE,
    OF_PATRON,
    OF_RULES,
    RENEWAL,
    CheckedOut,
    Out,
    blocking,
    differs,
    late_cost,
    lent_until,
    renewal_refused,
    renewed_until,
)
from lendery.circulation.rules.policy import Policy
from lendery.contracts.circulation import DifferenceKind, Transaction


@dataclass(frozen=True, slots=True)
class Found:
    kind: DifferenceKind
    event: Transaction
    at: datetime
    lent: CheckedOut
    was: dict[str, Any]
    would_be: dict[str, Any]
    certain: bool


@dataclass
class WhatIf:
    """Hears what happened in its order. `found` gathers the differences; whoever asks takes them.

    `draft` gives the rules that a branch, a category (None: one that no row names) and an item
    type would have had. It keeps the loans that are out and what readers owe, and nothing else.
    """

    draft: Callable[[UUID, str | None, str], Policy]
    categories: tuple[str, ...]  # that rows of the draft name
    hours: Callable[[UUID], OpeningHours]
    since: datetime
    found: list[Found] = field(default_factory=list)
    fines_were: int = 0
    fines_would_be: int = 0
    _out: dict[UUID, Out] = field(default_factory=dict)
    _of_reader: dict[UUID, set[UUID]] = field(default_factory=dict)
    _owed: dict[UUID, int] = field(default_factory=dict)

    def owes(self, reader_id: UUID, amount: int) -> None:
        """A line of the ledger: charges above zero, payments below."""
        owed = self._owed.pop(reader_id, 0) + amount
        if owed:
            self._owed[reader_id] = owed

    def lent(self, lent: CheckedOut) -> None:
        loan = Out(lent, lent.due_at, lent.due_at)
        if lent.at >= self.since:
            self._judge(loan)
        self._out[lent.loan_id] = loan
        if lent.reader is not None:
            self._of_reader.setdefault(lent.reader.id, set()).add(lent.loan_id)

    def gone(self, loan_id: UUID) -> Out | None:
        """It is out no more; None: it was not known to be."""
        loan = self._out.pop(loan_id, None)
        if loan is not None and loan.lent.reader is not None:
            mine = self._of_reader[loan.lent.reader.id]
            mine.discard(loan_id)
            if not mine:
                del self._of_reader[loan.lent.reader.id]
        return loan

    def _judge(self, loan: Out) -> None:
        lent = loan.lent
        draft = self._draft_for(lent)
        if draft is None:
            self._undecidable(loan, sorted(OF_RULES))
            return
        added: set[str] = set()
        if not draft.has_rule:
            added = {"no-rule"} if lent.kept.has_rule else set()
        elif self._dated(loan, draft):
            loan.draft = draft
        else:
            added = {NO_DUE_DATE}
        self._blocked(loan, draft, added)

    def _draft_for(self, lent: CheckedOut) -> Policy | None:
        """None: it depends on the reader's category, and nobody knows it any more."""
        if lent.reader is not None:
            return self.draft(lent.branch_id, lent.reader.category, lent.item_type)
        some = [self.draft(lent.branch_id, c, lent.item_type) for c in (None, *self.categories)]
        return some[0] if all(each == some[0] for each in some) else None

    def _dated(self, loan: Out, draft: Policy) -> bool:
        """The due date at check-out; False: the draft can give none."""
        lent, hours = loan.lent, self.hours(loan.lent.branch_id)
        if not differs(lent.kept, draft, DUE):
            return True
        would_be = lent_until(lent, draft, hours)
        if would_be is not None:
            self._moved(loan, "check-out", lent.at, lent_until(lent, lent.kept, hours), would_be)
        return would_be is not None

    def _moved(
        self,
        loan: Out,
        event: Transaction,
        at: datetime,
        again: datetime | None,
        would_be: datetime,
    ) -> None:
        """`again`: the due date worked out again by the rules that held."""
        if would_be in (again, loan.due_at):
            loan.would_be_due = loan.due_at
            return
        loan.would_be_due = would_be
        loan.certain = loan.certain and again == loan.due_at and loan.lent.reader is not None
        was, becomes = {"due_at": _said(loan.due_at)}, {"due_at": _said(would_be)}
        self._tell("due-date", event, at, loan, was, becomes)

    def _blocked(self, loan: Out, draft: Policy, added: set[str]) -> None:
        lent, dropped, certain = loan.lent, set[str](), True
        if lent.reader is None:
            unknown = [
                code
                for code, names in sorted(OF_PATRON.items())
                if differs(lent.kept, draft, names)
                and (code in lent.waived or getattr(draft, names[0]) is not None)
            ]
            if unknown:
                self._undecidable(loan, unknown)
        else:
            mine = [self._out[each] for each in self._of_reader.get(lent.reader.id, ())]
            late = sum(each.due_at < lent.at for each in mine)
            would_be_late = sum(each.would_be_due < lent.at for each in mine)
            if late != would_be_late or differs(lent.kept, draft, BLOCKS):
                hours, owed = self.hours(lent.branch_id), self._owed.get(lent.reader.id, 0)
                again = blocking(lent, lent.kept, hours, others=mine, late=late, owed=owed)
                codes = blocking(lent, draft, hours, others=mine, late=would_be_late, owed=owed)
                added |= codes - again - lent.waived - {"no-rule"}
                dropped = {*(lent.waived & OF_RULES)} - codes
                certain = again <= lent.waived and dropped <= again
        if added or dropped:
            would_be = {"blocks": sorted((lent.waived - dropped) | added)}
            self._tell("block", "check-out", lent.at, loan, _waived(lent), would_be, certain)

    def _undecidable(self, loan: Out, codes: list[str]) -> None:
        lent = loan.lent
        self._tell("undecidable", "check-out", lent.at, loan, _waived(lent), {"codes": codes})

    def renewed(
        self, loan_id: UUID, *, at: datetime, due_at: datetime, renewals: int, price: int | None
    ) -> None:
        loan = self._out.get(loan_id)
        if loan is None:
            return
        if loan.draft is None:
            loan.due_at = loan.would_be_due = due_at
            return
        hours, before = self.hours(loan.lent.branch_id), (loan.due_at, loan.would_be_due)
        would_be_charged = loan.would_be_charged
        self._charge(loan, hours, at, price)
        loan.due_at = due_at
        if before[0] == before[1] and not differs(loan.lent.kept, loan.draft, RENEWAL):
            loan.would_be_due = due_at
            return
        policies = (loan.lent.kept, loan.draft)
        again, would_be = [
            renewed_until(loan.lent, policy, hours, due_at=due, at=at)
            for policy, due in zip(policies, before, strict=True)
        ]
        then, refused = [
            new
            and renewal_refused(
                policy, hours, due_at=due, new_due_at=new, renewals=renewals - 1, at=at
            )
            for policy, due, new in zip(policies, before, (again, would_be), strict=True)
        ]
        if refused and not then:
            loan.would_be_charged = would_be_charged  # it would go on being late
            was: dict[str, Any] = {"blocks": []}
            self._tell("block", "renewal", at, loan, was, {"blocks": [refused]})
        elif would_be is not None:
            self._moved(loan, "renewal", at, again, would_be)

    def _charge(self, loan: Out, hours: OpeningHours, at: datetime, price: int | None) -> None:
        """Adds what the lateness until then costs, by the loan's rules and by the draft."""
        assert loan.draft is not None
        loan.charged += late_cost(
            loan.lent.kept, hours, due_at=loan.due_at, at=at, price=price, charged=loan.charged
        )
        loan.would_be_charged += late_cost(
            loan.draft,
            hours,
            due_at=loan.would_be_due,
            at=at,
            price=price,
            charged=loan.would_be_charged,
        )

    def returned(
        self, loan_id: UUID, *, at: datetime, returned_at: datetime, price: int | None, fined: int
    ) -> None:
        """`fined` is what its lateness really cost, with what renewals cost."""
        loan = self.gone(loan_id)
        if loan is None or loan.lent.at < self.since:
            return
        would_be = fined
        if loan.draft is not None:
            self._charge(loan, self.hours(loan.lent.branch_id), returned_at, price)
            if loan.would_be_charged not in (loan.charged, fined):
                would_be = loan.would_be_charged
                loan.certain = loan.certain and loan.charged == fined
                self._tell("fine", "check-in", at, loan, {"amount": fined}, {"amount": would_be})
        self.fines_were += fined
        self.fines_would_be += would_be

    def _tell(
        self,
        kind: DifferenceKind,
        event: Transaction,
        at: datetime,
        loan: Out,
        was: dict[str, Any],
        would_be: dict[str, Any],
        certain: bool = True,
    ) -> None:
        certain = certain and loan.certain
        self.found.append(Found(kind, event, at, loan.lent, was, would_be, certain))


def _waived(lent: CheckedOut) -> dict[str, Any]:
    return {"blocks": sorted(lent.waived)}


def _said(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
