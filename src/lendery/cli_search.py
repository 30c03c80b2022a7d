"""The command about search: its index made anew, and what was lent counted anew."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import typer

search = typer.Typer()
AT_ONCE = 500


@search.command("reindex")
def reindex() -> None:
    """Make the search index anew from the records, and count how often each book was lent."""
    from lendery.cli import settings
    from lendery.main import wire

    async def work() -> tuple[int, int]:
        wiring = wire(settings())
        lent = await _lent(wiring)
        done = await make_anew(wiring, lent)
        await wiring.close()
        return done, sum(lent.values())

    moved, loans = asyncio.run(work())
    print(f"Indexed anew. {loans} loans counted, {moved} books lent otherwise than was known.")


async def _lent(wiring: Any) -> Counter[UUID]:
    """How often circulation lent each book, as far as its loans go back."""
    from lendery.contracts.base import Window
    from lendery.contracts.circulation import LoanFilter
    from lendery.contracts.permissions import SYSTEM

    lent: Counter[UUID] = Counter()
    after = None
    while True:
        window = Window(limit=AT_ONCE, after=after)
        page = await wiring.loans.find(
            like=LoanFilter(), window=window, actor=SYSTEM, now=datetime.now(UTC)
        )
        lent.update(each.book_id for each in page.items)
        after = page.next_cursor
        if after is None:
            return lent


async def make_anew(wiring: Any, lent: Counter[UUID]) -> int:
    """Returns how many books were lent otherwise than the catalog had it."""
    from lendery.catalog.repository.changes import next_turn
    from lendery.catalog.repository.popularity import ever_lent, recount
    from lendery.main import DERIVED

    moved = 0
    async with wiring.db.begin() as tx:
        await next_turn(tx)  # what is kept ready was found by the index of before
        for make in DERIVED["catalog"]:
            await make(tx)
        books = list(set(lent) | await ever_lent(tx))
        for start in range(0, len(books), AT_ONCE):
            some = books[start : start + AT_ONCE]
            moved += await recount(tx, lent={each: lent[each] for each in some})
    return moved
