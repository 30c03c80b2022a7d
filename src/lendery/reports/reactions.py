"""What reports does when something happens elsewhere: it counts.

A check-out costs two upserts and an update that as a rule finds nothing. What the catalog knows
of a copy or a book is asked later, many at once (learning.py).
"""

from datetime import tzinfo
from typing import Protocol

from lendery.contracts.base import Event
from lendery.platform.db import Tx
from lendery.platform.events import Reaction
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


REACTIONS: tuple[Reaction, ...] = tuple(
    Reaction(kind, count, ask_what_day_it_was) for kind in MEANINGS
)
