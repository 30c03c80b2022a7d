"""Holds of old, written as they would stand."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from tests.circulation.town import Town

from lendery.circulation.models import copy, hold
from lendery.contracts.base import new_id

DAY = timedelta(days=1)


async def past(town: Town, placed_at: datetime, days: float | None, **but: Any) -> UUID:
    """A hold of old; on a book of its own with one copy, unless said otherwise."""
    left = None if days is None else placed_at + days * DAY
    book_id, branch = but.pop("book_id", None), new_id()
    row: dict[str, Any] = {
        "id": new_id(),
        "book_id": book_id or new_id(),
        "borrower": new_id(),
        "pickup_branch_id": branch,
        "state": "waiting" if days is None else "fulfilled",
        "suspended": False,
        "placed_at": placed_at,
        "ready_at": left,
        "ended_at": left and left + DAY,
    }
    row |= but
    async with town.db.begin() as tx:
        await tx.run(insert(hold).values(**row))
        if book_id is None:
            await tx.run(insert(copy).values(**a_copy(row["book_id"], branch)))
    found: UUID = row["id"]
    return found


def a_copy(book_id: UUID, branch: UUID, **but: Any) -> dict[str, Any]:
    facts = {"item_type": "book", "home_branch_id": branch, "version": 1}
    return {"id": new_id(), "book_id": book_id, **facts, **but}
