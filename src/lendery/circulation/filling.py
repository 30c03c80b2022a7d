"""Who gets which free copy of a book: the queue and the shelves as they are, put to the rules.

Whoever decides on it holds the book's queue (`lock_queue`) first. Queues are read as far as they
matter: as many holds can be served as there are free copies, and seldom more must be looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from lendery.circulation import rules
from lendery.circulation.facts import FreeCopy, holdable
from lendery.circulation.house import House
from lendery.circulation.repository import holds
from lendery.contracts.circulation import Pull
from lendery.platform.db import Session

MORE = 8  # holds read beyond what the copies can serve, for those that none of them suits


@dataclass(frozen=True)
class Filling:
    """The free copies of a book in groups that are alike, and the queue as far as it was read."""

    shelves: tuple[tuple[FreeCopy, ...], ...]
    queue: tuple[rules.Waiting, ...]

    @classmethod
    def of(
        cls, rows: Sequence[Any], copies: Sequence[FreeCopy], house: House, now: datetime
    ) -> "Filling":
        """A copy that a hold names, or that is `alone`, is a group of its own."""
        named = {row.copy_id for row in rows if row.copy_id}
        groups: dict[Any, list[FreeCopy]] = {}
        for each in copies:
            own = each.id if each.alone or each.id in named else None
            alike = (each.branch_id, each.home_branch_id, each.item_type, own)
            groups.setdefault(alike, []).append(each)
        shelves = tuple(tuple(group) for group in groups.values())
        queue = (_waiting(row, shelves, house, now) for row in rows)
        return cls(shelves, tuple(each for each in queue if each is not None))

    @property
    def stock(self) -> list[rules.Shelf]:
        return [
            rules.Shelf(branch_id=group[0].branch_id, copies=len(group)) for group in self.shelves
        ]

    def shelf_of(self, copy_id: UUID) -> int:
        return next(i for i, group in enumerate(self.shelves) if group[0].id == copy_id)


def _waiting(
    row: Any, shelves: Sequence[Sequence[FreeCopy]], house: House, now: datetime
) -> rules.Waiting | None:
    """None: it is suspended."""
    today = house.hours_of(row.pickup_branch_id).local_date(now)
    if row.suspended and (row.suspended_until is None or row.suspended_until > today):
        return None
    takes = frozenset(
        index for index, (first, *_) in enumerate(shelves) if suits(row, first, house, now)
    )
    return rules.Waiting(id=row.id, pickup_branch_id=row.pickup_branch_id, takes=takes)


def suits(row: Any, copy: Any, house: House, now: datetime) -> bool:
    """Would a copy that stands on a shelf do for this hold?"""
    today = house.hours_of(row.pickup_branch_id).local_date(now)
    age = rules.age_on(today, row.born_on) if row.born_on else None
    policy = house.policy(
        branch_id=copy.home_branch_id, category=row.category, item_type=copy.item_type
    )
    return row.copy_id in (None, copy.id) and rules.may_serve(
        holdable(copy), policy, pickup_branch_id=row.pickup_branch_id, age=age
    )


async def taker(
    session: Session, copy: FreeCopy, *, book_id: UUID, house: House, now: datetime
) -> Any | None:
    """The row of the hold that the copy in hand goes to; None: nobody's, it is shelved."""
    free = await holds.free_copies(session, book_id)
    copies = [copy, *(FreeCopy.of(row) for row in free if row.id != copy.id)]
    rows: list[Any] = []
    while True:
        more = await holds.queue(session, book_id, most=len(copies) + MORE, skip=len(rows))
        rows += more
        filling = Filling.of(rows, copies, house, now)
        mine = filling.shelf_of(copy.id)
        given = rules.filled(filling.queue, filling.stock, house.transport, prefer=mine)
        if len(given) == len(copies) or len(more) < len(copies) + MORE:
            taker = next((hold for hold, shelf in given.items() if shelf == mine), None)
            return next((row for row in rows if row.id == taker), None)


async def others_lose(
    session: Session,
    copy: FreeCopy,
    *,
    book_id: UUID,
    has_it: UUID | None,
    house: House,
    now: datetime,
) -> bool:
    """Would some other reader be served if this copy came back, and not otherwise?"""
    free = await holds.free_copies(session, book_id)
    copies = [copy, *(FreeCopy.of(row) for row in free)]
    rows: list[Any] = []
    while True:
        more = await holds.queue(session, book_id, most=len(copies) + MORE, skip=len(rows))
        rows += more
        filling = Filling.of(rows, copies, house, now)
        mine = filling.shelf_of(copy.id)
        loser = rules.who_loses(filling.queue, filling.stock, keep=mine)
        if loser is not None:
            whose = next(row.patron_id for row in rows if row.id == loser)
            return whose is None or whose != has_it
        if len(more) < len(copies) + MORE:
            return False


async def pulls(session: Session, *, house: House, now: datetime) -> list[Pull]:
    """The copies that stand on a shelf while somebody they would serve waits."""
    found: list[Pull] = []
    for book_id, free in groupby(await holds.free_and_wanted(session), lambda row: row.book_id):
        copies = [FreeCopy.of(row) for row in free]
        rows = {row.id: row for row in await holds.queue(session, book_id, most=1000)}
        filling = Filling.of(list(rows.values()), copies, house, now)
        left = [list(group) for group in filling.shelves]
        given = rules.filled(filling.queue, filling.stock, house.transport)
        for hold_id, shelf in given.items():
            copy = left[shelf].pop(0)
            found.append(
                Pull(
                    hold_id=hold_id,
                    book_id=book_id,
                    copy_id=copy.id,
                    branch_id=copy.branch_id,
                    pickup_branch_id=rows[hold_id].pickup_branch_id,
                )
            )
    return found
