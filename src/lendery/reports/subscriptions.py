"""Subscriptions: reports that staff get by e-mail, each their own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from lendery.contracts.base import Invalid, NotAllowed, Page, Stale, Window, new_id
from lendery.contracts.permissions import Actor, Permission
from lendery.contracts.subscriptions import (
    NewSubscription,
    NoSuchSubscription,
    SentReport,
    Subscription,
    TooManySubscriptions,
)
from lendery.platform.db import Database, Session
from lendery.platform.paging import make_cursor, read_cursor
from lendery.reports.mailing import Mailer, asked_of
from lendery.reports.repository import subscriptions as kept
from lendery.reports.rules.kinds import BY_NAME
from lendery.reports.rules.mailing import following, must_be_offered, must_have_its_day

MOST = 100  # of one person
ASKED = frozenset(NewSubscription.model_fields)
MAY_BE_EMPTY = frozenset({"weekday", "day", "branch_id", "sort"})


@dataclass(frozen=True)
class SubscriptionDesk:
    """Implements contracts.subscriptions.Subscriptions."""

    db: Database
    mailer: Mailer

    async def find(self, *, window: Window, actor: Actor) -> Page[Subscription]:
        owner = _whose(actor)
        after = read_cursor(window.after, UUID)[0] if window.after else None
        async with self.db.read() as session:
            rows = await kept.of_owner(session, owner=owner, after=after, most=window.limit + 1)
            total = await kept.how_many(session, owner=owner) if window.total else None
        shown = rows[: window.limit]
        return Page[Subscription](
            items=[Subscription.model_validate(row) for row in shown],
            next_cursor=make_cursor(shown[-1].id) if len(rows) > window.limit else None,
            total=total,
        )

    async def get(self, *, subscription_id: UUID, actor: Actor) -> Subscription:
        async with self.db.read() as session:
            return await _one(session, subscription_id, _whose(actor))

    async def add(
        self, *, subscription: NewSubscription, actor: Actor, now: datetime
    ) -> Subscription:
        owner = _whose(actor)
        next_at = await self._next(subscription, now)
        made = Subscription(
            id=new_id(),
            owner_id=owner,
            next_at=next_at,
            created_at=now,
            version=1,
            **subscription.model_dump(),
        )
        async with self.db.begin() as tx:
            if await kept.how_many(tx, owner=owner) >= MOST:
                raise TooManySubscriptions("Remove one before you add another.", most=MOST)
            await kept.add(tx, _columns(made))
        return made

    async def change(
        self,
        *,
        subscription_id: UUID,
        changes: dict[str, Any],
        actor: Actor,
        now: datetime,
        version: int | None = None,
    ) -> Subscription:
        before = await self.get(subscription_id=subscription_id, actor=actor)
        _unchanged_since(before, version)
        _filled(changes)
        wanted = NewSubscription.model_validate(before.model_dump(include=set(ASKED)) | changes)
        next_at = await self._next(wanted, now)
        given = wanted.model_dump() | {"next_at": next_at, "version": before.version + 1}
        changed = before.model_copy(update=given)
        async with self.db.begin() as tx:
            if not await kept.change(tx, _columns(changed), was=before.version):
                raise _stale()
        return changed

    async def remove(
        self, *, subscription_id: UUID, actor: Actor, now: datetime, version: int | None = None
    ) -> None:
        owner = _whose(actor)
        async with self.db.begin() as tx:
            _unchanged_since(await _one(tx, subscription_id, owner), version)
            await kept.remove(tx, id=subscription_id)

    async def send(self, *, subscription_id: UUID, actor: Actor, now: datetime) -> SentReport:
        wanted = await self.get(subscription_id=subscription_id, actor=actor)
        return await self.mailer.try_out(wanted, actor=actor, now=now)

    async def _next(self, wanted: NewSubscription, now: datetime) -> datetime:
        """When it is mailed first. Raises Invalid for what makes no sense."""
        must_have_its_day(wanted)
        must_be_offered(BY_NAME[wanted.report], wanted.form, asked_of(wanted))
        return following(wanted, now, await self.mailer.zone_of(wanted.branch_id))


def _whose(actor: Actor) -> UUID:
    actor.must(Permission.READ_REPORTS)
    if actor.id is None:
        raise NotAllowed("Only people get reports by e-mail.")
    return actor.id


async def _one(session: Session, subscription_id: UUID, owner: UUID) -> Subscription:
    row = await kept.subscription_with(session, id=subscription_id, owner=owner)
    if row is None:
        raise NoSuchSubscription("You have no such subscription.")
    return Subscription.model_validate(row)


def _columns(subscription: Subscription) -> dict[str, Any]:
    day = subscription.day
    return subscription.model_dump() | {"day": None if day is None else str(day)}


def _filled(changes: dict[str, Any]) -> None:
    """Refuses null where there must be something."""
    empty = [name for name, value in changes.items() if value is None and name not in MAY_BE_EMPTY]
    if empty:
        errors = [{"pointer": f"#/{name}", "says": "This must not be empty."} for name in empty]
        raise Invalid(f"{', '.join(empty)}: this must not be empty.", errors=errors)


def _unchanged_since(before: Subscription, version: int | None) -> None:
    if version not in (None, before.version):
        raise _stale()


def _stale() -> Stale:
    return Stale("This has changed since you read it. Read it again, then change it.")
