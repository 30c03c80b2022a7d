"""What reports does when something happens elsewhere: it counts, and forgets who was removed.

A check-out costs two upserts and an update that as a rule finds nothing. What the catalog knows
of a copy or a book is asked later, many at once (learning.py).
"""

from datetime import tzinfo
from typing import Protocol

from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import Event
from lendery.platform.db import Tx
from lendery.platform.events import Reaction
from lendery.reports.repository import subscriptions
from lendery.reports.repository.counting import writes
from lendery.reports.rules.effects import MEANINGS, branch_of, effects
from lendery.reports.zones import Zones


class Here(Protocol):
    @property
    def zones(self) -> Zones: ...


async def ask_what_day_it_was(ports: Here, event: Event) -> tzinfo:
    return await ports.zones.of(branch_of(event))


async def count(tx: Tx, event: Event, zone: tzinfo) -> None:
    await tx.write(*writes(effects(event, zone)))


async def forget_person(tx: Tx, event: PatronRemoved, told: None) -> None:
    await subscriptions.forget(tx, owner=event.patron_id)


REACTIONS: tuple[Reaction, ...] = (
    *(Reaction(kind, count, ask_what_day_it_was) for kind in MEANINGS),
    Reaction(PatronRemoved, forget_person),
)
