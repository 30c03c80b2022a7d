"""Trying a rule table out over REST: asked for, followed, its differences read or fetched."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from lendery.contracts.base import Page, Window
from lendery.contracts.circulation import (
    Difference,
    DifferenceKind,
    RuleDraft,
    Simulation,
    Simulations,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import PageWindow, answer, page_answer
from lendery.platform.http.identity import Needs

Reader = Annotated[Actor, Depends(Needs(Permission.READ_RULES))]
Writer = Annotated[Actor, Depends(Needs(Permission.WRITE_RULES))]
Kind = Annotated[DifferenceKind | None, Query(description="Only those.")]
COLUMNS = (
    *("no", "kind", "event", "at", "loan_id", "copy_id", "branch_id", "category", "item_type"),
    *("was", "would_be", "certain"),
)
EXAMPLES: Any = {
    "as text": {
        "value": {
            "text": "any: loan_period = 14 days, fine = 0.30 EUR",
            "since": "2026-01-01T00:00:00Z",
            "until": "2026-07-01T00:00:00Z",
        }
    },
    "a planned version": {"value": {"version": 12, "since": "2026-01-01T00:00:00Z"}},
}


def routes(simulations: Simulations) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rules"])
    _asking(router, simulations)
    _reading(router, simulations)
    return router


def _asking(router: APIRouter, simulations: Simulations) -> None:
    @router.post(
        "/rules/simulate",
        summary="Try a rule table out",
        response_model=Simulation,
        status_code=202,
    )
    async def simulate(
        request: Request,
        actor: Writer,
        draft: Annotated[RuleDraft, Body(openapi_examples=EXAMPLES)],
    ) -> Response:
        """Replays what happened in a period against a draft, as a job. Nothing is changed."""
        made = await simulations.start(draft=draft, actor=actor, now=datetime.now(UTC))
        place = f"/api/v1/rules/simulations/{made.id}"
        return answer(made, request, status=202, location=place)

    @router.post(
        "/rules/simulations/{simulation_id}/cancel",
        summary="Stop a simulation",
        response_model=Simulation,
    )
    async def cancel(request: Request, actor: Writer, simulation_id: UUID) -> Response:
        now = datetime.now(UTC)
        found = await simulations.cancel(simulation_id=simulation_id, actor=actor, now=now)
        return answer(found, request)


def _reading(router: APIRouter, simulations: Simulations) -> None:
    @router.get("/rules/simulations", summary="List simulations", response_model=Page[Simulation])
    async def find(request: Request, actor: Reader, window: PageWindow) -> Response:
        """The newest first."""
        return page_answer(await simulations.find(window=window, actor=actor), request)

    @router.get(
        "/rules/simulations/{simulation_id}", summary="One simulation", response_model=Simulation
    )
    async def get(request: Request, actor: Reader, simulation_id: UUID) -> Response:
        return answer(await simulations.get(simulation_id=simulation_id, actor=actor), request)

    @router.get(
        "/rules/simulations/{simulation_id}/differences",
        summary="What would have been otherwise",
        response_model=Page[Difference],
    )
    async def differences(
        request: Request,
        actor: Reader,
        simulation_id: UUID,
        window: PageWindow,
        kind: Kind = None,
    ) -> Response:
        page = await simulations.differences(
            simulation_id=simulation_id, kind=kind, window=window, actor=actor
        )
        return page_answer(page, request)

    @router.get(
        "/rules/simulations/{simulation_id}/file",
        summary="All differences as CSV",
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def read_file(actor: Reader, simulation_id: UUID, kind: Kind = None) -> Response:
        await simulations.get(simulation_id=simulation_id, actor=actor)
        name = f"simulation-{simulation_id}.csv"
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "private, no-store",
        }
        lines = csv_lines(simulations, simulation_id, kind, actor)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def csv_lines(
    simulations: Simulations, simulation_id: UUID, kind: DifferenceKind | None, actor: Actor
) -> AsyncIterator[str]:
    """A heading, then a line for each difference; `was` and `would_be` are JSON."""
    yield _csv([COLUMNS])
    after: str | None = None
    while True:
        page = await simulations.differences(
            simulation_id=simulation_id,
            kind=kind,
            window=Window(limit=500, after=after),
            actor=actor,
        )
        yield _csv([_cells(each) for each in page.items])
        after = page.next_cursor
        if after is None:
            return


def _cells(found: Difference) -> list[str]:
    told = found.model_dump(mode="json")
    values = ["" if told[name] is None else told[name] for name in COLUMNS]
    return [each if isinstance(each, str) else json.dumps(each) for each in values]


def _csv(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
