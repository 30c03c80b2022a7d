"""Mistakes undone and suspensions lifted, over REST."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.circulation import (
    Corrections,
    PatronSuspension,
    Suspensions,
    Undo,
    Undone,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import answer, items_answer
from lendery.platform.http.identity import Needs

Corrector = Annotated[Actor, Depends(Needs(Permission.UNDO))]
Borrower = Annotated[Actor, Depends(Needs(Permission.BORROW))]
Waiver = Annotated[Actor, Depends(Needs(Permission.WAIVE))]


def routes(corrections: Corrections, suspensions: Suspensions) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    _undo(router, corrections)
    _suspensions(router, suspensions)
    return router


def _undo(router: APIRouter, corrections: Corrections) -> None:
    @router.post("/undo", response_model=Undone, tags=["undo"])
    async def undo(request: Request, actor: Corrector, mistake: Undo) -> Response:
        """Undo a check-out, a check-in, a payment or a waiver, with all that it caused.

        409 `undo-refused` says what was built on it. Sent again, it answers the same.
        """
        done = await corrections.undo(
            event_id=mistake.event_id,
            actor=actor,
            now=datetime.now(UTC),
            branch_id=mistake.branch_id,
            desk=mistake.desk,
        )
        return answer(done, request)


def _suspensions(router: APIRouter, suspensions: Suspensions) -> None:
    @router.get(
        "/users/{user_id}/suspensions", response_model=Page[PatronSuspension], tags=["users"]
    )
    async def of_user(request: Request, actor: Borrower, user_id: UUID) -> Response:
        """The days without borrowing that run now, because something came back late."""
        now = datetime.now(UTC)
        found = await suspensions.of(patron_id=user_id, actor=actor, now=now)
        return items_answer(found, request)

    @router.post(
        "/suspensions/{suspension_id}/lift", response_model=PatronSuspension, tags=["users"]
    )
    async def lift(request: Request, actor: Waiver, suspension_id: UUID) -> Response:
        """End a suspension before its time."""
        now = datetime.now(UTC)
        lifted = await suspensions.lift(suspension_id=suspension_id, actor=actor, now=now)
        return answer(lifted, request)
