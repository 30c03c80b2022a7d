"""Trying a rule table out: past transactions replayed against a draft."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field

from lendery.contracts.base import Input, Instant, Page, Value, Window
from lendery.contracts.circulation.rule_versions import MOST_ROWS, RuleText
from lendery.contracts.circulation.rules import NewRule
from lendery.contracts.jobs import JobState
from lendery.contracts.permissions import Actor

DifferenceKind = Literal["due-date", "block", "fine", "undecidable"]
Transaction = Literal["check-out", "renewal", "check-in"]


class RuleDraft(Input):
    """A rule table to try, as `rows`, as `text` or as a `version` that was saved, and when."""

    rows: Annotated[list[NewRule], Field(max_length=MOST_ROWS)] | None = None
    text: RuleText | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    since: Instant = Field(description="Loans that began from then on ...")
    until: Instant | None = Field(None, description="... and before then; default: now.")


class Simulation(Value):
    """`counts`: check_outs, renewals and check_ins looked at; due_dates, blocks, fines and
    undecidable that differ; fines_were and fines_would_be in minor units, of loans returned."""

    id: UUID
    state: JobState
    progress: float
    since: datetime
    until: datetime
    counts: dict[str, int]
    error: str | None
    created_at: datetime
    ended_at: datetime | None


class Difference(Value):
    """One thing that would have been otherwise.

    | kind | `was`, `would_be` |
    |---|---|
    | due-date | `due_at` |
    | block | `blocks`: codes that were waived, and those that would stand |
    | fine | `amount` in minor units, for all lateness of the loan |
    | undecidable | `blocks` that were waived; `codes` that need who borrowed it |

    `certain` is false where the past cannot be worked out again as it was: the card or the
    calendar has changed since, or who borrowed it was cut off.
    """

    no: int
    kind: DifferenceKind
    event: Transaction
    at: datetime
    loan_id: UUID
    copy_id: UUID
    branch_id: UUID
    category: str | None
    item_type: str
    was: dict[str, Any]
    would_be: dict[str, Any]
    certain: bool


class Simulations(Protocol):
    async def start(self, *, draft: RuleDraft, actor: Actor, now: datetime) -> Simulation:
        """A job. Raises Invalid, InvalidRuleTable, NoSuchRuleVersion."""
        ...

    async def get(self, *, simulation_id: UUID, actor: Actor) -> Simulation: ...
    async def find(self, *, window: Window, actor: Actor) -> Page[Simulation]:
        """The newest first."""
        ...

    async def differences(
        self, *, simulation_id: UUID, kind: DifferenceKind | None, window: Window, actor: Actor
    ) -> Page[Difference]:
        """In the order in which they were found, so far."""
        ...

    async def cancel(self, *, simulation_id: UUID, actor: Actor, now: datetime) -> Simulation: ...
