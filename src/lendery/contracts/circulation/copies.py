"""The state of copies: what each is doing now, what staff say of it, lost and found."""

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from lendery.contracts.base import Event, Problem, Value, Window
from lendery.contracts.catalog import CopyStatus
from lendery.contracts.permissions import Actor

Flag = Literal["lost", "found", "damaged", "missing", "withdrawn", "claimed-returned"]


class CopyState(Value):
    """A copy as circulation knows it, now."""

    copy_id: UUID
    status: CopyStatus
    branch_id: UUID | None = None
    due_at: datetime | None = None


class PastLoan(Value):
    """A loan of a copy, open or ended, without its patron."""

    id: UUID
    branch_id: UUID
    lent_at: datetime
    due_at: datetime
    returned_at: datetime | None
    returned_branch_id: UUID | None
    renewals: int
    ended_as: Literal["returned", "lost", "forgiven"] | None


class CopyHistory(Value):
    """What a copy went through: so many `loans` and uses in the library; `items` newest first."""

    copy_id: UUID
    loans: int
    in_house_uses: int
    branch_id: UUID | None
    last_seen_at: datetime | None
    items: list[PastLoan]
    next_cursor: str | None = None


class NotOnLoan(Problem):
    status = 409


class CopyLost(Event):
    """A loan has ended because its copy is lost: declared by staff, or (`automatic`) by age."""

    about = "copy_id"
    copy_id: UUID
    book_id: UUID
    loan_id: UUID
    automatic: bool = False
    by: UUID | None = None


class CopyFound(Event):
    """What was lost or missing is there. `loan_id`: the loan that had ended because it was lost."""

    about = "copy_id"
    copy_id: UUID
    book_id: UUID
    loan_id: UUID | None = None
    by: UUID | None = None


class CopyFlagged(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID
    flag: str
    status: CopyStatus
    by: UUID | None = None


class CopyStates(Protocol):
    async def states(self, *, copy_ids: list[UUID]) -> list[CopyState]:
        """Of the copies circulation has met. One it never met is as the catalog made it."""
        ...

    async def has_past(self, *, copy_ids: list[UUID]) -> bool:
        """Was any of these copies ever lent?"""
        ...

    async def history(self, *, copy_id: UUID, window: Window, actor: Actor) -> CopyHistory:
        """The loans of a copy, newest first; of nobody in particular."""
        ...

    async def flag(
        self, *, copy_id: UUID, flag: Flag, raised: bool = True, actor: Actor, now: datetime
    ) -> CopyState:
        """Raises or lowers a flag; `found` lowers lost, missing and claimed-returned."""
        ...
