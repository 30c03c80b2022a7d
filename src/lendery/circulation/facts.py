"""From rows to the facts that the rules take, and to the values the world gets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.circulation.rules import CardBlock, CopyFacts, CopyMarks, LoanCount, PatronFacts
from lendery.contracts.circulation import Loan

REFERENCE = "reference"  # the item type that stays in the library


def patron_facts(
    row: Any, *, open_loans: tuple[LoanCount, ...] = (), overdue: int = 0
) -> PatronFacts:
    return PatronFacts(
        id=row.id,
        expires_on=row.expires_on,
        born_on=row.born_on,
        active=row.active,
        blocks=tuple(_card_block(block) for block in row.blocks),
        open_loans=open_loans,
        overdue=overdue,
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
    )


CUT = UUID(int=1)  # an open loan whose patron was cut off: on loan, to nobody who asks


def marks(row: Any, *, on_loan: bool, in_transit: bool) -> CopyMarks:
    return CopyMarks(
        withdrawn=row.withdrawn,
        lost=row.lost,
        claimed_returned=row.claimed_returned,
        missing=row.missing,
        on_loan=on_loan,
        in_transit=in_transit,
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
    )
