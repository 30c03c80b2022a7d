"""The list of what is due, late or ready, for those who write to readers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.repository import due_list
from lendery.contracts.base import Money
from lendery.contracts.circulation import DueLoan, DuePlace, HeldFor, Posted
from lendery.platform.db import Database, Session

Lines = Callable[[Session, UUID], Awaitable[Sequence[Any]]]


@dataclass(frozen=True)
class DueBook:
    """Implements contracts.circulation.DueList. Each page is one question."""

    db: Database
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def due(
        self, *, until: datetime, after: DuePlace | None, most: int, now: datetime
    ) -> list[DueLoan]:
        place = (after.due_at, after.loan_id) if after else None
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            rows = await due_list.due(session, until=until, after=place, most=most)
        return [_loan(row, house) for row in rows]

    async def expiring(
        self, *, until: date, after: UUID | None, most: int, now: datetime
    ) -> list[HeldFor]:
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            rows = await due_list.ending(session, until=until, after=after, most=most)
        return [_held(row, house) for row in rows]

    async def loan(self, *, loan_id: UUID, now: datetime) -> DueLoan | None:
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            row = await due_list.open_loan(session, loan_id)
        return _loan(row, house) if row else None

    async def hold(self, *, hold_id: UUID, now: datetime) -> HeldFor | None:
        async with self.db.read() as session:
            house = await self.keeper.now(session, now)
            row = await due_list.hold_of(session, hold_id)
        return _held(row, house) if row else None

    async def charge(self, *, fine_id: UUID) -> Posted | None:
        return await self._posted(due_list.charge, fine_id)

    async def payment(self, *, settlement_id: UUID) -> Posted | None:
        return await self._posted(due_list.payment, settlement_id)

    async def _posted(self, asked: Lines, what: UUID) -> Posted | None:
        async with self.db.read() as session:
            lines = await asked(session, what)
            if not lines:
                return None
            first = lines[0]
            balance = await due_list.balance(session, first.patron_id)
        return Posted(
            patron_id=first.patron_id,
            amount=Money(amount=abs(sum(each.amount for each in lines)), currency=first.currency),
            balance=Money(amount=balance, currency=first.currency),
            reason=first.reason,
            method=first.method,
        )


def _loan(row: Any, house: House) -> DueLoan:
    branch, zone = _where(row.home_branch_id, house)
    return DueLoan(
        loan_id=row.id,
        patron_id=row.patron_id,
        book_id=row.book_id,
        branch=branch,
        time_zone=zone,
        due_at=row.due_at,
        due_on=house.hours_of(row.home_branch_id).local_date(row.due_at),
    )


def _held(row: Any, house: House) -> HeldFor:
    branch, zone = _where(row.pickup_branch_id, house)
    return HeldFor(
        hold_id=row.id,
        patron_id=row.patron_id,
        book_id=row.book_id,
        branch=branch,
        time_zone=zone,
        state=row.state,
        expires_on=row.expires_on,
    )


def _where(branch_id: UUID, house: House) -> tuple[str, str]:
    """The name of a branch and its time zone."""
    branch = house.branches.get(branch_id)
    return (branch.name, branch.time_zone) if branch else ("", "UTC")
