"""Batches: checked as a whole before anything is taken, then taken one transaction at a time.

Each is recorded, numbered off and told in one database transaction under the lock on its desk. So
a batch that was cut half-way goes on where it stopped, and one that comes ten times at once has
one effect. What was answered is read from what was kept, and so is the same each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from lendery.circulation.cases import Unmet
from lendery.circulation.house import HouseKeeper
from lendery.circulation.offline.recording import Happened, Recorded, Recorder
from lendery.circulation.repository import offline
from lendery.circulation.rules import offline as rules
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Busy, Page, Window, new_id
from lendery.contracts.circulation.offline import (
    NewOfflineBatch,
    NoSuchOfflineBatch,
    NoSuchOfflineDesk,
    OfflineBatch,
    OfflineBatchResult,
    OfflineRefused,
    OfflineResult,
    OfflineTransaction,
    OfflineTransactionTaken,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Duplicate, Tx
from lendery.platform.db.session import Write
from lendery.platform.paging import make_cursor, read_cursor

TRIES = 5  # for the copy, the patron, and races that were lost


@dataclass(frozen=True)
class UploadDesk:
    db: Database
    met: Memory
    secret: str
    currency: str = "EUR"
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.db, self.met, self.keeper, self.currency)

    async def upload(
        self, *, batch: NewOfflineBatch, actor: Actor, now: datetime
    ) -> OfflineBatchResult:
        actor.must(Permission.OFFLINE)
        done = await self._accepted(batch, actor, now)
        for did in batch.transactions:
            if did.sequence > done:
                await self._take(batch, did, actor, now)
        return await self.batch(batch_id=batch.id, actor=actor)

    async def _accepted(self, batch: NewOfflineBatch, actor: Actor, now: datetime) -> int:
        """The number up to which all was taken before, or nothing more will be."""
        for _ in range(TRIES):
            try:
                async with self.db.begin() as tx:
                    desk = await _locked(tx, batch.desk_id)
                    known = await _known(tx, batch)
                    if known and desk.revoked_at is not None:
                        return batch.transactions[-1].sequence
                    signed = await self._signed(tx, desk, batch.transactions)
                    _must(rules.batch_objection(signed, batch.transactions, now=now))
                    if not known:
                        came = {"received_at": now, "received_by": actor.id, "place": new_id()}
                        await tx.write(offline.adding_batch(**_told(batch), **came))
                    return signed.last_sequence
            except Duplicate:
                continue  # the same batch, for another desk, at the same moment
        raise Busy("Too many batches came at once. Send it again.")

    async def _signed(
        self, tx: Tx, desk: Any, batch: Sequence[OfflineTransaction]
    ) -> rules.SignedDesk:
        first, last = batch[0].sequence - 1, batch[-1].sequence
        taken = await offline.taken(tx, desk.id, first=first, last=last)
        ids = [did.id for did in batch if did.sequence > desk.last_sequence]
        return rules.SignedDesk(
            id=desk.id,
            key=rules.desk_key(self.secret, desk.id),
            registered_at=desk.registered_at,
            revoked=desk.revoked_at is not None,
            last_sequence=desk.last_sequence,
            taken={row.sequence: (row.id, row.signature) for row in taken},
            ids_in_use={row.id for row in await offline.with_ids(tx, ids)},
        )

    async def _take(
        self, batch: NewOfflineBatch, did: OfflineTransaction, actor: Actor, now: datetime
    ) -> None:
        met: set[Literal["patron", "copy"]] = set()
        for _ in range(TRIES):
            try:
                async with self.db.begin() as tx:
                    unmet = await self._taken(tx, batch, did, actor, now, frozenset(met))
            except Duplicate:
                continue  # another desk was faster: look again
            if unmet is None:
                return
            if unmet.patron:
                await self.met.meet_patron(card=(did.card_number or "").upper(), patron_id=None)
                met.add("patron")
            if unmet.copy:
                await self.met.meet_copy(barcode=did.barcode)
                met.add("copy")
        raise Busy("Too many desks want the same copy at once. Send the batch again.")

    async def _taken(
        self,
        tx: Tx,
        batch: NewOfflineBatch,
        did: OfflineTransaction,
        actor: Actor,
        now: datetime,
        met: frozenset[str],
    ) -> Unmet | None:
        desk = await _locked(tx, batch.desk_id)
        if desk.revoked_at is not None:
            return None  # since the batch was accepted: the answer says what was taken
        signed = await self._signed(tx, desk, [did])
        _must(rules.batch_objection(signed, [did], now=now))  # another batch may have come between
        if did.sequence <= desk.last_sequence:
            return None
        at = rules.moment(did.at, last_at=desk.last_at, now=now)
        happened = Happened(did.kind, did.barcode, did.card_number, desk.branch_id, at)
        outcome = await self.recorder.record(tx, happened, actor, now, met)
        if isinstance(outcome, Unmet):
            return outcome
        await tx.write(*_kept(tx, batch, did, outcome, at, desk.branch_id, actor, now))
        return None

    async def batch(self, *, batch_id: UUID, actor: Actor) -> OfflineBatchResult:
        actor.must(Permission.OFFLINE)
        async with self.db.read() as session:
            row = await offline.batch_by_id(session, batch_id)
            if row is None:
                raise NoSuchOfflineBatch("There is no such batch.")
            first, last = row.first_sequence, row.last_sequence
            taken = await offline.taken(session, row.desk_id, first=first, last=last)
        results = [OfflineResult.model_validate(each) for each in taken]
        return OfflineBatchResult.model_validate({**row._asdict(), "results": results})

    async def batches(
        self, *, desk_id: UUID | None = None, window: Window, actor: Actor
    ) -> Page[OfflineBatch]:
        actor.must(Permission.OFFLINE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await offline.batches(
                session, desk_id=desk_id, after=after, limit=window.limit + 1
            )
            total = await offline.count_batches(session, desk_id) if window.total else None
        shown = rows[: window.limit]
        return Page[OfflineBatch](
            items=[OfflineBatch.model_validate(row) for row in shown],
            next_cursor=make_cursor(shown[-1].place) if len(rows) > window.limit else None,
            total=total,
        )


async def _locked(tx: Tx, desk_id: UUID) -> Any:
    desk = await offline.lock_desk(tx, desk_id)
    if desk is None:
        raise NoSuchOfflineDesk("There is no such desk.")
    return desk


def _must(objection: rules.BatchObjection | None) -> None:
    if objection is not None:
        told = {"sequence": objection.sequence, "expected": objection.expected}
        told = {name: value for name, value in told.items() if value is not None}
        raise OfflineRefused(objection.says, reason=objection.code, **told)


def _told(batch: NewOfflineBatch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "desk_id": batch.desk_id,
        "first_sequence": batch.transactions[0].sequence,
        "last_sequence": batch.transactions[-1].sequence,
        "last_signature": batch.transactions[-1].signature,
    }


async def _known(tx: Tx, batch: NewOfflineBatch) -> bool:
    """Did it come before? Raises OfflineRefused where its id was another batch's."""
    row = await offline.batch_by_id(tx, batch.id)
    if row is not None and any(getattr(row, name) != its for name, its in _told(batch).items()):
        says = "Not taken: another batch had this id. Give it a new one."
        raise OfflineRefused(says, reason="batch-changed")
    return row is not None


