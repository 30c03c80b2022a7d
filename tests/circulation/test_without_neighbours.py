"""What circulation remembers of patrons and copies, and how it stays fresh."""

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select
from tests.circulation.town import LIBRARIAN, NOW, Town, block

from lendery.circulation.models import TABLES, copy, loan, patron
from lendery.circulation.reactions import REACTIONS
from lendery.circulation.repository import remembered as rows
from lendery.contracts.accounts import Patron, PatronChanged, PatronRemoved
from lendery.contracts.catalog import BareCopy, CopyChanged, CopyRemoved
from lendery.contracts.circulation import CheckOutRefused, LoanRequest, ReturnRequest
from lendery.platform.db import Database
from lendery.platform.events import Reactions

UNTIL = datetime.fromisoformat("2026-04-01T00:00:00+00:00")


async def told(town: Town, *events: Any) -> None:
    """The neighbours announce; circulation reacts."""
    await Reactions(town.db, town, {"circulation": REACTIONS}).send(events)


async def remember(town: Town, *known: Patron | BareCopy) -> None:
    async with town.db.begin() as tx:
        for each in known:
            if isinstance(each, Patron):
                await rows.remember_patron(tx, each)
            else:
                await rows.remember_copy(tx, each)


async def by_card(town: Town, card: str) -> UUID | None:
    async with town.db.begin() as tx:
        found = await rows.lock_borrower(tx, card=card, patron_id=None, barcode="")
    return found.id if found else None


def changed(patron: Patron) -> PatronChanged:
    return PatronChanged(at=NOW, patron_id=patron.id)


async def test_a_patron_met_is_remembered_with_what_lending_needs(town: Town) -> None:
    home = uuid4()
    ann = town.patrons.add(
        "1000000008",
        home_branch_id=home,
        born_on=date(2010, 1, 2),
        blocks=(block("suspended", UNTIL), block("stolen-card")),
    )
    await town.memory.meet_patron(card="1000000008", patron_id=None)
    row = await town.row(patron, ann.id)
    assert (row.card_number, row.category, row.home_branch_id) == ("1000000008", "adult", home)
    assert (row.expires_on, row.born_on, row.active) == (date(2027, 1, 1), date(2010, 1, 2), True)
    assert [each["reason"] for each in row.blocks] == ["suspended", "stolen-card"]
    assert set(row.blocks[0]) == {"reason", "until"}, "the note stays where it was written"


async def test_whom_nobody_knows_leaves_no_trace(town: Town) -> None:
    await town.memory.meet_patron(card="nobody", patron_id=None)
    await town.memory.meet_patron(card=None, patron_id=uuid4())
    await town.memory.meet_copy(barcode="nothing")
    await town.memory.meet_copy(copy_id=uuid4())
    async with town.db.read() as session:
        assert await session.rows(select(patron)) == await session.rows(select(copy)) == []


async def test_a_patron_who_changed_is_remembered_as_now(town: Town) -> None:
    ann = town.patrons.add("1000000008")
    await told(town, changed(ann))
    town.patrons.change(ann, category="child", active=False, blocks=(block(),))
    await told(town, changed(ann))
    row = await town.row(patron, ann.id)
    assert (row.category, row.active, len(row.blocks), row.version) == ("child", False, 1, 2)


async def test_old_news_changes_nothing(town: Town) -> None:
    first = town.patrons.add("1000000008")
    newer = town.patrons.change(first, category="child")
    await remember(town, newer, first)
    assert (await town.row(patron, first.id)).category == "child"
    shelved = town.copies.add("b1", uuid4())
    moved = town.copies.change(shelved, item_type="dvd")
    await remember(town, moved, shelved)
    assert (await town.row(copy, shelved.id)).item_type == "dvd"


async def test_a_card_that_moved_belongs_to_its_new_owner_only(town: Town) -> None:
    ann, ben = town.patrons.add("card"), town.patrons.add(None)
    await remember(town, ann, ben)
    assert await by_card(town, "card") == ann.id
    ann2 = town.patrons.change(ann, card_number="other")
    ben2 = town.patrons.change(ben, card_number="card")
    await told(town, changed(ben2))
    assert await by_card(town, "card") == ben.id
    assert (await town.row(patron, ann.id)).card_number is None
    await told(town, changed(ann2))
    assert (await by_card(town, "card"), await by_card(town, "other")) == (ben.id, ann.id)


async def test_old_news_of_the_former_owner_takes_the_card_from_nobody(town: Town) -> None:
    ann, ben = town.patrons.add("card"), town.patrons.add(None)
    ann2 = town.patrons.change(ann, card_number="other")
    ben2 = town.patrons.change(ben, card_number="card")
    await remember(town, ann2, ben2, ann)
    assert await by_card(town, "card") == ben.id
    assert await by_card(town, "other") == ann.id


async def test_a_barcode_that_moved_belongs_to_its_new_copy_only(town: Town) -> None:
    home = uuid4()
    one, two = town.copies.add("b1", home), town.copies.add("b2", home)
    await remember(town, one, two)
    one2 = town.copies.change(one, barcode="b3")
    two2 = town.copies.change(two, barcode="b1")
    await told(town, CopyChanged(at=NOW, copy_id=two.id, book_id=two.book_id))
    async with town.db.begin() as tx:
        found = await rows.lock_copy(tx, barcode="b1")
    assert found is not None and found.id == two.id
    assert (await town.row(copy, one.id)).barcode is None
    await remember(town, one2, two2, one)
    assert (await town.row(copy, two.id)).barcode == "b1", "old news takes no barcode"
    assert (await town.row(copy, one.id)).barcode == "b3"


