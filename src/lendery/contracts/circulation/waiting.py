"""Why somebody waits: what stands between a hold and a copy."""

from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from pydantic import ConfigDict, Field

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


class Expected(Value):
    """The days between which a copy is likely to be ready: of ten readers in such a place eight
    were served between them, in this library, in the last year.
    """

    model_config = ConfigDict(
        frozen=True, from_attributes=True, populate_by_name=True, serialize_by_alias=True
    )

    from_: date = Field(alias="from")
    until: date


class HoldExpected(Value):
    """`expected` is null where it cannot be said: see WhyNotYet."""

    hold_id: UUID
    expected: Expected | None


class WhyNotYet(Value):
    """A hold that waits has the place `position` in line; `says` is the reason in a sentence.

    `free` copies stand on shelves now, and `suitable` of them would do for this hold. `next_due_at`
    is when the next copy that would do is due back. `expected` is null for a hold that is suspended
    or on one very copy, and where there is not enough experience: fewer than twenty holds with as
    many turns before them were served in the last year, or too many of them gave up.
    """

    hold_id: UUID
    position: int
    code: WhyCode
    says: str
    free: int
    suitable: int
    next_due_at: datetime | None = None
    expected: Expected | None = None


class Queues(Protocol):
    async def why(self, *, hold_id: UUID, actor: Actor, now: datetime) -> WhyNotYet:
        """Why a hold did not get a copy yet. One's own, or anybody's for staff."""
        ...

    async def expected(
        self, *, hold_ids: list[UUID], actor: Actor, now: datetime
    ) -> list[HoldExpected]:
        """Of those that wait: when a copy is likely to be ready. One's own, or all for staff."""
        ...
