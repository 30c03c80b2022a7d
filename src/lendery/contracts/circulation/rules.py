"""The rule table."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lendery.contracts.base import (
    Code,
    Input,
    NotFound,
    Page,
    Problem,
    Value,
    Window,
)
from lendery.contracts.permissions import Actor


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
    """Where one parameter's value comes from. No winner: no row matches.

    `number` is the version of the table; null before the first one was saved.
    """

    parameter: str
    value: Any
    winner: Rule | None
    beaten: list[Rule]
    number: int | None = None


class NoSuchRule(NotFound):
    status = 404


class InvalidRule(Problem):
    """The row does not say what its parameter needs; the sentence says what it takes."""

    status = 422


class Rules(Protocol):
    """Rows of the table in force, one at a time; each change saves a version of the table."""

    async def add(self, *, rule: NewRule, actor: Actor, now: datetime) -> Rule: ...
    async def get(self, *, rule_id: UUID, actor: Actor, at: datetime) -> Rule: ...
    async def find(
        self, *, parameter: str | None, window: Window, actor: Actor, at: datetime
    ) -> Page[Rule]:
        """The rows of the table in force at that instant, oldest first."""
        ...

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
        self,
        *,
        branch_id: UUID | None,
        category: str | None,
        item_type: str | None,
        actor: Actor,
        at: datetime,
    ) -> list[Explanation]:
        """By the table that was, is or will be in force at that instant."""
        ...
