"""Whose a subscription is, how it is changed, and that it ends with who may not read reports."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from lendery.contracts.base import Invalid, NotAllowed, Stale, Window
from lendery.contracts.permissions import SYSTEM, Actor
from lendery.contracts.subscriptions import (
    NewSubscription,
    NoSuchSubscription,
    TooManySubscriptions,
)
from lendery.reports import subscriptions
from tests.reports.mailed import SIX, Mailed
from tests.reports.town import OPENED


async def mine(mailed: Mailed, who: Actor) -> list[UUID]:
    page = await mailed.wiring.subscriptions.find(window=Window(), actor=who)
    return [each.id for each in page.items]


@pytest.mark.parametrize("how", ["demoted", "inactive", "removed", "unheard"])
async def test_who_may_not_read_reports_any_more_gets_none(mailed: Mailed, how: str) -> None:
    lea = mailed.staff["Lea"]
    await mailed.hire("Leo")
    await mailed.subscribe(lea)
    await mailed.subscribe(mailed.staff["Leo"])
    users: Any = mailed.wiring.users
    now = mailed.town.now
    if how in ("removed", "unheard"):
        await users.remove(user_id=lea.id, actor=SYSTEM, now=now)
    else:
        changes = {"role": "reader"} if how == "demoted" else {"active": False}
        await users.change(user_id=lea.id, changes=changes, actor=SYSTEM, now=now)
    if how == "unheard":
        await mailed.wiring.mailer.send_due(now=SIX)
    (letter,) = await mailed.at(SIX)
    assert letter.to == "leo@staff.test"
    assert await mine(mailed, lea) == [], "it has ended"


async def test_an_export_lists_them_and_an_erasure_takes_them(mailed: Mailed) -> None:
    lea = mailed.staff["Lea"]
    made = await mailed.subscribe(lea)
    assert lea.id is not None
    export = await mailed.wiring.privacy.export(user_id=lea.id, actor=lea, now=OPENED)
    (row,) = export.records["reports"]["report subscriptions"]
    assert (row["id"], row["report"], row["hour"]) == (str(made.id), "loans-by-day", 6)
    erasure = await mailed.wiring.privacy.erase(user_id=lea.id, actor=SYSTEM, now=OPENED)
    await mailed.wiring.relay.drain()
    erasure = await mailed.wiring.privacy.erasure(user_id=lea.id, actor=SYSTEM)
    (part,) = [each for each in erasure.parts if each.context == "reports"]
    assert (part.state, part.left) == ("done", [])
    assert await mailed.at(SIX) == []


async def test_each_sees_their_own(mailed: Mailed) -> None:
    lea, leo = mailed.staff["Lea"], await mailed.hire("Leo")
    made, other = await mailed.subscribe(lea), await mailed.subscribe(leo)
    desk: Any = mailed.wiring.subscriptions
    assert (await mine(mailed, lea), await mine(mailed, leo)) == ([made.id], [other.id])
    theirs = {"subscription_id": made.id, "actor": leo}
    for refused in (
        desk.get(**theirs),
        desk.change(**theirs, changes={"hour": 7}, now=OPENED),
        desk.remove(**theirs, now=OPENED),
        desk.send(**theirs, now=OPENED),
    ):
        with pytest.raises(NoSuchSubscription):
            await refused
    assert await desk.get(subscription_id=made.id, actor=lea) == made
    ann = Actor(id=UUID(int=9), role="reader")
    with pytest.raises(NotAllowed):
        await desk.find(window=Window(), actor=ann)
    with pytest.raises(NotAllowed):
        await mailed.subscribe(SYSTEM)


async def test_a_change_is_checked_as_a_whole_and_by_version(mailed: Mailed) -> None:
    lea, desk = mailed.staff["Lea"], mailed.wiring.subscriptions
    made = await mailed.subscribe(lea)
    one: Any = {"subscription_id": made.id, "actor": lea, "now": OPENED}
    for wrong in ({"every": "week"}, {"hour": None}, {"report": "money", "form": "svg"}):
        with pytest.raises(Invalid):
            await desk.change(**one, changes=wrong)
    with pytest.raises(Stale):
        await desk.change(**one, changes={"hour": 7}, version=2)
    assert await desk.get(subscription_id=made.id, actor=lea) == made
    monthly = {"every": "month", "day": "last", "branch_id": None, "hour": 0}
    changed = await desk.change(**one, changes=monthly, version=1)
    assert await desk.get(subscription_id=made.id, actor=lea) == changed
    assert (changed.day, changed.branch_id, changed.version) == ("last", None, 2)
    assert changed.next_at == datetime.fromisoformat("2026-01-31T00:00Z")
    numbered = await desk.change(**one, changes={"day": 7}, version=2)
    assert (await desk.get(subscription_id=made.id, actor=lea)).day == numbered.day == 7
    with pytest.raises(Stale):
        await desk.remove(**one, version=1)
    await desk.remove(**one, version=3)
    assert await mine(mailed, lea) == []


async def test_they_come_in_pages_and_not_without_end(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 3)
    lea, desk = mailed.staff["Lea"], mailed.wiring.subscriptions
    made = [(await mailed.subscribe(lea)).id for _ in range(3)]
    with pytest.raises(TooManySubscriptions):
        await mailed.subscribe(lea)
    first = await desk.find(window=Window(limit=2, total=True), actor=lea)
    rest = await desk.find(window=Window(limit=2, after=first.next_cursor), actor=lea)
    assert [each.id for each in (*first.items, *rest.items)] == made
    assert (first.total, rest.next_cursor) == (3, None)
    assert NewSubscription.model_fields.keys() < type(first.items[0]).model_fields.keys()
