from datetime import date, datetime, timedelta
from uuid import uuid4

from lendery.accounts.patrons import PatronIndex
from lendery.accounts.people import PeopleDesk
from lendery.contracts.accounts import NewBlock, Patron
from lendery.contracts.permissions import SYSTEM

from .conftest import Joins


async def test_a_card_says_what_lending_needs(
    patrons: PatronIndex, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    branch = uuid4()
    ann = await joins(
        "Ann",
        card_number="AB-100",
        category="student",
        home_branch_id=branch,
        born_on=date(2001, 2, 3),
        expires_on=date(2027, 1, 1),
    )
    stolen = await desk.block(
        user_id=ann.id, block=NewBlock(reason="stolen-card"), actor=SYSTEM, now=now
    )
    paused = await desk.block(
        user_id=ann.id,
        block=NewBlock(note="Late", until=now + timedelta(days=1)),
        actor=SYSTEM,
        now=now,
    )
    found = await patrons.by_card(card_number="ab-100 ")
    assert found == Patron(
        id=ann.id,
        card_number="AB-100",
        category="student",
        home_branch_id=branch,
        expires_on=date(2027, 1, 1),
        born_on=date(2001, 2, 3),
        blocks=(stolen, paused),
        active=True,
        version=3,
    )
    assert await patrons.by_ids(ids=[ann.id]) == [found]


async def test_many_patrons_are_answered_together_each_with_their_own_blocks(
    patrons: PatronIndex, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann, ben, cy = await joins("Ann"), await joins("Ben"), await joins("Cy")
    for each in (ann, cy, cy):
        await desk.block(user_id=each.id, block=NewBlock(), actor=SYSTEM, now=now)
    found = await patrons.by_ids(ids=[cy.id, ann.id, ben.id, uuid4(), ann.id])
    assert [(p.id, len(p.blocks)) for p in found] == [(ann.id, 1), (ben.id, 0), (cy.id, 2)]
    assert await patrons.by_ids(ids=[]) == []


async def test_nobody_has_a_card_that_cannot_be(patrons: PatronIndex) -> None:
    for odd in ("AB-404", "", "\x00", "a'; --", "x" * 10_000, "Ä-100"):
        assert await patrons.by_card(card_number=odd) is None


async def test_a_removed_patron_is_inactive_and_has_no_card(
    patrons: PatronIndex, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    ann = await joins("Ann", card_number="AB-100", born_on=date(2001, 2, 3))
    await desk.block(user_id=ann.id, block=NewBlock(), actor=SYSTEM, now=now)
    await desk.remove(user_id=ann.id, actor=SYSTEM, now=now)
    assert await patrons.by_card(card_number="AB-100") is None
    (gone,) = await patrons.by_ids(ids=[ann.id])
    assert (gone.active, gone.card_number, gone.born_on, gone.blocks) == (False, None, None, ())
    assert gone.version == 3


async def test_an_inactive_patron_is_said_to_be(
    patrons: PatronIndex, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    await joins("Ann", card_number="AB-100")
    ann = await desk.by_card(card_number="AB-100", actor=SYSTEM)
    await desk.change(user_id=ann.id, changes={"active": False}, actor=SYSTEM, now=now)
    found = await patrons.by_card(card_number="AB-100")
    assert found and not found.active


async def test_cards_that_run_out_are_listed_of_those_who_are_there(
    patrons: PatronIndex, desk: PeopleDesk, joins: Joins, now: datetime
) -> None:
    first, last = date(2027, 1, 1), date(2027, 1, 31)
    days = [first - timedelta(days=1), first, last, last + timedelta(days=1), first, first]
    people = [await joins(f"Ann{n}", expires_on=day) for n, day in enumerate(days)]
    await desk.change(user_id=people[4].id, changes={"active": False}, actor=SYSTEM, now=now)
    await desk.remove(user_id=people[5].id, actor=SYSTEM, now=now)
    found = await patrons.expiring(since=first, until=last, after=None, most=9)
    assert {each.patron_id: each.expires_on for each in found} == {
        people[1].id: first,
        people[2].id: last,
    }
    one, two = found
    assert await patrons.expiring(since=first, until=last, after=None, most=1) == [one]
    assert await patrons.expiring(since=first, until=last, after=one.patron_id, most=9) == [two]
