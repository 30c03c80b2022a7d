"""The other forms of two names become those of one, and can become those of two again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.catalog.repository import record
from lendery.catalog.repository import variants as kept
from lendery.catalog.rules.fold import folded_name
from lendery.contracts.authorities import HeadingKind, Variant
from lendery.contracts.base import new_id
from lendery.platform.db import Tx


async def take_over(
    tx: Tx, kind: HeadingKind, loser: tuple[UUID, str], winner: tuple[UUID, str], *, now: datetime
) -> dict[str, Any]:
    """The loser's name and its other forms lead to the winner, and so does see also.

    Returns what was moved, for `give_back`. `dropped` are forms that the winner had already.
    """
    theirs = await kept.variants(tx, heading_id=loser[0])
    ours = await kept.variants(tx, heading_id=winner[0])
    known = {folded_name(winner[1]), *(folded_name(each.name) for each in ours)}
    moved = [each for each in theirs if folded_name(each.name) not in known]
    dropped = [each for each in theirs if each not in moved]
    writes = [kept.moved(each.id, to=winner[0]) for each in moved]
    made = None
    if folded_name(loser[1]) not in known | {folded_name(each.name) for each in moved}:
        made = Variant(id=new_id(), name=loser[1])
        writes.append(kept.added(kind, winner[0], made, now=now))
    seen = {each.id for each in await kept.seen_from(tx, kind, heading_id=loser[0])}
    had = {each.id for each in await kept.seen_from(tx, kind, heading_id=winner[0])}
    related = sorted(seen - had - {winner[0]})
    await record(tx, writes)
    await kept.forget(tx, heading_id=loser[0])
    await record(tx, [w for other in related for w in kept.related(kind, winner[0], other)])
    return {
        "variants": [str(each.id) for each in moved],
        "dropped": [each.name for each in dropped],
        "made": str(made.id) if made else None,
        "see_also": [str(each) for each in sorted(seen)],
        "related": [str(each) for each in related],
    }


async def give_back(
    tx: Tx, kind: HeadingKind, loser_id: UUID, winner_id: UUID, moved: dict[str, Any], now: datetime
) -> None:
    """What is still there of what was moved. Forms that came later stay with the winner."""
    ours = {each.id for each in await kept.variants(tx, heading_id=winner_id)}
    if moved["made"]:
        await kept.removed(tx, heading_id=winner_id, variant_id=UUID(moved["made"]))
    back = [UUID(each) for each in moved["variants"] if UUID(each) in ours]
    again = [Variant(id=new_id(), name=name) for name in moved["dropped"]]
    for other in moved["related"]:
        await kept.parted(tx, one=winner_id, other=UUID(other))
    seen = await kept.that_exist(tx, kind, ids=[UUID(each) for each in moved["see_also"]])
    await record(
        tx,
        [
            *(kept.moved(each, to=loser_id) for each in back),
            *(kept.added(kind, loser_id, each, now=now) for each in again),
            *(write for other in seen for write in kept.related(kind, loser_id, other)),
        ],
    )
