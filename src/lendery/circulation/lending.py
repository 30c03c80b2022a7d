"""Lending: ask, decide, record, announce. At most three statements between begin and commit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.borrowers import borrower, known_id, must_be_allowed
from lendery.circulation.collecting import collected
from lendery.circulation.facts import CUT, copy_facts, loan_counts, patron_facts
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.memory import Memory
from lendery.circulation.models import TABLES
from lendery.circulation.repository import holds, loans, remembered
from lendery.contracts.base import Problem, RequestKey, new_id
from lendery.contracts.circulation import (
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

TRIES = 5  # how often a race is lost before it is somebody else's problem


@dataclass(frozen=True)
class Unmet:
    """Circulation has never met this patron, this copy, or both."""

    patron: bool
    copy: bool


@dataclass(frozen=True)
class AlreadyTheirs:
    """The patron has this very copy, and asked to renew it in that case."""

    loan_id: UUID


@dataclass(frozen=True)
class Case:
    """One check-out before the decision: who, what, where, and the rules that apply."""

    patron: Any
    copy: Any
    house: House
    policy: rules.Policy
    blocks: list[Block]

    @property
    def hours(self) -> rules.OpeningHours:
        return self.house.hours_of(self.copy.home_branch_id if self.copy else CUT)


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
        case = await self._case(tx, request, patron, row, facts, now)
        must_be_allowed(case, request, actor)
        if request.renew and any(block.code == "already-yours" for block in case.blocks):
            return AlreadyTheirs(case.copy.out_as)
        standing = [b for b in case.blocks if not (b.waivable and b.code in request.waive)]
        if standing:
            refusal = _refusal(standing)
            if key is not None:
                await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
            return refusal
        return await self._lend(tx, case, request, actor, now, key)

    async def _case(
        self,
        session: Session,
        request: LoanRequest,
        patron: Any | None,
        copy: Any | None,
        facts: Any,
        now: datetime,
    ) -> Case:
        """Gathers what the rules want to know, and asks them."""
        house = await self.keeper.at(session, facts.house_version)
        policy = house.policy(
            branch_id=copy.home_branch_id if copy else None,
            category=patron.category if patron else None,
            item_type=copy.item_type if copy else "",
        )
        hours = house.hours_of(copy.home_branch_id if copy else CUT)
        counts = loan_counts(copy) if copy else (rules.LoanCount("", UUID(int=0), facts.loans),)
        known = patron and patron_facts(
            patron,
            open_loans=counts,
            overdue=facts.overdue or 0,
            owed=int(facts.owed),
            currency=self.currency,
        )
        asked = rules.CheckOut(
            now=now,
            today=hours.local_date(now),
            patron=known,
            copy=copy and copy_facts(copy),
            same_title_on_loan=bool(copy and copy.same_title and copy.out_to != known_id(patron)),
        )
        return Case(patron, copy, house, policy, rules.check_out_blocks(asked, policy))

    async def _lend(
        self,
        tx: Tx,
        case: Case,
        request: LoanRequest,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
    ) -> Loan:
        copy, patron = case.copy, case.patron
        assert copy is not None and patron is not None
        branch_id = request.branch_id or actor.desk or copy.home_branch_id
        waived = sorted({block.code for block in case.blocks})
        due_at = rules.due_at(
            now,
            case.policy,
            case.hours,
            card_expires_on=patron.expires_on,
            cap_at_expiry="card-expired" not in waived,
        )
        loan = Loan.model_construct(
            id=new_id(),
            copy_id=copy.id,
            book_id=copy.book_id,
            patron_id=patron.id,
            branch_id=branch_id,
            lent_at=now,
            due_at=due_at,
            returned_at=None,
            renewals=0,
            overdue=False,
        )
        borrower = new_id()
        happened = ItemCheckedOut.model_construct(
            id=new_id(),
            at=now,
            loan_id=loan.id,
            copy_id=copy.id,
            book_id=copy.book_id,
            branch_id=branch_id,
            borrower=borrower,
            due_at=due_at,
            waived=tuple(waived),
            by=actor.id if actor.staff else None,
            item_type=copy.item_type,
            home_branch_id=copy.home_branch_id,
            policy=case.policy.as_json,
            category=patron.category,
        )
        writes = [
            loans.lending(
                **{name: getattr(loan, name) for name in LOAN_COLUMNS},
                item_type=copy.item_type,
                home_branch_id=copy.home_branch_id,
                borrower=borrower,
                returned_branch_id=None,
                policy=case.policy.as_json,
                waived=waived or None,
                waived_by=actor.id if waived else None,
                waive_reason=request.reason if waived else None,
            ),
            tx.announcement(happened),
        ]
        if copy.kept_as or copy.own_hold:
            writes += await collected(
                tx,
                copy,
                loan_id=loan.id,
                patron_id=patron.id,
                fee=case.policy.hold_fee,
                currency=self.currency,
                by=actor.id if actor.staff else None,
                branch_id=branch_id,
                now=now,
            )
        if copy.in_transit_to or copy.lost or copy.missing:  # it is plainly here
            writes.append(remembered.seen(copy.id, branch_id=branch_id, to=None, at=now))
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
            case = await self._case(session, request, patron, copy, facts, now)
        must_be_allowed(case, request, actor)
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


def _refusal(standing: list[Block]) -> CheckOutRefused:
    says = " ".join(block.says for block in standing)
    return CheckOutRefused(says, blocks=[block.model_dump() for block in standing])


async def _as_told(session: Session, told: dict[str, Any]) -> Loan:
    """The loan as the first answer said it; the patron from the loan, while it names one."""
    row = await loans.loan_by_id(session, UUID(told["id"]))
    return Loan.model_validate({**told, "patron_id": row.patron_id if row else None})
