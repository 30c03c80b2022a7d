"""A member of staff at the desks of a town, at a moment; and proof that nothing has changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from tests.circulation.town import ADMIN, ALL_WEEK, LIBRARIAN, NOW, Town

from lendery.circulation.models import (
    TABLES,
    cash_session,
    copy,
    hold,
    ledger_line,
    loan,
    suspension,
)
from lendery.contracts.base import Event, Money, Problem, RequestKey, Window
from lendery.contracts.catalog import BareCopy
from lendery.contracts.circulation import (
    Account,
    Branch,
    CalendarException,
    Cancellation,
    CashCount,
    CashSession,
    Fine,
    Hold,
    HoldFilter,
    Loan,
    LoanRequest,
    NewCalendar,
    NewCashSession,
    NewCharge,
    NewHold,
    NewPayment,
    NewRefund,
    NewWaiver,
    NewWriteOff,
    Payment,
    Refund,
    RenewalRequest,
    Return,
    ReturnRequest,
    Undone,
)
from lendery.contracts.permissions import Actor

EVERYTHING = Window(limit=100)
CHANGED = (loan, hold, ledger_line, copy, suspension, cash_session)


@dataclass
class Desk:
    town: Town
    now: datetime = NOW
    actor: Actor = LIBRARIAN

    @property
    def here(self) -> dict[str, Any]:
        return {"actor": self.actor, "now": self.now}

    def at(self, now: datetime) -> "Desk":
        return Desk(self.town, now, self.actor)

    def of(self, actor: Actor) -> "Desk":
        """Somebody else stands there."""
        return Desk(self.town, self.now, actor)

    # the house

    async def rules(self, **values: Any) -> None:
        for parameter, value in values.items():
            await self.town.rule(parameter, value)

    async def branch(self, code: str, *, shut: tuple[date, ...] = (), **but: Any) -> Branch:
        """Closed on Sundays and on the days given."""
        weekly = {day: hours for day, hours in ALL_WEEK.items() if day != "sun"}
        exceptions = tuple(CalendarException(on=day) for day in shut)
        calendar = NewCalendar(name=code, weekly=weekly, exceptions=exceptions, **but)
        made = await self.town.calendars.add(calendar=calendar, actor=ADMIN, now=NOW)
        return await self.town.branch(code, calendar_id=made.id)

    # lending

    async def lend(self, barcode: str, card: str, *, key: Any = None, **but: Any) -> Loan:
        request = LoanRequest(barcode=barcode, card_number=card, **but)
        return await self.town.desk.check_out(request=request, key=key, **self.here)

    async def bring(self, barcode: str, *, key: Any = None, **but: Any) -> Return:
        request = ReturnRequest(barcode=barcode, **but)
        return await self.town.desk.check_in(request=request, key=key, **self.here)

    async def renew(self, loan: Loan, *, key: Any = None, waive: tuple[Any, ...] = ()) -> Loan:
        request = RenewalRequest(waive=frozenset(waive))
        return await self.town.desk.renew(loan_id=loan.id, key=key, request=request, **self.here)

    async def loan(self, loan: Loan) -> Loan:
        return await self.town.desk.get(loan_id=loan.id, **self.here)

    async def status(self, thing: BareCopy) -> str:
        (state,) = await self.town.shelf.states(copy_ids=[thing.id])
        return state.status

    # holds

    async def wait(self, card: str, where: UUID, *, key: Any = None, **what: UUID) -> Hold:
        wanted = NewHold(card_number=card, pickup_branch_id=where, **what)
        return await self.town.holds.place(hold=wanted, key=key, **self.here)

    async def hold(self, held: Hold) -> Hold:
        return await self.town.holds.get(hold_id=held.id, **self.here)

    async def cancel(self, held: Hold) -> Hold:
        return await self.town.holds.cancel(hold_id=held.id, **self.here)

    async def queue(self, book_id: UUID) -> list[UUID]:
        """Who waits, in order; the positions are 1, 2, 3 ..."""
        like = HoldFilter(book_id=book_id, state="waiting")
        page = await self.town.holds.find(like=like, window=EVERYTHING, **self.here)
        assert [each.position for each in page.items] == list(range(1, len(page.items) + 1))
        return [each.id for each in page.items]

    # money

    async def charge(self, patron_id: UUID, amount: int, **of: Any) -> Fine:
        charge = NewCharge(patron_id=patron_id, amount=euros(amount), reason="card")
        return await self.town.fees.charge(charge=charge, **of, **self.here)

    async def pay(
        self, patron_id: UUID, amount: int | Money, *, key: Any = None, **but: Any
    ) -> Payment:
        payment = NewPayment(patron_id=patron_id, amount=money(amount), **but)
        return await self.town.fees.pay(payment=payment, key=key, **self.here)

    async def account(self, patron_id: UUID) -> Account:
        return await self.town.fees.account(patron_id=patron_id, window=EVERYTHING, **self.here)

    async def write_off(
        self, fine: Fine, amount: int | Money | None = None, *, key: Any = None
    ) -> Fine:
        wanted = NewWriteOff(amount=None if amount is None else money(amount), reason="Moved away")
        return await self.town.fees.write_off(
            fine_id=fine.id, write_off=wanted, key=key, **self.here
        )

    async def waive(
        self, fine: Fine, amount: int | Money | None = None, *, key: Any = None
    ) -> Fine:
        waiver = NewWaiver(amount=None if amount is None else money(amount), reason="First time")
        return await self.town.fees.waive(fine_id=fine.id, waiver=waiver, key=key, **self.here)

    async def take_back(self, fine: Fine, *, key: Any = None) -> Fine:
        """The charge was wrong."""
        wrong = Cancellation(reason="It was on the shelf")
        fees = self.town.fees
        return await fees.cancel(fine_id=fine.id, cancellation=wrong, key=key, **self.here)

    async def refund(
        self, patron_id: UUID, amount: int | Money, *, key: Any = None, **but: Any
    ) -> Refund:
        refund = NewRefund(patron_id=patron_id, amount=money(amount), reason="Credit", **but)
        return await self.town.fees.refund(refund=refund, key=key, **self.here)

    async def open(
        self, branch_id: UUID | None, desk: str, opening: int | Money = 0, *, key: Any = None
    ) -> CashSession:
        new = NewCashSession(branch_id=branch_id, desk=desk, opening_float=money(opening))
        return await self.town.cash.open(opening=new, key=key, **self.here)

    async def close(
        self, session: CashSession, counted: int | Money, *, key: Any = None
    ) -> CashSession:
        count = CashCount(counted=money(counted))
        cash = self.town.cash
        return await cash.close(session_id=session.id, count=count, key=key, **self.here)

    async def session(self, session: CashSession) -> CashSession:
        return await self.town.cash.get(session_id=session.id, actor=self.actor)

    async def stands(self, patron_id: UUID) -> tuple[int, int, int, list[int]]:
        """Balance, owed, credit, and what each open charge owes; lines add up to the balance."""
        found = await self.account(patron_id)
        assert sum(line.amount.amount for line in found.items) == found.balance.amount
        open_ = [fine.outstanding.amount for fine in found.fines]
        assert sum(open_) == found.owed.amount
        return found.balance.amount, found.owed.amount, found.credit.amount, open_

    # mistakes

    async def undo(self, done: Loan | Return | Payment | Fine, **at: Any) -> Undone:
        assert done.event_id is not None
        return await self.town.corrections.undo(event_id=done.event_id, **at, **self.here)

    # what is true

    async def told(self, since: int = 0) -> list[Event]:
        return (await self.town.events(of_rules=False))[since:]

    async def names(self, since: int = 0) -> list[str]:
        return [type(event).__name__ for event in await self.told(since)]

    @asynccontextmanager
    async def nothing_changes(self) -> AsyncIterator[None]:
        """But for copies that are met: that is no news to anybody."""
        before = await everything(self.town)
        yield
        after = await everything(self.town)
        assert {name: after.get(name) for name in before} == before
        assert {table for table, _ in after.keys() - before.keys()} <= {copy.name}

    @asynccontextmanager
    async def refuses(self, kind: type[Problem], *codes: str) -> AsyncIterator[None]:
        """For these reasons and no others, and nothing changes."""
        async with self.nothing_changes():
            try:
                yield
            except kind as problem:
                found = [block["code"] for block in problem.extra.get("blocks", ())]
                assert (found or [problem.extra.get("reason")]) == (list(codes) or [None])
                assert problem.detail.startswith("Not ") or not codes, problem.detail
            else:
                raise AssertionError(f"not refused: {kind.__name__} {codes}")


def euros(amount: int) -> Money:
    return Money(amount=amount)


def money(amount: int | Money) -> Money:
    return amount if isinstance(amount, Money) else euros(amount)


def a_key(name: str, says: str = "this") -> RequestKey:
    return RequestKey(scope="desk", key=name, fingerprint=says)


async def everything(town: Town) -> dict[tuple[str, UUID], Any]:
    """Every row that lending and paying change, and the log."""
    async with town.db.read() as session:
        return {
            (table.name, row.id): row
            for table in (*CHANGED, TABLES.event)
            for row in await session.rows(select(table))
        }
