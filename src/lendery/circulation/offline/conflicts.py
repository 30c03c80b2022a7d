"""What nobody at an offline desk could know: listed, and settled by people."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from lendery.circulation.cases import Unmet
from lendery.circulation.house import HouseKeeper
from lendery.circulation.looks import note_look
from lendery.circulation.offline.recording import Happened, Recorded, Recorder
from lendery.circulation.repository import offline, remembered
from lendery.circulation.rules.offline_conflicts import NEVER_WAIVED, proposed, says
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Busy, Invalid, Page, Window
from lendery.contracts.circulation.offline import (
    ConflictNotSettled,
    NoSuchOfflineConflict,
    OfflineConflict,
    OfflineConflictFilter,
    OfflineConflictSettled,
    OfflineReason,
    SettleConflict,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.db import Database, Duplicate, Tx
from lendery.platform.paging import make_cursor, read_cursor

TRIES = 5


@dataclass(frozen=True)
class ConflictDesk:
    db: Database
    met: Memory
    currency: str = "EUR"
    keeper: HouseKeeper = field(default_factory=HouseKeeper)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.db, self.met, self.keeper, self.currency)

    async def conflict(self, *, conflict_id: UUID, actor: Actor) -> OfflineConflict:
        actor.must(Permission.OFFLINE)
        async with self.db.read() as session:
            row = await offline.conflict_by_id(session, conflict_id)
        if row is None:
            raise NoSuchOfflineConflict("There is no such conflict.")
        await note_look(self.db, actor, [row.whose], "loans")
        return _value(row)

    async def conflicts(
        self, *, like: OfflineConflictFilter, window: Window, actor: Actor
    ) -> Page[OfflineConflict]:
        actor.must(Permission.OFFLINE)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await offline.conflicts(session, like=like, after=after, limit=window.limit + 1)
            total = await offline.count_conflicts(session, like=like) if window.total else None
        shown = rows[: window.limit]
        await note_look(self.db, actor, [row.whose for row in shown], "loans")
        return Page[OfflineConflict](
            items=[_value(row) for row in shown],
            next_cursor=make_cursor(shown[-1].place) if len(rows) > window.limit else None,
            total=total,
        )

    async def settle(
        self, *, conflict_id: UUID, settle: SettleConflict, actor: Actor, now: datetime
    ) -> OfflineConflict:
        actor.must(Permission.OFFLINE)
        if settle.how == "dismiss" and settle.reason is None:
            raise _no_reason("Say why it is dismissed.")
        met: set[Literal["patron", "copy"]] = set()
        for _ in range(TRIES):
            try:
                async with self.db.begin() as tx:
                    found = await self._attempt(tx, conflict_id, settle, actor, now, frozenset(met))
            except Duplicate:
                continue  # another desk was faster: look again
            if not isinstance(found, tuple):
                return found
            unmet, barcode, card = found
            if unmet.patron:
                await self.met.meet_patron(card=card, patron_id=None)
                met.add("patron")
            if unmet.copy:
                await self.met.meet_copy(barcode=barcode)
                met.add("copy")
        raise Busy("Too many desks want the same copy at once. Try again.")

    async def _attempt(
        self,
        tx: Tx,
        conflict_id: UUID,
        settle: SettleConflict,
        actor: Actor,
        now: datetime,
        met: frozenset[str],
    ) -> OfflineConflict | tuple[Unmet, str, str]:
        row = await offline.lock_conflict(tx, conflict_id)
        if row is None:
            raise NoSuchOfflineConflict("There is no such conflict.")
        if row.settled_at is not None:
            if row.settled_as != settle.how:
                reason = f"Not settled: somebody settled it before ({row.settled_as})."
                raise ConflictNotSettled(reason, reason="settled-before")
            return _value(row)
        _must_fit(row, settle)
        outcome = Recorded(row.recorded, tuple(row.conflicts), row.copy_id, loan_id=row.loan_id)
        barcode = settle.barcode or row.barcode
        if settle.how == "record":
            did = await self._happened(tx, row, settle, barcode)
            recorded = await self.recorder.record(tx, did, actor, now, met)
            if isinstance(recorded, Unmet):
                return recorded, barcode, (did.card_number or "").upper()
            outcome = _must_be_recorded(recorded)
        if settle.reason is None and outcome.recorded and NEVER_WAIVED.intersection(outcome.codes):
            raise _no_reason("Say why: nobody could have waived this at the desk.")
        settled = offline.settling(
            row.id,
            conflicts=list(dict.fromkeys([*row.conflicts, *outcome.codes])),
            barcode=barcode,
            copy_id=outcome.copy_id,
            loan_id=outcome.loan_id,
            recorded=outcome.recorded,
            settled_as=settle.how,
            settled_at=now,
            settled_by=actor.id,
            reason=settle.reason,
        )
        told = OfflineConflictSettled(
            at=now,
            desk_id=row.desk_id,
            transaction_id=row.id,
            settled_as=settle.how,
            loan_id=outcome.loan_id,
            by=actor.id,
        )
        await tx.write(settled, tx.announcement(told))
        return _value(await offline.conflict_by_id(tx, conflict_id))

    async def _happened(self, tx: Tx, row: Any, settle: SettleConflict, barcode: str) -> Happened:
        """As it happened then, by the rules of today, with what was put right."""
        card = settle.card_number or row.card_number
        if card is None and row.patron_id is not None:
            patron = await remembered.patron_seen(tx, card=None, patron_id=row.patron_id)
            card = patron.card_number if patron is not None else None
        if row.kind == "check-out" and card is None:
            reason = "Say the card: nobody can say any more whose it was."
            raise Invalid(reason, errors=[{"pointer": "#/card_number", "says": reason}])
        desk: Any = await offline.desk_by_id(tx, row.desk_id)
        return Happened(
            row.kind, barcode, card, desk.branch_id, row.happened_at, by_rules_of_today=True
        )


def _no_reason(says: str) -> Invalid:
    return Invalid(says, errors=[{"pointer": "#/reason", "says": says}])


def _must_fit(row: Any, settle: SettleConflict) -> None:
    if row.recorded and settle.how != "accept":
        reason = "Not settled: it was recorded. Accept it; a mistake is put right at the desk."
        raise ConflictNotSettled(reason, reason="recorded")
    if not row.recorded and settle.how == "accept":
        reason = "Not settled: it was not recorded. Record it or dismiss it."
        raise ConflictNotSettled(reason, reason="not-recorded")


def _must_be_recorded(recorded: Recorded) -> Recorded:
    if not recorded.recorded:
        raise ConflictNotSettled(
            "Not recorded: something is still in the way.",
            reason="in-the-way",
            codes=list(recorded.codes),
        )
    return recorded


def _value(row: Any) -> OfflineConflict:
    proposal, what_to_do = proposed(row.kind, row.conflicts, recorded=row.recorded)
    return OfflineConflict(
        id=row.id,
        desk_id=row.desk_id,
        batch_id=row.batch_id,
        sequence=row.sequence,
        kind=row.kind,
        happened_at=row.happened_at,
        recorded=row.recorded,
        reasons=tuple(
            OfflineReason(code=code, says=says(row.kind, code)) for code in row.conflicts
        ),
        proposal=proposal,
        what_to_do=what_to_do,
        barcode=row.barcode,
        loan_id=row.loan_id,
        copy_id=row.copy_id,
        patron_id=row.whose,
        card_number=row.card_number,
        state="open" if row.settled_at is None else "settled",
        settled_as=row.settled_as,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        reason=row.reason,
    )
