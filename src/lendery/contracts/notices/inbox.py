"""What a reader is told, and how the reader wants to be told."""

from datetime import datetime
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import StringConstraints

from lendery.contracts.base import Input, NotFound, Page, Problem, Value, Window
from lendery.contracts.permissions import Actor

Kind = Literal[
    "hold-ready",
    "hold-expiring",
    "hold-expired",
    "hold-cancelled",
    "due-soon",
    "overdue-1",
    "overdue-2",
    "overdue-3",
    "loan-renewed",
    "account-expiring",
    "payment-received",
    "charge-added",
    "report",
]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Notice(Value):
    """One thing a reader is told, as the inbox shows it. `read_at` is null while it is new."""

    id: UUID
    kind: Kind
    subject: str
    body: str
    created_at: datetime
    read_at: datetime | None


class NoticePage(Page[Notice]):
    """Newest first. `unread` counts all that are new; `mail`: are they sent by e-mail too?"""

    unread: int
    mail: bool


class ReadAll(Value):
    """How many were marked as read."""

    read: int


class NoticePreferences(Value):
    """How one reader wants to be told.

    `email` says of each kind that is for them whether it comes by e-mail too: all are in the inbox.
    `required` are those that nobody can switch off. With `digest` what may wait comes once a day in
    one mail.
    Between `quiet_from` and `quiet_until` (local time, over midnight too) none is sent. `language`
    null: the one of the account. `mail`: does this library send e-mail at all? `bounced`: the
    address refused mail for good, and gets none until it is changed.
    """

    email: dict[Kind, bool]
    required: tuple[Kind, ...]
    digest: bool
    quiet_from: ClockTime | None
    quiet_until: ClockTime | None
    language: str | None
    mail: bool
    bounced: bool
    version: int


class PreferenceChanges(Input):
    """What is left out stays; null gives back what the library has. Quiet hours go together."""

    email: dict[Kind, bool] | None = None
    digest: bool | None = None
    quiet_from: ClockTime | None = None
    quiet_until: ClockTime | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] | None = None


class NoSuchNotice(NotFound):
    status = 404


class UnsubscribeLinkInvalid(Problem):
    """This link was not made here, or not whole."""

    status = 404


class Notices(Protocol):
    """The inbox of each reader, and what the library writes by the clock."""

    async def inbox(self, *, unread: bool, window: Window, actor: Actor) -> NoticePage:
        """One's own; with `unread` only the new ones."""
        ...

    async def read(self, *, notice_id: UUID, actor: Actor, now: datetime) -> Notice: ...
    async def read_all(self, *, actor: Actor, now: datetime) -> ReadAll: ...
    async def preferences(self, *, actor: Actor) -> NoticePreferences: ...
    async def prefer(
        self,
        *,
        changes: PreferenceChanges,
        given: frozenset[str],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> NoticePreferences:
        """`given` names the fields that were said."""
        ...

    async def unsubscribing(self, *, token: str) -> list[Kind]:
        """What the link of a mail would switch off; nothing is changed."""
        ...

    async def unsubscribe(self, *, token: str, now: datetime) -> list[Kind]:
        """Switches off what the link names (RFC 8058). Nobody need be signed in."""
        ...
