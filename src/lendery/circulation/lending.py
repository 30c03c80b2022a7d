"""Lending: ask, decide, record, announce. At most three statements between begin and commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.borrowers import borrower, known_id, must_be_allowed
from lendery.circulation.cases import AlreadyTheirs, Case, Unmet, case_of
from lendery.circulation.collecting import Collected, collected
from lendery.circulation.facts import copy_was
from lendery.circulation.house import HouseKeeper
from lendery.circulation.looks import note_look
from lendery.circulation.losing import Find, found
from lendery.circulation.models import TABLES
from lendery.circulation.repository import holds, loans, remembered
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import Problem, RequestKey, new_id
from lendery.contracts.circulation import (
    Before,
    Block,
    Blocks,
    CheckOutRefused,
    ItemCheckedOut,
    Loan,
    LoanRequest,
)
from lendery.contracts.permissions import Actor
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate, Session, Tx

EXPIRED = frozenset({"card-expired", "card-long-expired"})
TRIES = 5  # how often a race is lost before it is somebody else's problem


@dataclass(frozen=True)
class CheckOutDesk:
    db: Database
    met: Memory
    keeper: HouseKeeper
    currency: str

    async def check_out(
        self, *, request: LoanRequest, actor: Actor, now: datetime, key: RequestKey | None
    ) -> Loan | AlreadyTheirs:
        card, patron_id = borrower(request, actor)
        introduced: set[Literal["patron", "copy"]] = set()
        for _ in range(TRIES):
            try:
                async with self.db.begin() as tx:
                    outcome = await self._attempt(
                        tx, request, actor, now, key, card, patron_id, frozenset(introduced)
                    )
            except Duplicate:
                continue  # another desk was faster: look again, and say what stands in the way now
            if isinstance(outcome, Problem):
                raise outcome
            if not isinstance(outcome, Unmet):
                return outcome
            if outcome.patron:
                await self.met.meet_patron(card=card, patron_id=patron_id)
                introduced.add("patron")
            if outcome.copy:
                await self.met.meet_copy(barcode=request.barcode)
                introduced.add("copy")
        raise CheckOutRefused(
            "Not lent: too many desks want this copy at once. Try again.", blocks=[]
        )

    async def _attempt(
        self,
        tx: Tx,
        request: LoanRequest,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        card: str | None,
        patron_id: UUID | None,
        introduced: frozenset[str],
    ) -> Loan | AlreadyTheirs | Unmet | Problem:
        patron = await remembered.lock_borrower(
            tx, card=card, patron_id=patron_id, barcode=request.barcode
        )
        asked: dict[str, Any] = {"barcode": request.barcode, "patron_id": patron and patron.id}
        row = await loans.check_out_facts(tx, **asked, now=now, key=key)
        if row is not None and (row.kept_as or row.own_hold):  # as they are when nobody moves them
            await holds.lock_queue(tx, row.book_id)
            row = await loans.check_out_facts(tx, **asked, now=now, key=key)
        unmet = Unmet(
            patron is None and "patron" not in introduced, row is None and "copy" not in introduced
        )
        if unmet.patron or unmet.copy:
            return unmet
        facts = row or await loans.facts_without_copy(
            tx, patron_id=patron and patron.id, now=now, key=key
        )
        if (told := idempotency.told_before(facts, key)) is not None:
            return await _as_told(tx, told)
        case = await case_of(tx, self.keeper, self.currency, patron, row, facts, now)
        must_be_allowed(case, request, actor)
        if request.renew and any(block.code == "already-yours" for block in case.blocks):
            return AlreadyTheirs(case.copy.out_as)
        standing = [b for b in case.blocks if not (b.waivable and b.code in request.waive)]
        if standing:
            refusal = _refusal(standing)
            if key is not None:
                await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
            return refusal
        return await self.lend(tx, case, request, actor, now, key)

    async def lend(
        self,
        tx: Tx,
        case: Case,
        request: LoanRequest,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        *,
        lent_at: datetime | None = None,
    ) -> Loan:
        """Records it, whatever blocks there are. `lent_at`: it was recorded only now."""
        at = lent_at or now
        copy, patron = case.copy, case.patron
        assert copy is not None and patron is not None
        branch_id = request.branch_id or actor.desk or copy.home_branch_id
        waived = sorted({block.code for block in case.blocks})
        due_at = rules.due_at(
            at,
            case.policy,
            case.hours,
            card_expires_on=patron.expires_on,
            cap_at_expiry=not EXPIRED.intersection(waived),
        )
        happened_as = new_id()
        loan = Loan.model_construct(
            id=new_id(),
            copy_id=copy.id,
            book_id=copy.book_id,
            patron_id=patron.id,
            branch_id=branch_id,
            lent_at=at,
            due_at=due_at,
            returned_at=None,
            renewals=0,
            overdue=False,
            event_id=happened_as,
        )
        borrower = new_id()
        seen = bool(copy.in_transit_to or copy.lost or copy.missing)  # it is plainly here
        by = actor.id if actor.staff else None
        find = await found(tx, copy, now=now, by=by)
        caused = Collected()
        if copy.kept_as or copy.own_hold:
            caused = await collected(
                tx,
                copy,
                loan_id=loan.id,
                patron_id=patron.id,
                fee=case.policy.hold_fee,
                currency=self.currency,
                by=by,
                branch_id=branch_id,
                now=now,
            )
        happened = ItemCheckedOut.model_construct(
            id=happened_as,
            at=now,
            loan_id=loan.id,
            copy_id=copy.id,
            book_id=copy.book_id,
            branch_id=branch_id,
            borrower=borrower,
            due_at=due_at,
            waived=tuple(waived),
            by=by,
            item_type=copy.item_type,
            home_branch_id=copy.home_branch_id,
            policy=case.policy.as_json,
            before=_before(copy, seen, caused, find),
            category=patron.category,
            lent_at=lent_at,
        )
        writes = [
            loans.lending(
                **{name: getattr(loan, name) for name in LOAN_COLUMNS},
                item_type=copy.item_type,
                home_branch_id=copy.home_branch_id,
                borrower=borrower,
                returned_branch_id=None,
                ended_as=None,
                claimed_at=None,
                recalled_at=None,
                policy=case.policy.as_json,
                waived=waived or None,
                waived_by=actor.id if waived else None,
                waive_reason=request.reason if waived else None,
            ),
            tx.announcement(happened),
            *caused.writes(tx),
            *(find.writes(tx) if find else ()),
        ]
        if seen:
            writes.append(remembered.seen(copy.id, branch_id=branch_id, to=None, at=at))
        if key is not None:
            told = loan.model_dump(mode="json", exclude={"patron_id"})
            writes.append(idempotency.kept(TABLES, key, told, now=now))
        await tx.write(*writes)
        return loan

    async def check(self, *, request: LoanRequest, actor: Actor, now: datetime) -> Blocks:
        """What would stand in the way. Reads only, but for meeting whom it has never met."""
        card, patron_id = borrower(request, actor)
        async with self.db.read() as session:
            patron = await remembered.patron_seen(session, card=card, patron_id=patron_id)
        if patron is None:
            await self.met.meet_patron(card=card, patron_id=patron_id)
        async with self.db.read() as session:
            patron = await remembered.patron_seen(session, card=card, patron_id=patron_id)
            copy = await self._copy_facts(session, request, patron, now)
        if copy is None:
            await self.met.meet_copy(barcode=request.barcode)
        async with self.db.read() as session:
            copy = copy or await self._copy_facts(session, request, patron, now)
            facts = copy or await loans.facts_without_copy(
                session, patron_id=known_id(patron), now=now, key=None
            )
            case = await case_of(session, self.keeper, self.currency, patron, copy, facts, now)
        must_be_allowed(case, request, actor)
        await note_look(self.db, actor, [known_id(patron)], "loans")
        due_at = None
        if case.patron and case.copy and case.policy.has_rule:
            due_at = rules.due_at(
                now,
                case.policy,
                case.hours,
                card_expires_on=case.patron.expires_on,
                cap_at_expiry=not any(b.code == "card-expired" for b in case.blocks),
            )
        return Blocks(blocks=case.blocks, due_at=due_at)

    async def _copy_facts(
        self, session: Session, request: LoanRequest, patron: Any | None, now: datetime
    ) -> Any | None:
        return await loans.check_out_facts(
            session, barcode=request.barcode, patron_id=known_id(patron), now=now, key=None
        )


LOAN_COLUMNS = [
    "id",
    "copy_id",
    "book_id",
    "patron_id",
    "branch_id",
    "lent_at",
    "due_at",
    "returned_at",
    "renewals",
]


def _before(copy: Any, seen: bool, caused: Collected, find: Find | None) -> Before | None:
    """What undoing puts back beside the loan; None: nothing."""
    if not seen and not caused.steps:
        return None
    return Before.model_construct(
        copy_was=copy_was(copy) if seen else None,
        holds_were=caused.holds_were,
        lines=caused.lines,
        refunds=find.refunds if find else (),
    )


def _refusal(standing: list[Block]) -> CheckOutRefused:
    says = " ".join(block.says for block in standing)
    return CheckOutRefused(says, blocks=[block.model_dump() for block in standing])


async def _as_told(session: Session, told: dict[str, Any]) -> Loan:
    """The loan as the first answer said it; the patron from the loan, while it names one."""
    row = await loans.loan_by_id(session, UUID(told["id"]))
    return Loan.model_validate({**told, "patron_id": row.patron_id if row else None})
