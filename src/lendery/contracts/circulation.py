"""What circulation offers its neighbours and the world, and what it announces."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from lendery.contracts.base import (
    Code,
    Event,
    Input,
    Instant,
    Line,
    NotFound,
    Page,
    Problem,
    RequestKey,
    Value,
    Window,
)
from lendery.contracts.catalog import Barcode, CopyStatus
from lendery.contracts.permissions import Actor

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Minute = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Hours = tuple[Minute, Minute]
Flag = Literal["lost", "found", "damaged", "missing", "withdrawn", "claimed-returned"]
BlockCode = Literal[
    "unknown-copy",
    "unknown-card",
    "card-stolen",
    "card-expired",
    "card-long-expired",
    "patron-blocked",
    "suspended",
    "fines-owed",
    "overdue-loans",
    "loan-limit",
    "loan-limit-total",
    "on-loan",
    "already-yours",
    "withdrawn",
    "no-rule",
    "reference-only",
    "damaged",
    "on-hold",
    "age",
    "same-title",
]


class Block(Value):
    """One reason not to lend. Staff may waive it only where `waivable` is true."""

    code: BlockCode
    says: str
    waivable: bool = False


class Blocks(Value):
    """The answer of a dry run: what would stand in the way, and alerts that would not."""

    blocks: list[Block]
    due_at: datetime | None = None


class Loan(Value):
    """One copy with one patron. `patron_id` is null once the link was cut (retention)."""

    id: UUID
    copy_id: UUID
    book_id: UUID
    patron_id: UUID | None
    branch_id: UUID
    lent_at: datetime
    due_at: datetime
    returned_at: datetime | None = None
    renewals: int = 0
    overdue: bool = False


class LoanFilter(Value):
    patron_id: UUID | None = None
    copy_id: UUID | None = None
    book_id: UUID | None = None
    branch_id: UUID | None = None
    status: Literal["open", "overdue", "returned"] | None = None


class CopyState(Value):
    """A copy as circulation knows it, now."""

    copy_id: UUID
    status: CopyStatus
    branch_id: UUID | None = None
    due_at: datetime | None = None


class CopyHere(Value):
    """The copy in hand."""

    id: UUID
    barcode: str
    book_id: UUID
    status: CopyStatus
    home_branch_id: UUID


class Return(Value):
    """What to do with a copy that came in. `loan` is null when it was not on loan."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, populate_by_name=True, serialize_by_alias=True
    )

    loan: Loan | None
    copy_here: CopyHere = Field(alias="copy")
    next: Literal["shelve", "hold", "transit"]
    to_branch: UUID | None = None


class LoanRequest(Input):
    """`waive` lists the codes of waivable blocks that staff pass over; `reason` is recorded.

    Without card and patron a reader borrows for oneself.
    """

    barcode: Barcode
    card_number: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    patron_id: UUID | None = None
    branch_id: UUID | None = None
    waive: frozenset[BlockCode] = frozenset()
    reason: Line | None = None
    renew: bool = False


class ReturnRequest(Input):
    barcode: Barcode
    branch_id: UUID | None = None
    returned_at: Instant | None = Field(None, description="Back-dated (book drop).")


class Branch(Value):
    id: UUID
    code: str
    name: str
    time_zone: str
    address: str | None
    calendar_id: UUID | None
    self_service: bool
    version: int


class NewBranch(Input):
    code: Code
    name: Line
    time_zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"
    address: Line | None = None
    calendar_id: UUID | None = None
    self_service: bool = False


class BranchChanges(Input):
    code: Code | None = None
    name: Line | None = None
    time_zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    address: Line | None = None
    calendar_id: UUID | None = None
    self_service: bool | None = None


class CalendarException(Input):
    """One date that differs. No hours: closed all day."""

    on: date
    hours: tuple[Hours, ...] = ()
    note: Line | None = None


class Calendar(Value):
    """When a branch is open: weekly intervals in local time, dated exceptions.

    A weekday left out is closed. After `valid_until` the calendar has run out, and
    asking it is an error, not a guess.
    """

    id: UUID
    name: str
    weekly: dict[Weekday, tuple[Hours, ...]]
    exceptions: tuple[CalendarException, ...] = ()
    valid_until: date | None = None
    version: int


class NewCalendar(Input):
    name: Line
    weekly: dict[Weekday, tuple[Hours, ...]]
    exceptions: Annotated[tuple[CalendarException, ...], Field(max_length=2000)] = ()
    valid_until: date | None = None


class CalendarChanges(Input):
    name: Line | None = None
    weekly: dict[Weekday, tuple[Hours, ...]] | None = None
    exceptions: Annotated[tuple[CalendarException, ...], Field(max_length=2000)] | None = None
    valid_until: date | None = None