async def test_a_card_lost_to_a_misunderstanding_is_found_again_by_asking(town: Town) -> None:
    """Late news took Ben's card; the next time he shows it, accounts is asked whose it is."""
    ann, ben = town.patrons.add("CARD"), town.patrons.add(None)
    ben2 = town.patrons.change(ben, card_number="CARD")
    await remember(town, ben2, ann)
    assert await by_card(town, "CARD") == ann.id
    town.patrons.change(ann, card_number=None)
    await told(town, changed(ann))
    assert await by_card(town, "CARD") is None
    await town.memory.meet_patron(card="CARD", patron_id=None)
    assert await by_card(town, "CARD") == ben.id


async def test_what_only_circulation_knows_of_a_copy_survives_the_catalogs_news(
    town: Town,
) -> None:
    home = await town.branch()
    shelved = town.copies.add("b1", home.id)
    await remember(town, shelved)
    await town.shelf.flag(copy_id=shelved.id, flag="damaged", actor=LIBRARIAN, now=NOW)
    town.copies.change(shelved, item_type="dvd")
    await told(town, CopyChanged(at=NOW, copy_id=shelved.id, book_id=shelved.book_id))
    row = await town.row(copy, shelved.id)
    assert (row.damaged, row.item_type) == (True, "dvd")


async def test_a_person_removed_leaves_nothing_of_the_person(town: Town) -> None:
    ann = town.patrons.add("1000000008", born_on=date(2010, 1, 2), blocks=(block(),))
    await remember(town, ann)
    del town.patrons.known[ann.id]
    await told(town, PatronRemoved(at=NOW, patron_id=ann.id))
    row = await town.row(patron, ann.id)
    assert (row.card_number, row.born_on, row.blocks, row.active) == (None, None, [], False)
    assert await by_card(town, "1000000008") is None


async def test_a_copy_removed_is_forgotten(town: Town) -> None:
    shelved = town.copies.add("b1", uuid4())
    await remember(town, shelved)
    await told(town, CopyRemoved(at=NOW, copy_id=shelved.id, book_id=shelved.book_id))
    assert await town.row(copy, shelved.id) is None


async def test_the_same_news_twice_is_acted_on_once(town: Town) -> None:
    ann = town.patrons.add("1000000008")
    news = changed(ann)
    await told(town, news)
    await told(town, news, news)
    async with town.db.read() as session:
        assert len(await session.rows(select(TABLES.inbox))) == 1


async def test_a_desk_lends_to_whom_it_knows_without_asking_anyone(town: Town) -> None:
    home = await town.branch()
    await town.rule("loan_period", 21)
    town.patrons.add("1000000008")
    town.copies.add("b1", home.id)
    request = LoanRequest(barcode="b1", card_number="1000000008")
    await town.desk.check_out(request=request, actor=LIBRARIAN, now=NOW)
    assert (town.patrons.asked, town.copies.asked) == (1, 1)
    for _ in range(3):
        back = ReturnRequest(barcode="b1")
        await town.desk.check_in(request=back, actor=LIBRARIAN, now=NOW)
        await town.desk.check_out(request=request, actor=LIBRARIAN, now=NOW)
    assert (town.patrons.asked, town.copies.asked) == (1, 1)


async def test_who_is_unknown_everywhere_is_asked_for_and_told(town: Town) -> None:
    await town.branch()
    request = LoanRequest(barcode="nothing", card_number="nobody")
    with pytest.raises(CheckOutRefused) as told_no:
        await town.desk.check_out(request=request, actor=LIBRARIAN, now=NOW)
    codes = {each["code"] for each in told_no.value.extra["blocks"]}
    assert codes == {"unknown-copy", "unknown-card"}
    assert (town.patrons.asked, town.copies.asked) == (1, 1)


async def test_many_are_met_at_once(town: Town) -> None:
    people = [town.patrons.add(f"card{number}") for number in range(5)]
    things = [town.copies.add(f"b{number}", uuid4()) for number in range(5)]
    await town.memory.meet_many(patrons=[p.id for p in people], copies=[t.id for t in things])
    assert (town.patrons.asked, town.copies.asked) == (1, 1)
    async with town.db.read() as session:
        assert len(await session.rows(select(patron))) == 5
        assert len(await session.rows(select(copy))) == 5
    await town.memory.meet_many(patrons=[], copies=[])
    assert (town.patrons.asked, town.copies.asked) == (1, 1)


async def test_a_copy_that_is_lent_while_the_catalog_removes_it_stays(postgres_url: str) -> None:
    """The desk has looked and not yet lent when the news comes: its loan must still be closed."""
    db, other = Database(postgres_url, [TABLES]), Database(postgres_url, [TABLES])
    town = Town(db)
    home = await town.branch()
    await town.rule("loan_period", 21)
    town.patrons.add("1000000008")
    shelved = town.copies.add("b1", home.id)
    await remember(town, shelved)
    lent = asyncio.Event()

    async def forget() -> None:
        async with other.begin() as tx:
            lent.set()
            await rows.forget_copy(tx, shelved.id)

    async with db.begin() as tx:
        await rows.lock_copy_by_id(tx, shelved.id)
        forgetting = asyncio.create_task(forget())
        await lent.wait()
        await asyncio.sleep(0.2)  # the removal waits for the desk by now
        await tx.run(insert(loan).values(**a_loan(shelved)))
    await forgetting

    assert await town.row(copy, shelved.id) is not None
    await db.close()
    await other.close()


def a_loan(lent: BareCopy) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "copy_id": lent.id,
        "book_id": lent.book_id,
        "item_type": lent.item_type,
        "home_branch_id": lent.branch_id,
        "borrower": uuid4(),
        "branch_id": lent.branch_id,
        "lent_at": NOW,
        "due_at": NOW,
        "renewals": 0,
        "policy": {},
    }
