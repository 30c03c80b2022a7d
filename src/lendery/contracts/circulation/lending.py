"""Loans and the state of copies."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from lendery.contracts.base import (
    Event,
    Input,
    Instant,
    Line,
    Money,
    NotFound,
    Page,
    Problem,
    RequestKey,
    Value,
    Window,
)
from lendery.contracts.catalog import Barcode, CopyStatus
from lendery.contracts.circulation.claims import ClaimResolution
from lendery.contracts.circulation.holds import Hold
from lendery.contracts.circulation.money import Fine
from lendery.contracts.circulation.undoing import Before
from lendery.contracts.permissions import Actor

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
    """One copy with one patron. `patron_id` is null once the link was cut (retention).

    `claimed_at`: since when the patron says that it was returned; no fine runs from then on.
    `ended_as` says how it ended. `event_id` is told by a check-out: what `POST /undo` takes.
    `accrued` is what it costs if it comes back now: told where a single loan or a page of loans
    is read, while the loan is late. It is not owed before it comes back.
    """

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
    accrued: Money | None = None
    claimed_at: datetime | None = None
    recalled_at: datetime | None = None
    ended_as: Literal["returned", "undone", "lost", "forgiven"] | None = None
    event_id: UUID | None = None


class LoanFilter(Value):
    patron_id: UUID | None = None
    copy_id: UUID | None = None
    book_id: UUID | None = None
    branch_id: UUID | None = None
    status: Literal["open", "overdue", "returned", "recalled"] | None = None


class Borrowed(Value):
    """That a reader has, or had, a copy of a book."""

    patron_id: UUID
    book_id: UUID


class BorrowedTogether(Value):
    """A book that `readers` of the `among` readers who borrowed another have borrowed as well."""

    book_id: UUID
    readers: int
    among: int


class CopyHere(Value):
    """The copy in hand."""

    id: UUID
    barcode: str
    book_id: UUID
    status: CopyStatus
    home_branch_id: UUID


class Return(Value):
    """What to do with a copy that came in. `loan` is null when it was not on loan.

    `hold` is whom it is for now, `fine` what was charged because it came late. `refunded` is what
    was taken back of the charges for a lost copy that is found. `suspended_until`: nothing is lent
    to the patron before, because it came late. `event_id` is what `POST /undo` takes.
    """

    model_config = ConfigDict(
        frozen=True, from_attributes=True, populate_by_name=True, serialize_by_alias=True
    )

    loan: Loan | None
    copy_here: CopyHere = Field(alias="copy")
    next: Literal["shelve", "hold", "transit"]
    to_branch: UUID | None = None
    hold: Hold | None = None
    fine: Fine | None = None
    refunded: Money | None = None
    suspended_until: datetime | None = None
    event_id: UUID | None = None


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


WaivableAtRenewal = Literal[
    "too-many-renewals", "too-early", "suspended", "fines-owed", "card-expired", "overdue"
]


class RenewalRequest(Input):
    """`waive` lists what staff pass over: never another reader's hold, nor a recall."""

    waive: frozenset[WaivableAtRenewal] = frozenset()


class ReturnRequest(Input):
    barcode: Barcode
    branch_id: UUID | None = None
    returned_at: Instant | None = Field(None, description="Back-dated (book drop).")


class CheckOutRefused(Problem):
    """Carries every block found, so that the desk hears all the reasons at once."""

    status = 409


class RenewalRefused(Problem):
    status = 409


class ReturnRefused(Problem):
    status = 409


class NoSuchLoan(NotFound):
    status = 404


class ItemCheckedOut(Event):
    """`borrower` is a random token of this loan; the log never names the patron.

    `policy` is what the loan keeps of the rules, `category` the borrower's, for statistics. Null
    in logs of before they were told. `before` is what undoing it puts back; null: nothing but the
    loan came of it. `lent_at`: when, where that was recorded only later (an offline desk).
    """

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    book_id: UUID
    branch_id: UUID
    borrower: UUID
    due_at: datetime
    waived: tuple[str, ...] = ()
    by: UUID | None = None
    item_type: str | None = None
    home_branch_id: UUID | None = None
    policy: dict[str, Any] | None = None
    before: Before | None = None
    category: str | None = None
    lent_at: datetime | None = None


class LoanRenewed(Event):
    """`automatic`: by itself, as its rules say. `waived`: what staff passed over. `branch_id` is
    where it was lent; null in logs of before that was told. `renewed_at`: when, where that was
    recorded only later (an offline desk)."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    due_at: datetime
    renewals: int
    by: UUID | None = None
    automatic: bool = False
    branch_id: UUID | None = None
    waived: tuple[str, ...] = ()
    renewed_at: datetime | None = None


class LoanMoved(Event):
    """The copy that is out was found to be one of another book, `book_id`."""

    about = "copy_id"
    loan_id: UUID
    copy_id: UUID
    book_id: UUID


class ItemCheckedIn(Event):
    """`loan_id` is null when the copy was not on loan: a shelf check, or (`in_house`) somebody had
    used it in the library.

    `before` is what undoing it puts back; null in logs of before it was told.
    """

    about = "copy_id"
    loan_id: UUID | None
    copy_id: UUID
    book_id: UUID
    branch_id: UUID
    returned_at: datetime
    status: CopyStatus
    by: UUID | None = None
    before: Before | None = None
    in_house: bool = False


class Loans(Protocol):
    async def check_out(
        self, *, request: LoanRequest, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Loan: ...
    async def check(self, *, request: LoanRequest, actor: Actor, now: datetime) -> Blocks:
        """The dry run: every block, nothing lent."""
        ...

    async def renew(
        self,
        *,
        loan_id: UUID,
        actor: Actor,
        now: datetime,
        key: RequestKey | None = None,
        request: RenewalRequest | None = None,
    ) -> Loan: ...
    async def check_in(
        self, *, request: ReturnRequest, actor: Actor, now: datetime, key: RequestKey | None = None
    ) -> Return: ...
    async def resolve_claim(
        self, *, loan_id: UUID, how: ClaimResolution, actor: Actor, now: datetime
    ) -> Loan:
        """Ends a loan of which the patron says that it was returned, and nobody finds it."""
        ...

    async def recall(self, *, loan_id: UUID, actor: Actor, now: datetime) -> Loan:
        """Calls a loan back: it is due sooner, as its rules allow."""
        ...

    async def renew_by_themselves(self, *, now: datetime) -> int:
        """Renews what falls due soon and may renew itself; how many."""
        ...

    async def declare_lost(self, *, now: datetime) -> int:
        """Ends what is late for longer than its rules bear; how many."""
        ...

    async def get(self, *, loan_id: UUID, actor: Actor, now: datetime) -> Loan: ...
    async def find(
        self, *, like: LoanFilter, window: Window, actor: Actor, now: datetime
    ) -> Page[Loan]: ...


class Borrowings(Protocol):
    async def known(self, *, asked: list[Borrowed]) -> list[Borrowed]:
        """Those of the asked that circulation knows of; a loan whose link was cut tells nothing."""
        ...

    async def together(self, *, copy_ids: list[UUID]) -> list[BorrowedTogether]:
        """What else the readers of these copies borrowed, the most frequent first.

        Only what several of them had in common, so that it tells of nobody what they read.
        """
        ...
