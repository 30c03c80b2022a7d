"""Long jobs over HTTP: how far they are, and stopping them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.jobs import Job, Jobs, JobState
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import PageWindow, answer, page_answer
from lendery.platform.http.identity import Needs

Watcher = Annotated[Actor, Depends(Needs(Permission.READ_JOBS))]
Importer = Annotated[Actor, Depends(Needs(Permission.RUN_IMPORTS))]
KIND = Query(pattern=r"^[a-z-]{1,40}$")


def job_routes(jobs: Jobs) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["jobs"])

    @router.get("/jobs", summary="List long jobs", response_model=Page[Job])
    async def list_jobs(
        request: Request,
        actor: Watcher,
        window: PageWindow,
        kind: Annotated[str | None, KIND] = None,
        state: JobState | None = None,
    ) -> Response:
        """The newest first: imports, their undoing, exports."""
        page = await jobs.find(window=window, actor=actor, kind=kind, state=state)
        return page_answer(page, request)

    @router.get("/jobs/{job_id}", summary="One long job", response_model=Job)
    async def read_job(request: Request, actor: Watcher, job_id: UUID) -> Response:
        return answer(await jobs.get(job_id=job_id, actor=actor), request)

    @router.post("/jobs/{job_id}/cancel", summary="Stop a long job", response_model=Job)
    async def cancel_job(request: Request, actor: Importer, job_id: UUID) -> Response:
        """What it did so far stays. An import that was stopped can be undone."""
        now = datetime.now(UTC)
        return answer(await jobs.cancel(job_id=job_id, actor=actor, now=now), request)

    return router
