"""What is done by the clock, over HTTP: a list of all parts, and running a job out of turn."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from lendery.contracts.jobs import PeriodicJob, PeriodicJobs
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import answer
from lendery.platform.http.identity import Needs
from lendery.platform.timetable_list import Timetables

Watcher = Annotated[Actor, Depends(Needs(Permission.READ_JOBS))]
Administrator = Annotated[Actor, Depends(Needs(Permission.RUN_JOBS))]
Name = Annotated[str, Path(pattern=r"^[a-z-]{1,80}$")]


def timetable_routes(timetables: Timetables) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["jobs"])

    @router.get("/jobs/periodic", summary="List jobs by the clock", response_model=PeriodicJobs)
    async def list_periodic_jobs(request: Request, actor: Watcher) -> Response:
        """When each ran last, how that went, when it runs next, and who runs it."""
        return answer(await timetables.find(actor), request)

    @router.post(
        "/jobs/periodic/{context}/{job}/run",
        summary="Run a job now",
        status_code=202,
        response_model=PeriodicJob,
    )
    async def run_periodic_job(
        request: Request, actor: Administrator, context: Name, job: Name
    ) -> Response:
        """Out of turn, by whoever runs it otherwise. Its next time stays as it is."""
        now = datetime.now(UTC)
        shown = await timetables.run_now(context, job, actor=actor, now=now)
        return answer(shown, request, status=202)

    return router
