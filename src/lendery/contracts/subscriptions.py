"""What reports offers to be mailed by the clock: a report, how often, and in which form."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field, StringConstraints

from lendery.contracts.base import Input, NotFound, Page, Problem, Value, Window
from lendery.contracts.permissions import Actor
from lendery.contracts.reports import Per, ReportName

MailedForm = Literal["csv", "xlsx", "pdf", "svg"]
Rhythm = Literal["day", "week", "month"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DayOfMonth = Annotated[int, Field(ge=1, le=28)] | Literal["last"]
Hour = Annotated[int, Field(ge=0, le=23)]
Order = Annotated[str, StringConstraints(max_length=40)]
Threshold = Annotated[int, Field(ge=1, le=1_000)]
Months = Annotated[int, Field(ge=1, le=600)]


class NewSubscription(Input):
    """`every` day it tells of yesterday, every week, on a `weekday`, of the last whole week (from
    Monday), every month, on a `day`, of the last whole month.

    `hour` is of the branch's clock; without a branch of the library's.
    """

    report: ReportName
    form: MailedForm
    every: Rhythm
    weekday: Weekday | None = None
    day: DayOfMonth | None = None
    hour: Hour
    branch_id: UUID | None = None
    sort: Order | None = None
    threshold: Threshold = 3
    months: Months = 24
    per: Per = "decade"


class SubscriptionChanges(Input):
    """What is left out stays; null empties where the field may be empty."""

    report: ReportName | None = None
    form: MailedForm | None = None
    every: Rhythm | None = None
    weekday: Weekday | None = None
    day: DayOfMonth | None = None
    hour: Hour | None = None
    branch_id: UUID | None = None
    sort: Order | None = None
    threshold: Threshold | None = None
    months: Months | None = None
    per: Per | None = None


class Subscription(Value):
    """`next_at` is when it is mailed next."""

    id: UUID
    owner_id: UUID
    report: ReportName
    form: MailedForm
    every: Rhythm
    weekday: Weekday | None
    day: DayOfMonth | None
    hour: int
    branch_id: UUID | None
    sort: str | None
    threshold: int
    months: int
    per: Per
    next_at: datetime
    created_at: datetime
    version: int


class SentReport(Value):
    """The mail that is on its way. `attached` is false where the report is too long for it."""

    mail_id: UUID
    since: date
    until: date
    attached: bool


class NoSuchSubscription(NotFound):
    status = 404


class TooManySubscriptions(Problem):
    """One person may have `most` of them."""

    status = 409


class Subscriptions(Protocol):
    """One's own; those of others are as if they were not there."""

    async def find(self, *, window: Window, actor: Actor) -> Page[Subscription]:
        """Oldest first."""
        ...

    async def get(self, *, subscription_id: UUID, actor: Actor) -> Subscription: ...
    async def add(
        self, *, subscription: NewSubscription, actor: Actor, now: datetime
    ) -> Subscription:
        """Raises Invalid for a form or an order that the report does not have, and for a rhythm
        without its day."""
        ...

    async def change(
        self,
        *,
        subscription_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Subscription: ...
    async def remove(
        self, *, subscription_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None: ...
    async def send(self, *, subscription_id: UUID, actor: Actor, now: datetime) -> SentReport:
        """Mails the last period now, to try it; what is due is mailed all the same.

        Raises NoMailServer.
        """
        ...
