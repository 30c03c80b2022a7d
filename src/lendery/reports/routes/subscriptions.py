"""One's own reports by e-mail."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response

from lendery.contracts.base import Page
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.subscriptions import (
    NewSubscription,
    SentReport,
    Subscription,
    SubscriptionChanges,
    Subscriptions,
)
from lendery.platform.http.answers import (
    ExpectedVersion,
    PageWindow,
    answer,
    page_answer,
    version_tag,
)
from lendery.platform.http.identity import Needs

Counting = Annotated[Actor, Depends(Needs(Permission.READ_REPORTS))]
ALL = "/report-subscriptions"
ONE = "/report-subscriptions/{subscription_id}"
MONDAYS = {"report": "top-titles", "form": "csv", "every": "week", "weekday": "mon", "hour": 6}


def add(router: APIRouter, subscriptions: Subscriptions) -> None:
    @router.get(ALL, summary="List one's own", response_model=Page[Subscription])
    async def list_subscriptions(request: Request, actor: Counting, window: PageWindow) -> Response:
        """Oldest first."""
        return page_answer(await subscriptions.find(window=window, actor=actor), request)

    @router.post(ALL, summary="Have a report mailed", status_code=201, response_model=Subscription)
    async def add_subscription(
        request: Request,
        actor: Counting,
        subscription: Annotated[NewSubscription, Body(examples=[MONDAYS])],
    ) -> Response:
        """To one's own address, as long as one may read reports."""
        now = datetime.now(UTC)
        made = await subscriptions.add(subscription=subscription, actor=actor, now=now)
        return _one(made, request, status=201, location=f"/api/v1{ALL}/{made.id}")

    @router.get(ONE, summary="Read one", response_model=Subscription)
    async def read_subscription(
        request: Request, actor: Counting, subscription_id: UUID
    ) -> Response:
        found = await subscriptions.get(subscription_id=subscription_id, actor=actor)
        return _one(found, request)

    @router.patch(ONE, summary="Change one", response_model=Subscription)
    async def change_subscription(
        request: Request,
        actor: Counting,
        subscription_id: UUID,
        version: ExpectedVersion,
        changes: Annotated[SubscriptionChanges, Body(examples=[{"hour": 7}])],
    ) -> Response:
        """From its next time on."""
        changed = await subscriptions.change(
            subscription_id=subscription_id,
            changes=changes.model_dump(exclude_unset=True),
            actor=actor,
            now=datetime.now(UTC),
            version=version,
        )
        return _one(changed, request)

    @router.delete(ONE, summary="End one", status_code=204)
    async def remove_subscription(
        actor: Counting, subscription_id: UUID, version: ExpectedVersion
    ) -> Response:
        now = datetime.now(UTC)
        await subscriptions.remove(
            subscription_id=subscription_id, actor=actor, now=now, version=version
        )
        return Response(status_code=204)

    @router.post(f"{ONE}/send", summary="Send it now", status_code=202, response_model=SentReport)
    async def send_report(request: Request, actor: Counting, subscription_id: UUID) -> Response:
        """To try it: the last whole period. What is due is mailed all the same."""
        now = datetime.now(UTC)
        sent = await subscriptions.send(subscription_id=subscription_id, actor=actor, now=now)
        return answer(sent, request, status=202)


def _one(
    subscription: Subscription, request: Request, *, status: int = 200, location: str | None = None
) -> Response:
    tag = version_tag(subscription.version)
    return answer(subscription, request, status=status, etag=tag, location=location)
