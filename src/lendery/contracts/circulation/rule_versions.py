"""The rule table as a whole: its versions, its text form, and what is odd about it."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field, StringConstraints

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
from lendery.contracts.circulation.rules import NewRule, Rule
from lendery.contracts.permissions import Actor

MOST_ROWS = 5_000
RuleText = Annotated[str, StringConstraints(max_length=1_000_000)]
VersionState = Literal["planned", "in-force", "past"]


class NewRuleTable(Input):
    """A whole table. Without `valid_from` it is in force at once."""

    rows: Annotated[list[NewRule], Field(max_length=MOST_ROWS)]
    valid_from: Instant | None = Field(None, description="An instant to come.")
    comment: Line | None = Field(None, description="Why: for whoever reads the history.")


class Restoring(Input):
    valid_from: Instant | None = Field(None, description="An instant to come; default: at once.")
    comment: Line | None = None


class RuleVersion(Value):
    """One saved table. Of those whose time has come the one with the latest `valid_from` is in
    force; of two with the same, the one saved later. `size` is the number of its rows."""

    number: int
    valid_from: datetime
    state: VersionState
    saved_at: datetime
    saved_by: UUID | None
    comment: str | None
    restored_from: int | None
    size: int


class RuleVersionRows(RuleVersion):
    rows: list[Rule]


class RuleDifference(Value):
    """How one row differs between two tables. `added` has no `was`, `removed` no `becomes`."""

    kind: Literal["added", "removed", "changed"]
    branch_id: UUID | None
    category: str | None
    item_type: str | None
    parameter: str
    was: Any = None
    becomes: Any = None


class RuleFinding(Value):
    """What is odd about a table. An error refuses it; a warning is told and the table saved.

    `pointer` leads to the row in JSON, `line` and `column` (from 1) to its place in the text.
    """

    severity: Literal["error", "warning"]
    code: str
    says: str
    pointer: str | None = None
    line: int | None = None
    column: int | None = None


class RuleTableText(Value):
    """A version in the form for review and version control; `number` 0: none was saved yet."""

    number: int
    text: str


class SavedRules(Value):
    """`version` is null after a dry run. What says the same as the table in force saves nothing,
    and `version` is that one."""

    version: RuleVersion | None
    findings: list[RuleFinding]


class NoSuchRuleVersion(NotFound):
    status = 404


class InvalidRuleTable(Problem):
    """The table was not saved; `errors` lead to each row, or line and column, that is wrong."""

    status = 422


class RuleTableSaved(Event):
    """A version of the rule table. `digest` is the SHA-256 of its rows as they are kept."""

    about = "version_id"
    version_id: UUID
    number: int
    valid_from: datetime
    size: int
    digest: str
    restored_from: int | None = None
    by: UUID | None = None


class RuleVersions(Protocol):
    async def save(
        self,
        *,
        table: NewRuleTable,
        actor: Actor,
        now: datetime,
        number: int | None = None,
        dry_run: bool = False,
    ) -> SavedRules:
        """Replaces the table in force, which must still be version `number` where that is given.

        Raises InvalidRuleTable, Stale.
        """
        ...

    async def save_text(
        self,
        *,
        text: RuleText,
        valid_from: datetime | None = None,
        comment: str | None = None,
        actor: Actor,
        now: datetime,
        number: int | None = None,
        dry_run: bool = False,
    ) -> SavedRules: ...
    async def text(self, *, number: int | None, actor: Actor, at: datetime) -> RuleTableText:
        """None: the one in force."""
        ...

    async def find(self, *, window: Window, actor: Actor, at: datetime) -> Page[RuleVersion]:
        """The newest first."""
        ...

    async def get(self, *, number: int | None, actor: Actor, at: datetime) -> RuleVersionRows:
        """None: the one in force. Raises NoSuchRuleVersion."""
        ...

    async def differences(
        self, *, number: int, since: int | None, actor: Actor
    ) -> list[RuleDifference]:
        """What version `number` says otherwise than `since` (None: than the one before it)."""
        ...

    async def restore(
        self, *, number: int, wanted: Restoring, actor: Actor, now: datetime
    ) -> SavedRules:
        """A new version with the rows of an old one."""
        ...
