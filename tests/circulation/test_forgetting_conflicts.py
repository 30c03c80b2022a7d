"""Cards and reasons in the conflicts of offline desks have an end, by night and at an erasure."""

from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from tests.circulation.desk import Desk
from tests.circulation.far_desk import FarDesk, hours
from tests.circulation.test_forgetting import A_DAY, A_MOMENT, Library, erased
from tests.circulation.town import NOW, Town

from lendery.circulation.models import offline_conflict
from lendery.circulation.privacy import LIMITS, PERSONAL
from lendery.platform.personal import PersonalFiles
from lendery.platform.retention import enforce
from lendery.platform.settings import Settings

LATER, SETTLED = NOW + hours(6), NOW + hours(7)
CARDS, REASONS = "cards typed at offline desks", "reasons for settled conflicts"


@pytest_asyncio.fixture
async def desk(town: Town) -> Desk:
    desk, home = Desk(town), await town.branch()
    await desk.rules(loan_period=21)
    town.copies.add("b1", home.id)
    return desk


@pytest_asyncio.fixture
async def bus(desk: Desk) -> FarDesk:
    copy = next(iter(desk.town.copies.known.values()))
    return await FarDesk.open(desk.town, copy.branch_id, NOW - hours(1))


async def conflict(bus: FarDesk, card: str) -> Any:
    bus.lend("b1", card, NOW)
    await bus.send(now=LATER)
    (found,) = await bus.conflicts()
    return found


async def kept(desk: Desk) -> tuple[str | None, str | None]:
    async with desk.town.db.read() as session:
        (row,) = await session.rows(offline_conflict.select())
    return row.card_number, row.reason


async def gone(desk: Desk, now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    library = Library(desk.town, Settings())
    past = await enforce(library, {"circulation": LIMITS}, now, dry_run=dry_run)
    return {each.what: each.rows for each in past if each.rows}


async def held(desk: Desk, patron_id: Any) -> set[str]:
    files = PersonalFiles(desk.town.db, {"circulation": PERSONAL})
    rows = await files.holdings(context="circulation", patron_id=patron_id)
    return {each.what for each in rows}


async def test_a_card_that_nobody_has_is_kept_for_thirty_days(desk: Desk, bus: FarDesk) -> None:
    await conflict(bus, "gone-1")
    assert await gone(desk, LATER + 30 * A_DAY) == {}
    assert await kept(desk) == ("GONE-1", None)
    over = LATER + 30 * A_DAY + A_MOMENT
    assert await gone(desk, over, dry_run=True) == {CARDS: 1}
    assert await kept(desk) == ("GONE-1", None)
    assert await gone(desk, over) == {CARDS: 1}
    assert await kept(desk) == (None, None)
    (still,) = await bus.conflicts()
    assert (still.state, still.card_number) == ("open", None)


async def test_why_it_was_dismissed_is_kept_for_thirty_days(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus, "NOBODY")
    await bus.settle(found, "dismiss", reason="Mrs Lee brought it back", now=SETTLED)
    assert await gone(desk, SETTLED + 30 * A_DAY) == {}
    assert await kept(desk) == (None, "Mrs Lee brought it back")
    assert await gone(desk, SETTLED + 30 * A_DAY + A_MOMENT) == {REASONS: 1}
    assert await kept(desk) == (None, None)
    (settled,) = await bus.conflicts("settled")
    assert (settled.settled_as, settled.settled_at, settled.reason) == ("dismiss", SETTLED, None)


@pytest.mark.parametrize("typed", ["ANN", "ann"])
async def test_an_erasure_empties_a_card_that_was_given_out_since(
    desk: Desk, bus: FarDesk, typed: str
) -> None:
    await conflict(bus, typed)
    ann = desk.town.patrons.add("ANN").id
    await desk.charge(ann, 100)
    await desk.pay(ann, 100)
    assert CARDS in await held(desk, ann)
    assert await erased(desk.town, ann, LATER) == []
    assert await kept(desk) == (None, None)


async def test_an_erasure_empties_the_reason_beside_a_loan(desk: Desk, bus: FarDesk) -> None:
    found = await conflict(bus, "NOBODY")
    ann = desk.town.patrons.add("ANN").id
    why = "It was Ann Lee"
    await bus.settle(found, "record", card_number="ANN", reason=why, now=SETTLED)
    await desk.at(SETTLED + hours(1)).bring("b1")
    assert REASONS in await held(desk, ann)
    files = PersonalFiles(desk.town.db, {"circulation": PERSONAL})
    (told,) = (await files.records(context="circulation", patron_id=ann))[REASONS]
    assert told["reason"] == why and "card_number" not in told
    assert await erased(desk.town, ann, SETTLED + A_DAY) == []
    assert await kept(desk) == (None, None)
