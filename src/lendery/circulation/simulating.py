"""Past transactions replayed against a draft of the rules, as a job.

The log is read as a stream, in one snapshot, from its beginning: what a reader has out and owes
when the period begins is what was heard before. Beside open loans and balances nothing is kept in
memory; differences go to their table chunk by chunk. A job that was interrupted begins again.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.repository import simulated
from lendery.contracts.base import new_id
from lendery.contracts.circulation import ItemCheckedIn, ItemCheckedOut, LoanRenewed, NewRule, Rule
from lendery.platform.db import Database, Session
from lendery.platform.queue import Running

KIND = "simulation"
BREATH = 25  # events after which others in this process get their turn
COUNTED = {
    "due-date": "due_dates",
    "block": "blocks",
    "fine": "fines",
    "undecidable": "undecidable",
}
HAPPENED = {
    ItemCheckedOut.name: "check_outs",
    LoanRenewed.name: "renewals",
    ItemCheckedIn.name: "check_ins",
}


@dataclass(frozen=True)
class Beside:
    """What the tables know of the things that a chunk of the log speaks of."""

    loans: dict[UUID, Any]
    patrons: dict[UUID, Any]
    prices: dict[UUID, Any]
    fined: dict[UUID, Any]
    lines: dict[UUID, Any]

    @classmethod
    async def of(cls, session: Session, heard: Sequence[tuple[str, dict[str, Any]]]) -> "Beside":
        named: dict[str, list[UUID]] = {}
        for name, body in heard:
            if name in simulated.LINES:
                named.setdefault("line", []).append(UUID(body[simulated.LINES[name]]))
            elif body["loan_id"] is not None:
                named.setdefault(name, []).append(UUID(body["loan_id"]))
                if name != ItemCheckedOut.name:
                    named.setdefault("copy", []).append(UUID(body["copy_id"]))
        loans = await simulated.by_id(session, simulated.LOANS, named.get(ItemCheckedOut.name, []))
        patrons = {row.patron_id for row in loans.values() if row.patron_id}
        return cls(
            loans,
            await simulated.by_id(session, simulated.PATRONS, list(patrons)),
            await simulated.by_id(session, simulated.PRICES, named.get("copy", [])),
            await simulated.by_id(session, simulated.FINED, named.get(ItemCheckedIn.name, [])),
            await simulated.by_id(session, simulated.OWED, named.get("line", [])),
        )


@dataclass
class Simulating:
    """One simulation: hears the log, and notes what the draft would have made otherwise."""

    id: UUID
    past: rules.WhatIf
    currency: str
    counts: Counter[str] = field(default_factory=Counter)
    _policies: dict[str, rules.Policy] = field(default_factory=dict)

    @classmethod
    def of(cls, simulation_id: UUID, request: dict[str, Any], house: House, currency: str) -> Any:
        rows = [NewRule.model_validate(each) for each in request["rows"]]
        since = datetime.fromisoformat(request["since"])
        table = rules.RuleTable(_as_rule(row, since) for row in rows)
        past = rules.WhatIf(
            draft=lambda branch_id, category, item_type: table.resolve(
                branch_id=branch_id, category=category, item_type=item_type
            ),
            categories=tuple(sorted({row.category for row in rows if row.category})),
            hours=house.hours_of,
            since=since,
        )
        return cls(simulation_id, past, currency)

    def hear(self, name: str, at: datetime, body: dict[str, Any], beside: Beside) -> None:
        if name in simulated.LINES:
            line = beside.lines.get(UUID(body[simulated.LINES[name]]))
            if line is not None and line.patron_id is not None:
                self.past.owes(line.patron_id, int(line.amount))
            return
        if body["loan_id"] is None:  # a shelf check
            return
        if at >= self.past.since:
            self.counts[HAPPENED[name]] += 1
        loan_id = UUID(body["loan_id"])
        if name == ItemCheckedOut.name:
            lent = self._lent(loan_id, at, body, beside)
            if lent is not None:
                self.past.lent(lent)
        elif name == LoanRenewed.name:
            self.past.renewed(
                loan_id,
                at=_then(body.get("renewed_at"), at),
                due_at=datetime.fromisoformat(body["due_at"]),
                renewals=body["renewals"],
                price=self._price(body, beside),
            )
        else:
            fined = beside.fined.get(loan_id)
            self.past.returned(
                loan_id,
                at=at,
                returned_at=datetime.fromisoformat(body["returned_at"]),
                price=self._price(body, beside),
                fined=int(fined.amount) if fined is not None else 0,
            )

    def _lent(
        self, loan_id: UUID, at: datetime, body: dict[str, Any], beside: Beside
    ) -> rules.CheckedOut | None:
        """None: the loan is in no table any more, so nobody can say what rules it had."""
        row = beside.loans.get(loan_id)
        if row is None:
            return None
        who = beside.patrons.get(row.patron_id) if row.patron_id else None
        return rules.CheckedOut(
            loan_id=loan_id,
            copy_id=UUID(body["copy_id"]),
            branch_id=row.home_branch_id,
            item_type=row.item_type,
            at=_then(body.get("lent_at"), at),
            due_at=datetime.fromisoformat(body["due_at"]),
            waived=frozenset(body["waived"]),
            kept=self._policy(row.policy),
            reader=who and rules.Reader(who.id, who.category, who.expires_on, who.born_on),
        )

    def _policy(self, kept: dict[str, Any]) -> rules.Policy:
        """Equal policies are kept once: a library has few, and many loans."""
        text = json.dumps(kept, sort_keys=True)
        found = self._policies.get(text)
        if found is None:
            found = self._policies[text] = rules.Policy.from_json(kept)
        return found

    def _price(self, body: dict[str, Any], beside: Beside) -> int | None:
        row = beside.prices.get(UUID(body["copy_id"]))
        if row is None or row.price_currency != self.currency:
            return None
        price: int | None = row.price_amount
        return price

    def rows(self) -> list[dict[str, Any]]:
        """The differences found since it was asked last, as rows of their table."""
        found, self.past.found = self.past.found, []
        rows = []
        for each in found:
            self.counts[COUNTED[each.kind]] += 1
            self.counts["differences"] += 1
            lent = each.lent
            rows.append(
                {
                    "simulation_id": self.id,
                    "no": self.counts["differences"],
                    "kind": each.kind,
                    "event": each.event,
                    "at": each.at,
                    "loan_id": lent.loan_id,
                    "copy_id": lent.copy_id,
                    "branch_id": lent.branch_id,
                    "category": lent.reader.category if lent.reader else None,
                    "item_type": lent.item_type,
                    "was": each.was,
                    "would_be": each.would_be,
                    "certain": each.certain,
                }
            )
        self.counts["fines_were"] = self.past.fines_were
        self.counts["fines_would_be"] = self.past.fines_would_be
        return rows


async def run_simulation(wiring: Any, running: Running) -> None:
    """What the queue does for a job of kind `simulation`."""
    db: Database = wiring.db
    async with db.begin() as tx:
        await simulated.forget(tx, running.id)
        await running.step(tx, position={}, counts={}, progress=0.0)
    until = datetime.fromisoformat(running.request["until"])
    async with db.snapshot() as session:
        house = await HouseKeeper().now(session, until)
        work = Simulating.of(running.id, running.request, house, wiring.settings.currency)
        size, done = max(1, await simulated.size(session, until)), 0
        async for rows in simulated.events(session, until):
            await _heard(db, work, rows)
            done += len(rows)
            await _noted(db, work, running, min(done / size, 0.999))
    await _noted(db, work, running, 0.999)


async def _heard(db: Database, work: Simulating, rows: Sequence[Any]) -> None:
    """A chunk of the log. What happened at one instant: lending before what it cost."""
    rows = sorted(rows, key=lambda row: (row.at, row.name in simulated.LINES))
    heard = [(row.name, json.loads(row.body)) for row in rows]
    async with db.read() as beside_it:
        beside = await Beside.of(beside_it, heard)
    for number, (row, (name, body)) in enumerate(zip(rows, heard, strict=True)):
        work.hear(name, row.at, body, beside)
        if number % BREATH == 0:
            await asyncio.sleep(0)


async def _noted(db: Database, work: Simulating, running: Running, progress: float) -> None:
    async with db.begin() as tx:
        await simulated.add(tx, work.rows())
        counts = dict(work.counts)
        await running.step(tx, position={}, counts=counts, progress=progress)
    running.stepped({}, counts, progress)


def _as_rule(row: NewRule, at: datetime) -> Rule:
    return Rule(id=new_id(), **row.model_dump(), changed_at=at, changed_by=None, version=1)


def _then(said: str | None, at: datetime) -> datetime:
    """When it happened, where that is not when it was recorded."""
    return at if said is None else datetime.fromisoformat(said)
