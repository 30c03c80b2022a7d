"""Which reports there are, and one of them in the form that is wanted."""

import asyncio
import re
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from lendery.contracts.base import Page, Window
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.reports import Asked, Form, Per, Report, ReportInfo, Reports
from lendery.platform.http.answers import JSON, PageWindow, items_answer, page_answer
from lendery.platform.http.identity import Needs
from lendery.reports.forms import MEDIA, file_name, made, many_for

BY_MEDIA: dict[str, Form] = {media.split(";")[0]: form for form, media in MEDIA.items()}
WEIGHT = re.compile(r"[01](\.\d{0,3})?")
Counting = Annotated[Actor, Depends(Needs(Permission.READ_REPORTS))]


async def asked(
    name: Annotated[str, Path(max_length=64, examples=["loans-by-day"])],
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


def wanted_form(
    request: Request,
    form: Annotated[
        Form | None, Query(alias="format", description="Left out: what `Accept` prefers, or JSON.")
    ] = None,
) -> Form:
    return form or _preferred(request.headers.get("accept", ""))


def _preferred(accept: str) -> Form:
    """The form that `Accept` likes best (RFC 9110, 12.5.1); JSON where it names none we have."""
    best: tuple[float, Form] = (0.0, "json")
    for part in accept.lower().split(","):
        kind, *parameters = [each.strip() for each in part.split(";")]
        form = BY_MEDIA.get(kind)
        weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        if form and WEIGHT.fullmatch(weight) and float(weight) > best[0]:
            best = float(weight), form
    return best[1]


def add(router: APIRouter, reports: Reports) -> None:
    @router.get("/reports", summary="List the reports", response_model=Page[ReportInfo])
    async def list_reports(request: Request, actor: Counting) -> Response:
        """What each tells, what it can be asked with, and its columns."""
        return items_answer(await reports.listed(actor=actor), request)

    @router.get(
        "/reports/{name}",
        summary="Read a report",
        response_model=Report,
        responses={200: {"content": {media: {} for media in BY_MEDIA if media != JSON}}},
    )
    async def read_report(
        request: Request,
        actor: Counting,
        wanted: Annotated[Asked, Depends(asked)],
        form: Annotated[Form, Depends(wanted_form)],
        window: PageWindow,
    ) -> Response:
        """JSON comes in pages; every other form is the whole report, or refused as too long."""
        now = datetime.now(UTC)
        if form == "json":
            report = await reports.read(asked=wanted, window=window, actor=actor, as_of=now)
            answer = page_answer(report, request)
            answer.headers["vary"] = "accept"
            return answer
        whole = Window(limit=many_for(wanted.name, form))
        report = await reports.read(asked=wanted, window=whole, actor=actor, as_of=now)
        body = await asyncio.to_thread(made, report, form)
        shown = "inline" if form == "svg" else "attachment"
        headers = {
            "content-disposition": f'{shown}; filename="{file_name(report, form)}"',
            "cache-control": "private, no-store",
            "vary": "accept",
        }
        return Response(body, media_type=MEDIA[form], headers=headers)
