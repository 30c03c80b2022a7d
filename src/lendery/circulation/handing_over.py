"""A copy came in: does somebody wait for it, and what is done for them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lendery.circulation import filling, hold_steps
from lendery.circulation.facts import FreeCopy, hold_value
from lendery.circulation.hold_steps import Step
from lendery.circulation.house import House
from lendery.circulation.repository import holds
from lendery.contracts.circulation import CalendarHasRunOut, Hold, InvalidCalendar
from lendery.platform.db import Tx


@dataclass(frozen=True)
class HandedOver:
    """`to`: where it is sent; None: it is collected here. `step` is None where nothing changed."""

    value: Hold
    to: UUID | None
    step: Step | None


async def handed_over(
    tx: Tx, copy: Any, row: Any, *, here: UUID, house: House, now: datetime
) -> HandedOver | None:
    """The hold that this copy is for now. `row` says whether there can be one at all."""
    if not row.kept_as and not row.wanted:
        return None
    await holds.lock_queue(tx, copy.book_id)
    # Nobody else can be given this copy meanwhile, since it is locked; but it may be released.
    kept = await holds.given(tx, copy.id) if row.kept_as else None
    if kept is None and not (copy.damaged or copy.withdrawn):
        ours = FreeCopy(copy.id, here, copy.home_branch_id, copy.item_type, alone=True)
        kept = await filling.taker(tx, ours, book_id=copy.book_id, house=house, now=now)
    if kept is None:
        return None
    return _step(kept, copy, here=here, house=house, now=now)


def _step(kept: Any, copy: Any, *, here: UUID, house: House, now: datetime) -> HandedOver:
    to = None if kept.pickup_branch_id == here else kept.pickup_branch_id
    state = "ready" if to is None else "in-transit"
    step: Step | None = None
    if kept.state != state:
        if to is None:
            last = _last_day(kept, copy, house=house, now=now)
            step = hold_steps.ready(kept, copy_id=copy.id, branch_id=here, expires_on=last, now=now)
        else:
            step = hold_steps.sent_on(kept, copy_id=copy.id, now=now)
        kept = kept._replace(**step.becomes)
    today = house.hours_of(kept.pickup_branch_id).local_date(now)
    return HandedOver(hold_value(kept, today), to, step)


def _last_day(kept: Any, copy: Any, *, house: House, now: datetime) -> date | None:
    """The last of the open days it waits, on the calendar of where it is collected.

    A calendar that ran out keeps nobody from taking a copy back: then it waits without end.
    """
    policy = house.policy(
        branch_id=copy.home_branch_id, category=kept.category, item_type=copy.item_type
    )
    if policy.pickup_days is None:
        return None
    hours = house.hours_of(kept.pickup_branch_id)
    try:
        return hours.nth_open_day(hours.local_date(now), policy.pickup_days)
    except (CalendarHasRunOut, InvalidCalendar):
        return None
