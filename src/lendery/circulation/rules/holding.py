"""Whether a hold may be placed: the facts, a function per rule, and the lists that are the policy.

All objections are told at once. A hold may be placed when one copy can serve it; where none can,
the objections to the copy that has fewest are told. None of them is waived.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import ClassVar, cast
from uuid import UUID

from lendery.circulation.rules import standing
from lendery.circulation.rules.checkout import age_on
from lendery.circulation.rules.policy import Policy
from lendery.circulation.rules.standing import Asked, PatronFacts, StandingRule
from lendery.circulation.rules.words import counted
from lendery.contracts.circulation import Block, HoldBlock, HoldBlockCode


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldableCopy:
    """What a hold needs to know of a copy. `on_shelf`: free to be lent now."""

    id: UUID
    item_type: str
    home_branch_id: UUID
    not_for_loan: bool = False
    withdrawn: bool = False
    lost: bool = False
    missing: bool = False
    on_shelf: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldRequest(Asked):
    """Everything that placing a hold depends on.

    `copies` are those that could serve it, each with its policy: all of the book, or the one it
    names. `has_on_loan`: the patron has any copy of the book. `holds` and `holds_on_book` count
    the patron's open holds; `holds_this`: one is just like this. `pickup_opens`: within weeks.
    """

    refusal: ClassVar[str] = "Not placed"
    patron: PatronFacts
    copies: tuple[tuple[HoldableCopy, Policy], ...]
    names_copy: bool
    has_on_loan: bool = False
    holds: int = 0
    holds_on_book: int = 0
    holds_this: bool = False
    pickup_branch_id: UUID
    pickup_opens: bool = True


_NO_COPY = "the library has no copy of this book that can be lent."


def already_on_loan(facts: HoldRequest, policy: Policy) -> HoldBlock | None:
    if facts.has_on_loan:
        return _block("already-on-loan", "this card has a copy of this book. Renew that one.")
    return None


def already_held(facts: HoldRequest, policy: Policy) -> HoldBlock | None:
    if facts.holds_this or (policy.holds_per_book == 1 and facts.holds_on_book):
        return _block("already-held", "this card has a hold on it already. Wait for that one.")
    return None


def too_many_holds_on_this_book(facts: HoldRequest, policy: Policy) -> HoldBlock | None:
    """Where one is the limit, the second is `already-held`."""
    most = policy.holds_per_book
    if most is None or most == 1 or facts.holds_on_book < most:
        return None
    return _block("hold-limit-book", _limit(facts.holds_on_book, most, "on this book"))


def too_many_holds(facts: HoldRequest, policy: Policy) -> HoldBlock | None:
    if policy.holds is None or facts.holds < policy.holds:
        return None
    return _block("hold-limit", _limit(facts.holds, policy.holds, "in all"))


def _limit(has: int, most: int, of: str) -> str:
    if most == 0:
        return "the rules allow this reader no holds here."
    return f"this card has {counted(has, 'hold', 'holds')} {of}; the limit is {most}. Cancel one."


def copy_is_not_lent(facts: HoldRequest, copy: HoldableCopy, policy: Policy) -> HoldBlock | None:
    """Nobody waits for what is withdrawn, lost or missing: it may never come."""
    if copy.withdrawn or copy.lost or copy.missing:
        says = "this copy is lost, missing or withdrawn."
    elif copy.not_for_loan:
        says = "this copy is for use in the library only."
    elif not policy.has_rule:
        says = "no rule lets this reader borrow this kind of item. Use it in the library."
        return _block("not-holdable", says)
    else:
        return None
    return _block("not-holdable", says if facts.names_copy else _NO_COPY)


def reader_is_too_young(facts: HoldRequest, copy: HoldableCopy, policy: Policy) -> HoldBlock | None:
    """An unknown date of birth objects too, as it will when the copy is lent."""
    born_on = facts.patron.born_on
    age = None if born_on is None else age_on(facts.today, born_on)
    if _old_enough(age, policy):
        return None
    unknown = ", and the date of birth is not known. Show a proof of age" if age is None else ""
    return _block("age", f"this is for readers from {policy.age_from} years{unknown}.")


def not_collected_there(facts: HoldRequest, copy: HoldableCopy, policy: Policy) -> HoldBlock | None:
    if _collected_at(facts.pickup_branch_id, copy, policy):
        return None
    return _not_there(HoldRequest.refusal)


CARD_RULES: tuple[StandingRule, ...] = (
    standing.card_is_stolen,
    standing.card_has_expired,
    standing.card_expired_long_ago,
    standing.patron_is_blocked,
)
LIMIT_RULES = (already_on_loan, already_held, too_many_holds_on_this_book, too_many_holds)
COPY_RULES = (copy_is_not_lent, reader_is_too_young, not_collected_there)


def hold_blocks(facts: HoldRequest) -> list[HoldBlock]:
    """Everything that stands in the way. Empty: the hold may be placed.

    The limits are the widest of those of the copies that nothing else speaks against.
    """
    policies = [policy for _, policy in facts.copies] or [Policy()]
    of_copies = _copy_blocks(facts) or [[_block("not-holdable", _NO_COPY)]]
    free = [policy for policy, found in zip(policies, of_copies, strict=True) if not found]
    limits = Policy(
        holds=_widest(policy.holds for policy in free or policies),
        holds_per_book=_widest(policy.holds_per_book for policy in free or policies),
    )
    blocks = [_of_card(found) for rule in CARD_RULES if (found := rule(facts, policies[0]))]
    blocks += [block for rule in LIMIT_RULES if (block := rule(facts, limits))]
    nearest = min(of_copies, key=len)
    blocks += nearest
    if not facts.pickup_opens:
        blocks.append(_closed(HoldRequest.refusal))
    return blocks


def pickup_blocks(
    copies: Iterable[tuple[HoldableCopy, Policy]], *, pickup_branch_id: UUID, pickup_opens: bool
) -> list[HoldBlock]:
    """Why a hold that waits cannot be collected at this branch. `copies`: those that it takes."""
    blocks = []
    if not any(_collected_at(pickup_branch_id, copy, policy) for copy, policy in copies):
        blocks.append(_not_there("Not changed"))
    if not pickup_opens:
        blocks.append(_closed("Not changed"))
    return blocks


def may_serve(
    copy: HoldableCopy, policy: Policy, *, pickup_branch_id: UUID, age: int | None
) -> bool:
    """Could this copy ever be given to such a hold? A lost or missing one could, when found.

    `age` is in years; None, where the date of birth is not known, is too young for any limit.
    """
    lent = policy.has_rule and not (copy.not_for_loan or copy.withdrawn)
    return lent and _old_enough(age, policy) and _collected_at(pickup_branch_id, copy, policy)


def _copy_blocks(facts: HoldRequest) -> list[list[HoldBlock]]:
    """The objections to each copy; `holds_on_shelf` looks at what this reader could borrow."""
    told, borrowed = [], []
    for copy, policy in facts.copies:
        blocks = [block for rule in COPY_RULES if (block := rule(facts, copy, policy))]
        told.append(blocks)
        if all(block.code == "pickup-not-allowed" for block in blocks):
            borrowed.append((copy.on_shelf, policy.holds_on_shelf, blocks))
    shelf = {on_shelf for on_shelf, _, _ in borrowed}
    refuses = {"always": False, "any-out": False not in shelf, "all-out": True in shelf}
    for _, holds_on_shelf, blocks in borrowed:
        if refuses[holds_on_shelf]:
            blocks.append(_block("copies-on-shelf", "a copy is on the shelf. Take it from there."))
    return told


def _block(code: HoldBlockCode, says: str) -> HoldBlock:
    return HoldBlock(code=code, says=f"{HoldRequest.refusal}: {says}")


def _not_there(refusal: str) -> HoldBlock:
    says = f"{refusal}: it is not collected at this branch. Choose another."
    return HoldBlock(code="pickup-not-allowed", says=says)


def _closed(refusal: str) -> HoldBlock:
    says = f"{refusal}: this branch is closed for weeks. Choose another."
    return HoldBlock(code="pickup-closed", says=says)


def _of_card(block: Block) -> HoldBlock:
    says = block.says.replace(" or waive.", ".")
    return HoldBlock(code=cast(HoldBlockCode, block.code), says=says)


def _old_enough(age: int | None, policy: Policy) -> bool:
    return not policy.age_from or (age is not None and age >= policy.age_from)


def _collected_at(branch_id: UUID, copy: HoldableCopy, policy: Policy) -> bool:
    where = policy.pickup_branches
    return where == "any" or branch_id in ((copy.home_branch_id,) if where == "home" else where)


def _widest(limits: Iterable[int | None]) -> int | None:
    """None, the empty value, is no limit."""
    return max(limits, key=lambda limit: inf if limit is None else limit)
