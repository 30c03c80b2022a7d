"""Desks that lend without a connection, over REST."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.circulation import (
    NewOfflineBatch,
    NewOfflineDesk,
    OfflineBatch,
    OfflineBatches,
    OfflineBatchResult,
    OfflineConflict,
    OfflineConflictFilter,
    OfflineConflicts,
    OfflineDesk,
    OfflineDesks,
    RegisteredOfflineDesk,
    SettleConflict,
)
from lendery.contracts.circulation.offline import ConflictState
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import PageWindow, answer, page_answer
from lendery.platform.http.identity import Needs

Staff = Annotated[Actor, Depends(Needs(Permission.OFFLINE))]
Registrar = Annotated[Actor, Depends(Needs(Permission.OFFLINE_REGISTER))]


def routes(desks: OfflineDesks, batches: OfflineBatches, conflicts: OfflineConflicts) -> APIRouter:
    router = APIRouter(prefix="/api/v1/offline", tags=["offline"])
    _desks(router, desks)
    _batches(router, batches)
    _conflicts(router, conflicts)
    return router


def _desks(router: APIRouter, desks: OfflineDesks) -> None:
    @router.post("/desks", status_code=201, response_model=RegisteredOfflineDesk)
    async def register(request: Request, actor: Registrar, desk: NewOfflineDesk) -> Response:
        """Register a desk that may work offline. Its key is told this once.

        With `replaces` it stands in for a desk that was revoked, and sends what that one did not.
        """
        made = await desks.register(desk=desk, actor=actor, now=datetime.now(UTC))
        told = answer(made, request, status=201, location=f"/api/v1/offline/desks/{made.id}")
        told.headers["cache-control"] = "no-store"
        return told

    @router.get("/desks", response_model=Page[OfflineDesk])
    async def find(request: Request, actor: Staff, window: PageWindow) -> Response:
        """The desks that may work offline, and those that were revoked; newest first."""
        return page_answer(await desks.desks(window=window, actor=actor), request)

    @router.get("/desks/{desk_id}", response_model=OfflineDesk)
    async def get(request: Request, actor: Staff, desk_id: UUID) -> Response:
        """A desk, and with which number it goes on."""
        return answer(await desks.desk(desk_id=desk_id, actor=actor), request)

    @router.post("/desks/{desk_id}/revoke", response_model=OfflineDesk)
    async def revoke(request: Request, actor: Registrar, desk_id: UUID) -> Response:
        """Take nothing more from this desk, not even what it did before.

        What was not taken is sent by a desk that is registered to replace it.
        """
        now = datetime.now(UTC)
        return answer(await desks.revoke(desk_id=desk_id, actor=actor, now=now), request)


def _batches(router: APIRouter, batches: OfflineBatches) -> None:
    @router.post("/transactions", response_model=OfflineBatchResult)
    async def upload(request: Request, actor: Staff, batch: NewOfflineBatch) -> Response:
        """Take over what a desk did offline, in order, each at the time when it happened.

        409 `offline-refused`: nothing of it was taken. Sent again, it has no further effect and
        the same answer; one that was cut off goes on where it stopped. If the desk is revoked
        meanwhile it stops there: the answer says what was taken, and is not `complete`.
        """
        now = datetime.now(UTC)
        return answer(await batches.upload(batch=batch, actor=actor, now=now), request)

    @router.get("/batches", response_model=Page[OfflineBatch])
    async def find(
        request: Request, actor: Staff, window: PageWindow, desk_id: UUID | None = None
    ) -> Response:
        """What was sent, newest first."""
        found = await batches.batches(desk_id=desk_id, window=window, actor=actor)
        return page_answer(found, request)

    @router.get("/batches/{batch_id}", response_model=OfflineBatchResult)
    async def get(request: Request, actor: Staff, batch_id: UUID) -> Response:
        """A batch, and what became of each transaction."""
        return answer(await batches.batch(batch_id=batch_id, actor=actor), request)


def _conflicts(router: APIRouter, conflicts: OfflineConflicts) -> None:
    @router.get("/conflicts", response_model=Page[OfflineConflict])
    async def find(
        request: Request,
        actor: Staff,
        window: PageWindow,
        state: Annotated[ConflictState | None, Query()] = None,
        desk_id: UUID | None = None,
    ) -> Response:
        """What the desks could not know, in the order in which it came."""
        like = OfflineConflictFilter(state=state, desk_id=desk_id)
        return page_answer(
            await conflicts.conflicts(like=like, window=window, actor=actor), request
        )

    @router.get("/conflicts/{conflict_id}", response_model=OfflineConflict)
    async def get(request: Request, actor: Staff, conflict_id: UUID) -> Response:
        return answer(await conflicts.conflict(conflict_id=conflict_id, actor=actor), request)

    @router.post("/conflicts/{conflict_id}/settle", response_model=OfflineConflict)
    async def settle(
        request: Request, actor: Staff, conflict_id: UUID, settle: SettleConflict
    ) -> Response:
        """Accept what was recorded; record what was not, or dismiss it with a reason.

        A reason is needed, too, where it passes over what nobody may waive at a desk.

        409 `conflict-not-settled`: something is still in the way, or somebody was faster.
        """
        settled = await conflicts.settle(
            conflict_id=conflict_id, settle=settle, actor=actor, now=datetime.now(UTC)
        )
        return answer(settled, request)
