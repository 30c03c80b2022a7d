"""One check-out before the decision: who, what, where, and the rules that apply."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.borrowers import known_id
from lendery.circulation.facts import CUT, copy_facts, loan_counts, patron_facts
from lendery.circulation.house import House, HouseKeeper
from lendery.contracts.circulation import Block
from lendery.platform.db import Session


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


async def case_of(
    session: Session,
    keeper: HouseKeeper,
    currency: str,
    patron: Any | None,
    copy: Any | None,
    facts: Any,
    now: datetime,
    *,
    house: House | None = None,
) -> Case:
    """Gathers what the rules want to know, and asks them; those of `house`, if it is given."""
    house = house or await keeper.at(session, facts.house_version, now)
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
        suspended_until=facts.suspended_until,
        currency=currency,
    )
    asked = rules.CheckOut(
        now=now,
        today=hours.local_date(now),
        patron=known,
        copy=copy and copy_facts(copy),
        same_title_on_loan=bool(copy and copy.same_title and copy.out_to != known_id(patron)),
    )
    return Case(patron, copy, house, policy, rules.check_out_blocks(asked, policy))
