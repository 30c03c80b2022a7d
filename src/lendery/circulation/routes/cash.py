"""Cash sessions over REST: opened, counted, and the day's totals as JSON or CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from lendery.circulation.rules.words import plain_amount
from lendery.contracts.base import Page
from lendery.contracts.circulation import (
    CashCount,
    CashDay,
    CashLine,
    CashSession,
    CashSessionFilter,
    CashSessions,
    CashTotal,
    DeskName,
    NewCashSession,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import JSON, PageWindow, RequestKeyed, answer, page_answer
from lendery.platform.http.identity import Needs

Staff = Annotated[Actor, Depends(Needs(Permission.SETTLE))]
Form = Literal["json", "csv"]
CSV = "text/csv"
COLUMNS = ("on", "branch_id", "desk", "kind", "method", "count", "amount", "currency")
OPEN_EXAMPLES: Any = {
    "with 50 euros of change": {
        "value": {
            "branch_id": "019a0000-0000-7000-8000-000000000001",
            "desk": "front",
            "opening_float": {"amount": 5000, "currency": "EUR"},
        }
    }
}


def routes(cash_sessions: CashSessions) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["cash"])
    _days(router, cash_sessions)
    _reading(router, cash_sessions)
    _opening(router, cash_sessions)
    return router


def _opening(router: APIRouter, cash_sessions: CashSessions) -> None:
    @router.post(
        "/cash-sessions", summary="Open a desk", status_code=201, response_model=CashSession
    )
    async def open_session(
        request: Request,
        actor: Staff,
        key: RequestKeyed,
        opening: Annotated[NewCashSession, Body(openapi_examples=OPEN_EXAMPLES)],
    ) -> Response:
        """Begins with a float. 409 `cash-session-refused` where one is open at this desk."""
        now = datetime.now(UTC)
        made = await cash_sessions.open(opening=opening, actor=actor, now=now, key=key)
        return answer(made, request, status=201, location=f"/api/v1/cash-sessions/{made.id}")

    @router.post(
        "/cash-sessions/{session_id}/close", summary="Close a desk", response_model=CashSession
    )
    async def close(
        request: Request, actor: Staff, key: RequestKeyed, session_id: UUID, count: CashCount
    ) -> Response:
        """With what was counted. The answer says what ought to have been there."""
        now = datetime.now(UTC)
        found = await cash_sessions.close(
            session_id=session_id, count=count, actor=actor, now=now, key=key
        )
        return answer(found, request)


def _reading(router: APIRouter, cash_sessions: CashSessions) -> None:
    @router.get("/cash-sessions", summary="List cash sessions", response_model=Page[CashSession])
    async def find(
        request: Request,
        actor: Staff,
        window: PageWindow,
        branch_id: UUID | None = None,
        desk: DeskName | None = None,
        is_open: Annotated[
            bool | None, Query(alias="open", description="Only those that are, or are not.")
        ] = None,
    ) -> Response:
        """The newest first."""
        like = CashSessionFilter(branch_id=branch_id, desk=desk, open=is_open)
        return page_answer(await cash_sessions.find(like=like, window=window, actor=actor), request)

    @router.get(
        "/cash-sessions/{session_id}", summary="One cash session", response_model=CashSession
    )
    async def get(request: Request, actor: Staff, session_id: UUID) -> Response:
        """While it is open, with the totals so far."""
        return answer(await cash_sessions.get(session_id=session_id, actor=actor), request)

    @router.get(
        "/cash-sessions/{session_id}/lines",
        summary="What a cash session is made of",
        response_model=Page[CashLine],
    )
    async def lines(
        request: Request, actor: Staff, session_id: UUID, window: PageWindow
    ) -> Response:
        """Lines of the ledger, without whose they are, the oldest first."""
        page = await cash_sessions.lines(session_id=session_id, window=window, actor=actor)
        return page_answer(page, request)


def wanted_form(
    request: Request,
    form: Annotated[
        Form | None, Query(alias="format", description="Left out: what `Accept` names, or JSON.")
    ] = None,
) -> Form:
    accept = request.headers.get("accept", "").lower()
    return form or ("csv" if CSV in accept and JSON not in accept else "json")


def _days(router: APIRouter, cash_sessions: CashSessions) -> None:
    @router.get(
        "/cash-sessions/totals",
        summary="The day's totals",
        response_model=CashDay,
        responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
    )
    async def totals(
        request: Request,
        actor: Staff,
        form: Annotated[Form, Depends(wanted_form)],
        on: Annotated[date | None, Query(description="Left out: today.")] = None,
        branch_id: UUID | None = None,
    ) -> Response:
        """By desk and by branch; each branch's day by its own clock.

        CSV has a line for each desk, kind and method; those without a desk were settled where no
        session was open.
        """
        now = datetime.now(UTC)
        day = await cash_sessions.day(on=on, branch_id=branch_id, actor=actor, now=now)
        if form == "json":
            found = answer(day, request)
        else:
            name = f'attachment; filename="cash-{day.on}.csv"'
            headers = {"content-disposition": name, "cache-control": "private, no-store"}
            found = Response(as_csv(day), media_type=f"{CSV}; charset=utf-8", headers=headers)
        found.headers["vary"] = "accept"
        return found


def as_csv(day: CashDay) -> str:
    """RFC 4180; amounts in units with a point, below zero where money was given back."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(day))
    return out.getvalue()


def _cells(day: CashDay) -> Iterator[tuple[Any, ...]]:
    for at in day.desks:
        for total in at.totals:
            yield day.on, at.branch_id, at.desk, *_amount(total)
    for total in day.outside:
        yield day.on, "", "", *_amount(total)


def _amount(total: CashTotal) -> tuple[Any, ...]:
    amount, currency = plain_amount(total.amount.amount, total.amount.currency).split()
    return total.kind, total.method, total.count, amount, currency
