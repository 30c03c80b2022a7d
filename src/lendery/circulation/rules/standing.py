"""May this patron borrow at all? The rules about the person, for lending and renewing alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.words import counted, plain_amount, spoken_day
from lendery.contracts.circulation import Block


class CardBlock(NamedTuple):
    """`reason` as accounts says it; it ends at `until`, or when somebody lifts it (None)."""

    reason: str
    until: datetime | None = None


class LoanCount(NamedTuple):
    """How many open loans a patron has of an item type that count for a branch."""

    item_type: str
    branch_id: UUID
    loans: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PatronFacts:
    """What lending needs to know of a patron. Money is in minor units; no name is needed."""

    id: UUID
    expires_on: date | None
    born_on: date | None = None
    active: bool = True
    blocks: tuple[CardBlock, ...] = ()
    open_loans: tuple[LoanCount, ...] = ()
    overdue: int = 0
    owed: int = 0
    currency: str = "EUR"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question about a patron, now. `today` is the date on the branch's wall."""

    refusal: ClassVar[str] = "Not lent"
    now: datetime
    today: date
    patron: PatronFacts | None


StandingRule = Callable[[Asked, Policy], Block | None]


def card_is_stolen(facts: Asked, policy: Policy) -> Block | None:
    if not _blocked(facts, "stolen-card"):
        return None
    says = f"{facts.refusal}: this card was reported stolen. Keep it and ask for another proof."
    return Block(code="card-stolen", says=says)


def card_has_expired(facts: Asked, policy: Policy) -> Block | None:
    """The last day of the card is still a good day."""
    late, expired = _days_expired(facts), _expiry_says(facts)
    if late <= 0 or (policy.expiry_grace is not None and late > policy.expiry_grace):
        return None
    return Block(code="card-expired", says=f"{expired} Renew the card or waive.", waivable=True)


def card_expired_long_ago(facts: Asked, policy: Policy) -> Block | None:
    """Beyond `expiry_grace` an expired card is nothing to waive; it is renewed first."""
    late, expired = _days_expired(facts), _expiry_says(facts)
    if policy.expiry_grace is None or late <= 0 or late <= policy.expiry_grace:
        return None
    return Block(code="card-long-expired", says=f"{expired} Renew the card, then try again.")


def patron_is_blocked(facts: Asked, policy: Policy) -> Block | None:
    """A closed account, or a block for a reason of its own.

    Not waivable: whoever may waive may also lift the block, and then it is seen to be lifted.
    """
    patron = facts.patron
    if patron is None:
        return None
    if not patron.active:
        says = f"{facts.refusal}: this account is closed. Open it again first."
    elif any(_counts(b, facts) and b.reason not in _OTHER_RULES for b in patron.blocks):
        says = f"{facts.refusal}: this card is blocked. See why, and lift the block first."
    else:
        return None
    return Block(code="patron-blocked", says=says)


def patron_is_suspended(facts: Asked, policy: Policy) -> Block | None:
    if not _blocked(facts, "suspended"):
        return None
    says = f"{facts.refusal}: borrowing is suspended for this card. Wait until it ends, or waive."
    return Block(code="suspended", says=says, waivable=True)


def owes_too_much(facts: Asked, policy: Policy) -> Block | None:
    """Owing exactly the limit is allowed."""
    patron, limit = facts.patron, policy.owed_limit
    if patron is None or limit is None or patron.owed <= limit:
        return None
    owed = plain_amount(patron.owed, patron.currency)
    most = plain_amount(limit, patron.currency)
    says = f"{facts.refusal}: {owed} is owed; the limit is {most}. Take a payment or waive."
    return Block(code="fines-owed", says=says, waivable=True)


def too_many_overdue(facts: Asked, policy: Policy) -> Block | None:
    """So many overdue loans as `overdue_block` says are too many."""
    patron, limit = facts.patron, policy.overdue_block
    if patron is None or limit is None or patron.overdue < limit:
        return None
    late = counted(patron.overdue, "loan is late", "loans are late")
    says = f"{facts.refusal}: {late}. Check in what is late, or waive."
    return Block(code="overdue-loans", says=says, waivable=True)


_OTHER_RULES = ("stolen-card", "suspended")


def _counts(block: CardBlock, facts: Asked) -> bool:
    return block.until is None or block.until > facts.now


def _blocked(facts: Asked, reason: str) -> bool:
    blocks = facts.patron.blocks if facts.patron else ()
    return any(block.reason == reason and _counts(block, facts) for block in blocks)


def _days_expired(facts: Asked) -> int:
    expires_on = facts.patron.expires_on if facts.patron else None
    return (facts.today - expires_on).days if expires_on else 0


def _expiry_says(facts: Asked) -> str:
    expires_on = facts.patron.expires_on if facts.patron else None
    return f"{facts.refusal}: this card expired on {spoken_day(expires_on or facts.today)}."
