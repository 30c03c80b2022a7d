"""Who borrowed what is forgotten in time, with all that would join them again; money adds up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from tests.circulation.desk import EVERYTHING, Desk, a_key, everything
from tests.circulation.life import Life
from tests.circulation.town import LIBRARIAN, NOW, Town

from lendery.circulation.forgetting import forget_links
from lendery.circulation.models import LOOKUPS, TABLES, hold, ledger_line, loan, suspension
from lendery.circulation.privacy import LIMITS, PERSONAL
from lendery.circulation.reactions import REACTIONS
from lendery.circulation.replay import replay
from lendery.contracts.accounts import PatronRemoved
from lendery.contracts.base import RequestKey
from lendery.contracts.permissions import Actor
from lendery.platform.events import Reactions
from lendery.platform.personal import PersonalFiles
from lendery.platform.retention import enforce
from lendery.platform.settings import Settings

A_DAY, A_MOMENT = timedelta(days=1), timedelta(microseconds=1)
BACK = NOW + 5 * A_DAY
YEARS_ON = NOW + 4000 * A_DAY


@dataclass
class Library:
    town: Town
    settings: Settings

    @property
    def db(self) -> Any:
        return self.town.db

    @property
    def patrons(self) -> Any:
        return self.town.patrons


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


@pytest.fixture
def library(town: Town) -> Library:
    return Library(town, Settings())


async def night(library: Library, now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """How many rows of each kind lead to nobody now."""
    done = await forget_links(library, now, lambda rows: None, dry_run)
    return {what: rows for what, rows in done.items() if rows}


async def links(town: Town, patron_id: UUID) -> dict[str, int]:
    found = {}
    async with town.db.read() as session:
        for table in (loan, hold, ledger_line, suspension):
            query = select(func.count()).where(table.c.patron_id == patron_id)
            found[table.name.removeprefix("circulation_")] = int(await session.value(query))
    return {name: rows for name, rows in found.items() if rows}


async def one_loan(desk: Desk, **of_ann: Any) -> UUID:
    """Ann has had a book for five days."""
    home = await desk.town.branch()
    await desk.rules(loan_period=21, fine=20, hold_fee=50)
    ann = desk.town.patrons.add("ANN", **of_ann).id
    for barcode in ("b1", "b2"):
        desk.town.copies.add(barcode, home.id)
    await desk.lend("b1", "ANN")
    return ann


@pytest.mark.parametrize(
    ("keeps_history", "days", "more", "forgotten"),
    [
        (False, 30, A_MOMENT, True),
        (False, 30, 0 * A_DAY, False),
        (True, 4000, 0 * A_DAY, False),
    ],
)
async def test_a_loan_is_forgotten_thirty_days_after_it_came_back(
    desk: Desk,
    library: Library,
    keeps_history: bool,
    days: int,
    more: timedelta,
    forgotten: bool,
) -> None:
    ann = await one_loan(desk, keeps_history=keeps_history)
    await desk.at(BACK).bring("b1")
    now = BACK + days * A_DAY + more
    assert await night(library, now) == ({"loans": 1} if forgotten else {})
    assert await links(desk.town, ann) == ({} if forgotten else {"loan": 1})


async def test_what_is_out_is_not_forgotten(desk: Desk, library: Library) -> None:
    ann = await one_loan(desk)
    assert await night(library, YEARS_ON) == {}
    assert await links(desk.town, ann) == {"loan": 1}


async def test_what_is_owed_is_remembered_with_its_loan_until_it_is_paid(
    desk: Desk, library: Library
) -> None:
    ann = await one_loan(desk)
    late = NOW + 26 * A_DAY
    fine = (await desk.at(late).bring("b1")).fine
    assert fine is not None
    assert await night(library, late + 300 * A_DAY) == {}
    paying = desk.at(late + 301 * A_DAY)
    await paying.pay(ann, 40)
    assert await night(library, paying.now + 200 * A_DAY) == {}, "a part is still owed"
    rest = desk.at(paying.now + 200 * A_DAY)
    await rest.pay(ann, fine.outstanding.amount - 40)
    assert await night(library, rest.now + 30 * A_DAY) == {}
    once = await night(library, rest.now + 30 * A_DAY + A_MOMENT)
    assert once == {"charges and payments": 3, "loans": 1}
    assert await links(desk.town, ann) == {}
    assert await rest.stands(ann) == (0, 0, 0, [])
    assert (await replay(desk.town.db)).found == 0


async def test_other_money_is_remembered_for_a_year(desk: Desk, library: Library) -> None:
    ann = await one_loan(desk)
    await desk.charge(ann, 500)
    await desk.pay(ann, 500)
    assert await night(library, NOW + 365 * A_DAY) == {}
    assert await night(library, NOW + 365 * A_DAY + A_MOMENT) == {"charges and payments": 2}
    assert await links(desk.town, ann) == {"loan": 1}, "which is still out"


async def test_what_was_paid_for_a_lost_book_is_remembered_for_a_year(
    desk: Desk, library: Library
) -> None:
    """It may be found and paid back."""
    ann = await one_loan(desk)
    await desk.rules(lost_after=10, lost_fee=300)
    await desk.lend("b2", "ANN")
    gone = desk.at(NOW + 40 * A_DAY)
    assert await desk.town.desk.declare_lost(now=gone.now) == 1
    _, owed, _, _ = await gone.stands(ann)
    assert owed > 0
    await gone.pay(ann, owed)
    assert "loans" not in await night(library, gone.now + 365 * A_DAY)
    assert (await night(library, gone.now + 365 * A_DAY + A_MOMENT))["loans"] == 1
    assert await links(desk.town, ann) == {"loan": 1}, "the other one is out"


async def test_a_running_suspension_holds_its_loan(desk: Desk, library: Library) -> None:
    ann = await one_loan(desk)
    await desk.town.rule("suspend_days", 30, item_type="book")
    await desk.lend("b2", "ANN")
    late = NOW + 26 * A_DAY
    until = (await desk.at(late).bring("b2")).suspended_until
    assert until is not None and until > late + 60 * A_DAY
    await desk.at(late).pay(ann, (await desk.stands(ann))[1])
    assert await night(library, late + 60 * A_DAY) == {"charges and payments": 2}
    done = await night(library, until + 30 * A_DAY + A_MOMENT)
    assert (done["suspensions"], done["loans"]) == (1, 1)
    assert await links(desk.town, ann) == {"loan": 1}


async def test_a_dry_run_counts_exactly_and_changes_nothing(life: Life) -> None:
    library = Library(life.town, Settings())
    before = await everything(life.town)
    would = await night(library, YEARS_ON, dry_run=True)
    assert await everything(life.town) == before
    desk = Desk(life.town)
    people = (life.ann, life.ben, life.cas, life.dora)
    stood = [await desk.stands(each) for each in people]
    assert await night(library, YEARS_ON) == would
    assert min(would.values()) > 0 and would["loans"] == 5
    assert [await desk.stands(each) for each in people] == stood
    assert (await replay(life.town.db)).found == 0
    assert await night(library, YEARS_ON) == {}


async def test_nothing_that_is_left_leads_back_to_a_forgotten_loan(life: Life) -> None:
    await night(Library(life.town, Settings()), YEARS_ON)
    async with life.town.db.read() as session:
        for table in (ledger_line, suspension):
            joined = select(func.count()).select_from(
                table.join(loan, table.c.loan_id == loan.c.id)
            )
            query = joined.where(table.c.patron_id.is_not(None), loan.c.patron_id.is_(None))
            assert await session.value(query) == 0
        words = select(func.count()).where(loan.c.patron_id.is_(None), loan.c.waive_reason != "")
        assert await session.value(words) == 0
        notes = select(func.count()).where(
            ledger_line.c.patron_id.is_(None), ledger_line.c.note != ""
        )
        assert await session.value(notes) == 0


async def erased(town: Town, patron_id: UUID, now: datetime) -> list[str]:
    """What is left of them, after circulation has heard of it."""
    gone = Reactions(town.db, town, {"circulation": REACTIONS})
    town.patrons.change(town.patrons.known[patron_id], card_number=None, active=False, born_on=None)
    await gone.send([PatronRemoved(at=now, patron_id=patron_id)])
    files = PersonalFiles(town.db, {"circulation": PERSONAL})
    left = await files.holdings(context="circulation", patron_id=patron_id)
    return [each.what for each in left]


async def test_an_erasure_leaves_nothing_that_leads_to_the_person(life: Life) -> None:
    now, desk = YEARS_ON, Desk(life.town)
    async with life.town.db.read() as session:
        stood = {each: await desk.stands(each) for each in (life.ann, life.cas, life.dora)}
        lines = await session.value(select(func.count()).select_from(ledger_line))
    ann, left = life.ann, await erased(life.town, life.ann, now)
    balance = stood[ann][0]
    still = (await PERSONAL.obstacles(life.town.db, ann, now)) if PERSONAL.obstacles else []
    assert bool(left) == bool(still), "what is open stays, and is told"
    assert (await desk.stands(ann))[0] == balance
    async with life.town.db.read() as session:
        assert await session.value(select(func.count()).select_from(ledger_line)) == lines
    assert {each: await desk.stands(each) for each in stood} == stood
    assert (await replay(life.town.db)).found == 0


async def test_what_is_still_out_is_erased_when_it_came_back(desk: Desk) -> None:
    ann = await one_loan(desk)
    key = RequestKey.of("k", sender=ann, asked=b"it")
    reader = Actor(id=ann, role="reader")
    await desk.lend("b2", "ANN", key=a_key("desk"))
    async with desk.town.db.begin() as tx:
        await tx.write(TABLES.answered(key, status=200, answer={}, now=NOW))
    files = PersonalFiles(desk.town.db, {"circulation": PERSONAL})
    held = await files.holdings(context="circulation", patron_id=ann)
    assert {each.what: each.rows for each in held} == {"patron": 1, "loans": 2, "kept answers": 1}
    (told,) = await files.obstacles(context="circulation", patron_id=ann, now=BACK)
    assert (told.code, told.says) == ("open-loans", "2 on loan: they must come back first.")
    assert await erased(desk.town, ann, NOW + A_DAY) == ["loans"]
    for barcode in ("b1", "b2"):
        await desk.at(BACK).bring(barcode)
    assert await erased(desk.town, ann, BACK) == []
    assert reader.id == ann and await links(desk.town, ann) == {}


@pytest.mark.parametrize(
    ("charged", "paid", "codes"),
    [(100, 0, ["owes-money"]), (100, 40, ["owes-money"]), (100, 100, []), (0, 0, [])],
)
async def test_money_stands_against_an_erasure(
    desk: Desk, charged: int, paid: int, codes: list[str]
) -> None:
    ann = await one_loan(desk)
    await desk.at(BACK).bring("b1")
    if charged:
        await desk.charge(ann, charged)
    if paid:
        await desk.pay(ann, paid)
    files = PersonalFiles(desk.town.db, {"circulation": PERSONAL})
    found = await files.obstacles(context="circulation", patron_id=ann, now=BACK)
    assert [each.code for each in found] == codes
    assert all(f"{(charged - paid) / 100:.2f}" in each.says for each in found)


async def test_a_kept_hold_stands_against_it_and_a_waiting_one_does_not(desk: Desk) -> None:
    home = (await desk.town.branch()).id
    await desk.rules(loan_period=21)
    ann, _ = desk.town.patrons.add("ANN").id, desk.town.patrons.add("BEN")
    copy = desk.town.copies.add("b1", home)
    await desk.lend("b1", "BEN")
    await desk.wait("ANN", home, book_id=copy.book_id)
    files = PersonalFiles(desk.town.db, {"circulation": PERSONAL})
    asked: Any = {"context": "circulation", "patron_id": ann, "now": NOW}
    assert await files.obstacles(**asked) == []
    await desk.bring("b1")
    assert [each.code for each in await files.obstacles(**asked)] == ["ready-holds"]


async def test_that_staff_looked_is_kept_for_half_a_year(desk: Desk, library: Library) -> None:
    ann = await one_loan(desk)
    await desk.account(ann)
    await desk.account(ann)
    curious = LIBRARIAN.model_copy(update={"why": "She rang up"})
    await Desk(desk.town).town.fees.account(
        patron_id=ann, window=EVERYTHING, actor=curious, now=NOW
    )
    async with desk.town.db.read() as session:
        rows = await session.rows(select(LOOKUPS).order_by(LOOKUPS.c.id))
    assert [(row.patron_id, row.by, row.what, row.why) for row in rows] == [
        (ann, LIBRARIAN.id, "account", None),
        (ann, LIBRARIAN.id, "account", "She rang up"),
    ]
    limits = {"circulation": LIMITS}
    newest = rows[-1].at
    for now, gone in (
        (rows[0].at + 180 * A_DAY, 0),
        (newest + 180 * A_DAY + A_MOMENT, 2),
    ):
        for dry_run in (True, False):
            past = await enforce(library, limits, now, dry_run=dry_run)
            assert {each.what: each.rows for each in past}["look-ups by staff"] == gone
