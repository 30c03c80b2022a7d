"""Whether a copy may be lent: the facts, one function per rule, and the list that is the policy.

All rules are asked and all objections told at once. While the card is unknown only the rules
about the copy speak, while the barcode is unknown only those about the patron.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.standing import (
    Asked,
    card_expired_long_ago,
    card_has_expired,
    card_is_stolen,
    owes_too_much,
    patron_is_blocked,
    patron_is_suspended,
    too_many_overdue,
)
from lendery.circulation.rules.words import counted
from lendery.contracts.circulation import Block


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyFacts:
    """What lending needs to know of a copy. `held_for`: who may collect it from the hold shelf."""

    id: UUID
    item_type: str
    not_for_loan: bool = False
    withdrawn: bool = False
    damaged: bool = False
    on_loan_to: UUID | None = None
    held_for: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckOut(Asked):
    """Everything a check-out depends on. None: the card, the barcode is not known.

    `same_title_on_loan`: the patron has another copy of this book.
    """

    copy: CopyFacts | None
    same_title_on_loan: bool = False


CheckOutRule = Callable[[CheckOut, Policy], Block | None]


def copy_is_unknown(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is None:
        says = "Not lent: no copy has this barcode. Scan again or search."
        return Block(code="unknown-copy", says=says)
    return None


def card_is_unknown(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.patron is None:
        says = "Not lent: nobody has this card. Scan again, search, or register the reader."
        return Block(code="unknown-card", says=says)
    return None


def too_many_loans(facts: CheckOut, policy: Policy) -> Block | None:
    """Counts the loans that the row of `max_loans` speaks of: its item type, its branch."""
    if facts.patron is None or policy.max_loans is None:
        return None
    has = sum(
        out.loans
        for out in facts.patron.open_loans
        if policy.max_loans_item_type in (None, out.item_type)
        and policy.max_loans_branch in (None, out.branch_id)
    )
    if has < policy.max_loans:
        return None
    loans = counted(has, "loan", "loans")
    says = f"Not lent: this card has {loans} of this kind; the limit is {policy.max_loans}."
    return Block(code="loan-limit", says=f"{says} Check one in or waive.", waivable=True)


def too_many_loans_in_total(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.patron is None or policy.max_loans_total is None:
        return None
    has = sum(out.loans for out in facts.patron.open_loans)
    if has < policy.max_loans_total:
        return None
    loans = counted(has, "loan", "loans")
    says = f"Not lent: this card has {loans}; the limit is {policy.max_loans_total} in all."
    return Block(code="loan-limit-total", says=f"{says} Check one in or waive.", waivable=True)


def copy_is_on_loan_to_another(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is None or facts.copy.on_loan_to in (None, _patron_id(facts)):
        return None
    says = "Not lent: this copy is on loan to another reader. Check it in first."
    return Block(code="on-loan", says=says)


def patron_has_this_copy_already(facts: CheckOut, policy: Policy) -> Block | None:
    """Never waivable: it is renewed when the request says so, not lent twice."""
    patron_id = _patron_id(facts)
    if facts.copy is None or patron_id is None or facts.copy.on_loan_to != patron_id:
        return None
    says = "Not lent: this card has this copy already. Renew it if it should stay longer."
    return Block(code="already-yours", says=says)


def copy_is_withdrawn(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is not None and facts.copy.withdrawn:
        says = "Not lent: this copy was withdrawn. Put it aside, or take it back into stock first."
        return Block(code="withdrawn", says=says)
    return None


def no_rule_allows_this_loan(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is None or facts.patron is None or policy.has_rule:
        return None
    says = "Not lent: no rule lets this reader borrow this kind of item. Keep it in the library."
    return Block(code="no-rule", says=says)


def copy_is_for_reference_only(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is not None and facts.copy.not_for_loan:
        says = "Not lent: this copy is for use in the library only. Shelve it or waive."
        return Block(code="reference-only", says=says, waivable=True)
    return None


def copy_is_damaged(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is not None and facts.copy.damaged:
        says = "Not lent: this copy is marked damaged. Put it aside for repair, or waive."
        return Block(code="damaged", says=says, waivable=True)
    return None


def copy_is_held_for_someone_else(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is None or facts.copy.held_for in (None, _patron_id(facts)):
        return None
    says = "Not lent: held for another reader. Put it on the hold shelf, or waive."
    return Block(code="on-hold", says=says, waivable=True)


def patron_is_too_young(facts: CheckOut, policy: Policy) -> Block | None:
    """An unknown date of birth objects too: the desk can look at a proof of age and waive."""
    least = policy.age_from
    if facts.patron is None or not least:
        return None
    born_on = facts.patron.born_on
    if born_on is None:
        says = f"Not lent: this is for readers from {least}, and the date of birth is not known."
    elif age_on(facts.today, born_on) < least:
        says = f"Not lent: this is for readers from {least} years."
    else:
        return None
    says += " Choose another item, or waive after seeing a proof of age."
    return Block(code="age", says=says, waivable=True)


def another_copy_is_on_loan(facts: CheckOut, policy: Policy) -> Block | None:
    if facts.copy is None or facts.patron is None or not facts.same_title_on_loan:
        return None
    says = "Not lent: this card has another copy of this book. Check that one in, or waive."
    return Block(code="same-title", says=says, waivable=True)


CHECK_OUT_RULES: tuple[CheckOutRule, ...] = (
    copy_is_unknown,
    card_is_unknown,
    card_is_stolen,
    card_has_expired,
    card_expired_long_ago,
    patron_is_blocked,
    patron_is_suspended,
    owes_too_much,
    too_many_overdue,
    too_many_loans,
    too_many_loans_in_total,
    copy_is_on_loan_to_another,
    patron_has_this_copy_already,
    copy_is_withdrawn,
    no_rule_allows_this_loan,
    copy_is_for_reference_only,
    copy_is_damaged,
    copy_is_held_for_someone_else,
    patron_is_too_young,
    another_copy_is_on_loan,
)


def check_out_blocks(facts: CheckOut, policy: Policy) -> list[Block]:
    """Every rule that objects, in the order they are listed. Empty: the copy may be lent."""
    return [block for rule in CHECK_OUT_RULES if (block := rule(facts, policy))]


def age_on(day: date, born_on: date) -> int:
    """Years of age on that day. Who was born on 29 February is a year older on 1 March."""
    had_birthday = (day.month, day.day) >= (born_on.month, born_on.day)
    return day.year - born_on.year - (not had_birthday)


def _patron_id(facts: CheckOut) -> UUID | None:
    return facts.patron.id if facts.patron else None
