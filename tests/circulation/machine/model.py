"""The library as plain lists: what is true of it now, and what was told of it on the way.

Naive on purpose, and apart from the program: no decision is borrowed from it. What happens to
the lists is in `lending`, `queueing` and `paying`. Ids come from the program's answers.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tests.circulation.machine.week import Week
from tests.circulation.machine.world import BRANCHES, NO_ROW, RULES, Scope

Policy = dict[str, Any]
Told = tuple[str, dict[str, Any]]  # an event: its name, and what it must say


class Refused(Exception):
    """The codes of what stands in the way, or the name of the problem."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = frozenset(codes)


@dataclass(eq=False)
class Patron:
    id: UUID
    name: str
    category: str
    expires_on: date | None
    born_on: date | None

    def age(self, today: date) -> int | None:
        if self.born_on is None:
            return None
        birthday_is_over = (today.month, today.day) >= (self.born_on.month, self.born_on.day)
        return today.year - self.born_on.year - (0 if birthday_is_over else 1)

    def card_codes(self, policy: Policy, today: date) -> set[str]:
        """What speaks against the card."""
        if self.expires_on is None or today <= self.expires_on:
            return set()
        days, grace = (today - self.expires_on).days, policy["expiry_grace"]
        return {"card-expired" if grace is None or days <= grace else "card-long-expired"}


@dataclass(eq=False)
class Copy:
    id: UUID
    barcode: str
    book: UUID
    home: str
    item_type: str
    price: int | None
    here: str
    going_to: str | None = None
    seen: bool = False  # at a desk, ever
    flags: set[str] = field(default_factory=set)

    @property
    def gone(self) -> bool:
        return bool(self.flags & {"lost", "missing", "withdrawn"})


@dataclass(eq=False)
class Loan:
    id: UUID
    copy: Copy
    patron: Patron
    lent_at: datetime
    due_at: datetime
    policy: Policy
    renewals: int = 0
    is_open: bool = True
    claimed_at: datetime | None = None
    lost: bool = False
    late_charges: int = 0


@dataclass(eq=False)
class Hold:
    id: UUID
    patron: Patron
    book: UUID
    only: Copy | None
    pickup: str
    state: str = "waiting"
    suspended: bool = False
    until: date | None = None
    given: Copy | None = None
    expires_on: date | None = None

    def sleeps(self, today: date) -> bool:
        return self.suspended and (self.until is None or today < self.until)

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "in-transit", "ready")


@dataclass(eq=False)
class Charge:
    """`id` is None until the program has said it."""

    patron: Patron
    amount: int
    reason: str
    at: datetime
    loan: Loan | None = None
    hold: Hold | None = None
    id: UUID | None = None
    paid: int = 0
    waived: int = 0
    cancelled: int = 0

    @property
    def settled(self) -> int:
        return self.paid + self.waived + self.cancelled


