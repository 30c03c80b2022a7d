"""Offline desks: what a desk did without a connection, signed and in order, and what became of it.

A desk is registered while it is online and gets a key. What it does offline it writes down with its
own clock, a number, and a signature that covers the one before; `canonical` in
`circulation/rules/offline.py` is what is signed.
"""

from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from lendery.contracts.base import (
    Event,
    Input,
    Instant,
    Line,
    NotFound,
    Page,
    Problem,
    Value,
    Window,
)
from lendery.contracts.catalog import Barcode
from lendery.contracts.circulation.lending import BlockCode
from lendery.contracts.permissions import Actor

OfflineKind = Literal["check-in", "renewal", "check-out"]
OfflineCode = (
    BlockCode
    | Literal[
        "no-due-date",
        "lent-since",
        "seen-since",
        "kept-for-hold",
        "to-send",
        "not-on-loan",
        "claimed-returned",
        "too-many-renewals",
        "too-early",
        "overdue",
        "recalled",
        "not-later",
    ]
)
Proposal = Literal["look", "correct", "fetch", "renew", "dismiss"]
Settlement = Literal["accept", "record", "dismiss"]
ConflictState = Literal["open", "settled"]
Refusal = Literal[
    "revoked",
    "gap",
    "out-of-order",
    "bad-signature",
    "changed",
    "id-used",
    "batch-changed",
    "ahead-of-time",
    "before-registration",
]
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
OfflineCard = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]


def _in_milliseconds(at: datetime) -> datetime:
    if at.microsecond % 1000:
        raise ValueError("Milliseconds are signed, and nothing finer.")
    return at


class NewOfflineDesk(Input):
    """`branch_id`: where it stands; without it the desk of whoever registers it.

    `replaces`: a desk of that branch that was revoked. The new one may also send what happened
    since that one was registered and was not taken from it.
    """

    name: Line
    branch_id: UUID | None = None
    replaces: UUID | None = None


class OfflineDesk(Value):
    """`next_sequence` is the number of what it sends next, `head` the signature that is covered by
    the next one (null: it sent nothing yet). Of a desk that replaces another `registered_at` is
    when that one was registered: nothing older is taken."""

    id: UUID
    name: str
    branch_id: UUID
    registered_at: datetime
    registered_by: UUID | None
    revoked_at: datetime | None = None
    next_sequence: int = 1
    head: str | None = None


class RegisteredOfflineDesk(OfflineDesk):
    """`key`: 32 bytes as hex, told this once."""

    key: str


class OfflineTransaction(Input):
    """What a desk did. `at` by its own clock, in milliseconds; `signature`: HMAC-SHA-256 as hex."""

    id: UUID
    sequence: int = Field(ge=1, le=2**31 - 1)
    at: Annotated[Instant, AfterValidator(_in_milliseconds)]
    kind: OfflineKind
    barcode: Barcode
    card_number: OfflineCard | None = Field(None, description="Of a check-out, and only of that.")
    signature: Signature

    @model_validator(mode="after")
    def _has_a_card_where_needed(self) -> "OfflineTransaction":
        if (self.card_number is not None) != (self.kind == "check-out"):
            raise ValueError("A check-out says card_number, and nothing else does.")
        return self


class NewOfflineBatch(Input):
    """Up to 100 transactions of one desk, in order. Sent again it has no further effect."""

    id: UUID
    desk_id: UUID
    transactions: Annotated[tuple[OfflineTransaction, ...], Field(min_length=1, max_length=100)]


class OfflineResult(Value):
    """What became of a transaction. `recorded`: loans or copies are as it says.

    `conflicts` are the codes of what nobody at the desk could know; `GET /offline/conflicts/{id}`
    of the same id says more. `next` and `to_branch`: where a copy that came in belongs.
    """

    id: UUID
    sequence: int
    kind: OfflineKind
    happened_at: datetime
    recorded: bool
    conflicts: tuple[OfflineCode, ...] = ()
    loan_id: UUID | None = None
    next: Literal["shelve", "hold", "transit"] | None = None
    to_branch: UUID | None = None


class OfflineBatch(Value):
    """`complete`: all of it was dealt with. If not, send it again and it goes on; unless its desk
    was revoked, for then a desk that replaces it sends what was not taken."""

    id: UUID
    desk_id: UUID
    first_sequence: int
    last_sequence: int
    received_at: datetime
    received_by: UUID | None
    complete: bool


class OfflineBatchResult(OfflineBatch):
    results: list[OfflineResult]


class OfflineReason(Value):
    code: OfflineCode
    says: str


