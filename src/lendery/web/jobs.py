"""What is done by the clock: when, by whom, how it went; and run now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from lendery.contracts.base import Problem
from lendery.contracts.permissions import Permission
from lendery.web.pages import Site, asked, field, go, show, take, visit_of


@dataclass(frozen=True)
class JobPages:
    site: Site

    async def jobs(self, request: Request) -> Response:
        return await self._page(request, None)

    async def _page(self, request: Request, problem: Problem | None) -> Response:
        actor = visit_of(request).must(Permission.READ_JOBS)
        found = await self.site.ports.timetables.find(actor)
        return self.site.page(
            request,
            "jobs.html",
            problem.status if problem else 200,
            found=found,
            started=asked(request, "started", 200),
            may_run=actor.may(Permission.RUN_JOBS),
            here=datetime.now(UTC),
            problem=problem,
        )

    async def run(self, request: Request) -> Response:
        actor, now = visit_of(request).must(Permission.RUN_JOBS), datetime.now(UTC)
        context, _, job = (await field(request, "job", 200)).partition("/")
        try:
            asked_for = await self.site.ports.timetables.run_now(context, job, actor=actor, now=now)
        except Problem as problem:
            if problem.status in (401, 403):
                raise
            return await self._page(request, problem)
        return go(f"/staff/jobs?started={quote(asked_for.name)}#told")


def routes(site: Site) -> APIRouter:
    pages, router = JobPages(site), site.router()
    show(router, "/staff/jobs", pages.jobs)
    take(router, "/staff/jobs", pages.run)
    return router
