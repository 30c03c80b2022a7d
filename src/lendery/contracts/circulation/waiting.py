"""Why somebody waits: what stands between a hold and a copy."""

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from lendery.contracts.base import Value
from lendery.contracts.permissions import Actor

WhyCode = Literal[
    "suspended",
    "on-the-list",
    "others-first",
    "does-not-suit",
    "all-out",
    "on-its-way",
    "none-left",
]


class WhyNotYet(Value):
    """A hold that waits has the place `position` in line; `says` is the reason in a sentence.

    `free` copies stand on shelves now, and `suitable` of them would do for this hold. `next_due_at`
    is when the next copy that would do is due back.
    """

    hold_id: UUID
    position: int
    code: WhyCode
    says: str
    free: int
    suitable: int
    next_due_at: datetime | None = None


class Queues(Protocol):
    async def why(self, *, hold_id: UUID, actor: Actor, now: datetime) -> WhyNotYet:
        """Why a hold did not get a copy yet. One's own, or anybody's for staff."""
        ...
