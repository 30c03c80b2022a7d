"""What the ways between branches cost, over REST."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.circulation import NewTransportCosts, TransportCost, TransportCosts
from lendery.contracts.permissions import Actor, Permission
from lendery.platform.http.answers import items_answer
from lendery.platform.http.identity import Needs

Writer = Annotated[Actor, Depends(Needs(Permission.WRITE_RULES))]
PATH = "/transport-costs"
EXAMPLES: Any = {
    "the branch across the river": {
        "value": {
            "rows": [
                {
                    "from_branch_id": "019a0000-0000-7000-8000-000000000001",
                    "to_branch_id": "019a0000-0000-7000-8000-000000000002",
                    "cost": 3,
                }
            ]
        }
    }
}


def routes(transport_costs: TransportCosts) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["branches"])

    @router.get(PATH, summary="What transport costs", response_model=Page[TransportCost])
    async def read(request: Request) -> Response:
        """The ways that have a cost of their own. Others cost 1, and within a branch 0."""
        return items_answer(await transport_costs.all(), request)

    @router.put(PATH, summary="Replace transport costs", response_model=Page[TransportCost])
    async def replace(
        request: Request,
        actor: Writer,
        costs: Annotated[NewTransportCosts, Body(openapi_examples=EXAMPLES)],
    ) -> Response:
        """The whole matrix at once: what is left out costs what it would without a row."""
        now = datetime.now(UTC)
        return items_answer(
            await transport_costs.replace(costs=costs, actor=actor, now=now), request
        )

    return router
