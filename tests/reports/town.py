"""A library with three branches in three time zones, and what happens in it, by a seed."""

import random
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lendery.contracts.accounts import NewUser
from lendery.contracts.base import Money, Problem, Window
from lendery.contracts.catalog import NewBook, NewCopy
from lendery.contracts.circulation import (
    Cancellation,
    LoanRequest,
    NewBranch,
    NewHold,
    NewPayment,
    NewRefund,
    NewRule,
    NewWaiver,
    ReturnRequest,
)
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.reports import Asked, Report
from lendery.main import Wiring
from lendery.platform.backup.progress import Quiet
from lendery.platform.logbook import Logbook
from lendery.reports.models import TABLES
from lendery.reports.rebuilding import Rebuilding, Rebuilt

OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
ZONES = ("Pacific/Auckland", "America/New_York", "UTC")
NAMES = ("Aotea", "Brooklyn", "Central")
SUBJECTS = ("Fiction", "History", "Bees", "=1+1")
CATEGORIES = ("adult", "child", "student")
TYPES = ("book", "dvd")
RULES = {
    "loan_period": 14,
    "renewals": 3,
    "max_loans_total": 8,
    "owed_limit": 100_000,
    "fine": 20,
    "holds": 20,
}


@dataclass
class Town:
    """`days` of story begin at `OPENED`. All is asked and done through the ports."""

    wiring: Wiring
    branches: list[UUID] = field(default_factory=list)
    readers: dict[UUID, str] = field(default_factory=dict)  # and their categories
    books: dict[UUID, NewBook] = field(default_factory=dict)
    copies: dict[UUID, NewCopy] = field(default_factory=dict)
    now: datetime = OPENED
    done: list[UUID] = field(default_factory=list)  # what can be undone: events

    @property
    def zones(self) -> dict[UUID, ZoneInfo]:
        return dict(zip(self.branches, map(ZoneInfo, ZONES), strict=True))

    def desk(self, branch: int = 0) -> Actor:
        return Actor(id=UUID(int=7), role="librarian", desk=self.branches[branch])

    async def open(self) -> "Town":
        for name, zone in zip(NAMES, ZONES, strict=True):
            new = NewBranch(code=name.lower(), name=name, time_zone=zone)
            made = await self.wiring.branches.add(branch=new, actor=SYSTEM, now=self.now)
            self.branches.append(made.id)
        for parameter, value in RULES.items():
            rule = NewRule(parameter=parameter, value=value)
            await self.wiring.rules.add(rule=rule, actor=SYSTEM, now=self.now)
        return self

    async def settle(self, readers: int = 1, books: int = 1, copies: int = 1) -> None:
        """So many more of each; the copies of each book at the branches in turn."""
        people = [
            NewUser(name=f"Reader {n}", category=CATEGORIES[n % 3], expires_on=date(2030, 1, 1))
            for n in range(readers)
        ]
        made = await self.wiring.users.add_many(people=people, actor=SYSTEM, now=self.now)
        self.readers |= {user.id: user.category for user in made}
        titles = [
            NewBook(
                title=f"Book {n}",
                authors=[f"Author {n % 4}"],
                subjects=[SUBJECTS[n % 4], *(["Nature"] if n % 3 == 0 else [])],
                published_year=None if n % 5 == 4 else 1985 + 7 * n,
            )
            for n in range(books)
        ]
        ids = await self.wiring.books.add_many(books=titles, actor=SYSTEM, now=self.now)
        self.books |= dict(zip(ids, titles, strict=True))
        stock = [
            NewCopy(
                barcode=f"c{len(self.copies)}-{b}-{n}",
                book_id=id,
                branch_id=self.branches[(b + n) % 3],
                item_type=TYPES[n % 2],
            )
            for b, id in enumerate(ids)
            for n in range(copies)
        ]
        numbers = await self.wiring.copies.add_many(copies=stock, actor=SYSTEM, now=self.now)
        self.copies |= dict(zip(numbers, stock, strict=True))

    async def lend(self, copy: UUID, reader: UUID, at: int = 0) -> Any:
        request = LoanRequest(
            barcode=self.copies[copy].barcode,
            patron_id=reader,
            waive=frozenset({"overdue-loans", "on-hold", "same-title"}),
        )
        desk = self.desk(at)
        lent = await self.wiring.loans.check_out(request=request, actor=desk, now=self.now)
        self.done.append(lent.event_id)
        return lent

    async def take_back(self, copy: UUID, at: int = 0, back: timedelta = timedelta()) -> Any:
        request = ReturnRequest(
            barcode=self.copies[copy].barcode, returned_at=self.now - back if back else None
        )
        came = await self.wiring.loans.check_in(request=request, actor=self.desk(at), now=self.now)
        self.done.append(came.event_id)
        return came

    async def undo(self, event_id: UUID, at: int = 0) -> Any:
        desk = self.desk(at)
        return await self.wiring.corrections.undo(event_id=event_id, actor=desk, now=self.now)

    async def hold(self, book: UUID, reader: UUID, at: int = 0) -> Any:
        new = NewHold(book_id=book, patron_id=reader, pickup_branch_id=self.branches[at])
        return await self.wiring.holds.place(hold=new, actor=self.desk(at), now=self.now)

    async def live(self, seed: int, steps: int) -> None:
        """What comes in, in an order that `seed` decides. What is refused is no matter."""
        by = random.Random(seed)
        for _ in range(steps):
            self.now += timedelta(minutes=by.randint(1, 900))
            try:
                await self._step(by)
                if self.done and by.random() < 0.15:
                    await self.undo(self.done[-1], by.randrange(3))
            except Problem:
                continue

    def _step(self, by: random.Random) -> Awaitable[Any]:
        copy, reader = by.choice(list(self.copies)), by.choice(list(self.readers))
        desk = by.randrange(3)
        what = by.choices(
            ("lend", "back", "hold", "renew", "cancel hold", "flag", "money"),
            (30, 20, 18, 8, 4, 5, 12),
        )[0]
        match what:
            case "lend":
                return self.lend(copy, reader, desk)
            case "back":
                return self.take_back(copy, desk, timedelta(hours=by.choice((0, 0, 20))))
            case "hold":
                return self.hold(by.choice(list(self.books)[:4]), reader, desk)
            case "flag":
                flag: Any = by.choice(("lost", "missing", "found", "damaged", "withdrawn"))
                return self.wiring.copy_states.flag(
                    copy_id=copy, flag=flag, actor=SYSTEM, now=self.now
                )
            case "renew":
                return self._renew(by)
            case "cancel hold":
                return self._cancel_hold(by)
        return self._settle(by, reader, desk)

    async def _renew(self, by: random.Random) -> None:
        from lendery.contracts.circulation import LoanFilter

        like, window = LoanFilter(status="open"), Window(limit=50)
        page = await self.wiring.loans.find(like=like, window=window, actor=SYSTEM, now=self.now)
        if page.items:
            loan = by.choice(page.items)
            await self.wiring.loans.renew(loan_id=loan.id, actor=self.desk(), now=self.now)

    async def _cancel_hold(self, by: random.Random) -> None:
        from lendery.contracts.circulation import HoldFilter

        like, window = HoldFilter(state="open"), Window(limit=50)
        page = await self.wiring.holds.find(like=like, window=window, actor=SYSTEM, now=self.now)
        if page.items:
            hold = by.choice(page.items)
            await self.wiring.holds.cancel(hold_id=hold.id, actor=SYSTEM, now=self.now)

    async def _settle(self, by: random.Random, reader: UUID, at: int) -> None:
        fees, who = self.wiring.fees, self.desk(at)
        account = await fees.account(patron_id=reader, window=Window(), actor=SYSTEM, now=self.now)
        if account.credit.amount:
            await fees.refund(
                refund=NewRefund(patron_id=reader, amount=account.credit, reason="Too much"),
                actor=who,
                now=self.now,
            )
        elif account.fines:
            fine, one = account.fines[0], Money(amount=10, currency="EUR")
            match by.randrange(3):
                case 0:
                    paid = NewPayment(patron_id=reader, amount=one)
                    settled = await fees.pay(payment=paid, actor=who, now=self.now)
                    self.done.append(settled.event_id)
                case 1:
                    waived = NewWaiver(amount=one, reason="Snow")
                    forgiven = await fees.waive(
                        fine_id=fine.id, waiver=waived, actor=who, now=self.now
                    )
                    self.done.append(forgiven.event_id)
                case _:
                    wrong = Cancellation(reason="A mistake")
                    await fees.cancel(fine_id=fine.id, cancellation=wrong, actor=who, now=self.now)

    async def read(self, name: str, limit: int = 1_000, after: str | None = None,
                   total: bool = False, **asked: Any) -> Report:  # fmt: skip
        """As of now, when all that was announced was heard."""
        await self.wiring.relay.drain()
        return await self.wiring.reports.read(
            asked=Asked(name=name, **asked),
            window=Window(limit=limit, after=after, total=total),
            actor=SYSTEM,
            as_of=self.now,
        )

    async def rows(self, name: str, *keys: str, **asked: Any) -> Any:
        """Those cells of all rows, as tuples."""
        report = await self.read(name, **asked)
        return [tuple(row[key] for key in keys) for row in report.items]

    async def kept(self, *tables: str) -> dict[str, list[Any]]:
        """Rows of the read model, but for what says how often the catalog was asked."""
        found = {}
        async with self.wiring.db.read() as session:
            for table in TABLES.event.metadata.sorted_tables:
                name = table.name.removeprefix("reports_")
                if name in ("event", "seal", "inbox", "request") or (tables and name not in tables):
                    continue
                columns = [c for c in table.c if c.name not in ("changed", "learnt")]
                rows = await session.rows(select(*columns).order_by(*table.primary_key))
                found[name] = [tuple(row) for row in rows]
        return found

    async def rebuild(self, logs: dict[str, Logbook] | None = None) -> Rebuilt:
        made: Rebuilding = self.wiring.rebuilding(Quiet())
        if logs is not None:
            made.logs = logs
        return await made.run(now=datetime.now(UTC))