class OfflineConflict(Value):
    """What a desk did and could not know. Its id is that of the transaction.

    `recorded`: it stands as it happened, and rules were passed over. If not, somebody has to put
    it right, or dismiss it. `proposal` and `what_to_do` say what seems best. `card_number` is told
    while nobody is known by it, and patron and card while it is open.
    """

    id: UUID
    desk_id: UUID
    batch_id: UUID
    sequence: int
    kind: OfflineKind
    happened_at: datetime
    recorded: bool
    reasons: tuple[OfflineReason, ...]
    proposal: Proposal
    what_to_do: str
    barcode: str
    loan_id: UUID | None = None
    copy_id: UUID | None = None
    patron_id: UUID | None = None
    card_number: str | None = None
    state: ConflictState
    settled_as: Settlement | None = None
    settled_at: datetime | None = None
    settled_by: UUID | None = None
    reason: str | None = None


class OfflineConflictFilter(Value):
    state: ConflictState | None = None
    desk_id: UUID | None = None


class SettleConflict(Input):
    """`accept`: it was recorded, and that is well. `record`: it was not, and is now, with barcode
    and card put right if they were wrong. `dismiss`: it was not and will not be; says why.

    The others say why where they pass over what nobody may waive at a desk."""

    how: Settlement
    reason: Line | None = None
    barcode: Barcode | None = None
    card_number: OfflineCard | None = None


class NoSuchOfflineDesk(NotFound):
    status = 404


class NoSuchOfflineBatch(NotFound):
    status = 404


class NoSuchOfflineConflict(NotFound):
    status = 404


class OfflineRefused(Problem):
    """A batch was not taken and nothing changed. `reason` says why as a code, `sequence` at which
    transaction, `expected` the number that was to come."""

    status = 409


class ConflictNotSettled(Problem):
    """`reason` says why as a code: `recorded`, `not-recorded`, `settled-before`, or `in-the-way`
    with the `codes` of what still is."""

    status = 409


class OfflineDeskRegistered(Event):
    about = "desk_id"
    desk_id: UUID
    branch_id: UUID
    by: UUID | None = None
    replaces: UUID | None = None


class OfflineDeskRevoked(Event):
    about = "desk_id"
    desk_id: UUID
    by: UUID | None = None


class OfflineTransactionTaken(Event):
    """What a desk did offline was taken over. `recorded`: with effect; what that was is told by
    events of its own. `conflicts` are codes."""

    about = "desk_id"
    desk_id: UUID
    batch_id: UUID
    transaction_id: UUID
    sequence: int
    kind: OfflineKind
    happened_at: datetime
    recorded: bool
    conflicts: tuple[str, ...] = ()
    loan_id: UUID | None = None
    copy_id: UUID | None = None
    branch_id: UUID | None = None
    by: UUID | None = None


class OfflineConflictSettled(Event):
    about = "desk_id"
    desk_id: UUID
    transaction_id: UUID
    settled_as: Settlement
    loan_id: UUID | None = None
    by: UUID | None = None


class OfflineDesks(Protocol):
    async def register(
        self, *, desk: NewOfflineDesk, actor: Actor, now: datetime
    ) -> RegisteredOfflineDesk:
        """Raises Invalid where there is no such branch, or none is said, and where what it is to
        replace was not revoked or stood elsewhere."""
        ...

    async def revoke(self, *, desk_id: UUID, actor: Actor, now: datetime) -> OfflineDesk:
        """From now on nothing is taken from it, not even what it did before. Raises NotFound."""
        ...

    async def desk(self, *, desk_id: UUID, actor: Actor) -> OfflineDesk: ...
    async def desks(self, *, window: Window, actor: Actor) -> Page[OfflineDesk]:
        """Newest first."""
        ...


class OfflineBatches(Protocol):
    async def upload(
        self, *, batch: NewOfflineBatch, actor: Actor, now: datetime
    ) -> OfflineBatchResult:
        """Takes what a desk did, in order, each with its own effect at its own time.

        Raises OfflineRefused, and then nothing of the batch is taken.
        """
        ...

    async def batch(self, *, batch_id: UUID, actor: Actor) -> OfflineBatchResult: ...
    async def batches(
        self, *, desk_id: UUID | None = None, window: Window, actor: Actor
    ) -> Page[OfflineBatch]:
        """Newest first."""
        ...


class OfflineConflicts(Protocol):
    async def conflict(self, *, conflict_id: UUID, actor: Actor) -> OfflineConflict: ...
    async def conflicts(
        self, *, like: OfflineConflictFilter, window: Window, actor: Actor
    ) -> Page[OfflineConflict]:
        """In the order in which they came."""
        ...

    async def settle(
        self, *, conflict_id: UUID, settle: SettleConflict, actor: Actor, now: datetime
    ) -> OfflineConflict:
        """Raises ConflictNotSettled, and Invalid where a reason is missing.

        Settled the same way again, it answers the same.
        """
        ...
