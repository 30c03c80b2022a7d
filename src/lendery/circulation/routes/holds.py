"""Holds over REST."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.circulation import (
    Hold,
    HoldChanges,
    HoldFilter,
    Holds,
    HoldState,
    NewHold,
    Pull,
    Queues,
    Suspension,
    Transfer,
    WhyNotYet,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import (
    PageWindow,
    RequestKeyed,
    answer,
    items_answer,
    page_answer,
)
from lendery.platform.http.identity import Needs

Reader = Annotated[Actor, Depends(Needs(Permission.PLACE_HOLDS))]
Staff = Annotated[Actor, Depends(Needs(Permission.MANAGE_HOLDS))]
State = HoldState | Literal["open"] | None
PLACE_EXAMPLES: Any = {
    "any copy of a book": {
        "value": {
            "book_id": "019a0000-0000-7000-8000-000000000001",
            "pickup_branch_id": "019a0000-0000-7000-8000-000000000002",
        }
    },
    "this very copy, for a reader at the desk": {
        "value": {
            "copy_id": "019a0000-0000-7000-8000-000000000003",
            "card_number": "1000000008",
            "pickup_branch_id": "019a0000-0000-7000-8000-000000000002",
        }
    },
}


def routes(holds: Holds, queues: Queues) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    _queue(router, queues)
    _placing(router, holds)
    _looking(router, holds)
    _desk(router, holds)
    return router


def _placing(router: APIRouter, holds: Holds) -> None:
    @router.post("/holds", status_code=201, response_model=Hold, tags=["holds"])
    async def place(
        request: Request,
        actor: Reader,
        key: RequestKeyed,
        wanted: Annotated[NewHold, Body(openapi_examples=PLACE_EXAMPLES)],
    ) -> Response:
        """Wait for a book. 409 `hold-refused` lists every reason at once."""
        made = await holds.place(hold=wanted, actor=actor, now=datetime.now(UTC), key=key)
        return answer(made, request, status=201, location=f"/api/v1/holds/{made.id}")

    @router.patch("/holds/{hold_id}", response_model=Hold, tags=["holds"])
    async def change(
        request: Request, actor: Reader, hold_id: UUID, changes: HoldChanges
    ) -> Response:
        """Collect it at another branch; only while it waits."""
        now = datetime.now(UTC)
        changed = await holds.change(hold_id=hold_id, changes=changes, actor=actor, now=now)
        return answer(changed, request)

    @router.post("/holds/{hold_id}/suspend", response_model=Hold, tags=["holds"])
    async def suspend(
        request: Request, actor: Reader, hold_id: UUID, suspension: Suspension | None = None
    ) -> Response:
        """Let others go first for a while; the place in the queue stays."""
        changed = await holds.suspend(
            hold_id=hold_id,
            suspension=suspension or Suspension(),
            actor=actor,
            now=datetime.now(UTC),
        )
        return answer(changed, request)

    @router.post("/holds/{hold_id}/resume", response_model=Hold, tags=["holds"])
    async def resume(request: Request, actor: Reader, hold_id: UUID) -> Response:
        resumed = await holds.resume(hold_id=hold_id, actor=actor, now=datetime.now(UTC))
        return answer(resumed, request)

    @router.delete("/holds/{hold_id}", status_code=204, tags=["holds"])
    async def cancel(actor: Reader, hold_id: UUID) -> None:
        await holds.cancel(hold_id=hold_id, actor=actor, now=datetime.now(UTC))


def _queue(router: APIRouter, queues: Queues) -> None:
    @router.get("/holds/{hold_id}/why", response_model=WhyNotYet, tags=["holds"])
    async def why(request: Request, actor: Reader, hold_id: UUID) -> Response:
        """Why it got no copy yet, and its place in line. 409 `hold-not-waiting`: it has one."""
        found = await queues.why(hold_id=hold_id, actor=actor, now=datetime.now(UTC))
        return answer(found, request)


def _looking(router: APIRouter, holds: Holds) -> None:
    async def listed(like: HoldFilter, window: Any, actor: Actor, request: Request) -> Response:
        now = datetime.now(UTC)
        page = await holds.find(like=like, window=window, actor=actor, now=now)
        return page_answer(page, request)

    @router.get("/holds", response_model=Page[Hold], tags=["holds"])
    async def find(
        request: Request,
        actor: Reader,
        window: PageWindow,
        state: State = None,
        patron_id: UUID | None = None,
        book_id: UUID | None = None,
        pickup_branch_id: UUID | None = None,
    ) -> Response:
        """Holds, newest first; of one book in the order of its queue. A reader sees one's own."""
        like = HoldFilter(
            patron_id=patron_id or (None if actor.staff else actor.id),
            book_id=book_id,
            pickup_branch_id=pickup_branch_id,
            state=state,
        )
        return await listed(like, window, actor, request)

    @router.get("/pulls", response_model=Page[Pull], tags=["holds"])
    async def to_pull(request: Request, actor: Staff, branch_id: UUID | None = None) -> Response:
        """The copies to fetch from the shelves, each for the hold that gets it."""
        now = datetime.now(UTC)
        found = await holds.to_pull(branch_id=branch_id, actor=actor, now=now)
        return items_answer(found, request)

    @router.get("/holds/{hold_id}", response_model=Hold, tags=["holds"])
    async def get(request: Request, actor: Reader, hold_id: UUID) -> Response:
        found = await holds.get(hold_id=hold_id, actor=actor, now=datetime.now(UTC))
        return answer(found, request)

    @router.get("/users/{user_id}/holds", response_model=Page[Hold], tags=["holds"])
    async def of_user(
        request: Request, actor: Reader, window: PageWindow, user_id: UUID, state: State = None
    ) -> Response:
        """What a person waits for, or waited for."""
        return await listed(HoldFilter(patron_id=user_id, state=state), window, actor, request)

    @router.get("/books/{book_id}/holds", response_model=Page[Hold], tags=["holds"])
    async def of_book(
        request: Request, actor: Staff, window: PageWindow, book_id: UUID, state: State = "waiting"
    ) -> Response:
        """The queue of a book, in order."""
        return await listed(HoldFilter(book_id=book_id, state=state), window, actor, request)


def _desk(router: APIRouter, holds: Holds) -> None:
    @router.get("/transfers", response_model=Page[Transfer], tags=["holds"])
    async def transfers(
        request: Request, actor: Staff, window: PageWindow, to_branch_id: UUID | None = None
    ) -> Response:
        """Copies on their way between branches."""
        page = await holds.transfers(to_branch_id=to_branch_id, window=window, actor=actor)
        return page_answer(page, request)
