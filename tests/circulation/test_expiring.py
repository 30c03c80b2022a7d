"""Nobody came: a copy waits on the hold shelf for its days, and not longer."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.circulation.desk import Desk
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.contracts.base import NotAllowed
from lendery.contracts.circulation import CopyReleased, Hold, HoldExpired, HoldHasEnded
from lendery.contracts.permissions import Actor


@pytest.fixture
def desk(town: Town) -> Desk:
    for card in ("ANN", "BEN", "CLEO"):
        town.patrons.add(card)
    return Desk(town)


async def shelved_for_ann(desk: Desk, *, zone: str = "UTC", days: int | None = 1) -> Any:
    """The copy, and Ann's hold that it stands on the hold shelf for."""
    home = await desk.town.branch(time_zone=zone)
    await desk.rules(loan_period=21, pickup_days=days)
    copy = desk.town.copies.add("b1", home.id)
    held = await desk.wait("ANN", home.id, book_id=copy.book_id)
    back = await desk.bring("b1")
    assert back.hold is not None and back.hold.state == "ready"
    return copy, held


async def expire(desk: Desk, at: datetime) -> int:
    return await desk.town.holds.expire(now=at)


@pytest.mark.parametrize(
    ("zone", "over"),  # the last day is Tuesday the 3rd of March
    [
        ("UTC", "2026-03-04T00:00:00Z"),
        ("America/New_York", "2026-03-04T05:00:00Z"),
        ("Asia/Tokyo", "2026-03-03T15:00:00Z"),
        ("Pacific/Kiritimati", "2026-03-03T10:00:00Z"),
        ("Pacific/Pago_Pago", "2026-03-04T11:00:00Z"),
    ],
)
async def test_its_last_day_ends_at_midnight_where_it_is_collected(
    desk: Desk, zone: str, over: str
) -> None:
    start = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    if zone == "Pacific/Kiritimati":  # where it is Tuesday already
        start -= timedelta(days=1)
    desk = desk.at(start)
    copy, held = await shelved_for_ann(desk, zone=zone)
    assert (await desk.hold(held)).expires_on == date(2026, 3, 3)
    at = datetime.fromisoformat(over)
    async with desk.nothing_changes():
        assert await expire(desk, at - timedelta(seconds=1)) == 0
    seen = len(await desk.told())
    assert await expire(desk, at) == 1
    ended = await desk.hold(held)
    assert (ended.state, ended.ended_at, ended.position) == ("expired", at, None)
    told = await desk.told(seen)
    assert [type(event) for event in told] == [HoldExpired, CopyReleased]
    assert isinstance(told[1], CopyReleased) and told[1].status == "available"
    assert await desk.status(copy) == "available"
    async with desk.nothing_changes():
        assert await expire(desk, at) == 0


async def test_only_what_is_over_is_ended(desk: Desk) -> None:
    home = await desk.town.branch()
    await desk.rules(loan_period=21, pickup_days=1)
    await desk.town.rule("pickup_days", 3, item_type="dvd")
    ended: list[Hold] = []
    for barcode, kind in (("b1", "book"), ("d1", "dvd"), ("b2", "book"), ("w1", "book")):
        copy = desk.town.copies.add(barcode, home.id, item_type=kind)
        ended.append(await desk.wait("ANN", home.id, book_id=copy.book_id))
        if barcode != "w1":
            await desk.bring(barcode)
    assert await expire(desk, NOW + timedelta(days=2)) == 2
    states = [(await desk.hold(each)).state for each in ended]
    assert states == ["expired", "ready", "expired", "waiting"]


async def test_without_days_it_waits_for_ever(desk: Desk) -> None:
    _, held = await shelved_for_ann(desk, days=None)
    assert await expire(desk, NOW + timedelta(days=3650)) == 0
    assert (await desk.hold(held)).state == "ready"


async def test_what_is_on_its_way_does_not_expire(desk: Desk) -> None:
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(loan_period=21, pickup_days=1)
    copy = desk.town.copies.add("b1", home.id)
    held = await desk.wait("ANN", away.id, book_id=copy.book_id)
    await desk.bring("b1")
    assert await expire(desk, NOW + timedelta(days=30)) == 0
    assert (await desk.hold(held)).state == "in-transit"


