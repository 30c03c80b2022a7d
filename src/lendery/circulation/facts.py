"""From rows to the facts that the rules take, and to the values the world gets."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lendery.circulation.rules import (
    CardBlock,
    CopyFacts,
    CopyMarks,
    HoldableCopy,
    LoanCount,
    PatronFacts,
)
from lendery.contracts.circulation import CopyWas, Hold, HoldWas, Loan

REFERENCE = "reference"  # the item type that stays in the library


def patron_facts(
    row: Any,
    *,
    open_loans: tuple[LoanCount, ...] = (),
    overdue: int = 0,
    owed: int = 0,
    suspended_until: datetime | None = None,
    currency: str = "EUR",
) -> PatronFacts:
    blocks = [_card_block(block) for block in row.blocks]
    if suspended_until is not None:
        blocks.append(CardBlock("suspended", suspended_until))
    return PatronFacts(
        id=row.id,
        expires_on=row.expires_on,
        born_on=row.born_on,
        active=row.active,
        blocks=tuple(blocks),
        open_loans=open_loans,
        overdue=overdue,
        owed=owed,
        currency=currency,
    )


def _card_block(block: dict[str, Any]) -> CardBlock:
    until = block.get("until")
    return CardBlock(block["reason"], datetime.fromisoformat(until) if until else None)


def loan_counts(row: Any) -> tuple[LoanCount, ...]:
    """The patron's open loans, split by whether they share this copy's type and branch.

    Four numbers answer every scope a limit may have, however many loans there are.
    """
    both, of_type, of_branch = (
        row.loans_of_both or 0,
        row.loans_of_type or 0,
        row.loans_of_branch or 0,
    )
    other_type, other_branch = f"not {row.item_type}", UUID(int=0)
    return (
        LoanCount(row.item_type, row.home_branch_id, both),
        LoanCount(row.item_type, other_branch, of_type - both),
        LoanCount(other_type, row.home_branch_id, of_branch - both),
        LoanCount(other_type, other_branch, row.loans - of_type - of_branch + both),
    )


def copy_facts(row: Any) -> CopyFacts:
    return CopyFacts(
        id=row.id,
        item_type=row.item_type,
        not_for_loan=row.item_type == REFERENCE,
        withdrawn=row.withdrawn,
        damaged=row.damaged,
        on_loan_to=row.out_to if row.out_as is None or row.out_to else CUT,
        held_for=row.kept_for if row.kept_as is None or row.kept_for else CUT,
    )


CUT = UUID(int=1)  # an open loan whose patron was cut off: on loan, to nobody who asks


@dataclass(frozen=True, slots=True)
class FreeCopy:
    """A copy that is kept for nobody. `alone`: the one in hand, which is like no other."""

    id: UUID
    branch_id: UUID
    home_branch_id: UUID
    item_type: str
    alone: bool = False

    @classmethod
    def of(cls, row: Any) -> "FreeCopy":
        return cls(row.id, row.branch_id, row.home_branch_id, row.item_type)


def holdable(copy: Any) -> HoldableCopy:
    return HoldableCopy(
        id=copy.id,
        item_type=copy.item_type,
        home_branch_id=copy.home_branch_id,
        not_for_loan=copy.item_type == REFERENCE,
        withdrawn=False,
        lost=False,
        missing=False,
        on_shelf=True,
    )


def marks(row: Any, *, on_loan: bool, in_transit: bool, on_hold_shelf: bool = False) -> CopyMarks:
    return CopyMarks(
        withdrawn=row.withdrawn,
        lost=row.lost,
        claimed_returned=row.claimed_returned,
        missing=row.missing,
        on_loan=on_loan,
        in_transit=in_transit,
        on_hold_shelf=on_hold_shelf,
        damaged=row.damaged,
        not_for_loan=row.item_type == REFERENCE,
    )


def loan_value(row: Any, now: datetime) -> Loan:
    return Loan.model_construct(
        id=row.id,
        copy_id=row.copy_id,
        book_id=row.book_id,
        patron_id=row.patron_id,
        branch_id=row.branch_id,
        lent_at=row.lent_at,
        due_at=row.due_at,
        returned_at=row.returned_at,
        renewals=row.renewals,
        overdue=row.returned_at is None and row.due_at < now,
        claimed_at=row.claimed_at,
        recalled_at=row.recalled_at,
        ended_as=None if row.returned_at is None else row.ended_as or "returned",
    )


def copy_was(row: Any) -> CopyWas:
    return CopyWas.model_construct(
        branch_id=row.current_branch_id,
        in_transit_to=row.in_transit_to,
        seen_at=row.last_seen_at,
        lost=row.lost,
        missing=row.missing,
        claimed_returned=row.claimed_returned,
        in_house_uses=row.in_house_uses,
    )


def hold_was(row: Any) -> HoldWas:
    return HoldWas.model_construct(
        hold_id=row.id,
        state=row.state,
        copy_id=row.given_copy_id,
        ready_at=row.ready_at,
        expires_on=row.expires_on,
    )


def hold_value(row: Any, today: date) -> Hold:
    """`row` of one that waits carries its `position`. A suspension that has run out is none."""
    over = row.suspended_until is not None and row.suspended_until <= today
    suspended = row.suspended and not over and row.ended_at is None
    return Hold.model_construct(
        id=row.id,
        book_id=row.book_id,
        copy_id=row.copy_id,
        patron_id=row.patron_id,
        pickup_branch_id=row.pickup_branch_id,
        state=row.state,
        suspended=suspended,
        suspended_until=row.suspended_until if suspended else None,
        position=row.position if row.state == "waiting" else None,
        given_copy_id=row.given_copy_id,
        placed_at=row.placed_at,
        ready_at=row.ready_at,
        expires_on=row.expires_on,
        ended_at=row.ended_at,
    )
