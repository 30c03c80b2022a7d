"""The fees port: what is owed and why; charging by hand; and the till."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from lendery.circulation.charging import Charge
from lendery.circulation.house import HouseKeeper
from lendery.circulation.looks import note_look
from lendery.circulation.models import TABLES
from lendery.circulation.patron_accounts import Standing, accruing, line_value
from lendery.circulation.repository import ledger, remembered
from lendery.circulation.settling import Till
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Money, NotAllowed, Page, Problem, RequestKey, Window, new_id
from lendery.contracts.circulation import (
    Account,
    Cancellation,
    ChargeRefused,
    Fine,
    NewCharge,
    NewPayment,
    NewRefund,
    NewWaiver,
    NewWriteOff,
    NoSuchFine,
    NoSuchPatron,
    Owed,
    Payment,
    Refund,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate, Tx
from lendery.platform.paging import make_cursor, read_cursor

R = TypeVar("R")


@dataclass(frozen=True)
class FeeDesk:
    db: Database
    met: Memory
    currency: str = "EUR"
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def account(
        self, *, patron_id: UUID, window: Window, actor: Actor, now: datetime
    ) -> Account:
        """A reader's own, or anybody's for staff. Who never owed anything has an empty one."""
        actor.must_be(patron_id, Permission.SETTLE)
        await note_look(self.db, actor, [patron_id], "account")
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            till = await ledger.till(session, patron_id=patron_id, key=None)
            standing = await Standing.of(session, patron_id, free=till.free)
            rows = await ledger.lines(session, patron_id, after=after, limit=window.limit + 1)
            late = await ledger.late_loans(session, patron_id, now)
            house = await self.keeper.at(session, till.house_version, now)
            costs = await accruing(session, late, house=house, currency=self.currency, now=now)
            fines = await standing.fines(session, standing.open)
        shown = rows[: window.limit]
        return Account(
            patron_id=patron_id,
            balance=self._money(standing.sums.balance),
            owed=self._money(standing.sums.owed),
            credit=self._money(standing.sums.credit),
            accruing=list(costs.values()),
            fines=fines,
            items=[line_value(row) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
        )

    async def fine(self, *, fine_id: UUID, actor: Actor) -> Fine:
        actor.must(Permission.OWN_ACCOUNT)
        async with self.db.read() as session:
            row = await ledger.fine_by_id(session, fine_id)
            if not actor.may(Permission.SETTLE) and (row is None or row.patron_id != actor.id):
                raise NotAllowed("You can see your own fines only.")
            if row is None:
                raise NoSuchFine("There is no such fine.")
            found = (await self._valued(session, [row], row.patron_id))[0]
        await note_look(self.db, actor, [row.patron_id], "account")
        return found

    async def fines(self, *, patron_id: UUID, window: Window, actor: Actor) -> Page[Fine]:
        actor.must_be(patron_id, Permission.SETTLE)
        await note_look(self.db, actor, [patron_id], "account")
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await ledger.lines(
                session, patron_id, after=after, limit=window.limit + 1, charges=True
            )
            shown = rows[: window.limit]
            return Page[Fine](
                items=await self._valued(session, shown, patron_id),
                next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
                total=await ledger.count_charges(session, patron_id) if window.total else None,
            )

    async def _valued(self, session: Any, rows: list[Any], patron_id: UUID | None) -> list[Fine]:
        free = 0
        if patron_id is not None:
            free = (await ledger.till(session, patron_id=patron_id, key=None)).free
            standing = await Standing.of(session, patron_id, free=free)
        else:
            standing = Standing.settled()
        return await standing.fines(session, rows)

    async def owed(self, *, patron_ids: list[UUID], actor: Actor) -> list[Owed]:
        actor.must(Permission.SETTLE)
        if not patron_ids:
            return []
        async with self.db.read() as session:
            rows = await ledger.owed(session, patron_ids)
        return [Owed(patron_id=row.patron_id, amount=self._money(int(row.balance))) for row in rows]

    async def charge(
        self, *, charge: NewCharge, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Fine:
        """By hand: a lost card, a damaged page."""
        actor.must(Permission.SETTLE)
        await self._met(charge.patron_id)

        async def post(tx: Tx) -> Fine | Problem:
            if await remembered.lock_patron(tx, charge.patron_id) is None:
                raise NoSuchPatron("Nobody with this id has a card here.")
            till = await ledger.till(tx, patron_id=charge.patron_id, key=key)
            if (told := idempotency.told_before(till, key)) is not None:
                row = await ledger.fine_by_id(tx, UUID(told["id"]))
                found = (await self._valued(tx, [row], charge.patron_id))[0]
                return found.model_copy(update={"outstanding": found.amount})  # as it was told
            if says := _no_charge(charge.amount, self.currency):
                refusal = ChargeRefused(says[1], reason=says[0])
                if key is not None:
                    await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
                return refusal
            made = Charge(
                id=new_id(),
                patron_id=charge.patron_id,
                amount=charge.amount.amount,
                currency=self.currency,
                reason=charge.reason,
                note=charge.note,
                at=now,
                by=actor.id,
                branch_id=actor.desk,
            )
            writes = made.writes(tx)
            if key is not None:
                writes.append(idempotency.kept(TABLES, key, {"id": str(made.id)}, now=now))
            await tx.write(*writes)
            return made.fine

        return await self._once(post)

    async def pay(
        self, *, payment: NewPayment, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Payment:
        actor.must(Permission.SETTLE)
        return await self._once(lambda tx: self._till(tx, actor, now, key).pay(payment))

    async def waive(
        self,
        *,
        fine_id: UUID,
        waiver: NewWaiver,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> Fine:
        actor.must(Permission.WAIVE)
        return await self._once(lambda tx: self._till(tx, actor, now, key).waive(fine_id, waiver))

    async def write_off(
        self,
        *,
        fine_id: UUID,
        write_off: NewWriteOff,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> Fine:
        actor.must(Permission.WAIVE)
        return await self._once(
            lambda tx: self._till(tx, actor, now, key).write_off(fine_id, write_off)
        )

    async def cancel(
        self,
        *,
        fine_id: UUID,
        cancellation: Cancellation,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> Fine:
        actor.must(Permission.WAIVE)
        return await self._once(
            lambda tx: self._till(tx, actor, now, key).cancel(fine_id, cancellation)
        )

    async def refund(
        self, *, refund: NewRefund, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Refund:
        actor.must(Permission.SETTLE)
        return await self._once(lambda tx: self._till(tx, actor, now, key).refund(refund))

    def _till(self, tx: Tx, actor: Actor, now: datetime, key: RequestKey | None) -> Till:
        return Till(tx, actor, now, key, self.currency)

    async def _once(self, settle: Callable[[Tx], Awaitable[R | Problem]]) -> R:
        """In a transaction; again when the same key came at the same moment: it is told then."""
        while True:
            try:
                async with self.db.begin() as tx:
                    outcome = await settle(tx)
            except Duplicate:
                continue
            if isinstance(outcome, Problem):
                raise outcome
            return outcome

    async def _met(self, patron_id: UUID) -> None:
        async with self.db.read() as session:
            row = await remembered.patron_seen(session, card=None, patron_id=patron_id)
        if row is None:
            await self.met.meet_patron(card=None, patron_id=patron_id)

    def _money(self, amount: int) -> Money:
        return Money(amount=amount, currency=self.currency)


def _no_charge(amount: Money, currency: str) -> tuple[str, str] | None:
    if amount.amount <= 0:
        return "not-positive", "Not charged: the amount must be above zero. Type it again."
    if amount.currency != currency:
        return "wrong-currency", f"Not charged: this library's money is {currency}. Give that."
    return None