class Rule(Value):
    """One row of the rule table. An empty scope matches any; a null value is 'no limit'."""

    id: UUID
    branch_id: UUID | None
    category: str | None
    item_type: str | None
    parameter: str
    value: Any
    changed_at: datetime
    changed_by: UUID | None
    version: int


class NewRule(Input):
    branch_id: UUID | None = None
    category: Code | None = None
    item_type: Code | None = None
    parameter: Code
    value: Any = None


class RuleChanges(Input):
    value: Any = None


class Explanation(Value):
    """Where one parameter's value comes from. No winner: no row matches."""

    parameter: str
    value: Any
    winner: Rule | None
    beaten: list[Rule]


class CheckOutRefused(Problem):
    """Carries every block found, so that the desk hears all the reasons at once."""

    status = 409


class RenewalRefused(Problem):
    status = 409


class ReturnRefused(Problem):
    status = 409


class NoSuchLoan(NotFound):
    status = 404


class NoSuchBranch(NotFound):
    status = 404


class NoSuchCalendar(NotFound):
    status = 404


class NoSuchRule(NotFound):
    status = 404


class InvalidRule(Problem):
    """The row does not say what its parameter needs; the sentence says what it takes."""

    status = 422


class InvalidCalendar(Problem):
    status = 422


class CalendarHasRunOut(Problem):
    """The calendar ends before the date asked for. Extend it; nothing is guessed."""

    status = 409


class BranchInUse(Problem):
    status = 409


class NotOnLoan(Problem):
    status = 409


class ItemCheckedOut(Event):
    """`borrower` is a random token of this loan; the log never names the patron."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    book_id: UUID
    branch_id: UUID
    borrower: UUID
    due_at: datetime
    waived: tuple[str, ...] = ()
    by: UUID | None = None


class LoanRenewed(Event):
    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    due_at: datetime
    renewals: int
    by: UUID | None = None


class ItemCheckedIn(Event):
    """`loan_id` is null when the copy was not on loan (shelf check)."""

    about = "copy_id"
    loan_id: UUID | None
    copy_id: UUID
    book_id: UUID
    branch_id: UUID
    returned_at: datetime
    status: CopyStatus
    by: UUID | None = None


class CopyFlagged(Event):
    about = "copy_id"
    copy_id: UUID
    book_id: UUID
    flag: str
    status: CopyStatus
    by: UUID | None = None


class Loans(Protocol):
    async def check_out(
        self, *, request: LoanRequest, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Loan: ...
    async def check(self, *, request: LoanRequest, actor: Actor, now: datetime) -> Blocks:
        """The dry run: every block, nothing lent."""
        ...

    async def renew(
        self, *, loan_id: UUID, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Loan: ...
    async def check_in(
        self, *, request: ReturnRequest, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Return: ...
    async def get(self, *, loan_id: UUID, actor: Actor, now: datetime) -> Loan: ...
    async def find(
        self, *, like: LoanFilter, window: Window, actor: Actor, now: datetime
    ) -> Page[Loan]: ...


class CopyStates(Protocol):
    async def states(self, *, copy_ids: list[UUID]) -> list[CopyState]:
        """Of the copies circulation has met. One it never met is as the catalog made it."""
        ...

    async def has_past(self, *, copy_ids: list[UUID]) -> bool:
        """Was any of these copies ever lent?"""
        ...

    async def flag(
        self, *, copy_id: UUID, flag: Flag, raised: bool = True, actor: Actor, now: datetime
    ) -> CopyState:
        """Raises or lowers a flag; `found` lowers lost, missing and claimed-returned."""
        ...


class Branches(Protocol):
    async def add(self, *, branch: NewBranch, actor: Actor, now: datetime) -> Branch: ...
    async def get(self, *, branch_id: UUID) -> Branch: ...
    async def find(self, *, window: Window) -> Page[Branch]: ...
    async def change(
        self,
        *,
        branch_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Branch: ...
    async def remove(
        self, *, branch_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...


class Calendars(Protocol):
    async def add(self, *, calendar: NewCalendar, actor: Actor, now: datetime) -> Calendar: ...
    async def get(self, *, calendar_id: UUID) -> Calendar: ...
    async def find(self, *, window: Window) -> Page[Calendar]: ...
    async def change(
        self,
        *,
        calendar_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Calendar: ...
    async def remove(
        self, *, calendar_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...


class Rules(Protocol):
    async def add(self, *, rule: NewRule, actor: Actor, now: datetime) -> Rule: ...
    async def get(self, *, rule_id: UUID, actor: Actor) -> Rule: ...
    async def find(self, *, parameter: str | None, window: Window, actor: Actor) -> Page[Rule]: ...
    async def change(
        self,
        *,
        rule_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Rule: ...
    async def remove(
        self, *, rule_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...
    async def explain(
        self, *, branch_id: UUID | None, category: str | None, item_type: str | None, actor: Actor
    ) -> list[Explanation]: ...
