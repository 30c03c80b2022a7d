"""What is known about a person, and how it ends: export, erasure, and who looked at whom."""

from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from lendery.contracts.base import Page, Problem, Value, Window
from lendery.contracts.permissions import Actor

Fate = Literal["erased", "unlinked"]


class Holding(Value):
    """So many rows of one kind that lead to a person, and what an erasure makes of them.

    `erased`: they go, or lose all that is personal. `unlinked`: they stay without the person,
    for the reason in `why`.
    """

    what: str
    rows: int
    fate: Fate
    why: str | None = None


class Obstacle(Value):
    """Why a person cannot be erased yet.

    Codes: open-loans, ready-holds, owes-money, credit, blocked, suspended. With `staff_may` it
    only stands against the person's own wish.
    """

    code: str
    says: str
    staff_may: bool = False


class Part(Value):
    """How far a part of the library has come: `pending` while rows in `left` lead to the person.

    `unreachable`: it did not answer when it was asked; it erases when it is back. `held` is what
    there was before, null where that could not be asked.
    """

    context: str
    state: Literal["done", "pending", "unreachable"]
    held: list[Holding] | None = None
    left: list[Holding] = []


class Erasure(Value):
    """`done` when no part holds anything that leads to the person.

    `finished_at` is when it was closed: two hours after it was asked for at the earliest, since a
    request of the person may be on its way until then. It is null again when something was found.
    """

    user_id: UUID
    state: Literal["done", "pending"]
    asked_at: datetime
    asked_by: UUID | None
    finished_at: datetime | None
    parts: list[Part]


class Lookup(Value):
    """A member of staff looked at a person.

    `what`: record, card, search, loans, holds, account, export. `why` as they said it, if they did.
    """

    id: UUID
    at: datetime
    by: UUID
    what: str
    why: str | None = None
    context: str


class PersonExport(Value):
    """All that is held about a person: of each part of the library, rows by what they are.

    `books` names the books that rows speak of by `book_id`. Instants are RFC 3339 UTC, money is in
    minor units.
    """

    user_id: UUID
    made_at: datetime
    records: dict[str, dict[str, list[dict[str, Any]]]]
    books: list[dict[str, Any]] = []


class ErasureRefused(Problem):
    """Something is still open between this person and the library: `obstacles` says what."""

    status = 409


class PersonalData(Protocol):
    """What one part of the library holds about a person. Asked for by accounts."""

    async def holdings(self, *, context: str, patron_id: UUID) -> list[Holding]:
        """What leads to the person; empty when nothing does."""
        ...

    async def records(
        self, *, context: str, patron_id: UUID
    ) -> dict[str, list[dict[str, Any]]]: ...
    async def obstacles(
        self, *, context: str, patron_id: UUID, now: datetime
    ) -> list[Obstacle]: ...
    async def lookups(
        self, *, context: str, patron_id: UUID, before: UUID | None, most: int
    ) -> list[Lookup]:
        """The newest first, older than the one named."""
        ...


class Privacy(Protocol):
    """A person's own affair, or that of staff who may."""

    async def export(self, *, user_id: UUID, actor: Actor, now: datetime) -> PersonExport: ...
    async def erase(self, *, user_id: UUID, actor: Actor, now: datetime) -> Erasure:
        """Raises ErasureRefused, NoSuchUser, LastAdmin. Once asked for, it is told again."""
        ...

    async def erasure(self, *, user_id: UUID, actor: Actor) -> Erasure:
        """How far it is. Raises NotFound when nobody asked for it."""
        ...

    async def finish(self, *, now: datetime) -> int:
        """Closes the erasures that are complete and old enough; in how many something is left."""
        ...

    async def lookups(self, *, user_id: UUID, actor: Actor, window: Window) -> Page[Lookup]:
        """The newest first."""
        ...
