"""Reports over REST: which there are, and one of them in the form that is wanted."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reports import Asked, Per, Report, ReportInfo, ReportName, Reports
from lendery.platform.http.answers import PageWindow, items_answer, page_answer
from lendery.platform.http.identity import Needs

Counting = Annotated[Actor, Depends(Needs(Permission.READ_REPORTS))]


async def asked(
    name: Annotated[ReportName, Path()],
    since: Annotated[date | None, Query(alias="from", description="The first day.")] = None,
    until: Annotated[
        date | None, Query(alias="to", description="The last day; left out: today.")
    ] = None,
    branch_id: UUID | None = None,
    sort: Annotated[
        str | None,
        Query(max_length=40, description="A column; with `-` before it, the largest first."),
    ] = None,
    threshold: Annotated[
        int, Query(ge=1, le=1_000, description="hold-ratios: waiting holds one copy may have.")
    ] = 3,
    months: Annotated[int, Query(ge=1, le=600, description="dead-stock: how long.")] = 24,
    per: Annotated[Per, Query(description="collection-age: by year or by decade.")] = "decade",
) -> Asked:
    return Asked(
        name=name,
        since=since,
        until=until,
        branch_id=branch_id,
        sort=sort,
        threshold=threshold,
        months=months,
        per=per,
    )


def routes(reports: Reports) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["reports"])

    @router.get("/reports", summary="List the reports", response_model=Page[ReportInfo])
    async def list_reports(request: Request, actor: Counting) -> Response:
        """What each tells, what it can be asked with, and its columns."""
        return items_answer(await reports.listed(actor=actor), request)

    @router.get("/reports/{name}", summary="Read a report", response_model=Report)
    async def read_report(
        request: Request,
        actor: Counting,
        wanted: Annotated[Asked, Depends(asked)],
        window: PageWindow,
    ) -> Response:
        now = datetime.now(UTC)
        report = await reports.read(asked=wanted, window=window, actor=actor, as_of=now)
        return page_answer(report, request)

    return router
