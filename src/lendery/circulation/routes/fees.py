"""Fees over REST: accounts, fines, payments."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.circulation import (
    Account,
    Cancellation,
    Fees,
    Fine,
    NewCharge,
    NewPayment,
    NewRefund,
    NewWaiver,
    NewWriteOff,
    Payment,
    Refund,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import PageWindow, RequestKeyed, answer, page_answer
from lendery.platform.http.identity import Needs

Reader = Annotated[Actor, Depends(Needs(Permission.OWN_ACCOUNT))]
Staff = Annotated[Actor, Depends(Needs(Permission.SETTLE))]
Waiver = Annotated[Actor, Depends(Needs(Permission.WAIVE))]
PAY_EXAMPLES: Any = {
    "the oldest first": {
        "value": {
            "patron_id": "019a0000-0000-7000-8000-000000000001",
            "amount": {"amount": 420, "currency": "EUR"},
            "method": "cash",
        }
    }
}


def routes(fees: Fees) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    _accounts(router, fees)
    _fines(router, fees)
    _till(router, fees)
    return router


def _accounts(router: APIRouter, fees: Fees) -> None:
    @router.get("/users/{user_id}/account", response_model=Account, tags=["fees"])
    async def account(
        request: Request, actor: Reader, window: PageWindow, user_id: UUID
    ) -> Response:
        """What a person owes, the open fines, and the lines of the ledger, newest first."""
        now = datetime.now(UTC)
        found = await fees.account(patron_id=user_id, window=window, actor=actor, now=now)
        return answer(found, request)


def _fines(router: APIRouter, fees: Fees) -> None:
    @router.get("/fines", response_model=Page[Fine], tags=["fees"])
    async def find(
        request: Request, actor: Reader, window: PageWindow, patron_id: UUID | None = None
    ) -> Response:
        """The fines of one person, newest first: one's own when nobody is named."""
        whose = patron_id or actor.id
        assert whose is not None  # Needs asks for somebody who signed in
        return page_answer(await fees.fines(patron_id=whose, window=window, actor=actor), request)

    @router.post("/fines", status_code=201, response_model=Fine, tags=["fees"])
    async def charge(
        request: Request, actor: Staff, key: RequestKeyed, wanted: NewCharge
    ) -> Response:
        """Charge something by hand."""
        made = await fees.charge(charge=wanted, actor=actor, now=datetime.now(UTC), key=key)
        return answer(made, request, status=201, location=f"/api/v1/fines/{made.id}")

    @router.get("/fines/{fine_id}", response_model=Fine, tags=["fees"])
    async def get(request: Request, actor: Reader, fine_id: UUID) -> Response:
        return answer(await fees.fine(fine_id=fine_id, actor=actor), request)

    @router.post("/fines/{fine_id}/waive", response_model=Fine, tags=["fees"])
    async def waive(
        request: Request, actor: Waiver, key: RequestKeyed, fine_id: UUID, waiver: NewWaiver
    ) -> Response:
        """Forgive a fine or part of it. The reason stays with it."""
        now = datetime.now(UTC)
        left = await fees.waive(fine_id=fine_id, waiver=waiver, actor=actor, now=now, key=key)
        return answer(left, request)

    @router.post("/fines/{fine_id}/write-off", response_model=Fine, tags=["fees"])
    async def write_off(
        request: Request, actor: Waiver, key: RequestKeyed, fine_id: UUID, write_off: NewWriteOff
    ) -> Response:
        """Give a fine or part of it up as unpayable. The reason stays with it; it is not undone."""
        now = datetime.now(UTC)
        left = await fees.write_off(
            fine_id=fine_id, write_off=write_off, actor=actor, now=now, key=key
        )
        return answer(left, request)

    @router.post("/fines/{fine_id}/cancel", response_model=Fine, tags=["fees"])
    async def cancel(
        request: Request, actor: Waiver, key: RequestKeyed, fine_id: UUID, wrong: Cancellation
    ) -> Response:
        """The charge was a mistake: all of it goes, and what was paid of it becomes credit."""
        now = datetime.now(UTC)
        left = await fees.cancel(fine_id=fine_id, cancellation=wrong, actor=actor, now=now, key=key)
        return answer(left, request)


def _till(router: APIRouter, fees: Fees) -> None:
    @router.post("/payments", status_code=201, response_model=Payment, tags=["fees"])
    async def pay(
        request: Request,
        actor: Staff,
        key: RequestKeyed,
        payment: Annotated[NewPayment, Body(openapi_examples=PAY_EXAMPLES)],
    ) -> Response:
        """Take a payment. Never more than is owed; the oldest fines first unless some are named."""
        taken = await fees.pay(payment=payment, actor=actor, now=datetime.now(UTC), key=key)
        return answer(taken, request, status=201)

    @router.post("/refunds", status_code=201, response_model=Refund, tags=["fees"])
    async def refund(
        request: Request, actor: Staff, key: RequestKeyed, wanted: NewRefund
    ) -> Response:
        """Pay a credit out."""
        paid = await fees.refund(refund=wanted, actor=actor, now=datetime.now(UTC), key=key)
        return answer(paid, request, status=201)
