"""Cash sessions: the money of one desk, from its float to its count at the end of the day.

A session is made of lines of the ledger. Amounts are as the desk sees them: what was taken is
above zero, what was paid back or undone below.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from lendery.contracts.base import (
    Amount,
    Event,
    Input,
    Money,
    NotFound,
    Page,
    Problem,
    RequestKey,
    Value,
    Window,
)
from lendery.contracts.circulation.money import DeskName, Method
from lendery.contracts.permissions import Actor

CashKind = Literal["payment", "refund", "reversal"]


class CashTotal(Value):
    """So many lines of one kind, settled in one way, and their sum."""

    kind: CashKind
    method: Method
    count: int
    amount: Money


class CashSession(Value):
    """`expected` is the float and what came and went in cash; `difference` what was counted less
    that, below zero when money is missing. Both `counted` and `difference` are null while it is
    open. Once closed nothing of it changes."""

    id: UUID
    branch_id: UUID
    desk: str
    opened_at: datetime
    opened_by: UUID | None
    opening_float: Money
    totals: Sequence[CashTotal] = ()
    expected: Money
    closed_at: datetime | None = None
    closed_by: UUID | None = None
    counted: Money | None = None
    difference: Money | None = None


class CashLine(Value):
    """A line of the ledger, without whose it is."""

    id: UUID
    kind: CashKind
    method: Method
    amount: Money
    fine_id: UUID | None
    settlement_id: UUID | None
    reverses: UUID | None
    at: datetime
    by: UUID | None


class DeskDay(Value):
    """What was settled at one desk on one day; `cash` is what came in and did not go out again.

    `sessions` are those that were open on that day, each as a whole.
    """

    branch_id: UUID
    desk: str
    totals: Sequence[CashTotal]
    cash: Money
    sessions: Sequence[CashSession]


class BranchDay(Value):
    """The sum of its desks."""

    branch_id: UUID
    totals: Sequence[CashTotal]
    cash: Money


class CashDay(Value):
    """A day of each branch by its own clock. `outside` was settled where no session was open: it
    has no branch, its day is that of UTC, and it is told when no branch was asked for."""

    on: date
    branch_id: UUID | None = None
    desks: Sequence[DeskDay]
    branches: Sequence[BranchDay]
    outside: Sequence[CashTotal]


class NewCashSession(Input):
    """Without `branch_id` the branch where the member of staff works."""

    branch_id: UUID | None = None
    desk: DeskName
    opening_float: Amount


class CashCount(Input):
    """What lies in the drawer, the float too."""

    counted: Amount


class CashSessionFilter(Value):
    branch_id: UUID | None = None
    desk: DeskName | None = None
    open: bool | None = None


class NoSuchCashSession(NotFound):
    status = 404


class CashSessionRefused(Problem):
    """Nothing was opened or closed. `reason` says why as a code."""

    status = 409


class CashSessionOpened(Event):
    """Amounts are minor units of `currency`."""

    about = "session_id"
    session_id: UUID
    branch_id: UUID
    desk: str
    opening_float: int
    currency: str
    by: UUID | None = None


class CashSessionClosed(Event):
    """`expected`: the float and all cash of the session; `counted`: what lay there."""

    about = "session_id"
    session_id: UUID
    branch_id: UUID
    desk: str
    expected: int
    counted: int
    currency: str
    by: UUID | None = None


class CashSessions(Protocol):
    """The drawers of the desks."""

    async def open(
        self,
        *,
        opening: NewCashSession,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> CashSession:
        """Raises CashSessionRefused where one is open at this desk."""
        ...

    async def close(
        self,
        *,
        session_id: UUID,
        count: CashCount,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
    ) -> CashSession: ...
    async def get(self, *, session_id: UUID, actor: Actor) -> CashSession: ...
    async def find(
        self, *, like: CashSessionFilter, window: Window, actor: Actor
    ) -> Page[CashSession]:
        """The newest first."""
        ...

    async def lines(self, *, session_id: UUID, window: Window, actor: Actor) -> Page[CashLine]:
        """In the order in which they were written."""
        ...

    async def day(
        self, *, on: date | None, branch_id: UUID | None, actor: Actor, now: datetime
    ) -> CashDay:
        """Without `on` today, by the clock of that branch, or UTC."""
        ...
