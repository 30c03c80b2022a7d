"""Desks that may work offline: registered while they are online, and revoked."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.house import HouseKeeper
from lendery.circulation.repository import offline
from lendery.circulation.rules.offline import desk_key
from lendery.contracts.base import Invalid, Page, Window, new_id
from lendery.contracts.circulation.offline import (
    NewOfflineDesk,
    NoSuchOfflineDesk,
    OfflineDesk,
    OfflineDeskRegistered,
    OfflineDeskRevoked,
    RegisteredOfflineDesk,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Tx
from lendery.platform.paging import make_cursor, read_cursor


@dataclass(frozen=True)
class DeskRegister:
    db: Database
    secret: str
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    async def register(
        self, *, desk: NewOfflineDesk, actor: Actor, now: datetime
    ) -> RegisteredOfflineDesk:
        actor.must(Permission.OFFLINE_REGISTER)
        async with self.db.begin() as tx:
            before = await _replaced(tx, desk)
            branch_id = before.branch_id if before else desk.branch_id or actor.desk
            if branch_id is None:
                raise _invalid("branch_id", "Say at which branch the desk stands.")
            house = await self.keeper.now(tx, now)
            house.branch(branch_id)
            columns: dict[str, Any] = {
                "id": new_id(),
                "name": desk.name,
                "branch_id": branch_id,
                "registered_at": before.registered_at if before else now,
                "registered_by": actor.id,
                "revoked_at": None,
            }
            told = OfflineDeskRegistered(
                at=now,
                desk_id=columns["id"],
                branch_id=branch_id,
                by=actor.id,
                replaces=desk.replaces,
            )
            since = before.last_at if before else now
            added = offline.adding_desk(
                **columns, last_sequence=0, last_signature=None, last_at=since
            )
            await tx.write(added, tx.announcement(told))
        return RegisteredOfflineDesk(**columns, key=desk_key(self.secret, columns["id"]).hex())

    async def revoke(self, *, desk_id: UUID, actor: Actor, now: datetime) -> OfflineDesk:
        actor.must(Permission.OFFLINE_REGISTER)
        async with self.db.begin() as tx:
            row = await offline.lock_desk(tx, desk_id)
            if row is None:
                raise NoSuchOfflineDesk("There is no such desk.")
            if row.revoked_at is None:
                told = OfflineDeskRevoked(at=now, desk_id=desk_id, by=actor.id)
                await tx.write(offline.revoking_desk(desk_id, at=now), tx.announcement(told))
                row = row._replace(revoked_at=now)
        return desk_value(row)

    async def desk(self, *, desk_id: UUID, actor: Actor) -> OfflineDesk:
        actor.must(Permission.OFFLINE)
        async with self.db.read() as session:
            row = await offline.desk_by_id(session, desk_id)
        if row is None:
            raise NoSuchOfflineDesk("There is no such desk.")
        return desk_value(row)

    async def desks(self, *, window: Window, actor: Actor) -> Page[OfflineDesk]:
        actor.must(Permission.OFFLINE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await offline.desks(session, after=after, limit=window.limit + 1)
            total = await offline.count_desks(session) if window.total else None
        shown = rows[: window.limit]
        return Page[OfflineDesk](
            items=[desk_value(row) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
            total=total,
        )


async def _replaced(tx: Tx, desk: NewOfflineDesk) -> Any | None:
    """The desk that this one stands in for: it may send what that one did not."""
    if desk.replaces is None:
        return None
    row = await offline.desk_by_id(tx, desk.replaces)
    if row is None:
        raise _invalid("replaces", "There is no such desk.")
    if row.revoked_at is None:
        raise _invalid("replaces", "That desk may still send. Revoke it first.")
    if desk.branch_id not in (None, row.branch_id):
        raise _invalid("branch_id", "That desk stood at another branch. Leave the branch out.")
    return row


def _invalid(field: str, says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": f"#/{field}", "says": says}])


def desk_value(row: Any) -> OfflineDesk:
    return OfflineDesk(
        id=row.id,
        name=row.name,
        branch_id=row.branch_id,
        registered_at=row.registered_at,
        registered_by=row.registered_by,
        revoked_at=row.revoked_at,
        next_sequence=row.last_sequence + 1,
        head=row.last_signature,
    )
