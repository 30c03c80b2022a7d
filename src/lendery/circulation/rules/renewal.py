"""Whether a loan may be renewed: the first rule that objects is told.

A reader hears these sentences as often as the desk does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal, cast, get_args
from uuid import UUID

from lendery.circulation.rules import standing
from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.standing import Asked, PatronFacts, StandingRule
from lendery.circulation.rules.words import counted, spoken_day
from lendery.contracts.circulation import WaivableAtRenewal

RenewalCode = Literal[
    "not-on-loan",
    "not-yours",
    "claimed-returned",
    "too-many-renewals",
    "too-early",
    "card-stolen",
    "patron-blocked",
    "suspended",
    "fines-owed",
    "card-long-expired",
    "card-expired",
    "overdue",
    "recalled",
    "on-hold",
    "not-later",
]
Objection = tuple[RenewalCode, str]  # and the sentence for people

WAIVABLE_AT_RENEWAL: frozenset[RenewalCode] = frozenset(get_args(WaivableAtRenewal))


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal(Asked):
    """Everything a renewal depends on.

    `patron` is who wants it (at the desk: whose loan it is), `on_loan_to` whose loan it is now,
    None when it was returned. `due_on` is the local date of `due_at`. `overdue_may_renew` is a
    setting. `wanted_by_others`: some waiting patron would lose by the renewal.
    """

    refusal: ClassVar[str] = "Not renewed"
    patron: PatronFacts
    on_loan_to: UUID | None
    renewals: int
    claimed: bool = False
    due_at: datetime
    due_on: date
    new_due_at: datetime
    overdue_may_renew: bool = True
    recalled: bool = False
    wanted_by_others: bool = False


RenewalRule = Callable[[Renewal, Policy], Objection | None]


def not_on_loan(facts: Renewal, policy: Policy) -> Objection | None:
    if facts.on_loan_to is None:
        return "not-on-loan", "Not renewed: this loan has ended. Lend the copy again instead."
    return None


def not_this_patrons(facts: Renewal, policy: Policy) -> Objection | None:
    if facts.on_loan_to != facts.patron.id:
        return "not-yours", "Not renewed: this copy is on loan to another reader."
    return None


def said_to_be_returned(facts: Renewal, policy: Policy) -> Objection | None:
    if not facts.claimed:
        return None
    says = "Not renewed: this copy is said to have been returned. Settle that first."
    return "claimed-returned", says


def too_many_renewals(facts: Renewal, policy: Policy) -> Objection | None:
    if policy.renewals is None or facts.renewals < policy.renewals:
        return None
    if policy.renewals == 0:
        return "too-many-renewals", f"Not renewed: this cannot be renewed. {_bring_back(facts)}"
    times = counted(policy.renewals, "time", "times")
    says = f"Not renewed: it may be renewed {times}, and was. {_bring_back(facts)}"
    return "too-many-renewals", says


def too_early(facts: Renewal, policy: Policy) -> Objection | None:
    """Counted in days, renewing begins with the day, not with the second."""
    before = policy.renew_not_before
    if before is None:
        return None
    if policy.loan_unit == "hours":
        if facts.now >= facts.due_at - timedelta(hours=before):
            return None
        hours = counted(before, "hour", "hours")
        return "too-early", f"Not renewed: it is too early. Try again {hours} before it is due."
    first = facts.due_on - timedelta(days=before)
    if facts.today >= first:
        return None
    return "too-early", f"Not renewed: it is too early. Try again from {spoken_day(first)}."


def overdue(facts: Renewal, policy: Policy) -> Objection | None:
    if facts.overdue_may_renew or facts.now <= facts.due_at:
        return None
    return "overdue", f"Not renewed: it was due on {spoken_day(facts.due_on)}. Return it."


def recalled(facts: Renewal, policy: Policy) -> Objection | None:
    if facts.recalled:
        return "recalled", f"Not renewed: the library has called it back. {_bring_back(facts)}"
    return None


def another_reader_waits(facts: Renewal, policy: Policy) -> Objection | None:
    """Never waivable: nobody gives away another reader's turn."""
    if facts.wanted_by_others:
        return "on-hold", f"Not renewed: another reader waits for it. {_bring_back(facts)}"
    return None


def not_later(facts: Renewal, policy: Policy) -> Objection | None:
    """A renewal never shortens a loan."""
    if facts.new_due_at > facts.due_at:
        return None
    says = "Not renewed: it would not be due any later than it is now."
    return "not-later", f"{says} {_bring_back(facts)}"


_WHAT_NEXT: dict[RenewalCode, str] = {  # for the reader too, who can waive nothing
    "suspended": "Wait until it ends.",
    "fines-owed": "Pay at the desk first.",
    "card-expired": "Renew the card first.",
    "card-long-expired": "Renew the card first.",
}


def _as_at_check_out(rule: StandingRule) -> RenewalRule:
    def objection(facts: Renewal, policy: Policy) -> Objection | None:
        block = rule(facts, policy)
        if block is None:
            return None
        code, why = cast(RenewalCode, block.code), block.says.rpartition(". ")[0]
        return code, f"{why}. {_WHAT_NEXT.get(code, 'Ask at the desk.')}"

    objection.__name__ = rule.__name__
    return objection


def _bring_back(facts: Renewal) -> str:
    if facts.now > facts.due_at:
        return f"It was due on {spoken_day(facts.due_on)}: return it now."
    return f"Return it by {spoken_day(facts.due_on)}."


RENEWAL_RULES: tuple[RenewalRule, ...] = (
    not_on_loan,
    not_this_patrons,
    said_to_be_returned,
    too_many_renewals,
    too_early,
    _as_at_check_out(standing.card_is_stolen),
    _as_at_check_out(standing.patron_is_blocked),
    _as_at_check_out(standing.patron_is_suspended),
    _as_at_check_out(standing.owes_too_much),
    _as_at_check_out(standing.card_expired_long_ago),
    _as_at_check_out(standing.card_has_expired),
    overdue,
    recalled,
    another_reader_waits,
    not_later,
)


def passed_over(facts: Renewal, policy: Policy, waive: frozenset[str]) -> tuple[str, ...]:
    """Of what staff waive, that which really objects, in alphabetical order."""
    found = (rule(facts, policy) for rule in RENEWAL_RULES)
    codes = {objection[0] for objection in found if objection}
    return tuple(sorted(codes & waive & WAIVABLE_AT_RENEWAL))


def renewal_objection(
    facts: Renewal, policy: Policy, *, waive: frozenset[str] = frozenset()
) -> Objection | None:
    """The first objection in the order of the list, or None: the loan may be renewed.

    `waive` passes over codes that staff waive, of those in WAIVABLE_AT_RENEWAL only.
    """
    waived = waive & WAIVABLE_AT_RENEWAL
    for rule in RENEWAL_RULES:
        objection = rule(facts, policy)
        if objection and objection[0] not in waived:
            return objection
    return None
