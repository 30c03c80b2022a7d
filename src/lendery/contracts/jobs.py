"""Work in the background: long work that outlives its request, and what is done by the clock."""

from datetime import datetime, time
from typing import Annotated, Literal, Protocol
from uuid import UUID

from pydantic import Field, WithJsonSchema

from lendery.contracts.base import NotFound, Page, Problem, Value, Window
from lendery.contracts.permissions import Actor

# OpenAPI's format `time` has an offset; this is what the clock on the wall shows.
TimeOfDay = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d:\d\d$", "example": "03:15:00"})
]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled")


class Job(Value):
    """`progress` runs from 0 to 1; `about` is what it works on (an undo: the import)."""

    id: UUID
    kind: str
    state: JobState
    progress: float = Field(ge=0, le=1)
    counts: dict[str, int]
    error: str | None
    attempts: int = Field(description="How often it was begun: once more after each interruption.")
    cancel_asked: bool
    about: UUID | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


SlotState = Literal["waiting", "running", "done", "failed"]


class SlotRun(Value):
    """What was done about one of a job's times. `id` is in every line of the log about it."""

    id: UUID
    slot_at: datetime = Field(description="The time it was due, or asked for.")
    state: SlotState
    attempts: int = Field(description="How often it was begun.")
    ran_by: Literal["process", "celery"] | None
    began_at: datetime | None
    ended_at: datetime | None
    seconds: float | None = Field(description="How long the last attempt took.")
    error: str | None = Field(description="Of a failure: its type, and what may be said of it.")
    again_at: datetime | None = Field(description="Of a failure: when it is tried again.")


class PeriodicJob(Value):
    """What a part of the library does by the clock. `last` has ended, `now` has not."""

    context: str
    job: str
    name: str
    every_seconds: float
    at: TimeOfDay | None = Field(description="The time of the day, in `time_zone`.")
    time_zone: str
    runs_in: Literal["process", "celery"]
    next_at: datetime = Field(description="In the past: it is due, and nobody has begun.")
    last: SlotRun | None
    now: SlotRun | None


class PeriodicJobs(Value):
    """`unreachable` are the parts that did not answer."""

    items: list[PeriodicJob]
    unreachable: list[str]


class NoSuchJob(NotFound):
    status = 404


class JobHasEnded(Problem):
    """What is done, failed or cancelled can no longer be stopped."""

    status = 409


class JobIsRunning(Problem):
    """It is being done at this moment."""

    status = 409


class Timetable(Protocol):
    """What a part does by the clock."""

    async def find(self, *, context: str, actor: Actor) -> list[PeriodicJob]: ...
    async def run_now(self, *, context: str, job: str, actor: Actor, now: datetime) -> PeriodicJob:
        """Asks for it out of turn. Asked for twice before it begins, it is done once."""
        ...


class Jobs(Protocol):
    async def get(self, *, job_id: UUID, actor: Actor) -> Job: ...
    async def find(
        self,
        *,
        window: Window,
        actor: Actor,
        kind: str | None = None,
        state: JobState | None = None,
    ) -> Page[Job]:
        """The newest first."""
        ...

    async def cancel(self, *, job_id: UUID, actor: Actor, now: datetime) -> Job:
        """What waits is cancelled at once; what runs stops after what it has in hand."""
        ...