def _kept(
    tx: Tx,
    batch: NewOfflineBatch,
    did: OfflineTransaction,
    outcome: Recorded,
    at: datetime,
    branch_id: UUID,
    actor: Actor,
    now: datetime,
) -> list[Write]:
    """What is kept of it, told, and listed as a conflict."""
    codes = list(outcome.codes)
    told = OfflineTransactionTaken(
        at=now,
        desk_id=batch.desk_id,
        batch_id=batch.id,
        transaction_id=did.id,
        sequence=did.sequence,
        kind=did.kind,
        happened_at=at,
        recorded=outcome.recorded,
        conflicts=outcome.codes,
        loan_id=outcome.loan_id,
        copy_id=outcome.copy_id,
        branch_id=branch_id,
        by=actor.id,
    )
    writes = [
        offline.adding_transaction(
            id=did.id,
            desk_id=batch.desk_id,
            sequence=did.sequence,
            batch_id=batch.id,
            signature=did.signature,
            kind=did.kind,
            happened_at=at,
            taken_at=now,
            recorded=outcome.recorded,
            conflicts=codes,
            loan_id=outcome.loan_id,
            next=outcome.next,
            to_branch=outcome.to_branch,
        ),
        offline.moving_desk(batch.desk_id, sequence=did.sequence, signature=did.signature, at=at),
        tx.announcement(told),
    ]
    if codes:
        unknown = not outcome.recorded and outcome.patron_id is None
        conflict = offline.adding_conflict(
            id=did.id,
            desk_id=batch.desk_id,
            place=new_id(),
            barcode=did.barcode,
            copy_id=outcome.copy_id,
            loan_id=outcome.loan_id,
            recorded=outcome.recorded,
            conflicts=codes,
            patron_id=None if outcome.recorded else outcome.patron_id,
            card_number=did.card_number.upper() if unknown and did.card_number else None,
        )
        writes.append(conflict)
    return writes
