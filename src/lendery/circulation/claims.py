"""Claims that a copy was returned, which nobody finds: how they end.

The third way is that the copy is found: then it is checked in, and its loan ends as any other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.facts import loan_value, marks
from lendery.circulation.house import HouseKeeper
from lendery.circulation.losing import loss
from lendery.circulation.repository import loans, remembered, undone
from lendery.circulation.rules import status_of
from lendery.contracts.circulation import (
    ClaimForgiven,
    ClaimResolution,
    CopyFlagged,
    Loan,
    NoSuchLoan,
    NotClaimed,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class ClaimDesk:
    db: Database
    keeper: HouseKeeper
    currency: str

    async def resolve(
        self, *, loan_id: UUID, how: ClaimResolution, actor: Actor, now: datetime
    ) -> Loan:
        actor.must(Permission.LEND)
        if how.how == "forgiven":
            actor.must(Permission.WAIVE)
        async with self.db.begin() as tx:
            copy = await remembered.lock_copy_of_loan(tx, loan_id)
            if copy is None:
                raise NoSuchLoan("There is no such loan.")
            out = await loans.open_loan(tx, copy_id=copy.id, key=None)
            if out.id != loan_id or out.claimed_at is None:
                raise NotClaimed("Nobody says of this loan that the copy was returned.")
            writes = await self._ends(tx, out, copy, how, actor, now)
            await tx.write(*writes)
            row: Any = await loans.loan_by_id(tx, loan_id)
        return loan_value(row, now)

    async def _ends(
        self, tx: Tx, out: Any, copy: Any, how: ClaimResolution, actor: Actor, now: datetime
    ) -> list[Write]:
        flag = "lost" if how.how == "paid" else "missing"
        now_is = {flag: True, "claimed_returned": False}
        await remembered.change_copy(tx, copy.id, **now_is)
        flagged = CopyFlagged(
            at=now,
            copy_id=copy.id,
            book_id=copy.book_id,
            flag=flag,
            status=status_of(marks(copy._replace(**now_is), on_loan=False, in_transit=False)),
            by=actor.id,
        )
        if how.how == "forgiven":
            told = ClaimForgiven(at=now, loan_id=out.id, copy_id=copy.id, by=actor.id)
            ended = undone.ending(out.id, at=now, ended_as="forgiven")
            return [ended, tx.announcement(flagged), tx.announcement(told)]
        house = await self.keeper.at(tx, out.house_version, now)
        lost = loss(
            out,
            copy,
            charged=out.charged,
            hours=house.hours_of(out.home_branch_id),
            currency=self.currency,
            now=now,
            by=actor.id,
        )
        return [tx.announcement(flagged), *lost.writes(tx)]
