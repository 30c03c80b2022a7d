"""Circulation over REST. Reads the request, calls the port, shapes the answer."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import StringConstraints

from lendery.circulation.routes import cash as cash_routes
from lendery.circulation.routes import corrections as correction_routes
from lendery.circulation.routes import fees as fee_routes
from lendery.circulation.routes import holds as hold_routes
from lendery.circulation.routes import offline as offline_routes
from lendery.circulation.routes import rule_versions as version_routes
from lendery.circulation.routes import setup
from lendery.circulation.routes import simulations as simulation_routes
from lendery.circulation.routes import transport as transport_routes
from lendery.contracts.base import Input, Page
from lendery.contracts.catalog import Barcode
from lendery.contracts.circulation import (
    BlockCode,
    Blocks,
    Branches,
    Calendars,
    CashSessions,
    ClaimResolution,
    CopyHistory,
    CopyState,
    CopyStates,
    Corrections,
    Fees,
    Flag,
    Holds,
    Loan,
    LoanFilter,
    LoanRequest,
    Loans,
    OfflineBatches,
    OfflineConflicts,
    OfflineDesks,
    Queues,
    Recall,
    RenewalRequest,
    Return,
    ReturnRequest,
    Rules,
    RuleVersions,
    Simulations,
    Suspensions,
    TransportCosts,
)
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import PageWindow, RequestKeyed, answer, page_answer
from lendery.platform.http.identity import Needs
from lendery.platform.http.routes_index import joined

Borrower = Annotated[Actor, Depends(Needs(Permission.BORROW))]
Staff = Annotated[Actor, Depends(Needs(Permission.LEND))]
Cataloguer = Annotated[Actor, Depends(Needs(Permission.CATALOGUE))]
Card = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
LEND_EXAMPLES: Any = {
    "by card": {"value": {"barcode": "30000000017", "card_number": "1000000008"}},
    "waived": {
        "value": {
            "barcode": "30000000017",
            "card_number": "1000000008",
            "waive": ["fines-owed"],
            "reason": "Pays tomorrow",
        }
    },
}


class FlagRaised(Input):
    flag: Flag


def routes(
    *,
    loans: Loans,
    states: CopyStates,
    holds: Holds,
    queues: Queues,
    fees: Fees,
    cash_sessions: CashSessions,
    corrections: Corrections,
    suspensions: Suspensions,
    offline_desks: OfflineDesks,
    offline_batches: OfflineBatches,
    offline_conflicts: OfflineConflicts,
    branches: Branches,
    calendars: Calendars,
    rules: Rules,
    rule_versions: RuleVersions,
    simulations: Simulations,
    transport_costs: TransportCosts,
) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    _lending(router, loans)
    _claims(router, loans)
    _recalls(router, loans)
    _looking(router, loans)
    _flags(router, states)
    return joined(
        router,
        hold_routes.routes(holds, queues),
        fee_routes.routes(fees),
        cash_routes.routes(cash_sessions),
        version_routes.routes(rule_versions),
        simulation_routes.routes(simulations),
        correction_routes.routes(corrections, suspensions),
        offline_routes.routes(offline_desks, offline_batches, offline_conflicts),
        setup.routes(branches, calendars, rules),
        transport_routes.routes(transport_costs),
    )


def _lending(router: APIRouter, loans: Loans) -> None:
    @router.post("/loans", status_code=201, response_model=Loan, tags=["loans"])
    async def check_out(
        request: Request,
        actor: Borrower,
        key: RequestKeyed,
        wanted: Annotated[LoanRequest, Body(openapi_examples=LEND_EXAMPLES)],
    ) -> Response:
        """Lend a copy. 409 `check-out-refused` lists every block at once."""
        now = datetime.now(UTC)
        loan = await loans.check_out(request=wanted, actor=actor, now=now, key=key)
        return answer(loan, request, status=201, location=f"/api/v1/loans/{loan.id}")

    @router.post("/returns", response_model=Return, tags=["loans"])
    async def check_in(
        request: Request, actor: Borrower, key: RequestKeyed, copy_in: ReturnRequest
    ) -> Response:
        """Take a copy back; the answer says where it goes next."""
        now = datetime.now(UTC)
        taken = await loans.check_in(request=copy_in, actor=actor, now=now, key=key)
        return answer(taken, request)

    @router.post("/loans/{loan_id}/renew", response_model=Loan, tags=["loans"])
    async def renew(
        request: Request,
        actor: Borrower,
        key: RequestKeyed,
        loan_id: UUID,
        wanted: RenewalRequest | None = None,
    ) -> Response:
        """Renew a loan. 409 `renewal-refused` says why not, and staff may waive limits."""
        now = datetime.now(UTC)
        renewed = await loans.renew(loan_id=loan_id, actor=actor, now=now, key=key, request=wanted)
        return answer(renewed, request)


def _claims(router: APIRouter, loans: Loans) -> None:
    @router.post("/loans/{loan_id}/resolve-claim", response_model=Loan, tags=["loans"])
    async def resolve_claim(
        request: Request, actor: Staff, loan_id: UUID, how: ClaimResolution
    ) -> Response:
        """End a loan that was claimed returned and is not found: paid as lost, or forgiven."""
        now = datetime.now(UTC)
        ended = await loans.resolve_claim(loan_id=loan_id, how=how, actor=actor, now=now)
        return answer(ended, request)


def _recalls(router: APIRouter, loans: Loans) -> None:
    @router.post("/recalls", response_model=Loan, tags=["loans"])
    async def recall(request: Request, actor: Staff, wanted: Recall) -> Response:
        """Call a loan back. 409 `recall-refused`: by its rules it cannot be due any sooner."""
        now = datetime.now(UTC)
        return answer(await loans.recall(loan_id=wanted.loan_id, actor=actor, now=now), request)

    @router.get("/recalls", response_model=Page[Loan], tags=["loans"])
    async def recalled(request: Request, actor: Staff, window: PageWindow) -> Response:
        """The loans that were called back and are still out."""
        like, now = LoanFilter(status="recalled"), datetime.now(UTC)
        found = await loans.find(like=like, window=window, actor=actor, now=now)
        return page_answer(found, request)


def _looking(router: APIRouter, loans: Loans) -> None:
    @router.get("/loans/check", response_model=Blocks, tags=["loans"])
    async def check(
        request: Request,
        actor: Borrower,
        barcode: Barcode,
        card_number: Card | None = None,
        patron_id: UUID | None = None,
        branch_id: UUID | None = None,
        waive: Annotated[frozenset[BlockCode], Query()] = frozenset(),
    ) -> Response:
        """The dry run of a check-out: every block, nothing lent."""
        wanted = LoanRequest(
            barcode=barcode,
            card_number=card_number,
            patron_id=patron_id,
            branch_id=branch_id,
            waive=waive,
        )
        now = datetime.now(UTC)
        return answer(await loans.check(request=wanted, actor=actor, now=now), request)

    @router.get("/loans", response_model=Page[Loan], tags=["loans"])
    async def find(
        request: Request,
        actor: Borrower,
        window: PageWindow,
        status: Literal["open", "overdue", "returned"] | None = None,
        patron_id: UUID | None = None,
        copy_id: UUID | None = None,
        book_id: UUID | None = None,
        branch_id: UUID | None = None,
    ) -> Response:
        """Loans, newest first. A reader sees one's own."""
        like = LoanFilter(
            status=status,
            patron_id=patron_id or (None if actor.staff else actor.id),
            copy_id=copy_id,
            book_id=book_id,
            branch_id=branch_id,
        )
        now = datetime.now(UTC)
        return page_answer(
            await loans.find(like=like, window=window, actor=actor, now=now), request
        )

    @router.get("/loans/overdue", response_model=Page[Loan], tags=["loans"])
    async def overdue(
        request: Request, actor: Staff, window: PageWindow, branch_id: UUID | None = None
    ) -> Response:
        """What is late now."""
        like = LoanFilter(status="overdue", branch_id=branch_id)
        now = datetime.now(UTC)
        return page_answer(
            await loans.find(like=like, window=window, actor=actor, now=now), request
        )

    @router.get("/users/{user_id}/loans", response_model=Page[Loan], tags=["loans"])
    async def of_user(
        request: Request,
        actor: Borrower,
        window: PageWindow,
        user_id: UUID,
        status: Literal["open", "overdue", "returned"] | None = None,
    ) -> Response:
        """What a person has or had on loan."""
        like = LoanFilter(status=status, patron_id=user_id)
        now = datetime.now(UTC)
        return page_answer(
            await loans.find(like=like, window=window, actor=actor, now=now), request
        )

    @router.get("/loans/{loan_id}", response_model=Loan, tags=["loans"])
    async def get(request: Request, actor: Borrower, loan_id: UUID) -> Response:
        now = datetime.now(UTC)
        return answer(await loans.get(loan_id=loan_id, actor=actor, now=now), request)


