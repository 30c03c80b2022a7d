"""A small town: a library's desks, and neighbours that answer from plain lists."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lendery.circulation.branches import BranchOffice, CalendarOffice
from lendery.circulation.cash_sessions import CashDesk
from lendery.circulation.copy_states import Shelf
from lendery.circulation.desk import LoanDesk
from lendery.circulation.fees import FeeDesk
from lendery.circulation.holds import HoldShelf
from lendery.circulation.models import TABLES
from lendery.circulation.queue_view import QueueView
from lendery.circulation.rule_table import RuleBook
from lendery.circulation.suspending import SuspensionDesk
from lendery.circulation.transport import TransportOffice
from lendery.circulation.undoing import UndoDesk
from lendery.circulation.waiting_times import WaitingTimes
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.accounts import Patron, PatronBlock
from lendery.contracts.base import Event, new_id
from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import Branch, NewBranch, NewRule, RuleTableSaved
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # a Monday
ADMIN = Actor(id=UUID(int=1), role="admin")
LIBRARIAN = Actor(id=UUID(int=2), role="librarian")
READER = Actor(id=UUID(int=3), role="reader")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_WEEK: Any = {day: [["00:00", "24:00"]] for day in DAYS}


@dataclass
class People:
    """Accounts, as circulation asks it."""

    known: dict[UUID, Patron] = field(default_factory=dict)
    asked: int = 0

    async def by_ids(self, *, ids: list[UUID]) -> list[Patron]:
        self.asked += 1
        return [self.known[each] for each in ids if each in self.known]

    async def by_card(self, *, card_number: str) -> Patron | None:
        self.asked += 1
        return next((p for p in self.known.values() if p.card_number == card_number), None)

    def add(self, card: str | None, **but: Any) -> Patron:
        facts: dict[str, Any] = {"category": "adult", "home_branch_id": None, "born_on": None}
        facts["expires_on"] = date(2027, 1, 1)
        made = Patron(id=new_id(), card_number=card, **(facts | but))
        self.known[made.id] = made
        return made

    def change(self, patron: Patron, **but: Any) -> Patron:
        now = self.known[patron.id]
        changed = now.model_copy(update={"version": now.version + 1, **but})
        self.known[patron.id] = changed
        return changed


@dataclass
class Things:
    """The catalog, as circulation asks it."""

    known: dict[UUID, BareCopy] = field(default_factory=dict)
    asked: int = 0

    async def by_ids(self, *, ids: list[UUID]) -> list[BareCopy]:
        self.asked += 1
        return [self.known[each] for each in ids if each in self.known]

    async def by_barcode(self, *, barcode: str) -> BareCopy | None:
        self.asked += 1
        return next((c for c in self.known.values() if c.barcode == barcode), None)

    async def of_book(self, *, book_id: UUID) -> list[BareCopy]:
        self.asked += 1
        return [copy for copy in self.known.values() if copy.book_id == book_id]

    def add(self, barcode: str, branch_id: UUID, **but: Any) -> BareCopy:
        facts = {
            "id": new_id(),
            "book_id": new_id(),
            "item_type": "book",
            "location": None,
            "call_number": None,
            "price": None,
            "version": 1,
        }
        made = BareCopy(barcode=barcode, branch_id=branch_id, **(facts | but))
        self.known[made.id] = made
        return made

    def change(self, copy: BareCopy, **but: Any) -> BareCopy:
        now = self.known[copy.id]
        changed = now.model_copy(update={"version": now.version + 1, **but})
        self.known[copy.id] = changed
        return changed


class Town:
    """Everything of circulation on one database, and its neighbours."""

    def __init__(self, db: Database) -> None:
        self.db, self.patrons, self.copies = db, People(), Things()
        patrons: Any = self.patrons
        copies: Any = self.copies
        self.memory = Memory(db, lambda: patrons, lambda: copies)
        self.branches, self.calendars = BranchOffice(db), CalendarOffice(db)
        self.queues = QueueView(db, WaitingTimes(db))
        self.transport = TransportOffice(db)
        self.rules, self.shelf = RuleBook(db), Shelf(db, self.memory)
        self.desk = LoanDesk(db, self.memory)
        self.holds, self.fees = HoldShelf(db, self.memory), FeeDesk(db, self.memory)
        self.corrections, self.suspensions = UndoDesk(db), SuspensionDesk(db)
        self.cash = CashDesk(db)

    async def branch(self, code: str = "central", **but: Any) -> Branch:
        new = NewBranch(code=code, name="Central", self_service=True, **but)
        return await self.branches.add(branch=new, actor=ADMIN, now=NOW)

    async def rule(self, parameter: str, value: Any, **scope: Any) -> UUID:
        new = NewRule(parameter=parameter, value=value, **scope)
        return (await self.rules.add(rule=new, actor=ADMIN, now=NOW)).id

    async def events(self, *, of_rules: bool = True) -> list[Event]:
        """What was announced, oldest first; without `of_rules` what befell copies and people."""
        log = TABLES.event
        async with self.db.read() as session:
            rows = await session.rows(select(log).order_by(log.c.seq))
        told = [Event.load(r.name, {**r.body, "id": r.id, "at": r.at}) for r in rows]
        return [each for each in told if of_rules or not isinstance(each, RuleTableSaved)]

    async def row(self, table: Any, row_id: UUID) -> Any:
        async with self.db.read() as session:
            return await session.row(select(table).where(table.c.id == row_id))


def block(reason: Any = "suspended", until: datetime | None = None) -> PatronBlock:
    return PatronBlock(
        id=new_id(), reason=reason, note="what staff wrote", until=until, placed_at=NOW
    )
