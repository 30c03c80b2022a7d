"""Branches, calendars and rules over REST."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from lendery.contracts.base import Code, Instant, Page
from lendery.contracts.circulation import (
    Branch,
    BranchChanges,
    Branches,
    Calendar,
    CalendarChanges,
    Calendars,
    Explanation,
    NewBranch,
    NewCalendar,
    NewRule,
    Rule,
    RuleChanges,
    Rules,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    items_answer,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Reader = Annotated[Actor, Depends(Needs(Permission.READ_RULES))]
Writer = Annotated[Actor, Depends(Needs(Permission.WRITE_RULES))]
CALENDAR_EXAMPLES: Any = {
    "weekdays": {
        "value": {
            "name": "Town hours",
            "weekly": {
                "mon": [["09:00", "12:30"], ["14:00", "18:00"]],
                "sat": [["10:00", "13:00"]],
            },
            "exceptions": [{"on": "2026-12-25", "note": "Christmas"}],
        }
    }
}
RULE_EXAMPLES: Any = {
    "everyone": {"value": {"parameter": "loan_period", "value": 21}},
    "children, dvds": {
        "value": {"category": "child", "item_type": "dvd", "parameter": "loan_period", "value": 3}
    },
}


def routes(branches: Branches, calendars: Calendars, rules: Rules) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    _branches(router, branches)
    _calendars(router, calendars)
    _rules(router, rules)
    return router


def _branches(router: APIRouter, branches: Branches) -> None:
    @router.get("/branches", response_model=Page[Branch], tags=["branches"])
    async def find(request: Request, window: PageWindow) -> Response:
        return page_answer(await branches.find(window=window), request)

    @router.post("/branches", status_code=201, response_model=Branch, tags=["branches"])
    async def add(request: Request, actor: Writer, branch: NewBranch) -> Response:
        made = await branches.add(branch=branch, actor=actor, now=datetime.now(UTC))
        return _thing(made, request, 201, f"/api/v1/branches/{made.id}")

    @router.get("/branches/{branch_id}", response_model=Branch, tags=["branches"])
    async def get(request: Request, branch_id: UUID) -> Response:
        return _thing(await branches.get(branch_id=branch_id), request)

    @router.patch("/branches/{branch_id}", response_model=Branch, tags=["branches"])
    async def change(
        request: Request,
        actor: Writer,
        branch_id: UUID,
        version: ExpectedVersion,
        changes: BranchChanges,
    ) -> Response:
        changed = await branches.change(
            branch_id=branch_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return _thing(changed, request)

    @router.delete("/branches/{branch_id}", status_code=204, tags=["branches"])
    async def remove(actor: Writer, branch_id: UUID, version: ExpectedVersion) -> None:
        await branches.remove(
            branch_id=branch_id, actor=actor, now=datetime.now(UTC), version=version
        )


def _calendars(router: APIRouter, calendars: Calendars) -> None:
    @router.get("/calendars", response_model=Page[Calendar], tags=["calendars"])
    async def find(request: Request, window: PageWindow) -> Response:
        return page_answer(await calendars.find(window=window), request)

    @router.post("/calendars", status_code=201, response_model=Calendar, tags=["calendars"])
    async def add(
        request: Request,
        actor: Writer,
        calendar: Annotated[NewCalendar, Body(openapi_examples=CALENDAR_EXAMPLES)],
    ) -> Response:
        made = await calendars.add(calendar=calendar, actor=actor, now=datetime.now(UTC))
        return _thing(made, request, 201, f"/api/v1/calendars/{made.id}")

    @router.get("/calendars/{calendar_id}", response_model=Calendar, tags=["calendars"])
    async def get(request: Request, calendar_id: UUID) -> Response:
        return _thing(await calendars.get(calendar_id=calendar_id), request)

    @router.patch("/calendars/{calendar_id}", response_model=Calendar, tags=["calendars"])
    async def change(
        request: Request,
        actor: Writer,
        calendar_id: UUID,
        version: ExpectedVersion,
        changes: CalendarChanges,
    ) -> Response:
        changed = await calendars.change(
            calendar_id=calendar_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return _thing(changed, request)

    @router.delete("/calendars/{calendar_id}", status_code=204, tags=["calendars"])
    async def remove(actor: Writer, calendar_id: UUID, version: ExpectedVersion) -> None:
        await calendars.remove(
            calendar_id=calendar_id, actor=actor, now=datetime.now(UTC), version=version
        )


def _rules(router: APIRouter, rules: Rules) -> None:
    @router.get("/rules/explain", response_model=Page[Explanation], tags=["rules"])
    async def explain(
        request: Request,
        actor: Reader,
        branch: UUID | None = None,
        category: Code | None = None,
        item_type: Code | None = None,
        at: Annotated[
            Instant | None, Query(description="By the table in force then; default: now.")
        ] = None,
    ) -> Response:
        """For each parameter: its value, the row it comes from, and the rows that one beat."""
        told = await rules.explain(
            branch_id=branch,
            category=category,
            item_type=item_type,
            actor=actor,
            at=at or datetime.now(UTC),
        )
        return items_answer(told, request)

    @router.get("/rules", response_model=Page[Rule], tags=["rules"])
    async def find(
        request: Request, actor: Reader, window: PageWindow, parameter: Code | None = None
    ) -> Response:
        found = await rules.find(
            parameter=parameter, window=window, actor=actor, at=datetime.now(UTC)
        )
        return page_answer(found, request)

    @router.post("/rules", status_code=201, response_model=Rule, tags=["rules"])
    async def add(
        request: Request,
        actor: Writer,
        rule: Annotated[NewRule, Body(openapi_examples=RULE_EXAMPLES)],
    ) -> Response:
        made = await rules.add(rule=rule, actor=actor, now=datetime.now(UTC))
        return _thing(made, request, 201, f"/api/v1/rules/{made.id}")

    @router.get("/rules/{rule_id}", response_model=Rule, tags=["rules"])
    async def get(request: Request, actor: Reader, rule_id: UUID) -> Response:
        return _thing(await rules.get(rule_id=rule_id, actor=actor, at=datetime.now(UTC)), request)

    @router.patch("/rules/{rule_id}", response_model=Rule, tags=["rules"])
    async def change(
        request: Request,
        actor: Writer,
        rule_id: UUID,
        version: ExpectedVersion,
        changes: RuleChanges,
    ) -> Response:
        changed = await rules.change(
            rule_id=rule_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return _thing(changed, request)

    @router.delete("/rules/{rule_id}", status_code=204, tags=["rules"])
    async def remove(actor: Writer, rule_id: UUID, version: ExpectedVersion) -> None:
        await rules.remove(rule_id=rule_id, actor=actor, now=datetime.now(UTC), version=version)


def _thing(
    value: Branch | Calendar | Rule,
    request: Request,
    status: int = 200,
    location: str | None = None,
) -> Response:
    return answer(value, request, status=status, etag=version_tag(value.version), location=location)
