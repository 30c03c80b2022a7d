"""Cash sessions: a desk begins its day with a float, and ends it with a count."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lendery.circulation.cash_days import cash_day
from lendery.circulation.drawers import must_be_a_branch, sums, value, whole
from lendery.circulation.models import TABLES
from lendery.circulation.repository import cash
from lendery.circulation.rules import cash as rules
from lendery.circulation.rules.ledger import MoneyObjection
from lendery.contracts.base import Invalid, Money, Page, Problem, RequestKey, Window, new_id
from lendery.contracts.circulation import (
    CashCount,
    CashDay,
    CashLine,
    CashSession,
    CashSessionClosed,
    CashSessionFilter,
    CashSessionOpened,
    CashSessionRefused,
    NewCashSession,
    NoSuchCashSession,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate, Tx
from lendery.platform.paging import make_cursor, read_cursor


@dataclass(frozen=True)
class CashDesk:
    db: Database
    currency: str = "EUR"

    async def open(
        self,
        *,
        opening: NewCashSession,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> CashSession:
        actor.must(Permission.SETTLE)
        branch_id = opening.branch_id or actor.desk
        if branch_id is None:
            says = "Say at which branch the desk is."
            raise Invalid(says, errors=[{"pointer": "#/branch_id", "says": says}])
        at = branch_id
        return await self._once(lambda tx: self._open(tx, opening, at, actor, now, key))

    async def close(
        self,
        *,
        session_id: UUID,
        count: CashCount,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> CashSession:
        """What was settled before is counted, and what comes after is not; there is no between."""
        actor.must(Permission.SETTLE)
        return await self._once(lambda tx: self._close(tx, session_id, count, actor, now, key))

    async def get(self, *, session_id: UUID, actor: Actor) -> CashSession:
        actor.must(Permission.SETTLE)
        async with self.db.read() as session:
            return (await whole(session, [_there(await cash.by_id(session, session_id))]))[0]

    async def find(
        self, *, like: CashSessionFilter, window: Window, actor: Actor
    ) -> Page[CashSession]:
        actor.must(Permission.SETTLE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await cash.page(session, like=like, after=after, limit=window.limit + 1)
            shown = rows[: window.limit]
            return Page[CashSession](
                items=await whole(session, shown),
                next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
                total=await cash.count(session, like) if window.total else None,
            )

    async def lines(self, *, session_id: UUID, window: Window, actor: Actor) -> Page[CashLine]:
        actor.must(Permission.SETTLE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            _there(await cash.by_id(session, session_id))
            rows = await cash.lines(session, session_id, after=after, limit=window.limit + 1)
            shown = rows[: window.limit]
            return Page[CashLine](
                items=[_line(row) for row in shown],
                next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
                total=await cash.count_lines(session, session_id) if window.total else None,
            )

    async def day(
        self, *, on: date | None, branch_id: UUID | None, actor: Actor, now: datetime
    ) -> CashDay:
        actor.must(Permission.SETTLE)
        async with self.db.snapshot() as session:
            return await cash_day(session, on, branch_id, currency=self.currency, now=now)

    async def _open(
        self,
        tx: Tx,
        opening: NewCashSession,
        branch_id: UUID,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
    ) -> CashSession | Problem:
        before = idempotency.told_before(await cash.told_before(tx, key), key)
        if before is not None:
            row = _there(await cash.by_id(tx, UUID(before["id"])))
            return value(row._replace(closed_at=None, closed_by=None, counted=None), [])
        await must_be_a_branch(tx, branch_id)
        if objection := await self._no_opening(tx, opening, branch_id):
            return await self._refused(tx, objection, key, now)
        amount, currency = opening.opening_float.amount, opening.opening_float.currency
        event = CashSessionOpened(
            at=now,
            session_id=new_id(),
            branch_id=branch_id,
            desk=opening.desk,
            opening_float=amount,
            currency=currency,
            by=actor.id,
        )
        begun = cash.beginning(
            id=event.session_id,
            branch_id=branch_id,
            desk=opening.desk,
            opened_at=now,
            opened_by=actor.id,
            opening_float=amount,
            currency=currency,
        )
        writes = [begun, tx.announcement(event)]
        if key is not None:
            writes.append(idempotency.kept(TABLES, key, {"id": str(event.session_id)}, now=now))
        await tx.write(*writes)
        return value(_there(await cash.by_id(tx, event.session_id)), [])

    async def _no_opening(
        self, tx: Tx, opening: NewCashSession, branch_id: UUID
    ) -> MoneyObjection | None:
        open_ = await cash.open_sessions(tx)
        if any((row.branch_id, row.desk) == (branch_id, opening.desk) for row in open_):
            says = f"Not opened: a cash session is open at the desk {opening.desk}. Close it first."
            return "open-already", says
        return self._counted_wrong("Not opened", opening.opening_float)

    async def _close(
        self,
        tx: Tx,
        session_id: UUID,
        count: CashCount,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
    ) -> CashSession | Problem:
        row = _there(await cash.lock(tx, session_id))
        if idempotency.told_before(await cash.told_before(tx, key), key) is not None:
            return (await whole(tx, [row]))[0]
        if row.closed_at is not None:
            objection = "closed-before", "Not closed: this cash session was closed before."
            return await self._refused(tx, objection, key, now)
        if wrong := self._counted_wrong("Not closed", count.counted):
            return await self._refused(tx, wrong, key, now)
        found = sums((await cash.totals(tx, [session_id])).get(session_id, ()))
        event = CashSessionClosed(
            at=now,
            session_id=session_id,
            branch_id=row.branch_id,
            desk=row.desk,
            expected=row.opening_float + rules.in_cash(found),
            counted=count.counted.amount,
            currency=row.currency,
            by=actor.id,
        )
        ended = cash.ending(
            session_id, at=now, by=actor.id, expected=event.expected, counted=event.counted
        )
        writes = [ended, tx.announcement(event)]
        if key is not None:
            writes.append(idempotency.kept(TABLES, key, {"id": str(session_id)}, now=now))
        await tx.write(*writes)
        return value(_there(await cash.by_id(tx, session_id)), found)

    def _counted_wrong(self, refusal: str, money: Money) -> MoneyObjection | None:
        return rules.counted_objection(
            refusal,
            amount=money.amount,
            currency=money.currency,
            library_currency=self.currency,
        )

    async def _refused(
        self, tx: Tx, objection: MoneyObjection, key: RequestKey | None, now: datetime
    ) -> Problem:
        refusal = CashSessionRefused(objection[1], reason=objection[0])
        if key is not None:
            await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
        return refusal

    async def _once(self, act: Callable[[Tx], Awaitable[CashSession | Problem]]) -> CashSession:
        """In a transaction; again when another desk, or the same key, was faster."""
        while True:
            try:
                async with self.db.begin() as tx:
                    outcome = await act(tx)
            except Duplicate:
                continue
            if isinstance(outcome, Problem):
                raise outcome
            return outcome


def _there(row: Any | None) -> Any:
    if row is None:
        raise NoSuchCashSession("There is no such cash session.")
    return row


def _line(row: Any) -> CashLine:
    return CashLine(
        id=row.id,
        kind=row.kind,
        method=row.method,
        amount=Money(amount=-row.amount, currency=row.currency),
        fine_id=row.fine_id,
        settlement_id=row.settlement_id,
        reverses=row.reverses,
        at=row.at,
        by=row.by,
    )
