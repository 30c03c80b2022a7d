"""One past loan, worked out again: by the rules it kept, or by others."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from lendery.circulation.rules import due as due_dates
from lendery.circulation.rules.calendar import OpeningHours
from lendery.circulation.rules.checkout import CheckOut, CopyFacts, check_out_blocks
from lendery.circulation.rules.late_fines import fine_due
from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.renewal import Renewal, renewal_objection
from lendery.circulation.rules.standing import LoanCount, PatronFacts
from lendery.contracts.base import Problem

DUE = ("loan_period", "loan_unit", "closed_due", "fixed_due_on", "fixed_due_rule")
RENEWAL = (*DUE, "renewals", "renewal_period", "renew_from", "renew_not_before")
FINE = (
    *("fine", "fine_interval", "fine_unit", "fine_closed_days", "grace", "grace_mode"),
    *("fine_cap", "cap_at_price"),
)
_MAX_LOANS = ("max_loans", "max_loans_branch", "max_loans_category", "max_loans_item_type")
OF_PATRON: Mapping[str, tuple[str, ...]] = {  # blocks that need to know who borrows
    "card-expired": ("expiry_grace",),
    "card-long-expired": ("expiry_grace",),
    "fines-owed": ("owed_limit",),
    "overdue-loans": ("overdue_block",),
    "loan-limit": _MAX_LOANS,
    "loan-limit-total": ("max_loans_total",),
    "age": ("age_from",),
}
BLOCKS = tuple({name for names in OF_PATRON.values() for name in names})
OF_RULES = frozenset(OF_PATRON) | {"no-rule"}
NO_DUE_DATE = "no-due-date"  # a fixed date had passed


@dataclass(frozen=True, slots=True)
class Reader:
    """Who borrowed, as far as is known today. Money in minor units."""

    id: UUID
    category: str
    expires_on: date | None
    born_on: date | None


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """A check-out of the log. `reader` is None where the link was cut; `kept` are its rules."""

    loan_id: UUID
    copy_id: UUID
    branch_id: UUID
    item_type: str
    at: datetime
    due_at: datetime
    waived: frozenset[str]
    kept: Policy
    reader: Reader | None


@dataclass(slots=True)
class Out:
    """A loan while it is out: as it is, and as the draft would have it (`draft` None: as it is)."""

    lent: CheckedOut
    due_at: datetime
    would_be_due: datetime
    draft: Policy | None = None
    charged: int = 0
    would_be_charged: int = 0
    certain: bool = True


def differs(one: Policy, other: Policy, names: tuple[str, ...]) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in names)


def lent_until(lent: CheckedOut, policy: Policy, hours: OpeningHours) -> datetime | None:
    """When it would be due; None where rules or calendar give no date (any more)."""
    expires_on = lent.reader.expires_on if lent.reader else None
    return _or_none(
        lambda: due_dates.due_at(
            lent.at,
            policy,
            hours,
            card_expires_on=expires_on,
            cap_at_expiry="card-expired" not in lent.waived,
        )
    )


def renewed_until(
    lent: CheckedOut, policy: Policy, hours: OpeningHours, *, due_at: datetime, at: datetime
) -> datetime | None:
    return _or_none(
        lambda: due_dates.renewed_due_at(
            due_at,
            policy,
            hours,
            now=at,
            card_expires_on=lent.reader.expires_on if lent.reader else None,
            cap_at_expiry=True,
        )
    )


def renewal_refused(
    policy: Policy,
    hours: OpeningHours,
    *,
    due_at: datetime,
    new_due_at: datetime,
    renewals: int,
    at: datetime,
) -> str | None:
    """What the rules about the loan alone object: how often, how early, whether it is later."""
    somebody = PatronFacts(id=UUID(int=0), expires_on=None)
    facts = Renewal(
        now=at,
        today=hours.local_date(at),
        patron=somebody,
        on_loan_to=somebody.id,
        renewals=renewals,
        due_at=due_at,
        due_on=hours.local_date(due_at),
        new_due_at=new_due_at,
    )
    objection = renewal_objection(facts, policy)
    return objection[0] if objection else None


def late_cost(
    policy: Policy,
    hours: OpeningHours,
    *,
    due_at: datetime,
    at: datetime,
    price: int | None,
    charged: int,
) -> int:
    if at <= due_at or not policy.fine:
        return 0
    return fine_due(due_at=due_at, at=at, policy=policy, hours=hours, price=price, charged=charged)


def blocking(
    lent: CheckedOut,
    policy: Policy,
    hours: OpeningHours,
    *,
    others: Iterable[Out],
    late: int,
    owed: int,
) -> set[str]:
    """The codes of the rules that object; `others` is what the reader has out, so many late."""
    assert lent.reader is not None
    counts = (LoanCount(each.lent.item_type, each.lent.branch_id, 1) for each in others)
    facts = CheckOut(
        now=lent.at,
        today=hours.local_date(lent.at),
        patron=PatronFacts(
            id=lent.reader.id,
            expires_on=lent.reader.expires_on,
            born_on=lent.reader.born_on,
            open_loans=tuple(counts),
            overdue=late,
            owed=owed,
        ),
        copy=CopyFacts(id=lent.copy_id, item_type=lent.item_type),
    )
    codes: set[str] = {block.code for block in check_out_blocks(facts, policy)}
    return codes & OF_RULES


def _or_none(work: Callable[[], datetime]) -> datetime | None:
    try:
        return work()
    except Problem:
        return None
