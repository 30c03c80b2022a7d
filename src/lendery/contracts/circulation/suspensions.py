"""Suspensions: days without borrowing that follow a late return."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from lendery.contracts.base import Event, NotFound, Value
from lendery.contracts.permissions import Actor


class PatronSuspension(Value):
    """Nothing is lent `until` then. `ended_at`: it was lifted before, by staff or by an undo."""

    id: UUID
    patron_id: UUID | None
    loan_id: UUID
    began_at: datetime
    until: datetime
    ended_at: datetime | None = None


class NoSuchSuspension(NotFound):
    status = 404


class PatronSuspended(Event):
    """A loan came back late. `borrower` is a random token of this suspension."""

    about = "suspension_id"
    suspension_id: UUID
    borrower: UUID
    loan_id: UUID
    until: datetime
    by: UUID | None = None


class SuspensionLifted(Event):
    about = "suspension_id"
    suspension_id: UUID
    by: UUID | None = None


class Suspensions(Protocol):
    async def of(self, *, patron_id: UUID, actor: Actor, now: datetime) -> list[PatronSuspension]:
        """Those that run now, the longest first. One's own, or anybody's for staff."""
        ...

    async def lift(self, *, suspension_id: UUID, actor: Actor, now: datetime) -> PatronSuspension:
        """Ends one early; lifted twice it stays lifted."""
        ...