async def test_the_next_reader_gets_what_was_not_collected(desk: Desk) -> None:
    copy, _ = await shelved_for_ann(desk)
    ben = await desk.wait("BEN", copy.branch_id, book_id=copy.book_id)
    later = desk.at(NOW + timedelta(days=2))
    assert await expire(later, later.now) == 1
    (pull,) = await desk.town.holds.to_pull(branch_id=None, **later.here)
    assert (pull.hold_id, pull.copy_id) == (ben.id, copy.id)
    back = await later.bring("b1")
    assert back.hold is not None and back.hold.id == ben.id


async def test_a_copy_off_the_hold_shelf_goes_home_when_it_is_scanned(desk: Desk) -> None:
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(loan_period=21, pickup_days=1)
    copy = desk.town.copies.add("b1", home.id)
    await desk.wait("ANN", away.id, book_id=copy.book_id)
    await desk.bring("b1", branch_id=away.id)
    await expire(desk, NOW + timedelta(days=2))
    back = await desk.bring("b1", branch_id=away.id)
    assert (back.next, back.to_branch, back.hold) == ("transit", home.id, None)


# cancelled


async def test_a_cancelled_hold_frees_the_copy_on_the_hold_shelf(desk: Desk) -> None:
    copy, held = await shelved_for_ann(desk)
    ben = await desk.wait("BEN", copy.branch_id, book_id=copy.book_id)
    seen = len(await desk.told())
    ended = await desk.cancel(held)
    assert (ended.state, ended.ended_at, ended.position) == ("cancelled", NOW, None)
    assert await desk.names(seen) == ["HoldCancelled", "CopyReleased"]
    assert await desk.status(copy) == "available"
    assert (await desk.hold(ben)).state == "waiting", "nobody has it in hand yet"
    back = await desk.bring("b1")
    assert back.hold is not None and back.hold.id == ben.id


async def test_a_copy_on_its_way_to_a_cancelled_hold_is_still_on_its_way(desk: Desk) -> None:
    home, away = await desk.town.branch(), await desk.town.branch("away")
    await desk.rules(loan_period=21)
    copy = desk.town.copies.add("b1", home.id)
    held = await desk.wait("ANN", away.id, book_id=copy.book_id)
    await desk.bring("b1")
    seen = len(await desk.told())
    await desk.cancel(held)
    assert await desk.names(seen) == ["HoldCancelled"]
    assert await desk.status(copy) == "in-transit"
    back = await desk.bring("b1", branch_id=away.id)
    assert (back.next, back.to_branch) == ("transit", home.id)


async def test_a_cancelled_place_in_the_queue_closes_up(desk: Desk) -> None:
    home = await desk.town.branch()
    await desk.rules(loan_period=21)
    copy = desk.town.copies.add("b1", home.id)
    ann, ben, cleo = [
        await desk.wait(card, home.id, book_id=copy.book_id) for card in ("ANN", "BEN", "CLEO")
    ]
    await desk.cancel(ben)
    assert await desk.queue(copy.book_id) == [ann.id, cleo.id]
    assert (await desk.hold(cleo)).position == 2


async def test_what_has_ended_is_not_ended_again(desk: Desk) -> None:
    _, held = await shelved_for_ann(desk)
    await desk.cancel(held)
    async with desk.nothing_changes():
        with pytest.raises(HoldHasEnded) as refused:
            await desk.cancel(held)
        assert refused.value.extra == {"state": "cancelled"}


async def test_readers_cancel_their_own_holds_only(desk: Desk) -> None:
    _, held = await shelved_for_ann(desk)
    ben = next(p.id for p in desk.town.patrons.known.values() if p.card_number == "BEN")
    strangers: Any = {"actor": Actor(id=ben, role="reader"), "now": NOW}
    async with desk.nothing_changes():
        for hold_id in (held.id, UUID(int=404)):
            with pytest.raises(NotAllowed):
                await desk.town.holds.cancel(hold_id=hold_id, **strangers)
    assert held.patron_id is not None
    own: Any = {"actor": Actor(id=held.patron_id, role="reader"), "now": NOW}
    seen = len(await desk.told())
    await desk.town.holds.cancel(hold_id=held.id, **own)
    told = (await desk.told())[seen]
    assert getattr(told, "by", LIBRARIAN.id) is None, "the log does not name the reader"
