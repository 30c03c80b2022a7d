"""What became of each e-mail, and which addresses refuse them."""

from datetime import date, datetime
from typing import Literal, Protocol
from uuid import UUID

from lendery.contracts.base import NotFound, Page, Problem, Value, Window
from lendery.contracts.notices.inbox import Kind
from lendery.contracts.permissions import Actor

MailState = Literal["queued", "sent", "failed", "bounced", "suppressed"]


class Attempt(Value):
    """One try to send. `code` is the SMTP reply, where there was one; its words are not kept."""

    no: int
    at: datetime
    outcome: Literal["sent", "later", "failed", "bounced"]
    code: int | None
    why: str | None


class Mail(Value):
    """An e-mail about one notice, or a digest of several. Neither address nor words are kept.

    `why` says what stood in the way. `attempts` are told where a single mail is read.
    """

    id: UUID
    message_id: str
    patron_id: UUID
    kinds: list[Kind]
    state: MailState
    why: str | None
    tries: int
    digest_on: date | None
    created_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    attempts: list[Attempt] | None = None


class MailFilter(Value):
    patron_id: UUID | None = None
    state: MailState | None = None


class Bounce(Value):
    """The address that this person had refused mail for good, with this reply."""

    patron_id: UUID
    code: int
    at: datetime


class NoSuchMail(NotFound):
    status = 404


class NoSuchBounce(NotFound):
    status = 404


class MailNotFailed(Problem):
    """Only what failed, bounced or was suppressed can be tried again, and no report."""

    status = 409


class MailLog(Protocol):
    async def find(self, *, like: MailFilter, window: Window, actor: Actor) -> Page[Mail]:
        """Newest first."""
        ...

    async def get(self, *, mail_id: UUID, actor: Actor) -> Mail: ...
    async def retry(self, *, mail_id: UUID, actor: Actor, now: datetime) -> Mail: ...
    async def bounces(self, *, window: Window, actor: Actor) -> Page[Bounce]: ...
    async def clear(self, *, patron_id: UUID, actor: Actor, now: datetime) -> None:
        """The address may be tried again."""
        ...
