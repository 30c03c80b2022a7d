"""What records say of copies, made into copies: what is odd costs the copy, not the record."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.importing.outcome import Outcome
from lendery.catalog.importing.ready import Held, Ready
from lendery.catalog.importing.taking import Taking
from lendery.catalog.repository import copies as copies_kept
from lendery.catalog.repository import sources
from lendery.contracts.base import MOST_TYPED, Money, new_id
from lendery.contracts.catalog import BareCopy
from lendery.platform.db import Session

BARCODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass
class CopiesMade:
    """`marks` say which import made them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)


async def copies_of(
    session: Session,
    taking: Taking,
    places: Sequence[tuple[Ready, UUID, int]],
    outcome: Outcome,
    *,
    now: datetime,
) -> CopiesMade:
    """`places`: each record with the id and number of its book."""
    made = CopiesMade()
    barcodes = [each.barcode for record, _, _ in places for each in record.holdings if each.barcode]
    if not any(record.holdings for record, _, _ in places):
        return made
    taken = await sources.holders_of_barcodes(session, barcodes=barcodes)
    for record, book_id, number in places:
        for place, held in enumerate(record.holdings, 1):
            copy = _copy(taking, held, book_id, taken)
            if isinstance(copy, str):
                if copy:
                    outcome.warn(record, f"Item {place}: {copy}")
                continue
            if strange := _strange_branch(taking, held):
                outcome.warn(record, f"Item {place}: {strange}")
            taken[copy.barcode] = book_id
            outcome.counts["copies"] += 1
            made.rows.append(dict(copies_kept.added(copy, now=now)[1]))
            made.marks.append({"copy_id": copy.id, "job_id": taking.job_id, "book_number": number})
    return made


def _copy(taking: Taking, held: Held, book_id: UUID, taken: dict[str, UUID]) -> BareCopy | str:
    """The copy, or why there is none; nothing to say of one that is here already."""
    if not held.barcode:
        return "it has no barcode, so no copy was made."
    if not BARCODE.fullmatch(held.barcode):
        return f"{held.barcode[:70]!r} cannot be a barcode, so no copy was made."
    if held.barcode in taken:
        if taken[held.barcode] == book_id:
            return ""
        return f"another copy has the barcode {held.barcode}, so no copy was made."
    branch_id = branch_of(taking, held)
    if branch_id is None:
        return (
            f"no branch is called {held.branch!r}, so no copy was made."
            if held.branch
            else ("it names no branch, so no copy was made.")
        )
    kind = held.item_type if held.item_type and CODE.fullmatch(held.item_type) else "book"
    price = None
    if held.price_amount is not None and 0 <= held.price_amount <= MOST_TYPED:
        price = Money(amount=held.price_amount, currency=taking.currency)
    return BareCopy(
        id=new_id(),
        barcode=held.barcode,
        book_id=book_id,
        branch_id=branch_id,
        item_type=kind,
        location=held.location,
        call_number=held.call_number,
        price=price,
        version=1,
    )


def branch_of(taking: Taking, held: Held) -> UUID | None:
    found = taking.branches.get(held.branch.casefold()) if held.branch else None
    return found or taking.options.branch_id


def _strange_branch(taking: Taking, held: Held) -> str:
    if held.branch and held.branch.casefold() not in taking.branches:
        return f"no branch is called {held.branch!r}; the copy stands at the import's own branch."
    return ""
