"""After each step: does the database say what the model says, and was just that told in the log?"""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from tests.circulation.machine import lending, queueing
from tests.circulation.machine.ground import STAFF
from tests.circulation.machine.model import Charge, Hold, Loan, Model, Patron
from tests.circulation.town import Town

from lendery.circulation.models import TABLES, hold, ledger_line, loan
from lendery.contracts.base import Event, Window
from lendery.contracts.circulation import HoldFilter, RuleTableSaved
from lendery.platform.db import Statement

log = TABLES.event
LOANS = Statement(select(loan).where(loan.c.returned_at.is_(None)).order_by(loan.c.id))
HOLDS = Statement(
    select(hold).where(hold.c.ended_at.is_(None)).order_by(hold.c.placed_at, hold.c.id)
)
LINES = Statement(select(ledger_line).order_by(ledger_line.c.id))
EVENTS = Statement(select(log).where(log.c.seq > bindparam("after")).order_by(log.c.seq))
POSITIVE = ("charge", "refund", "reversal")
EVERYTHING = Window(limit=1000)


class Proof:
    """Compares, and remembers up to where it has read."""

    def __init__(self, town: Town, model: Model) -> None:
        self.town, self.model = town, model
        self.turn = self.read_to = 0
        self.seen: set[UUID] = set()
        self.names = {branch: code for code, branch in model.branch_ids.items()}

    async def look(self, now: datetime) -> None:
        """Charges first: they learn their ids, which the log speaks of."""
        async with self.town.db.read() as session:
            loans = await session.rows(LOANS)
            holds = await session.rows(HOLDS)
            lines = await session.rows(LINES)
            events = await session.rows(EVENTS, after=self.read_to)
        self._lines(lines)
        self._events(events)
        self._loans(loans)
        self._holds(holds)
        await self._copies()
        await self._queue(now)
        self.turn += 1
        if self.turn % 4 == 0:
            await self._look_closer(now)

    # the ledger

    def _lines(self, lines: list[Any]) -> None:
        posted = [charge for charge in self.model.charges if charge.id is None]
        for line in [each for each in lines if each.id not in self.seen]:
            assert (line.amount > 0) == (line.kind in POSITIVE), line
            self.seen.add(line.id)
            if line.kind == "charge" and not any(c.id == line.id for c in self.model.charges):
                alike = [c for c in posted if c.id is None and _same_charge(c, line)]
                assert alike, f"nobody expected {line}"
                alike[0].id = line.id
        assert all(charge.id for charge in posted), f"never posted: {posted}"
        charges = {line.id for line in lines if line.kind == "charge"}
        assert charges == {charge.id for charge in self.model.charges}
        settled, balances = Counter[UUID](), Counter[UUID]()
        for line in lines:
            balances[line.patron_id] += line.amount
            if line.fine_id:
                settled[line.fine_id] -= line.amount
        for charge in self.model.charges:
            assert charge.id and settled[charge.id] == charge.settled, charge
        for patron in self.model.patrons:
            assert balances[patron.id] == self.model.balance(patron), patron.name

    # the log

    def _events(self, rows: list[Any]) -> None:
        self.read_to = rows[-1].seq if rows else self.read_to
        says: dict[str, tuple[str, ...]] = {
            name: tuple(sorted(facts)) for name, facts in self.model.told
        }
        told = []
        for row in rows:
            event = Event.load(row.name, {**row.body, "id": row.id, "at": row.at})
            name = type(event).__name__
            if isinstance(event, RuleTableSaved):
                continue  # the model has no versions, only what is in force
            told.append((name, *[getattr(event, each) for each in says.get(name, ())]))
        assert told == [
            (name, *[_id_of(facts[each]) for each in sorted(facts)])
            for name, facts in self.model.told
        ]
        self.model.told.clear()

    # loans, holds and copies

    def _loans(self, rows: list[Any]) -> None:
        assert len({row.copy_id for row in rows}) == len(rows), "a copy is lent twice"
        assert sorted(
            (row.id, row.copy_id, row.patron_id, row.lent_at, row.due_at, row.renewals)
            for row in rows
        ) == sorted(
            (each.id, each.copy.id, each.patron.id, each.lent_at, each.due_at, each.renewals)
            for each in self.model.loans
            if each.is_open
        )

    def _holds(self, rows: list[Any]) -> None:
        given = [row.given_copy_id for row in rows if row.given_copy_id]
        assert len(set(given)) == len(given), "two claims to one copy"
        assert sorted(map(_hold_row, rows)) == sorted(map(self._hold, self.model.open_holds()))
        for each in self.model.open_holds():
            if each.state == "ready":
                assert each.given is not None
                assert each.given.here == each.pickup and each.given.going_to is None
                assert self.model.open_loan(each.given) is None

    def _hold(self, each: Hold) -> tuple[str, ...]:
        return _texts(
            each.id,
            each.patron.id,
            each.book,
            each.only and each.only.id,
            self.model.branch_ids[each.pickup],
            each.state,
            each.suspended,
            each.until,
            each.given and each.given.id,
            each.expires_on,
        )

    async def _copies(self) -> None:
        copies, ids = self.model.copies, self.model.branch_ids
        found = await self.town.shelf.states(copy_ids=[copy.id for copy in copies])
        assert {state.copy_id: (state.status, state.branch_id) for state in found} == {
            copy.id: (self.model.status(copy), ids[copy.here]) for copy in copies
        }

    async def _queue(self, now: datetime) -> None:
        """One book each time, of those that somebody waits for."""
        books = sorted({each.book for each in self.model.open_holds()})
        if not books:
            return
        book = books[self.turn % len(books)]
        like = HoldFilter(book_id=book, state="open")
        page = await self.town.holds.find(like=like, window=EVERYTHING, actor=STAFF, now=now)
        places = {each.id: n for n, each in enumerate(self.model.waiting(book), 1)}
        assert [(each.id, each.position, each.suspended) for each in page.items] == [
            (each.id, places.get(each.id), each.sleeps(self.model.week(each.pickup).today(now)))
            for each in self.model.open_holds()
            if each.book == book
        ]

    # what is looked at now and then, since it takes longer

    async def _look_closer(self, now: datetime) -> None:
        patrons = self.model.patrons
        await self._account(patrons[self.turn // 4 % len(patrons)], now)
        await self._pulls(now)

    async def _account(self, patron: Patron, now: datetime) -> None:
        found = await self.town.fees.account(
            patron_id=patron.id, window=EVERYTHING, actor=STAFF, now=now
        )
        balance = self.model.balance(patron)
        assert (found.balance.amount, found.owed.amount, found.credit.amount) == (
            balance,
            max(0, balance),
            max(0, -balance),
        )
        assert sum(line.amount.amount for line in found.items) == balance
        open_ = {fine.id: fine.outstanding.amount for fine in found.fines}
        assert list(open_.items()) == list(self.model.outstanding(patron).items())
        paid = sum(charge.paid for charge in self.model.charges if charge.patron is patron)
        assert found.credit.amount <= paid, "more is given back than was ever paid"
        costs = {
            each.id: lending.late_fee(each, self.model.week(each.copy.home), now)
            for each in self.model.loans_of(patron)
        }
        assert {each.loan_id: each.amount.amount for each in found.accruing} == {
            loan_id: amount for loan_id, amount in costs.items() if amount
        }

    async def _pulls(self, now: datetime) -> None:
        """Just those are served who can be, by copies that suit them, over the shortest ways."""
        found = await self.town.holds.to_pull(branch_id=None, actor=STAFF, now=now)
        given: defaultdict[UUID, dict[UUID, UUID]] = defaultdict(dict)
        for pull in found:
            given[pull.book_id][pull.hold_id] = pull.copy_id
        for book in {copy.book for copy in self.model.copies}:
            free, queue = queueing.free_copies(self.model, book), self.model.waiting(book)
            ways = queueing.best_ways(self.model, queue, free, now)
            assert given[book] in [{h: copy.id for h, copy in way.items()} for way in ways]


def _same_charge(charge: Charge, line: Any) -> bool:
    return (charge.patron.id, charge.amount, charge.reason, charge.at) == (
        line.patron_id,
        line.amount,
        line.reason,
        line.at,
    ) and (_id_of(charge.loan), _id_of(charge.hold)) == (line.loan_id, line.hold_id)


def _id_of(thing: Any) -> Any:
    return thing.id if isinstance(thing, Loan | Hold | Charge) else thing


def _hold_row(row: Any) -> tuple[str, ...]:
    return _texts(
        row.id,
        row.patron_id,
        row.book_id,
        row.copy_id,
        row.pickup_branch_id,
        row.state,
        row.suspended,
        row.suspended_until,
        row.given_copy_id,
        row.expires_on,
    )


def _texts(*values: Any) -> tuple[str, ...]:
    """Comparable and sortable, whatever is empty."""
    return tuple(str(value) for value in values)
