"""What is due, late or ready, and for whom: for those who write to readers.

The log names nobody. A neighbour that has to reach the reader whom an event is about asks here,
and is told as far as retention has left the link.
"""

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from lendery.contracts.base import Money, Value
from lendery.contracts.circulation.holds import HoldState
from lendery.contracts.circulation.money import ChargeReason, Method


class DueLoan(Value):
    """An open loan. `due_on` is the local date where the copy lives, whose time zone is told."""

    loan_id: UUID
    patron_id: UUID
    book_id: UUID
    branch: str
    time_zone: str
    due_at: datetime
    due_on: date


class DuePlace(Value):
    """Where in the list of what is due the next page begins: after this loan."""

    due_at: datetime
    loan_id: UUID


class HeldFor(Value):
    """A hold, whose it is, and where it is collected."""

    hold_id: UUID
    patron_id: UUID
    book_id: UUID
    branch: str
    time_zone: str
    state: HoldState
    expires_on: date | None


class Posted(Value):
    """A charge, or a whole payment, on a reader's account; `balance` is what it is now."""

    patron_id: UUID
    amount: Money
    balance: Money
    reason: ChargeReason | None = None
    method: Method | None = None


class DueList(Protocol):
    async def due(
        self, *, until: datetime, after: DuePlace | None, most: int, now: datetime
    ) -> list[DueLoan]:
        """Open loans due by `until`, those due first first; late ones are among them."""
        ...

    async def expiring(
        self, *, until: date, after: UUID | None, most: int, now: datetime
    ) -> list[HeldFor]:
        """Holds on the shelf whose last day is `until` or before, by their ids."""
        ...

    async def loan(self, *, loan_id: UUID, now: datetime) -> DueLoan | None:
        """None: it was returned, or the link was cut."""
        ...

    async def hold(self, *, hold_id: UUID, now: datetime) -> HeldFor | None:
        """None: there is none, or the link was cut."""
        ...

    async def charge(self, *, fine_id: UUID) -> Posted | None: ...
    async def payment(self, *, settlement_id: UUID) -> Posted | None:
        """All lines of one payment as one."""
        ...
