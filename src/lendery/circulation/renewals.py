"""Renewing: the same loan, due later. Never shorter, never past what the rules allow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import filling, rules
from lendery.circulation.charging import Charge, late_charge, price_of
from lendery.circulation.facts import FreeCopy, loan_value, patron_facts
from lendery.circulation.house import House, HouseKeeper
from lendery.circulation.models import TABLES
from lendery.circulation.repository import holds, loans, remembered
from lendery.circulation.without_neighbours import Memory
from lendery.contracts.base import NotAllowed, Problem, RequestKey
from lendery.contracts.circulation import Loan, LoanRenewed, NoSuchLoan, RenewalRefused
from lendery.contracts.permissions import Actor, Permission
from lendery.platform import idempotency
from lendery.platform.db import Database, Duplicate, Tx


@dataclass(frozen=True)
class RenewalDesk:
    db: Database
    met: Memory
    keeper: HouseKeeper
    currency: str

    async def renew(
        self,
        *,
        loan_id: UUID,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        automatic: bool = False,
        waive: frozenset[str] = frozenset(),
    ) -> Loan:
        actor.must(Permission.BORROW)
        if waive:
            actor.must(Permission.WAIVE)
        for _ in range(2):
            try:
                async with self.db.begin() as tx:
                    outcome = await self.attempt(tx, loan_id, actor, now, key, automatic, waive)
            except Duplicate:
                continue  # the same key came twice at once: the answer is there now
            if isinstance(outcome, Problem):
                raise outcome
            return outcome
        raise RenewalRefused("Not renewed: too many requests at once. Try again.", reason="busy")

    async def attempt(
        self,
        tx: Tx,
        loan_id: UUID,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        automatic: bool,
        waive: frozenset[str],
        *,
        renewed_at: datetime | None = None,
    ) -> Loan | Problem:
        """`renewed_at`: it was recorded only now."""
        at = renewed_at or now
        copy = await remembered.lock_copy_of_loan(tx, loan_id)  # as taking back does
        if copy is not None:
            await holds.lock_queue(tx, copy.book_id)  # nobody begins to wait meanwhile
        row = await loans.loan_for_renewal(tx, loan_id=loan_id, key=key)
        _must_be_allowed(row, actor)
        if (told := idempotency.told_before(row, key)) is not None:
            return Loan.model_validate({**told, "patron_id": row.patron_id})
        policy = rules.Policy.from_json(row.policy)
        house = await self.keeper.at(tx, row.house_version, now)
        hours = house.hours_of(row.home_branch_id)
        patron = row.patron_id and await remembered.patron_seen(
            tx, card=None, patron_id=row.patron_id
        )
        new_due_at = rules.renewed_due_at(
            row.due_at,
            policy,
            hours,
            now=at,
            card_expires_on=patron.expires_on if patron else None,
            cap_at_expiry="card-expired" not in waive,
        )
        wanted = await self._wanted_by_others(tx, row, copy, house, now)
        facts = _facts(row, patron, hours, at, new_due_at, wanted, self.currency)
        if objection := rules.renewal_objection(facts, policy, waive=waive):
            code, says = objection
            refusal = RenewalRefused(says, reason=code)
            if key is not None:
                await tx.write(idempotency.kept_refusal(TABLES, key, refusal, now=now))
            return refusal
        late = late_charge(
            row,
            price=price_of(copy, self.currency),
            charged=row.charged,
            hours=hours,
            currency=self.currency,
            until=at,
            now=now,
            by=actor.id if actor.staff else None,
            branch_id=actor.desk or row.branch_id,
        )
        waived = rules.passed_over(facts, policy, waive)
        return await self._renew(
            tx, row, new_due_at, late, actor, now, key, automatic, waived, renewed_at
        )

    async def _wanted_by_others(
        self, tx: Tx, row: Any, copy: Any, house: House, now: datetime
    ) -> bool:
        """Does some reader who waits lose by it? Asked only where somebody waits."""
        if not row.wanted or row.returned_at is not None:
            return False
        if copy.damaged or copy.withdrawn:  # it would go to nobody
            return False
        here = copy.current_branch_id or copy.home_branch_id
        ours = FreeCopy(copy.id, here, copy.home_branch_id, copy.item_type, alone=True)
        return await filling.others_lose(
            tx, ours, book_id=row.book_id, has_it=row.patron_id, house=house, now=now
        )

    async def _renew(
        self,
        tx: Tx,
        row: Any,
        due_at: datetime,
        late: Charge | None,
        actor: Actor,
        now: datetime,
        key: RequestKey | None,
        automatic: bool,
        waived: tuple[str, ...],
        renewed_at: datetime | None,
    ) -> Loan:
        renewals = row.renewals + 1
        loan = loan_value(row, now).model_copy(
            update={"due_at": due_at, "renewals": renewals, "overdue": False}
        )
        happened = LoanRenewed(
            at=now,
            loan_id=row.id,
            copy_id=row.copy_id,
            due_at=due_at,
            renewals=renewals,
            by=actor.id if actor.staff else None,
            automatic=automatic,
            branch_id=row.branch_id,
            waived=waived,
            renewed_at=renewed_at,
        )
        writes = [
            loans.renewing(row.id, due_at=due_at, renewals=renewals),
            tx.announcement(happened),
            *(late.writes(tx) if late else ()),
        ]
        if key is not None:
            told = loan.model_dump(mode="json", exclude={"patron_id"})
            writes.append(idempotency.kept(TABLES, key, told, now=now))
        await tx.write(*writes)
        return loan


def _must_be_allowed(row: Any | None, actor: Actor) -> None:
    """A reader is not told whether a loan of somebody else exists."""
    if actor.may(Permission.LEND):
        if row is None:
            raise NoSuchLoan("There is no such loan.")
    elif row is None or row.patron_id is None or row.patron_id != actor.id:
        raise NotAllowed("You can renew your own loans only.")


def _facts(
    row: Any,
    patron: Any | None,
    hours: rules.OpeningHours,
    now: datetime,
    new_due_at: datetime,
    wanted: bool,
    currency: str,
) -> rules.Renewal:
    return rules.Renewal(
        now=now,
        today=hours.local_date(now),
        patron=patron_facts(
            patron, owed=int(row.owed), suspended_until=row.suspended_until, currency=currency
        )
        if patron
        else rules.PatronFacts(id=row.borrower, expires_on=None),
        on_loan_to=None if row.returned_at else (row.patron_id or row.borrower),
        renewals=row.renewals,
        claimed=row.claimed_at is not None,
        recalled=row.recalled_at is not None,
        due_at=row.due_at,
        due_on=hours.local_date(row.due_at),
        new_due_at=new_due_at,
        wanted_by_others=wanted,
    )
