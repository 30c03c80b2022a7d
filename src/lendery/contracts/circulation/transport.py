"""What it costs to send a copy from one branch to another."""

from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from pydantic import Field

from lendery.contracts.base import Input, Value
from lendery.contracts.permissions import Actor

Cost = Annotated[int, Field(ge=0, le=1000)]


class TransportCost(Value):
    """The cost of one way, in units of the house's own: kilometres, hours, or steps of a van.

    A way that is not listed costs 1; what stays in its branch costs nothing.
    """

    from_branch_id: UUID
    to_branch_id: UUID
    cost: int


class NewTransportCost(Input):
    from_branch_id: UUID
    to_branch_id: UUID
    cost: Cost


class NewTransportCosts(Input):
    """The whole matrix: a way that is not in it has no cost of its own from then on."""

    rows: Annotated[tuple[NewTransportCost, ...], Field(max_length=10_000)]


class TransportCosts(Protocol):
    async def all(self) -> list[TransportCost]:
        """Every way that has a cost of its own."""
        ...

    async def replace(
        self, *, costs: NewTransportCosts, actor: Actor, now: datetime
    ) -> list[TransportCost]:
        """Raises Invalid, each wrong row named, and then changes nothing."""
        ...
