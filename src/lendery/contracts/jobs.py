"""Long work that outlives the request that asked for it: a row says how far it has come."""

from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from pydantic import Field

from lendery.contracts.base import NotFound, Page, Problem, Value, Window
from lendery.contracts.permissions import Actor

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


class NoSuchJob(NotFound):
    status = 404


class JobHasEnded(Problem):
    """What is done, failed or cancelled can no longer be stopped."""

    status = 409


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
