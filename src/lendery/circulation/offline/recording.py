"""Recording what happened at a desk that was offline, at the time when it happened.

What left the library is gone, whatever the rules say: they are passed over, and each that objects
is named. Where there is nothing to write it on (nobody has this card, no copy this barcode), or
something newer is known of the copy, nothing is recorded and a person decides.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.borrowers import known_id
from lendery.circulation.cases import Case, Unmet, case_of
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.lending import EXPIRED, CheckOutDesk
from lendery.circulation.renewals import RenewalDesk
from lendery.circulation.repository import holds, loans, remembered, rule_tables
from lendery.circulation.returns import ReturnsDesk
from lendery.circulation.rules.offline_conflicts import overtaken
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Problem
from lendery.contracts.circulation import (
    CalendarHasRunOut,
    InvalidCalendar,
    InvalidRule,
    LoanRequest,
    ReturnRequest,
)
from lendery.contracts.circulation.offline import OfflineCode, OfflineKind
from lendery.contracts.permissions import Actor
from lendery.platform.db import Database, Tx

WHY = "Recorded after the desk was offline."
NO_DUE_DATE = (InvalidRule, CalendarHasRunOut, InvalidCalendar)


@dataclass(frozen=True)
class Happened:
    """What a desk did, and when. A check-out goes by the rules of then, or by those of today."""

    kind: OfflineKind
    barcode: str
    card_number: str | None
    branch_id: UUID | None
    at: datetime
    by_rules_of_today: bool = False


@dataclass(frozen=True)
class Recorded:
    """What became of it. `codes`: what nobody at the desk could know."""

    recorded: bool
    codes: tuple[OfflineCode, ...] = ()
    copy_id: UUID | None = None
    patron_id: UUID | None = None
    loan_id: UUID | None = None
    next: Literal["shelve", "hold", "transit"] | None = None
    to_branch: UUID | None = None


@dataclass(frozen=True)
class Recorder:
    db: Database
    met: Memory
    keeper: HouseKeeper
    currency: str

    async def record(
        self, tx: Tx, did: Happened, actor: Actor, now: datetime, met: Collection[str]
    ) -> Recorded | Unmet:
        """Nothing was written where nothing is recorded. `met`: who was asked for in vain."""
        house = await self.keeper.now(tx, now)
        if did.branch_id not in house.branches:  # closed since: where the copy lives will do
            did = replace(did, branch_id=None)
        match did.kind:
            case "check-out":
                if not did.by_rules_of_today:
                    house = await _house_of(tx, house, did.at, now)
                return await self._check_out(tx, did, house, actor, now, met)
            case "check-in":
                return await self._check_in(tx, did, actor, now, met)
            case "renewal":
                return await self._renewal(tx, did, actor, now, met)

    async def _check_out(
        self,
        tx: Tx,
        did: Happened,
        house: House,
        actor: Actor,
        now: datetime,
        met: Collection[str],
    ) -> Recorded | Unmet:
        card = (did.card_number or "").upper()
        patron = await remembered.lock_borrower(tx, card=card, patron_id=None, barcode=did.barcode)
        copy = await remembered.lock_copy(tx, barcode=did.barcode)
        unmet = Unmet(patron is None and "patron" not in met, copy is None and "copy" not in met)
        if unmet.patron or unmet.copy:
            return unmet
        if copy is None or patron is None:
            unknown: list[OfflineCode] = ["unknown-copy"] if copy is None else []
            unknown += ["unknown-card"] if patron is None else []
            return Recorded(False, tuple(unknown), known_id(copy), known_id(patron))
        await holds.lock_queue(tx, copy.book_id)
        row = await self._facts(tx, did, patron)
        out = row.out_as and await loans.loan_by_id(tx, row.out_as)
        case = await case_of(tx, self.keeper, self.currency, patron, row, row, did.at, house=house)
        codes: tuple[OfflineCode, ...] = tuple(block.code for block in case.blocks)
        newer = overtaken(did.at, lent_at=out and out.lent_at, seen_at=copy.last_seen_at)
        for code in (newer, *(c for c in ("already-yours", "no-rule") if c in codes)):
            if code is not None:
                return Recorded(False, (code,), copy.id, patron.id)
        if not _is_due(did.at, case):
            return Recorded(False, ("no-due-date",), copy.id, patron.id)
        if out is not None:
            await self._came_back(tx, did, copy, actor, now)
            case = replace(case, copy=await self._facts(tx, did, patron))
        request = LoanRequest(barcode=did.barcode, branch_id=did.branch_id, reason=WHY)
        desk = CheckOutDesk(self.db, self.met, self.keeper, self.currency)
        loan = await desk.lend(tx, case, request, actor, now, None, lent_at=did.at)
        return Recorded(True, codes, copy.id, loan_id=loan.id)

    async def _facts(self, tx: Tx, did: Happened, patron: Any) -> Any:
        return await loans.check_out_facts(
            tx, barcode=did.barcode, patron_id=patron.id, now=did.at, key=None
        )

    async def _came_back(
        self, tx: Tx, did: Happened, copy: Any, actor: Actor, now: datetime
    ) -> None:
        """It was in hand at the desk, so whoever had it had it no more."""
        row = await loans.open_loan(tx, copy_id=copy.id, key=None)
        house = await self.keeper.at(tx, row.house_version, now)
        here = did.branch_id or actor.desk or copy.home_branch_id
        await self._returns.take_back(
            tx, copy, row, house, here, did.at, actor, now, None, seen_at=did.at, leaves=True
        )

    @property
    def _returns(self) -> ReturnsDesk:
        return ReturnsDesk(self.db, self.met, self.keeper, self.currency)

    async def _check_in(
        self, tx: Tx, did: Happened, actor: Actor, now: datetime, met: Collection[str]
    ) -> Recorded | Unmet:
        copy = await remembered.lock_copy(tx, barcode=did.barcode)
        if copy is None:
            return Recorded(False, ("unknown-copy",)) if "copy" in met else Unmet(False, True)
        out = await loans.open_loan(tx, copy_id=copy.id, key=None)
        lent_at = out.lent_at if out.id is not None else None
        if (newer := overtaken(did.at, lent_at=lent_at, seen_at=copy.last_seen_at)) is not None:
            return Recorded(False, (newer,), copy.id)
        request = ReturnRequest(barcode=did.barcode, branch_id=did.branch_id, returned_at=did.at)
        taken = await self._returns.attempt(tx, request, actor, now, None, seen_at=did.at)
        assert taken is not None and not isinstance(taken, Problem)
        to_do: dict[str, OfflineCode] = {"hold": "kept-for-hold", "transit": "to-send"}
        code = to_do.get(taken.next)
        return Recorded(
            True,
            (code,) if code else (),
            copy.id,
            loan_id=taken.loan.id if taken.loan else None,
            next=taken.next,
            to_branch=taken.to_branch,
        )

    async def _renewal(
        self, tx: Tx, did: Happened, actor: Actor, now: datetime, met: Collection[str]
    ) -> Recorded | Unmet:
        copy = await remembered.lock_copy(tx, barcode=did.barcode)
        if copy is None:
            return Recorded(False, ("unknown-copy",)) if "copy" in met else Unmet(False, True)
        out = await loans.open_loan(tx, copy_id=copy.id, key=None)
        if out.id is None:
            return Recorded(False, ("not-on-loan",), copy.id)
        if (newer := overtaken(did.at, lent_at=out.lent_at, seen_at=None)) is not None:
            return Recorded(False, (newer,), copy.id)
        desk = RenewalDesk(self.db, self.met, self.keeper, self.currency)
        try:
            told = await desk.attempt(
                tx, out.id, actor, now, None, False, frozenset(), renewed_at=did.at
            )
        except NO_DUE_DATE:
            return Recorded(False, ("no-due-date",), copy.id, out.patron_id)
        if isinstance(told, Problem):
            return Recorded(False, (told.extra["reason"],), copy.id, out.patron_id)
        return Recorded(True, (), copy.id, loan_id=out.id)


async def _house_of(tx: Tx, house: House, at: datetime, now: datetime) -> House:
    """The house with the rule table that decided then."""
    if await rule_tables.as_of_number(tx, at) == await rule_tables.in_force_number(tx, now):
        return house
    table = await rule_tables.as_of(tx, at)
    return replace(house, rules=rules.RuleTable(rule_tables.rules_of(table)))


def _is_due(at: datetime, case: Case) -> bool:
    """Do the rules and the calendar say when?"""
    codes = {block.code for block in case.blocks}
    try:
        rules.due_at(
            at,
            case.policy,
            case.hours,
            card_expires_on=case.patron.expires_on,
            cap_at_expiry=not EXPIRED & codes,
        )
    except NO_DUE_DATE:
        return False
    return True
