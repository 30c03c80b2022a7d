"""Branches and their calendars."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field, StringConstraints

from lendery.contracts.base import (
    Code,
    Input,
    Line,
    NotFound,
    Page,
    Problem,
    Value,
    Window,
)
from lendery.contracts.permissions import Actor

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


Minute = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


Hours = tuple[Minute, Minute]


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


class NoSuchBranch(NotFound):
    status = 404


class NoSuchCalendar(NotFound):
    status = 404


class InvalidCalendar(Problem):
    status = 422


class CalendarHasRunOut(Problem):
    """The calendar ends before the date asked for. Extend it; nothing is guessed."""

    status = 409


class BranchInUse(Problem):
    status = 409


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
