"""The loans port: lend, renew, take back, and look."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.ageing import Ageing
from lendery.circulation.cases import AlreadyTheirs
from lendery.circulation.claims import ClaimDesk
from lendery.circulation.facts import loan_value
from lendery.circulation.house import HouseKeeper
from lendery.circulation.lending import CheckOutDesk
from lendery.circulation.looks import note_look
from lendery.circulation.patron_accounts import with_accrued
from lendery.circulation.recalling import RecallDesk
from lendery.circulation.renewals import RenewalDesk
from lendery.circulation.renewing_itself import AutomaticRenewal
from lendery.circulation.repository import lists, loans
from lendery.circulation.returns import ReturnsDesk
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import NotAllowed, Page, RequestKey, Window
from lendery.contracts.circulation import (
    Blocks,
    ClaimResolution,
    Loan,
    LoanFilter,
    LoanRequest,
    NoSuchLoan,
    RenewalRequest,
    Return,
    ReturnRequest,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database
from lendery.platform.paging import make_cursor, read_cursor


@dataclass(frozen=True)
class LoanDesk:
    db: Database
    met: Memory
    currency: str = "EUR"
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def check_out(
        self, *, request: LoanRequest, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Loan:
        desk = CheckOutDesk(self.db, self.met, self.keeper, self.currency)
        outcome = await desk.check_out(request=request, actor=actor, now=now, key=key)
        if isinstance(outcome, AlreadyTheirs):
            return await self.renew(loan_id=outcome.loan_id, actor=actor, now=now, key=key)
        return outcome

    async def check(self, *, request: LoanRequest, actor: Actor, now: datetime) -> Blocks:
        desk = CheckOutDesk(self.db, self.met, self.keeper, self.currency)
        return await desk.check(request=request, actor=actor, now=now)

    async def renew(
        self,
        *,
        loan_id: UUID,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
        request: RenewalRequest | None = None,
    ) -> Loan:
        waive = request.waive if request else frozenset()
        desk = RenewalDesk(self.db, self.met, self.keeper, self.currency)
        return await desk.renew(loan_id=loan_id, actor=actor, now=now, key=key, waive=waive)

    async def check_in(
        self, *, request: ReturnRequest, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Return:
        desk = ReturnsDesk(self.db, self.met, self.keeper, self.currency)
        return await desk.check_in(request=request, actor=actor, now=now, key=key)

    async def resolve_claim(
        self, *, loan_id: UUID, how: ClaimResolution, actor: Actor, now: datetime
    ) -> Loan:
        desk = ClaimDesk(self.db, self.keeper, self.currency)
        return await desk.resolve(loan_id=loan_id, how=how, actor=actor, now=now)

    async def recall(self, *, loan_id: UUID, actor: Actor, now: datetime) -> Loan:
        desk = RecallDesk(self.db, self.keeper)
        return await desk.recall(loan_id=loan_id, actor=actor, now=now)

    async def renew_by_themselves(self, *, now: datetime) -> int:
        desk = RenewalDesk(self.db, self.met, self.keeper, self.currency)
        return await AutomaticRenewal(self.db, desk).run(now=now)

    async def declare_lost(self, *, now: datetime) -> int:
        return await Ageing(self.db, self.keeper, self.currency).declare_lost(now=now)

    async def get(self, *, loan_id: UUID, actor: Actor, now: datetime) -> Loan:
        actor.must(Permission.BORROW)
        async with self.db.read() as session:
            row = await loans.loan_by_id(session, loan_id)
        if not actor.may(Permission.LEND) and (row is None or row.patron_id != actor.id):
            raise NotAllowed("You can see your own loans only.")
        if row is None:
            raise NoSuchLoan("There is no such loan.")
        await note_look(self.db, actor, [row.patron_id], "loans")
        return (await self._valued([row], now))[0]

    async def find(
        self, *, like: LoanFilter, window: Window, actor: Actor, now: datetime
    ) -> Page[Loan]:
        """Newest first. A reader finds one's own only."""
        actor.must_be(like.patron_id, Permission.LEND)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await lists.loans(
                session, like=like, after=after, limit=window.limit + 1, now=now
            )
            total = await lists.count_loans(session, like=like, now=now) if window.total else None
        shown = rows[: window.limit]
        whose = [like.patron_id] if like.patron_id else [row.patron_id for row in shown]
        await note_look(self.db, actor, whose, "loans")
        return Page[Loan](
            items=await self._valued(shown, now),
            next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
            total=total,
        )

    async def _valued(self, rows: list[Any], now: datetime) -> list[Loan]:
        """Each late loan with what it costs by now."""
        found = [loan_value(row, now) for row in rows]
        if not any(loan.overdue for loan in found):
            return found
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            return await with_accrued(
                session, found, rows, house=house, currency=self.currency, now=now
            )