def _flags(router: APIRouter, states: CopyStates) -> None:
    @router.post("/copies/{copy_id}/flags", response_model=CopyState, tags=["copies"])
    async def raise_flag(
        request: Request,
        actor: Cataloguer,
        copy_id: UUID,
        raised: FlagRaised,
    ) -> Response:
        """Say that a copy is lost, found, damaged, missing, withdrawn or claimed returned."""
        now = datetime.now(UTC)
        state = await states.flag(copy_id=copy_id, flag=raised.flag, actor=actor, now=now)
        return answer(state, request)

    @router.get("/copies/{copy_id}/history", response_model=CopyHistory, tags=["copies"])
    async def history(
        request: Request, actor: Cataloguer, copy_id: UUID, window: PageWindow
    ) -> Response:
        """The loans of a copy, newest first, and how often it was used here. It names nobody."""
        found = await states.history(copy_id=copy_id, window=window, actor=actor)
        return answer(found, request)

    @router.delete("/copies/{copy_id}/flags/{flag}", response_model=CopyState, tags=["copies"])
    async def lower_flag(
        request: Request,
        actor: Cataloguer,
        copy_id: UUID,
        flag: Literal["lost", "damaged", "missing", "withdrawn", "claimed-returned"],
    ) -> Response:
        """Say that it is no longer so."""
        now = datetime.now(UTC)
        state = await states.flag(copy_id=copy_id, flag=flag, raised=False, actor=actor, now=now)
        return answer(state, request)
