"""Suspensions that follow late returns: begun at check-in, looked at, lifted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.looks import note_look
from lendery.circulation.repository import remembered, suspensions
from lendery.contracts.base import new_id
from lendery.contracts.circulation import (
    NoSuchSuspension,
    PatronSuspended,
    PatronSuspension,
    SuspensionLifted,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx
from lendery.platform.db.session import Write


@dataclass(frozen=True)
class Suspended:
    """A suspension that begins."""

    told: PatronSuspended
    patron_id: UUID

    def writes(self, tx: Tx) -> list[Write]:
        begun = suspensions.beginning(
            id=self.told.suspension_id,
            patron_id=self.patron_id,
            borrower=self.told.borrower,
            loan_id=self.told.loan_id,
            began_at=self.told.at,
            until=self.told.until,
        )
        return [begun, tx.announcement(self.told)]


def suspension_for(
    loan: Any, *, at: datetime, hours: rules.OpeningHours, now: datetime, by: UUID | None
) -> Suspended | None:
    """By the policy on a loan that came back `at`; None: in time, or over by now."""
    until = rules.suspended_until(
        due_at=loan.due_at,
        at=rules.late_until(at, loan.claimed_at),
        policy=rules.Policy.from_json(loan.policy),
        hours=hours,
    )
    if until is None or until <= now or loan.patron_id is None:
        return None
    told = PatronSuspended(
        at=now, suspension_id=new_id(), borrower=new_id(), loan_id=loan.id, until=until, by=by
    )
    return Suspended(told, loan.patron_id)


def lifted(tx: Tx, suspension_id: UUID, *, now: datetime, by: UUID | None) -> list[Write]:
    told = SuspensionLifted(at=now, suspension_id=suspension_id, by=by)
    return [suspensions.lifting(suspension_id, at=now), tx.announcement(told)]


@dataclass(frozen=True)
class SuspensionDesk:
    db: Database

    async def of(self, *, patron_id: UUID, actor: Actor, now: datetime) -> list[PatronSuspension]:
        actor.must_be(patron_id, Permission.LEND)
        async with self.db.read() as session:
            rows = await suspensions.running(session, patron_id, now)
        await note_look(self.db, actor, [patron_id], "account")
        return [PatronSuspension.model_validate(row) for row in rows]

    async def lift(self, *, suspension_id: UUID, actor: Actor, now: datetime) -> PatronSuspension:
        actor.must(Permission.WAIVE)
        async with self.db.begin() as tx:
            row = await suspensions.by_id(tx, suspension_id)
            if row is None:
                raise NoSuchSuspension("There is no such suspension.")
            if row.patron_id is not None:
                await remembered.lock_patron(tx, row.patron_id)
                row = await suspensions.by_id(tx, suspension_id)
            if row is not None and row.ended_at is None:
                await tx.write(*lifted(tx, suspension_id, now=now, by=actor.id))
            row = await suspensions.by_id(tx, suspension_id)
        return PatronSuspension.model_validate(row)
