"""The state of copies: what each is doing now, and the flags staff put on it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lendery.circulation import hold_steps
from lendery.circulation.facts import marks
from lendery.circulation.house import HouseKeeper
from lendery.circulation.losing import Loss, found, loss
from lendery.circulation.repository import holds, lists, loans, remembered
from lendery.circulation.rules import status_of
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Window
from lendery.contracts.catalog import NoSuchCopy
from lendery.contracts.circulation import (
    ClaimDropped,
    CopyFlagged,
    CopyHistory,
    CopyState,
    Flag,
    LoanFilter,
    NotOnLoan,
    PastLoan,
    ReturnClaimed,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Session, Tx
from lendery.platform.db.session import Write
from lendery.platform.paging import make_cursor, read_cursor

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)  # where the count does not depend on the time
COLUMN = {
    "lost": "lost",
    "missing": "missing",
    "damaged": "damaged",
    "withdrawn": "withdrawn",
    "claimed-returned": "claimed_returned",
}


@dataclass(frozen=True)
class Shelf:
    db: Database
    met: Memory
    currency: str = "EUR"
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def states(self, *, copy_ids: list[UUID]) -> list[CopyState]:
        """Of the copies circulation has met. One it never met is as the catalog made it."""
        if not copy_ids:
            return []
        async with self.db.read() as session:
            rows = await remembered.copy_states(session, copy_ids)
        return [
            CopyState.model_construct(
                copy_id=row.id,
                status=_status(row, on_loan=row.due_at is not None, kept=row.kept == "ready"),
                branch_id=row.current_branch_id or row.home_branch_id,
                due_at=row.due_at,
            )
            for row in rows
        ]

    async def has_past(self, *, copy_ids: list[UUID]) -> bool:
        async with self.db.read() as session:
            return await remembered.ever_lent(session, copy_ids)

    async def history(self, *, copy_id: UUID, window: Window, actor: Actor) -> CopyHistory:
        actor.must(Permission.CATALOGUE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            copy = await remembered.copy_by_id(session, copy_id)
            rows = await lists.loans_of_copy(session, copy_id, after=after, limit=window.limit + 1)
            like = LoanFilter(copy_id=copy_id)
            count = await lists.count_loans(session, like=like, now=BEGINNING)
        if copy is None:
            raise NoSuchCopy("Circulation has not met this copy: it was never lent or scanned.")
        shown = rows[: window.limit]
        return CopyHistory(
            copy_id=copy_id,
            loans=count,
            in_house_uses=copy.in_house_uses,
            branch_id=copy.current_branch_id or copy.home_branch_id,
            last_seen_at=copy.last_seen_at,
            items=[_past(row) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
        )

    async def flag(
        self, *, copy_id: UUID, flag: Flag, raised: bool = True, actor: Actor, now: datetime
    ) -> CopyState:
        actor.must(Permission.CATALOGUE)
        for _ in range(2):
            async with self.db.begin() as tx:
                state = await self._flag(tx, copy_id, flag, raised, actor, now)
            if state is not None:
                return state
            await self.met.meet_copy(copy_id=copy_id)
        raise NoSuchCopy("There is no such copy.")

    async def _flag(
        self, tx: Tx, copy_id: UUID, flag: Flag, raised: bool, actor: Actor, now: datetime
    ) -> CopyState | None:
        row = await remembered.lock_copy_by_id(tx, copy_id)
        if row is None:
            return None
        out = await loans.open_loan(tx, copy_id=copy_id, key=None)
        if flag == "claimed-returned" and raised and out.id is None:
            raise NotOnLoan("Only a copy on loan can be claimed returned.")
        values = _columns(flag, raised)
        find = None
        if (row.lost and values.get("lost") is False) or (row.missing and flag == "found"):
            find = await found(tx, row, now=now, by=actor.id)
        is_lost = flag == "lost" and raised and out.id is not None
        if is_lost:
            values["claimed_returned"] = False
        await remembered.change_copy(tx, copy_id, **values)
        now_lost = await self._lost(tx, out, row, actor, now) if is_lost else None
        row = row._replace(**values)
        kept = await self._still_kept(tx, row, by=actor.id, now=now)
        status = _status(row, on_loan=out.id is not None and not is_lost, kept=kept)
        flagged = CopyFlagged(
            at=now,
            copy_id=copy_id,
            book_id=row.book_id,
            flag=flag if raised else f"not-{flag}",
            status=status,
            by=actor.id,
        )
        writes = [tx.announcement(flagged)]
        for each in (now_lost, find):
            writes += each.writes(tx) if each else []
        await tx.write(*writes, *_claim(tx, out, flag, raised, actor, now))
        branch_id = row.current_branch_id or row.home_branch_id
        due_at = None if is_lost else out.due_at
        return CopyState(copy_id=copy_id, status=status, branch_id=branch_id, due_at=due_at)

    async def _lost(self, tx: Tx, out: Any, copy: Any, actor: Actor, now: datetime) -> Loss:
        """The loan ends, and who has the copy pays for it."""
        house = await self.keeper.at(tx, out.house_version, now)
        return loss(
            out,
            copy,
            charged=out.charged,
            hours=house.hours_of(out.home_branch_id),
            currency=self.currency,
            now=now,
            by=actor.id,
        )

    async def _still_kept(self, tx: Tx, row: Any, *, by: UUID | None, now: datetime) -> bool:
        """Does it stay on the hold shelf? Nobody can collect what is lost, missing or damaged."""
        if await holds.given(tx, row.id) is None:
            return False
        await holds.lock_queue(tx, row.book_id)
        kept = await holds.given(tx, row.id)
        if kept is None:
            return False
        if row.lost or row.missing or row.damaged or row.withdrawn:
            await tx.write(*hold_steps.put_back(kept, by=by, now=now).writes(tx))
            return False
        return bool(kept.state == "ready")


def _past(row: Any) -> PastLoan:
    ended_as = None if row.returned_at is None else row.ended_as or "returned"
    return PastLoan.model_validate({**row._asdict(), "ended_as": ended_as})


def _columns(flag: Flag, raised: bool) -> dict[str, Any]:
    if flag == "found":
        return {"lost": False, "missing": False, "claimed_returned": False}
    return {COLUMN[flag]: raised}


def _claim(tx: Tx, out: Any, flag: Flag, raised: bool, actor: Actor, now: datetime) -> list[Write]:
    """What a flag says of an open claim that the copy was returned."""
    if out.id is None:
        return []
    of: dict[str, Any] = {"at": now, "loan_id": out.id, "copy_id": out.copy_id, "by": actor.id}
    if flag == "claimed-returned" and raised and out.claimed_at is None:
        return [loans.claiming(out.id, at=now), tx.announcement(ReturnClaimed(**of))]
    dropped = flag == "found" or (flag == "claimed-returned" and not raised)
    if dropped and out.claimed_at is not None:
        return [loans.claiming(out.id, at=None), tx.announcement(ClaimDropped(**of))]
    return []


async def status_now(session: Session, copy_id: UUID, *, kept: bool) -> Any:
    """What a copy shows, if it is kept on the hold shelf for somebody, and if not."""
    (row,) = await remembered.copy_states(session, [copy_id])
    return _status(row, on_loan=row.due_at is not None, kept=kept)


async def shown_status(session: Session, copy_id: UUID) -> Any:
    """What a copy shows as all is now."""
    (row,) = await remembered.copy_states(session, [copy_id])
    return _status(row, on_loan=row.due_at is not None, kept=row.kept == "ready")


def _status(row: Any, *, on_loan: bool, kept: bool) -> Any:
    in_transit = row.in_transit_to is not None
    return status_of(marks(row, on_loan=on_loan, in_transit=in_transit, on_hold_shelf=kept))