@dataclass
class Model:
    branch_ids: dict[str, UUID]
    rule_ids: dict[tuple[str, Scope], UUID]
    patrons: list[Patron]
    copies: list[Copy]
    rules: dict[tuple[str, Scope], Any] = field(default_factory=lambda: dict(RULES))
    costs: dict[tuple[str, str], int] = field(default_factory=dict)  # of ways between branches
    loans: list[Loan] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)  # in the order in which they were placed
    charges: list[Charge] = field(default_factory=list)
    suspensions: list[tuple[Patron, datetime]] = field(default_factory=list)
    refunds: list[tuple[Patron, int]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)  # since it was last looked at

    def tell(self, name: str, **says: Any) -> None:
        self.told.append((name, says))

    def as_it_is(self) -> "Model":
        """A copy that later changes do not touch; rules, costs and policies stay: shared."""
        shared: list[Any] = [self.rules, self.rule_ids, self.branch_ids, self.costs]
        shared += [loan.policy for loan in self.loans]
        return deepcopy(self, {id(each): each for each in shared})

    def week(self, branch: str) -> Week:
        return BRANCHES[branch]

    def transport(self, copy: Copy, pickup: str) -> int:
        """What it costs to send it from where it stands."""
        return 0 if copy.here == pickup else self.costs.get((copy.here, pickup), 1)

    # the rules

    def rule(self, parameter: str, copy: Copy, category: str | None) -> Any:
        return self._row(parameter, copy, category)[1]

    def _row(self, parameter: str, copy: Copy, category: str | None) -> tuple[Scope, Any]:
        """The row that names most counts; the branch more than category and item type together."""
        mine = (copy.home, category, copy.item_type)
        rows = [
            (scope, value)
            for (name, scope), value in self.rules.items()
            if name == parameter
            and all(part is None or part == my for part, my in zip(scope, mine, strict=True))
        ]
        if not rows:
            return (None, None, None), NO_ROW[parameter]
        return max(rows, key=lambda row: [part is not None for part in row[0]])

    def policy(self, copy: Copy, patron: Patron) -> Policy:
        found = {name: self.rule(name, copy, patron.category) for name in NO_ROW}
        found["max_loans_scope"] = self._row("max_loans", copy, patron.category)[0]
        return found

    # what is true now

    def open_loan(self, copy: Copy) -> Loan | None:
        return next((loan for loan in self.loans if loan.is_open and loan.copy is copy), None)

    def last_loan(self, copy: Copy) -> Loan | None:
        return next((loan for loan in reversed(self.loans) if loan.copy is copy), None)

    def is_suspended(self, patron: Patron, now: datetime) -> bool:
        return any(who is patron and until > now for who, until in self.suspensions)

    def loans_of(self, patron: Patron) -> list[Loan]:
        return [loan for loan in self.loans if loan.is_open and loan.patron is patron]

    def open_holds(self) -> list[Hold]:
        return [hold for hold in self.holds if hold.is_open]

    def holds_of(self, patron: Patron) -> list[Hold]:
        return [hold for hold in self.open_holds() if hold.patron is patron]

    def kept_for(self, copy: Copy) -> Hold | None:
        return next((hold for hold in self.open_holds() if hold.given is copy), None)

    def waiting(self, book: UUID) -> list[Hold]:
        return [hold for hold in self.holds if hold.book == book and hold.state == "waiting"]

    def on_shelf(self, copy: Copy) -> bool:
        """Is it where books stand, and kept for nobody? (It may be damaged all the same.)"""
        return not (self.open_loan(copy) or self.kept_for(copy) or copy.going_to)

    def status(self, copy: Copy) -> str:
        kept = self.kept_for(copy)
        truths = {
            "withdrawn": "withdrawn" in copy.flags,
            "lost": "lost" in copy.flags,
            "claimed-returned": "claimed-returned" in copy.flags,
            "missing": "missing" in copy.flags,
            "on-loan": self.open_loan(copy) is not None,
            "in-transit": copy.going_to is not None,
            "on-hold-shelf": kept is not None and kept.state == "ready",
            "damaged": "damaged" in copy.flags,
            "reference": copy.item_type == "reference",
        }
        return next((status for status, true in truths.items() if true), "available")

    # money

    def charges_of(self, patron: Patron) -> list[Charge]:
        """Oldest first, as they are posted and shown."""
        theirs = [charge for charge in self.charges if charge.patron is patron]
        return sorted(theirs, key=lambda charge: (charge.at, charge.id or UUID(int=0)))

    def balance(self, patron: Patron) -> int:
        due = sum(
            charge.amount - charge.settled for charge in self.charges if charge.patron is patron
        )
        return due + sum(amount for who, amount in self.refunds if who is patron)

    def outstanding(self, patron: Patron) -> dict[UUID, int]:
        """Of each charge. What is over on one (paid, then cancelled) serves the oldest others."""
        left, over = {}, -sum(amount for who, amount in self.refunds if who is patron)
        for charge in self.charges_of(patron):
            assert charge.id is not None
            open_ = charge.amount - charge.settled
            left[charge.id] = max(0, open_)
            over += max(0, -open_)
        for charge_id, open_ in left.items():
            used = min(open_, over)
            left[charge_id] -= used
            over -= used
        return {charge_id: open_ for charge_id, open_ in left.items() if open_}
